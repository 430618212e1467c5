//! The opening page: how many published conclusions survive, the case of one model where the experiment has it, the verdicts.

use super::context::RenderContext;
use super::corrected::protocols_behind;
use super::{calibration, corrected, fates, lead, paper, prose};
use crate::report::document::{
    Block, Cell, Group, Line, Page, Role, Span, Table, code, column, count, emphasis, line, link, or_dash,
    paragraph, probability, prose, protocol_links, row, strong,
};
use crate::report::text::{overall, overall_key, with_another_verdict};
use number::evidence::{Evidence, ModelInfo};
use number::protocol::Protocol;
use study::judge::outcome::{HypothesisOutcome, Registration};
use study::judge::summary::survival;
use study::registration::OTHER_JUDGE;

/// Models trained on natural data whose weights the page names.
const NAMED: usize = 3;

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let provenance = &context.view.provenance;
    let mut blocks = headline(context);
    blocks.extend(of_what(context));
    if let Some(case) = &context.view.llama {
        blocks.extend(paper::case::section(context, case));
    }
    blocks.extend(lead::sections(context));
    blocks.extend(verdicts(context));
    blocks.extend(rehearsal(context));
    if !context.view.problems.is_empty() {
        blocks.insert(0, not_whole(context.view.problems.len()));
    }
    vec![Page {
        id: "report".into(),
        group: Group::Report,
        label: ("Report".into(), String::new()),
        kicker: line!["Experiment ", code(&provenance.experiment)],
        title: Line::from(&provenance.experiment_title),
        blocks,
    }]
}

/// Whose earlier work is re-tested, on which texts, on which weights.
fn of_what(context: &RenderContext<'_>) -> Option<Block> {
    let view = context.view;
    let texts: usize = view.prompts.iter().map(|set| set.prompts.len()).sum();
    let mut parts: Vec<Line> = paper::source(view).into_iter().collect();
    if texts > 0 {
        let sets = if view.prompts.len() == 1 { " set" } else { " sets" };
        let prompts = line![count(texts), " prompts in ", count(view.prompts.len()), sets];
        parts.push(line![prompts, ", ", link("prompts", "every text"), " as it was run"]);
    }
    let trained = of_kind(&view.models, Evidence::Measured);
    for (id, weights) in
        view.weights.iter().filter(|(id, _)| trained.iter().any(|one| one.id == *id)).take(NAMED)
    {
        let mut weighs = line!["weights of ", code(id)];
        if !weights.origin.is_empty() {
            weighs.push(format!(" ({})", weights.origin));
        }
        weighs.push(line![", hash ", Span::Hash(weights.hash)]);
        parts.push(weighs);
    }
    if !view.weights.is_empty() {
        parts.push(line!["origin and hash of ", link("models", "all weights")]);
    }
    (!parts.is_empty()).then(|| Block::text(Role::Minor, line!["Of what: ", Line::joined(parts, "; "), "."]))
}

/// Before everything else: what is said below is said of a part.
fn not_whole(problems: usize) -> Block {
    let what =
        if problems == 1 { " thing that could not be done is" } else { " things that could not be done are" };
    paragraph(line![
        strong("These results lack something:"),
        " ",
        count(problems),
        what,
        " listed under ",
        link("models", "Models"),
        "."
    ])
}

fn headline(context: &RenderContext<'_>) -> Vec<Block> {
    let view = context.view;
    let about = Block::text(
        Role::Minor,
        line![
            "Every number stands beside the protocol that produced it or leads to it: ",
            code("reduction/endpoint/BOS"),
            ", defined under ",
            link("methods", "Methods"),
            ". ",
            emphasis("Published"),
            " numbers come from tables of earlier work, ",
            emphasis("measured"),
            " ones from checkpoints that were trained on natural data and are observed here; ",
            emphasis("rehearsal"),
            " ones, from miniatures and random weights, have a place of their own below. No kind is ever pooled with another."
        ],
    );
    let [published, measured] =
        [Evidence::Published, Evidence::Measured].map(|evidence| survival(&view.hypotheses, evidence));
    let (concluded, all) = (published.concluded, view.hypotheses.len());
    if concluded == 0 {
        return vec![about];
    }
    let models = of_kind(&view.models, Evidence::Measured);
    let mut headline = line![
        "On published rows the published conclusion ",
        fates::counted(&published, " that had a definite one")
    ];
    if !models.is_empty() {
        headline.push("; on what was measured here (");
        headline.push(inventory(&models, "trained on natural data"));
        headline.push(") it ");
        headline.push(fates::counted(&measured, ""));
    }
    headline.push(".");
    if concluded < all {
        headline.push(line![
            " On the other ",
            count(all - concluded),
            " of the ",
            count(all),
            " nothing definite was concluded."
        ]);
    }
    let mut blocks =
        vec![Block::text(Role::Headline, headline), about, Block::Fates(fates::lists(context, &published))];
    if !models.is_empty() {
        blocks.push(Block::Fold {
            summary: "The same on what was measured here".into(),
            blocks: vec![Block::Fates(fates::lists(context, &measured))],
        });
    }
    blocks
}

