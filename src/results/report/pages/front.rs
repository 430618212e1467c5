//! The opening page: how many published conclusions survive, the case of one model where the experiment has it, the verdicts.

use super::context::RenderContext;
use super::{lead, paper, prose};
use crate::report::document::{
    Block, Cell, Fate, Fates, Group, Line, Page, Role, Span, Table, code, column, count, emphasis, line,
    link, or_dash, paragraph, probability, prose, protocol_links, row, strong,
};
use crate::report::text::{evidence_phrase, overall, overall_key, with_another_verdict};
use crate::report::view::View;
use number::evidence::{Evidence, ModelInfo};
use number::protocol::Protocol;
use study::judge::outcome::{FamilyMember, HypothesisOutcome, PredictionOutcome, Registration, Verdict};
use study::judge::summary::{Fallen, Survival, survival};

/// Choices named per hypothesis.
const NAMED: usize = 3;

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let provenance = &context.view.provenance;
    let mut blocks = headline(context);
    if let Some(case) = &context.view.llama {
        blocks.extend(paper::case::section(case));
    }
    blocks.extend(lead::sections(context));
    blocks.extend(verdicts(context));
    blocks.extend(rehearsal(context));
    blocks.extend(of_what(context));
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
    let parts = [
        paper::source(view),
        (!view.prompts.is_empty()).then(|| line!["every text that was run: ", link("prompts", "Prompts")]),
        (!view.weights.is_empty())
            .then(|| line!["origin and hash of the weights: ", link("models", "Models")]),
    ];
    let parts: Vec<Line> = parts.into_iter().flatten().collect();
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
    let mut headline =
        line!["On published rows the published conclusion ", fares(&published, " that had a definite one")];
    if !models.is_empty() {
        headline.push("; on what was measured here (");
        headline.push(inventory(&models, "trained on natural data"));
        headline.push(") it ");
        headline.push(fares(&measured, ""));
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
        vec![Block::text(Role::Headline, headline), about, Block::Fates(fates(context, &published))];
    if !models.is_empty() {
        blocks.push(Block::Fold {
            summary: "The same on what was measured here".into(),
            blocks: vec![Block::Fates(fates(context, &measured))],
        });
    }
    blocks
}

