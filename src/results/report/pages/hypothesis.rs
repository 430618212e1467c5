//! The page of one hypothesis: three sentences, what was said, verdicts, registration, p-values, predictions.

use super::context::RenderContext;
use super::corrected::{listed_protocols, protocols_behind};
use super::front::overall_cell;
use super::{calibration, forest, marks, opening, prediction};
use crate::report::document::{
    Block, Group, Line, Page, Span, count, line, minor, or_dash, paragraph, probability, prose, remarks,
};
use crate::report::text::{capital, evidence_phrase};
use crate::report::view::{Pair, shared_notes};
use number::evidence::Evidence;
use study::judge::outcome::{HypothesisOutcome, Registration};
use study::judge::would_decide;

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    context.view.hypotheses.iter().map(|hypothesis| page(context, hypothesis)).collect()
}

fn page(context: &RenderContext<'_>, hypothesis: &HypothesisOutcome) -> Page {
    let pairs = Pair::all(hypothesis);
    let shared = shared_notes(&pairs);
    let mut blocks = opening::sentences(hypothesis);
    blocks.push(Block::Facts(facts(context, hypothesis)));
    blocks.push(Block::Picture(forest::picture(hypothesis, &pairs)));
    blocks.extend(changes(context, hypothesis));
    blocks.extend(trainings(context, hypothesis));
    for pair in &pairs {
        blocks.extend(prediction::section(context, hypothesis, pair, &shared));
    }
    if !shared.is_empty() {
        blocks.push(Block::heading("Notes on several predictions"));
        let notes = shared.iter().map(|(evidence, note)| line![capital(*evidence), ": ", *note]);
        blocks.extend(remarks(notes.collect()));
    }
    Page {
        id: context.hypothesis(&hypothesis.id).to_string(),
        group: Group::Hypotheses,
        label: (hypothesis.id.clone(), hypothesis.title.clone()),
        kicker: line!["Hypothesis · ", &hypothesis.status],
        title: line![&hypothesis.id, ": ", &hypothesis.title],
        blocks,
    }
}

fn facts(context: &RenderContext<'_>, hypothesis: &HypothesisOutcome) -> Vec<(Line, Vec<Line>)> {
    let mut said = line![&hypothesis.published_verdict];
    if let Some(conclusion) = hypothesis.published_conclusion {
        said.push(line![" ", minor(format!("(in the words used here: {conclusion})"))]);
    }
    let mut facts = vec![(Line::from("It was said"), vec![said])];
    for &evidence in Evidence::ALL {
        let cell = overall_cell(hypothesis, evidence);
        let mut line = cell.line;
        if !cell.minor.is_empty() {
            line.push(line![" ", minor(line!["(", cell.minor, ")"])]);
        }
        let mut lines = vec![line];
        lines.extend(would_decide(hypothesis, evidence).map(|sentence| line![minor(sentence)]));
        lines.extend(calibration::needs(context, &hypothesis.id, evidence).map(|line| line![minor(line)]));
        facts.push((Line::from(capital(evidence)), lines));
    }
    let family = context.view.family.iter().filter(|member| member.hypothesis == hypothesis.id);
    let family: Vec<Line> = family
        .map(|member| {
            let protocols = protocols_behind(hypothesis, member);
            let mut line = line![evidence_phrase(member.evidence), ": "];
            match member.p {
                None => line.push("none"),
                Some(_) => line.push(line![
                    or_dash(member.prediction.as_deref()),
                    " ",
                    probability(member.p).under(&protocols),
                    ", after Holm ",
                    probability(member.holm).under(&protocols),
                    format!("; of \"{}\"", member.null)
                ]),
            }
            if let (Some(before), Some(after)) = (member.before, member.after)
                && before != after
            {
                line.push(format!("; {before} by itself, {after} as one of the family"));
            }
            if !member.note.is_empty() {
                line.push(line!["; ", &member.note]);
            }
            line
        })
        .collect();
    if !family.is_empty() {
        facts.push((Line::from("The p that enters the family of hypotheses"), family));
    }
    let supplies = context.view.supplies.iter().filter(|(id, _)| *id == hypothesis.id);
    let supplies: Vec<Line> = supplies.flat_map(|(_, told)| told).map(|told| line![minor(told)]).collect();
    if !supplies.is_empty() {
        facts.push((Line::from("Models that would do, of the model list"), supplies));
    }
    let own = context.view.listed.iter().filter(|listed| listed.hypothesis == hypothesis.id);
    let own: Vec<Line> = own
        .map(|listed| {
            let protocols = listed_protocols(context, listed);
            line![
                &listed.prediction,
                ", ",
                evidence_phrase(listed.evidence),
                ": ",
                probability(Some(listed.p)).under(&protocols),
                ", after Benjamini and Hochberg ",
                probability(Some(listed.adjusted)).under(&protocols)
            ]
        })
        .collect();
    if !own.is_empty() {
        facts.push((Line::from("Other p-values, exploratory"), own));
    }
    facts.push((Line::from("Its file"), file(context, hypothesis)));
    facts
}