fn of_kind(models: &[ModelInfo], evidence: Evidence) -> Vec<&ModelInfo> {
    models.iter().filter(|model| model.evidence == evidence).collect()
}

/// The models by what they are: `9 models that only test the instrument, 8 stages of a training and 17 variants`.
fn inventory(models: &[&ModelInfo], what: &str) -> Line {
    let (originals, others): (Vec<&ModelInfo>, Vec<&ModelInfo>) =
        models.iter().partition(|model| model.facts.is_original());
    let stages = others.iter().filter(|m| m.facts.kind.as_deref() == Some("revision")).count();
    let counted = |number: usize, one: &str, more: &str| {
        (number > 0).then(|| line![count(number), " ", if number == 1 { one } else { more }])
    };
    let parts = [
        counted(originals.len(), &format!("model {what}"), &format!("models {what}")),
        counted(stages, "stage of a training", "stages of a training"),
        counted(others.len() - stages, "variant", "variants"),
    ];
    let mut parts: Vec<Line> = parts.into_iter().flatten().collect();
    match parts.pop() {
        None => Line::from("no model"),
        Some(only) if parts.is_empty() => only,
        Some(last) => line![Line::joined(parts, ", "), " and ", last],
    }
}

/// What the models that only test the instrument gave, apart from all evidence about language models.
fn rehearsal(context: &RenderContext<'_>) -> Vec<Block> {
    let view = context.view;
    let models = of_kind(&view.models, Evidence::Rehearsal);
    if models.is_empty() || view.hypotheses.is_empty() {
        return Vec::new();
    }
    let counted = survival(&view.hypotheses, Evidence::Rehearsal);
    let mut said = line![
        strong("This says nothing about language models."),
        " The same hypotheses on ",
        inventory(&models, "that only test the instrument"),
        ", made of miniatures and random weights: they show that every test runs to a verdict, and what it does with models \
         whose answers differ."
    ];
    if counted.concluded > 0 {
        said.push(line![" Here the published conclusion ", fates::counted(&counted, ""), "."]);
    }
    let columns = vec![column("id"), column("claim"), column("rehearsal").pick()];
    let rows = view.hypotheses.iter().map(|hypothesis| {
        let address = context.hypothesis(&hypothesis.id);
        row![
            Cell::head(link(address, &hypothesis.id)),
            link(address, &hypothesis.title),
            overall_cell(hypothesis, Evidence::Rehearsal)
        ]
    });
    let table = Table::new("Rehearsal of every hypothesis", columns).filtered().with(rows);
    vec![Block::section("rehearsal", "Rehearsal"), paragraph(said), Block::folded(table)]
}

/// The verdict of a hypothesis, with the predictions that have another below it.
pub(super) fn overall_cell(hypothesis: &HypothesisOutcome, evidence: Evidence) -> Cell {
    let Some(found) = overall(hypothesis, evidence) else { return Cell::new(or_dash(None)) };
    let others = with_another_verdict(hypothesis, evidence, found);
    Cell::new(Span::Verdict(found)).minor(others.join("; ")).key(overall_key(hypothesis, evidence))
}