/// For how many hypotheses the published conclusion survives, which they are in words, and what of the others.
fn fares(survival: &Survival, which: &str) -> Line {
    let (fallen, open) = (survival.fallen.len(), survival.open.len());
    let (fragile, reversed) = (survival.fragile.len(), survival.reversed.len());
    let survives = line![
        "survives for ",
        count(survival.survives.len()),
        " of ",
        count(survival.concluded),
        " hypotheses"
    ];
    let verb = if fallen == 1 { " falls, " } else { " fall, " };
    let mut line = line![strong(survives), which, " (", count(fallen), verb];
    if reversed > 0 {
        line.push(line![count(reversed), " from another finding than the published one, "]);
    }
    if fragile > 0 {
        line.push(line![count(fragile), " fragile, "]);
    }
    line.push(line![count(open), " left open)"]);
    line
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
        said.push(line![" Here the published conclusion ", fares(&counted, ""), "."]);
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

/// What is said of a conclusion that stands on the opposite of what was published.
const REVERSED: &str = "the verdict is the published one, but what was found in print does not hold here";

/// The lists that are shown though they be empty.
const ALWAYS: [&str; 3] =
    ["The published conclusion survives", "The published conclusion falls", "Left open"];

fn fates(context: &RenderContext<'_>, survival: &Survival) -> Fates {
    let fate = |id: &str, why: Line| {
        let hypothesis = context.view.hypotheses.iter().find(|hypothesis| hypothesis.id == id)?;
        let (to, title) = (context.hypothesis(id).to_string(), hypothesis.title.clone());
        Some(Fate { to, id: id.to_string(), title, why })
    };
    let survives = survival.survives.iter().filter_map(|id| fate(id, survived(context, id)));
    let reversed = survival.reversed.iter().filter_map(|id| fate(id, Line::from(REVERSED)));
    let fragile = survival.fragile.iter().filter_map(|fallen| fate(&fallen.hypothesis, fell(fallen)));
    let falls = survival.fallen.iter().filter_map(|fallen| fate(&fallen.hypothesis, fell(fallen)));
    let open = survival.open.iter().filter_map(|id| {
        let hypothesis = context.view.hypotheses.iter().find(|hypothesis| hypothesis.id == *id)?;
        fate(id, left_open(hypothesis, survival.evidence))
    });
    Fates {
        lists: vec![
            ("The published conclusion survives", survives.collect()),
            ("The published conclusion falls", falls.collect()),
            ("The same conclusion from another finding", reversed.collect()),
            ("Fragile: equally defensible ways of measuring disagree", fragile.collect()),
            ("Left open", open.collect()),
        ]
        .into_iter()
        .filter(|(what, list): &(&str, Vec<Fate>)| ALWAYS.contains(what) || !list.is_empty())
        .collect(),
    }
}

/// What was said and found again: a conclusion that survives may be that the claim does not hold.
fn survived(context: &RenderContext<'_>, id: &str) -> Line {
    let hypothesis = context.view.hypotheses.iter().find(|hypothesis| hypothesis.id == id);
    match hypothesis.and_then(|hypothesis| hypothesis.published_conclusion) {
        Some(Verdict::Contradicted) => {
            Line::from("said contradicted, found contradicted: the claim is refuted again")
        }
        Some(Verdict::Supported) => Line::from("said supported, found supported: the claim holds again"),
        Some(said) => Line::from(format!("said {said}, found {said}")),
        None => Line::default(),
    }
}

fn fell(fallen: &Fallen) -> Line {
    let Fallen { said, found, choices, .. } = fallen;
    let mut why = line![format!("said {said}, found {found}: ")];
    match choices.as_slice() {
        [] => why.push("no single choice gives the published one"),
        choices => {
            why.push(choices.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; "));
            if choices.len() > NAMED {
                why.push(line!["; and ", count(choices.len() - NAMED), " more"]);
            }
        }
    }
    why
}

/// What was found instead, and what is missing where that is why.
fn left_open(hypothesis: &HypothesisOutcome, evidence: Evidence) -> Line {
    let Some(found) = overall(hypothesis, evidence) else { return Line::from("not judged") };
    let core = hypothesis.predictions.iter().filter(|p| p.core && p.evidence == evidence);
    let missing = core.flat_map(|p| p.primary.missing.first()).next();
    match (found, missing) {
        (Verdict::Untestable, Some(missing)) => line![format!("found {found}: "), missing],
        _ => line![format!("found {found}")],
    }
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
        for tag in registration.iter().flat_map(|(_, registration)| tags(registration)) {
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
    blocks.extend(family_fold(context));
    blocks.extend(listed_fold(context));
    blocks
}

/// What a reader has to know of a registration before the verdict.
fn tags(registration: &Registration) -> Vec<&'static str> {
    let all = [
        (registration.exploratory, "exploratory"),
        (!registration.effects.is_empty(), "other verdict as registered"),
        (!registration.entered.is_empty(), "other inputs than registered"),
        (registration.derived.is_some(), "copy of another claim"),
    ];
    all.into_iter().filter_map(|(is_so, tag)| is_so.then_some(tag)).collect()
}

/// The protocols of a prediction whose p enters the family.
pub(super) fn protocols_behind(hypothesis: &HypothesisOutcome, member: &FamilyMember) -> Vec<Protocol> {
    let mut of = hypothesis.predictions.iter().filter(|p| p.evidence == member.evidence);
    let behind: Option<&PredictionOutcome> = of.find(|p| Some(&p.id) == member.prediction.as_ref());
    behind.map_or_else(Vec::new, |p| p.primary.protocols.clone())
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

/// The primary p of every hypothesis before and after Holm.
fn family_fold(context: &RenderContext<'_>) -> Option<Block> {
    let view = context.view;
    let size = view.family.first()?.of;
    let columns = [
        "hypothesis",
        "prediction",
        "evidence",
        "null hypothesis",
        "protocol",
        "p",
        "after Holm",
        "verdict by itself",
        "verdict as one of the family",
        "remark",
    ]
    .map(column);
    let rows = view.family.iter().filter(|member| member.p.is_some()).filter_map(|member| {
        let hypothesis = view.hypotheses.iter().find(|h| h.id == member.hypothesis)?;
        let protocols = protocols_behind(hypothesis, member);
        Some(row![
            Cell::head(context.hypothesis_link(&member.hypothesis)),
            or_dash(member.prediction.as_deref()),
            evidence_phrase(member.evidence),
            &member.null,
            protocol_links(&protocols),
            probability(member.p).under(&protocols),
            probability(member.holm).under(&protocols),
            or_dash(member.before.map(Verdict::as_str)),
            or_dash(member.after.map(Verdict::as_str)),
            &member.note
        ])
    });
    let table = Table::new("The primary p of every hypothesis that has one", columns).with(rows);
    Some(Block::Fold {
        summary: "The p of the family of hypotheses".into(),
        blocks: vec![
            paragraph(prose(&prose::family(size))),
            Block::Table(table),
            Block::text(Role::Minor, without_p(view)),
        ],
    })
}

/// How many of the family have a p on each kind of evidence: Holm counts the others as p = 1.
fn without_p(view: &View) -> String {
    let members = |evidence| view.family.iter().find(|member| member.evidence == evidence);
    let said = Evidence::ALL.iter().filter_map(|evidence| members(*evidence)).map(|member| {
        let (with, size) = (member.with_p, member.of);
        format!("{}: {with} of {size} have a p, {} are counted as p = 1", member.evidence, size - with)
    });
    said.collect::<Vec<_>>().join("; ") + "."
}

/// Every other p before and after Benjamini and Hochberg.
fn listed_fold(context: &RenderContext<'_>) -> Option<Block> {
    let view = context.view;
    if view.listed.is_empty() {
        return None;
    }
    let columns = ["hypothesis", "prediction", "evidence", "p", "after Benjamini and Hochberg"].map(column);
    let rows = view.listed.iter().map(|listed| {
        let protocols = listed_protocols(context, listed);
        row![
            Cell::head(context.hypothesis_link(&listed.hypothesis)),
            &listed.prediction,
            evidence_phrase(listed.evidence),
            probability(Some(listed.p)).under(&protocols),
            probability(Some(listed.adjusted)).under(&protocols)
        ]
    });
    let table = Table::new("Every other p of a testable prediction", columns).with(rows);
    Some(Block::Fold {
        summary: line!["Other p-values, an exploratory list (", count(view.listed.len()), ")"],
        blocks: vec![paragraph(prose(prose::LISTED)), Block::Table(table)],
    })
}

/// The protocols of a prediction on the exploratory list.
pub(super) fn listed_protocols(
    context: &RenderContext<'_>,
    listed: &study::judge::outcome::Listed,
) -> Vec<Protocol> {
    let of = context.view.hypotheses.iter().find(|h| h.id == listed.hypothesis);
    let mut of = of.into_iter().flat_map(|h| &h.predictions);
    let found = of.find(|p| p.id == listed.prediction && p.evidence == listed.evidence);
    found.map_or_else(Vec::new, |p| p.primary.protocols.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::facts::ModelFacts;

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