fn registration<'a>(context: &RenderContext<'a>, hypothesis: &HypothesisOutcome) -> Option<&'a Registration> {
    let found = context.view.registrations.iter().find(|(id, _)| *id == hypothesis.id);
    found.map(|(_, registration)| registration)
}

/// The hash of the hypothesis, and whether it is as it was when first judged.
fn file(context: &RenderContext<'_>, hypothesis: &HypothesisOutcome) -> Vec<Line> {
    let mut line = line!["its content has the hash ", Span::Hash(hypothesis.hash)];
    let Some(registration) = registration(context, hypothesis) else { return vec![line] };
    // A re-analysis was registered after its data had been seen.
    let seen = match hypothesis.status.as_str() {
        "re-analysis" => ", after its data had been seen",
        _ => "",
    };
    match (registration.registered, registration.exploratory) {
        (None, _) => line.push("; it is judged for the first time now"),
        (Some(key), false) => {
            line.push(line!["; it is as it was when registered as ", Span::Hash(key), seen]);
        }
        (Some(key), true) => {
            let exploratory = Span::Strong(Line::from("Exploratory"));
            line.push(line![". ", exploratory, ": registered as ", Span::Hash(key), seen]);
            line.push(", changed since");
        }
    }
    let mut lines = vec![line];
    lines.extend(registration.later.iter().map(|later| line!["registration ", prose(later)]));
    // Shown although it moves nothing: a reader would ask.
    if registration.exploratory && registration.effects.is_empty() {
        lines.push(Line::from("as first registered it gets the same verdicts"));
    }
    lines.extend(registration.effects.iter().map(|effect| prose(effect)));
    lines.extend(
        registration.entered.iter().map(|what| line!["otherwise than when registered: ", prose(what)]),
    );
    if let Some(derived) = &registration.derived {
        let strong = Span::Strong(Line::from("Derived"));
        lines.push(line![
            strong,
            format!(" from {}, registered before it; the differences are below", derived.from)
        ]);
    }
    lines
}

/// What differs from the first registration, and from the claim that this one copies.
fn changes(context: &RenderContext<'_>, hypothesis: &HypothesisOutcome) -> Vec<Block> {
    let Some(registration) = registration(context, hypothesis) else { return Vec::new() };
    let fold = |what: &str, diff: &[String]| Block::Fold {
        summary: line![what, " (", count(diff.len()), " lines)"],
        blocks: vec![Block::Diff(diff.to_vec())],
    };
    let mut blocks = Vec::new();
    if !registration.diff.is_empty() {
        blocks.push(fold("What changed since the registration", &registration.diff));
    }
    if let Some(derived) = &registration.derived {
        blocks.push(fold("What differs from the claim that it copies", &derived.diff));
    }
    blocks
}

/// Gain and loss along the trainings at hand, where a prediction counts trainings, decided or not.
fn trainings(context: &RenderContext<'_>, hypothesis: &HypothesisOutcome) -> Vec<Block> {
    let view = context.view;
    let mut statistics = hypothesis.predictions.iter().flat_map(|prediction| &prediction.primary.statistics);
    // What every test along trainings calls their number.
    if view.training.is_empty() || !statistics.any(|statistic| statistic.name == "series") {
        return Vec::new();
    }
    vec![
        Block::heading("Along the trainings measured here"),
        paragraph(
            "What there is, drawn whether or not it suffices to decide: a prediction below says how many trainings and stages \
             it needs.",
        ),
        Block::Figures(view.training.iter().map(marks::figure).collect()),
    ]
}
