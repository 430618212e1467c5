//! A page of all measured models, and one for each: facts, layer profiles, its estimates in every hypothesis.

use super::context::RenderContext;
use super::{layers, prose};
use crate::report::document::{
    Block, Cell, Group, Line, Page, Span, Table, column, count, estimate, line, or_dash, paragraph,
    probability, protocol_links, row,
};
use crate::report::text::{capital, evidence_phrase};
use number::evidence::{Evidence, ModelInfo};

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let models = context.view.models.iter().map(|model| page(context, model));
    std::iter::once(overview(context)).chain(models).collect()
}

type Fact = (&'static str, Line);

/// Facts that every model has.
fn facts(model: &ModelInfo) -> Vec<Fact> {
    let facts = &model.facts;
    let text = |value: &Option<String>| or_dash(value.as_deref());
    let number = |value: Option<u32>| value.map_or_else(|| or_dash(None), |n| Line::from(count(n)));
    let positions = match (&facts.positions, &facts.rope_scaling) {
        (Some(scheme), Some(scaling)) if scaling != "default" => Line::from(format!("{scheme} ({scaling})")),
        (scheme, _) => text(scheme),
    };
    vec![
        ("family", text(&facts.family)),
        ("norm", text(&facts.norm)),
        ("MLP", text(&facts.mlp)),
        ("residual", text(&facts.residual)),
        ("blocks", number(facts.blocks)),
        ("width", number(facts.width)),
        ("heads (kv)", line![number(facts.heads), " (", number(facts.kv_heads), ")"]),
        ("positions", positions),
        ("parameters", facts.parameters.map_or_else(|| or_dash(None), |n| Line::from(count(n)))),
        ("dtype", text(&facts.dtype)),
    ]
}

/// Facts that only a model's own page shows, where they are stated.
fn more(context: &RenderContext<'_>, model: &ModelInfo) -> Vec<Fact> {
    let facts = &model.facts;
    let tied = facts.tied.map(|tied| if tied { "one matrix" } else { "two matrices" });
    let series = facts.series.as_ref().filter(|series| **series != model.id);
    let bits = facts.bits_per_weight.map(|bits| Line::from(format!("{bits:.2}")));
    let stated: [(&'static str, Option<Line>); 10] = [
        ("bits of a weight, with its share of scales", bits),
        ("vocabulary", facts.vocabulary.map(|n| Line::from(count(n)))),
        ("context, tokens", facts.context.map(|n| Line::from(count(n)))),
        ("MLP width", facts.mlp_width.map(|n| Line::from(count(n)))),
        ("rope theta", facts.rope_theta.map(|theta| Line::from(count(theta)))),
        ("embedding and unembedding", tied.map(Line::from)),
        ("tuned or changed from", facts.base.as_ref().map(|id| context.model_link(id))),
        ("by", facts.change.as_ref().map(Line::from)),
        ("stage of the training of", series.map(|id| context.model_link(id))),
        ("training step", facts.step.map(|step| Line::from(count(step)))),
    ];
    stated.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Where the weights are from and what they are: of models trained on natural data at once, of the others on demand.
fn weights(context: &RenderContext<'_>) -> Vec<Block> {
    let view = context.view;
    if view.weights.is_empty() {
        return Vec::new();
    }
    let is_trained =
        |id: &str| view.models.iter().any(|model| model.id == id && model.evidence == Evidence::Measured);
    let table = |caption: &str, trained: bool| {
        let rows = view.weights.iter().filter(|(id, _)| is_trained(id) == trained).map(|(id, weights)| {
            let origin = Some(weights.origin.as_str()).filter(|origin| !origin.is_empty());
            row![
                Cell::head(context.model_link(id)),
                origin.unwrap_or("beside the experiment"),
                Span::Code(weights.hash.to_string())
            ]
        });
        let columns = ["model", "from", "hash of the weights as stored"].map(column);
        Table::new(caption, columns).with(rows)
    };
    let mut blocks = vec![Block::heading("Which weights")];
    let trained = table("Weights of the models trained on natural data", true);
    blocks.extend((!trained.rows.is_empty()).then_some(Block::Table(trained)));
    let others = table("Weights of the other models", false);
    blocks.extend((!others.rows.is_empty()).then(|| Block::folded(others)));
    blocks
}

fn overview(context: &RenderContext<'_>) -> Page {
    let view = context.view;
    let (originals, others): (Vec<&ModelInfo>, Vec<&ModelInfo>) =
        view.models.iter().partition(|model| model.facts.is_original());
    let mut blocks = Vec::new();
    if view.models.is_empty() {
        blocks.push(paragraph("None: no checkpoint of this experiment was observed."));
    }
    for &evidence in Evidence::ALL {
        let of: Vec<&&ModelInfo> = originals.iter().filter(|model| model.evidence == evidence).collect();
        let Some(first) = of.first() else { continue };
        blocks.push(Block::heading(capital(evidence)));
        blocks.push(paragraph(prose::kind(evidence)));
        let names = facts(first).into_iter().map(|(name, _)| column(name));
        let rows = of.iter().map(|model| {
            let mut row = vec![Cell::head(context.model_link(&model.id))];
            row.extend(facts(model).into_iter().map(|(_, value)| Cell::new(value)));
            row
        });
        let columns = std::iter::once(column("model")).chain(names);
        let table = Table::new(format!("{}: facts of the models' configs", capital(evidence)), columns);
        blocks.push(Block::Table(table.filtered().with(rows)));
    }
    blocks.extend(weights(context));
    if !others.is_empty() {
        blocks.push(Block::heading("Revisions and variants"));
        blocks.push(paragraph(
            "Stages of a training, and changed models: by interventions, controls, or weights in fewer bits. Other facts are as in what they come from.",
        ));
        blocks.push(Block::Table(changed(context, &others)));
    }
    if !view.problems.is_empty() {
        blocks.push(Block::heading("What could not be done"));
        blocks.push(Block::Notes(view.problems.iter().map(Line::from).collect()));
    }
    Page {
        id: "models".into(),
        group: Group::Report,
        label: ("Models".into(), String::new()),
        kicker: Line::default(),
        title: "Models observed here".into(),
        blocks,
    }
}

fn changed(context: &RenderContext<'_>, models: &[&ModelInfo]) -> Table {
    let columns =
        ["model", "evidence", "kind", "tuned or changed from", "by", "stage of the training of", "step"]
            .map(column);
    let from = |id: &Option<String>| id.as_ref().map_or_else(|| or_dash(None), |id| context.model_link(id));
    let rows = models.iter().map(|model| {
        let facts = &model.facts;
        row![
            Cell::head(context.model_link(&model.id)),
            evidence_phrase(model.evidence),
            or_dash(facts.kind.as_deref()),
            from(&facts.base),
            or_dash(facts.change.as_deref()),
            from(&facts.series),
            facts.step.map_or_else(|| or_dash(None), |step| Line::from(count(step)))
        ]
    });
    Table::new("Revisions and variants of the models", columns).filtered().with(rows)
}

fn page(context: &RenderContext<'_>, model: &ModelInfo) -> Page {
    let facts = facts(model).into_iter().chain(more(context, model));
    let facts = facts.map(|(name, value)| (Line::from(name), vec![value]));
    let mut blocks = vec![Block::Facts(facts.collect())];
    let profiles = context.view.profiles.iter().filter(|profile| profile.model == model.id);
    let figures: Vec<_> = profiles.flat_map(layers::figures).collect();
    if !figures.is_empty() {
        blocks.push(Block::heading("Layer by layer"));
        blocks.push(Block::Figures(figures));
    }
    let estimates = estimates(context, model);
    if !estimates.rows.is_empty() {
        blocks.push(Block::folded(estimates));
    }
    let mut kicker = line!["Model · ", evidence_phrase(model.evidence)];
    if let Some(kind) = &model.facts.kind {
        kicker.push(line![" · ", kind]);
    }
    Page {
        id: context.model(&model.id).to_string(),
        group: if model.facts.is_original() { Group::Models } else { Group::Variants },
        label: (model.id.clone(), String::new()),
        kicker,
        title: Line::from(&model.id),
        blocks,
    }
}

/// What every hypothesis estimates of a model.
fn estimates(context: &RenderContext<'_>, of: &ModelInfo) -> Table {
    let columns = [
        column("hypothesis").pick(),
        column("prediction"),
        column("value [interval]"),
        column("unit"),
        column("p"),
        column("n"),
        column("protocol"),
    ];
    let mut rows = Vec::new();
    for hypothesis in &context.view.hypotheses {
        let mine = hypothesis.predictions.iter().filter(|p| p.evidence == of.evidence);
        for prediction in mine {
            let judgement = &prediction.primary;
            let exists = |value: Option<f64>| value.is_some_and(|value| !value.is_nan());
            let mine = judgement.estimates.iter().filter(|e| e.label == of.id && exists(e.value));
            rows.extend(mine.map(|found| {
                row![
                    Cell::new(context.hypothesis_link(&hypothesis.id)).key(&hypothesis.id),
                    Cell::head(&prediction.id),
                    estimate(found).under(&judgement.protocols),
                    &judgement.unit,
                    probability(found.p).under(&judgement.protocols),
                    count(found.n),
                    protocol_links(&judgement.protocols)
                ]
            }));
        }
    }
    Table::new(format!("Estimates of {} in every hypothesis", of.id), columns).filtered().with(rows)
}
