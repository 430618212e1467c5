//! A page of all measured models, and one for each: facts, layer profiles, its estimates in every hypothesis.

use maud::{Markup, html};

use super::book::Book;
use super::table::{choice, column, table};
use super::{layers, words};
use crate::report::text::{MISSING, estimate, probability};
use crate::report::view::{View, is_released};
use number::evidence::{Evidence, ModelInfo};

pub(super) fn pages(book: &mut Book<'_>) -> Markup {
    let view = book.view;
    let all = overview(book);
    let pages: Vec<Markup> = view.models.iter().map(|model| page(book, model)).collect();
    html! { (all) @for page in &pages { (page) } }
}

/// Released models, and revisions and variants.
pub(super) fn parted(view: &View) -> (Vec<&ModelInfo>, Vec<&ModelInfo>) {
    view.models.iter().partition(|model| is_released(model))
}

type Fact = (&'static str, String);

fn facts(model: &ModelInfo) -> Vec<Fact> {
    let facts = &model.facts;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| MISSING.to_string());
    let count = |value: Option<u32>| value.map_or_else(|| MISSING.to_string(), |n| n.to_string());
    let positions = match (&facts.positions, &facts.rope_scaling) {
        (Some(scheme), Some(scaling)) if scaling != "default" => format!("{scheme} ({scaling})"),
        (scheme, _) => text(scheme),
    };
    vec![
        ("family", text(&facts.family)),
        ("norm", text(&facts.norm)),
        ("MLP", text(&facts.mlp)),
        ("residual", text(&facts.residual)),
        ("blocks", count(facts.blocks)),
        ("width", count(facts.width)),
        ("heads (kv)", format!("{} ({})", count(facts.heads), count(facts.kv_heads))),
        ("positions", positions),
        ("parameters", facts.parameters.map_or_else(|| MISSING.to_string(), |n| n.to_string())),
        ("dtype", text(&facts.dtype)),
    ]
}

/// Facts that only a model's own page shows, where they are stated.
fn more(model: &ModelInfo) -> Vec<Fact> {
    let facts = &model.facts;
    let stated: [(&'static str, Option<String>); 9] = [
        ("vocabulary", facts.vocabulary.map(|n| n.to_string())),
        ("context, tokens", facts.context.map(|n| n.to_string())),
        ("MLP width", facts.mlp_width.map(|n| n.to_string())),
        ("rope theta", facts.rope_theta.map(|theta| theta.to_string())),
        (
            "embedding and unembedding",
            facts.tied.map(|tied| if tied { "one matrix" } else { "two matrices" }.to_string()),
        ),
        ("tuned or changed from", facts.base.clone()),
        ("by", facts.change.clone()),
        ("stage of the training of", facts.series.clone().filter(|series| *series != model.id)),
        ("training step", facts.step.map(|step| step.to_string())),
    ];
    stated.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

const CHANGED: [&str; 6] =
    ["model", "kind", "tuned or changed from", "by", "stage of the training of", "step"];

fn overview(book: &Book<'_>) -> Markup {
    let view = book.view;
    let (released, others) = parted(view);
    let mut columns = vec![column("model")];
    if let Some(model) = released.first() {
        columns.extend(facts(model).into_iter().map(|(name, _)| column(name)));
    }
    let rows: Vec<Markup> = released
        .iter()
        .map(|model| {
            html! {
                th scope="row" { (words::model(book, &model.id)) }
                @for (_, value) in facts(model) { td { (value) } }
            }
        })
        .collect();
    let changed: Vec<Markup> = others
        .iter()
        .map(|model| {
            let facts = &model.facts;
            let from = |id: &Option<String>| id.as_ref().map(|id| words::model(book, id));
            html! {
                th scope="row" { (words::model(book, &model.id)) }
                td { (facts.kind.as_deref().unwrap_or(MISSING)) }
                td { (from(&facts.base).unwrap_or_else(|| html! { (MISSING) })) }
                td { (facts.change.as_deref().unwrap_or(MISSING)) }
                td { (from(&facts.series).unwrap_or_else(|| html! { (MISSING) })) }
                td.num { (facts.step.map_or_else(|| MISSING.to_string(), |step| step.to_string())) }
            }
        })
        .collect();
    html! {
        section.page #models {
            h1 { "Measured models" }
            @if view.models.is_empty() {
                p { "None: no checkpoint of this experiment was observed." }
            }
            (table("Facts of the measured models' configs", true, &columns, &rows))
            @if !changed.is_empty() {
                h2 { "Revisions and variants" }
                p { "Stages of a training, and models changed here: interventions and controls. Other facts are as in what they come from." }
                (table("Revisions and variants of the measured models", true, &CHANGED.map(column), &changed))
            }
            @if !view.problems.is_empty() {
                h2 { "What could not be done" }
                ul.notes { @for problem in &view.problems { li { (problem) } } }
            }
        }
    }
}

fn page(book: &mut Book<'_>, model: &ModelInfo) -> Markup {
    let view = book.view;
    let address = book.model(&model.id).to_string();
    let profiles: Vec<Markup> = view
        .profiles
        .iter()
        .filter(|profile| profile.model == model.id)
        .map(|profile| layers::section(book, profile))
        .collect();
    let estimates = estimates(book, &model.id);
    html! {
        section.page id=(address) {
            p.kicker { "Measured model" @if let Some(kind) = &model.facts.kind { " · " (kind) } }
            h1 { (model.id) }
            dl.facts {
                @for (name, value) in facts(model).into_iter().chain(more(model)) {
                    dt { (name) }
                    dd { (value) }
                }
            }
            @if !profiles.is_empty() {
                h2 { "Layer by layer" }
                @for profile in &profiles { (profile) }
            }
            @if !estimates.is_empty() {
                h2 { "In every hypothesis" }
                (table(
                    &format!("Estimates of {}", model.id),
                    true,
                    &[
                        choice("hypothesis"),
                        column("prediction"),
                        column("value [interval]"),
                        column("unit"),
                        column("p"),
                        column("n"),
                        column("protocol"),
                    ],
                    &estimates,
                ))
            }
        }
    }
}

fn estimates(book: &mut Book<'_>, model: &str) -> Vec<Markup> {
    let mut rows: Vec<Markup> = Vec::new();
    for hypothesis in &book.view.hypotheses {
        let measured = hypothesis.predictions.iter().filter(|p| p.evidence == Evidence::Measured);
        for prediction in measured {
            let judgement = &prediction.primary;
            let mine = judgement
                .estimates
                .iter()
                .filter(|e| e.label == model && e.value.is_some_and(|v| !v.is_nan()));
            for found in mine {
                let address = book.hypothesis(&hypothesis.id).to_string();
                rows.push(html! {
                    td data-k=(hypothesis.id) { a href={ "#" (address) } { (hypothesis.id) } }
                    th scope="row" { (prediction.id) }
                    td.num { (words::number(book, &estimate(found), &judgement.protocols)) }
                    td { (judgement.unit) }
                    td.num { (probability(found.p)) }
                    td.num { (found.n) }
                    td { (words::protocols(book, &judgement.protocols)) }
                });
            }
        }
    }
    rows
}