fn verdicts(context: &RenderContext<'_>) -> Vec<Block> {
    let view = context.view;
    if view.hypotheses.is_empty() {
        return vec![paragraph("This experiment judges no hypothesis.")];
    }
    let family = !view.family.is_empty();
    let mut columns = vec![
        column("id"),
        column("claim"),
        column("it was said"),
        column("published rows").pick(),
        column("measured here").pick(),
    ];
    if family {
        columns.push(column("p (Holm), published").detail());
        columns.push(column("p (Holm), measured").detail());
    }
    columns.push(column("primary protocols").detail());
    let rows = view.hypotheses.iter().map(|hypothesis| {
        let address = context.hypothesis(&hypothesis.id);
        let registration = view.registrations.iter().find(|(id, _)| *id == hypothesis.id);
        let mut claim = line![link(address, &hypothesis.title)];
        for tag in registration.iter().flat_map(|(_, found)| tags(found)) {
            claim.push(line![" ", Span::Tag(tag)]);
        }
        let mut row = row![
            Cell::head(link(address, &hypothesis.id)),
            claim,
            &hypothesis.published_verdict,
            overall_cell(hypothesis, Evidence::Published),
            overall_cell(hypothesis, Evidence::Measured)
        ];
        if family {
            row.extend([Evidence::Published, Evidence::Measured].map(|evidence| {
                let member =
                    view.family.iter().find(|m| m.hypothesis == hypothesis.id && m.evidence == evidence);
                let holm = member
                    .map(|member| probability(member.holm).under(&protocols_behind(hypothesis, member)));
                Cell::new(holm.map_or_else(|| or_dash(None), Line::from))
            }));
        }
        row.push(Cell::new(primary_protocols(hypothesis)));
        row
    });
    let table = Table::new("Verdict on every hypothesis", columns).filtered().with(rows);
    let mut blocks = vec![
        Block::section("verdicts", "Verdicts"),
        Block::Table(table),
        Block::text(Role::Minor, prose(prose::VERDICTS)),
    ];
    blocks.extend(under_another_judge(context).map(|line| Block::text(Role::Minor, line)));
    blocks.extend(calibration::pointer(context));
    blocks.extend(corrected::family(context));
    blocks.extend(corrected::listed(context));
    blocks
}

/// The claims that were registered under another version of the judge: said once, as it is so of most.
fn under_another_judge(context: &RenderContext<'_>) -> Option<Line> {
    let all = &context.view.registrations;
    let is_so = |registration: &Registration| registration.entered.iter().any(|what| says_judge(what));
    let those: Vec<&String> = all.iter().filter(|(_, one)| is_so(one)).map(|(id, _)| id).collect();
    let which = match those.len() {
        0 => return None,
        n if n == all.len() => "every claim".to_string(),
        _ => those.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", "),
    };
    Some(Line::from(format!(
        "Registered under an earlier version of the judge than the present one (the page of each says which): {which}. Other inputs that \
         differ from those registered are marked above."
    )))
}

fn says_judge(what: &str) -> bool {
    what.starts_with(OTHER_JUDGE)
}

/// What a reader has to know of a registration before the verdict; the version of the judge is said of all at once.
fn tags(registration: &Registration) -> Vec<&'static str> {
    let all = [
        (registration.exploratory, "exploratory"),
        (!registration.effects.is_empty(), "other verdict as registered"),
        (registration.entered.iter().any(|what| !says_judge(what)), "other inputs than registered"),
        (registration.derived.is_some(), "copy of another claim"),
    ];
    all.into_iter().filter_map(|(is_so, tag)| is_so.then_some(tag)).collect()
}

/// Protocols of the primary judgements, each once.
fn primary_protocols(hypothesis: &HypothesisOutcome) -> Span {
    let mut protocols: Vec<Protocol> = Vec::new();
    for protocol in hypothesis.predictions.iter().flat_map(|p| &p.primary.protocols) {
        if !protocols.contains(protocol) {
            protocols.push(*protocol);
        }
    }
    protocol_links(&protocols)
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::facts::ModelFacts;

    #[test]
    fn another_version_of_the_judge_is_no_tag() {
        let entered = |what: &[&str]| Registration {
            entered: what.iter().map(|what| what.to_string()).collect(),
            ..Registration::default()
        };
        let judge = format!("{OTHER_JUDGE} 13, 6 when registered");
        assert!(tags(&entered(&[&judge])).is_empty());
        assert_eq!(
            tags(&entered(&[&judge, "the seed is 2, 1 when registered"])),
            ["other inputs than registered"]
        );
    }

    #[test]
    fn models_are_counted_by_what_they_are() {
        let model = |id: &str, kind: &str| ModelInfo {
            id: id.into(),
            evidence: Evidence::Rehearsal,
            facts: ModelFacts { kind: Some(kind.into()), ..ModelFacts::default() },
        };
        let models =
            [model("a", "original"), model("b", "revision"), model("c", "revision"), model("d", "variant")];
        let of = |models: &[ModelInfo]| inventory(&of_kind(models, Evidence::Rehearsal), "here").plain();
        assert_eq!(of(&models), "1 model here, 2 stages of a training and 1 variant");
        assert_eq!(of(&models[1..3]), "2 stages of a training");
    }
}
