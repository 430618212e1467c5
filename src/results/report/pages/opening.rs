//! How the page of a hypothesis opens: in three sentences what was claimed, what is found on which evidence, and what would change it.

use crate::report::document::{Block, Line, Role, Span, line, paragraph, protocol_links, strong};
use crate::report::text::{because, lineages, overall};
use number::evidence::Evidence;
use study::judge::outcome::{HypothesisOutcome, Kinship, PredictionOutcome, Verdict};

/// Choices named for one kind of evidence.
const NAMED: usize = 3;

pub(super) fn sentences(hypothesis: &HypothesisOutcome) -> Vec<Block> {
    let judged: Vec<(Evidence, Verdict)> =
        Evidence::ALL.iter().filter_map(|&kind| Some((kind, overall(hypothesis, kind)?))).collect();
    let claimed = line![strong("What was claimed:"), " ", ended(hypothesis.statement.trim())];
    let found = judged.iter().map(|(kind, verdict)| found(hypothesis, *kind, *verdict));
    let found = sentence("What is found:", found, "nothing, as no prediction asks for evidence that is here");
    // What a rehearsal would need is of no interest to who asks about language models, unless there is nothing else.
    let about: Vec<(Evidence, Verdict)> =
        judged.iter().copied().filter(|(kind, _)| *kind != Evidence::Rehearsal).collect();
    let asked = if about.is_empty() { &judged } else { &about };
    let change = asked.iter().map(|(kind, verdict)| change(hypothesis, *kind, *verdict));
    let change = sentence("What would change it:", change, "evidence that a prediction asks for");
    vec![Block::text(Role::Lead, claimed), paragraph(found), paragraph(change)]
}

/// A sentence of several parts.
fn sentence(head: &str, parts: impl Iterator<Item = Line>, otherwise: &str) -> Line {
    let parts: Vec<Line> = parts.collect();
    let body = if parts.is_empty() { Line::from(otherwise) } else { Line::joined(parts, "; ") };
    line![strong(head), " ", body, "."]
}

/// A text that ends as a sentence does.
fn ended(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_string() } else { format!("{text}.") }
}

/// Where something was found.
fn place(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "on published rows",
        Evidence::Measured => "on what was measured here",
        Evidence::Rehearsal => "in rehearsal, which says nothing about language models,",
    }
}

/// The verdict on one kind of evidence, the prediction that it rests on, and where it is decided why.
fn found(hypothesis: &HypothesisOutcome, evidence: Evidence, verdict: Verdict) -> Line {
    let mut said = line![place(evidence), " it is ", Span::Verdict(verdict)];
    // Why what says nothing about language models came out so, stands further down.
    if evidence == Evidence::Rehearsal {
        return said;
    }
    let one = match resting_on(hypothesis, evidence, verdict) {
        Resting::On(one) => one,
        Resting::Unasked(id) => {
            said.push(line![", as ", id, ", a part of the claim, asks for other evidence"]);
            return said;
        }
        Resting::OnNothing => return said,
    };
    if verdict == Verdict::Untestable {
        said.push(line![", as ", &one.id, " finds ", missing(one)]);
        return said;
    }
    said.push(line![" by ", &one.id]);
    if let Some(lineages) = lineages(&one.primary) {
        said.push(format!(", on {lineages},"));
    }
    if !one.primary.protocols.is_empty() {
        said.push(line![" under ", protocol_links(&one.primary.protocols)]);
    }
    if verdict != Verdict::Inconclusive {
        said.push(line![", as ", because(&one.primary).trim_end_matches('.')]);
    }
    said
}

/// What a prediction misses, of several things the first.
fn missing(one: &PredictionOutcome) -> String {
    match one.primary.missing.as_slice() {
        [] => one.primary.because.clone(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first} (and {} more)", more.len()),
    }
}

/// What would give another verdict: for a decided one another way of measuring, for an open one other numbers.
fn change(hypothesis: &HypothesisOutcome, evidence: Evidence, verdict: Verdict) -> Line {
    let place = place(evidence);
    let one = match resting_on(hypothesis, evidence, verdict) {
        Resting::On(one) => one,
        Resting::Unasked(id) => return line![place, " nothing, unless ", id, " asks for this evidence too"],
        Resting::OnNothing => return line![place, " a core prediction that asks for this evidence"],
    };
    let asked = &one.primary.would_decide;
    match one.verdict {
        Verdict::Untestable => line![place, " what ", &one.id, " misses: ", missing(one)],
        Verdict::Inconclusive if !asked.is_empty() => line![place, " ", &one.id, " would be ", asked],
        _ => match choices(hypothesis, one).as_slice() {
            [] => line![place, " no single choice of how to measure, only other numbers"],
            choices => {
                let named = choices.iter().take(NAMED).cloned().collect::<Vec<_>>().join(" or ");
                let mut said = line![place, " ", &one.id, " would be ", named];
                if choices.len() > NAMED {
                    said.push(format!(" or by one of {} other choices", choices.len() - NAMED));
                }
                said
            }
        },
    }
}

/// What the verdict of a hypothesis on one kind of evidence rests on.
enum Resting<'a> {
    /// A core prediction.
    On(&'a PredictionOutcome),
    /// The id of a core prediction that asks for other evidence only.
    Unasked(&'a str),
    /// No core prediction.
    OnNothing,
}

/// The first core prediction that has the verdict of the hypothesis, else the first that bars another one.
fn resting_on(hypothesis: &HypothesisOutcome, evidence: Evidence, verdict: Verdict) -> Resting<'_> {
    let core = || hypothesis.predictions.iter().filter(|one| one.core);
    let here = || core().filter(|one| one.evidence == evidence);
    let is_open = |one: &&PredictionOutcome| {
        matches!(one.verdict, Verdict::Inconclusive | Verdict::Untestable | Verdict::Fragile)
    };
    if let Some(one) = here().find(|one| one.verdict == verdict).or_else(|| here().find(is_open)) {
        return Resting::On(one);
    }
    match core().find(|one| here().all(|asked| asked.id != one.id)) {
        Some(unasked) => Resting::Unasked(&unasked.id),
        None => here().next().map_or(Resting::OnNothing, Resting::On),
    }
}

/// The equivalent choices that change the verdict of a prediction by themselves, e.g. `inconclusive without family gemma`; those of
/// another estimand ask another question.
fn choices(hypothesis: &HypothesisOutcome, one: &PredictionOutcome) -> Vec<String> {
    let curve = hypothesis.curves.iter().find(|c| c.prediction == one.id && c.evidence == one.evidence);
    let deciding = curve.into_iter().flat_map(|curve| &curve.deciding);
    let equivalent = deciding.filter(|choice| choice.relation != Kinship::DifferentEstimand);
    let mut said: Vec<(Verdict, Vec<String>)> = Vec::new();
    for choice in equivalent {
        let how = if choice.to.starts_with("without ") {
            choice.to.clone()
        } else {
            format!("with {} = {}", choice.dimension, choice.to)
        };
        match said.iter_mut().find(|(verdict, _)| *verdict == choice.verdict) {
            Some((_, ways)) => ways.push(how),
            None => said.push((choice.verdict, vec![how])),
        }
    }
    let with_verdict = |(verdict, ways): (Verdict, Vec<String>)| {
        let first = ways.first().map(|first| format!("{verdict} {first}"));
        first.into_iter().chain(ways.into_iter().skip(1)).collect::<Vec<_>>()
    };
    said.into_iter().flat_map(with_verdict).collect()
}
