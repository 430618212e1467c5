//! The headline: which published conclusions survive, and what kills the others.

use super::text::{MISSING, protocols};
use crate::evidence::Evidence;
use crate::judge::outcome::{HypothesisOutcome, Judgement, Kinship, PredictionOutcome, Verdict};

/// What became of the published conclusions on one kind of evidence. Hypotheses about which nothing definite was
/// concluded are in none of the lists.
pub(super) struct Summary<'a> {
    pub survives: Vec<Fate<'a>>,
    pub falls: Vec<Fate<'a>>,
    pub untested: Vec<Fate<'a>>,
}

/// One published conclusion and what became of it.
pub(super) struct Fate<'a> {
    pub hypothesis: &'a HypothesisOutcome,
    pub said: Verdict,
    pub found: Verdict,
    /// The choices that kill it, each once, in words: `reduction last → mean makes H13a contradicted`.
    pub killers: Vec<String>,
}

impl Summary<'_> {
    pub fn of(hypotheses: &[HypothesisOutcome], evidence: Evidence) -> Summary<'_> {
        let mut summary = Summary { survives: Vec::new(), falls: Vec::new(), untested: Vec::new() };
        for hypothesis in hypotheses {
            let found = hypothesis.verdicts.iter().find(|(of, _)| *of == evidence).map(|(_, found)| *found);
            let Some((said, found)) = hypothesis.published_conclusion.zip(found) else { continue };
            let killers = if said == found { Vec::new() } else { killers(hypothesis, evidence, said, found) };
            let fate = Fate { hypothesis, said, found, killers };
            match found {
                _ if found == said => summary.survives.push(fate),
                Verdict::Untestable => summary.untested.push(fate),
                _ => summary.falls.push(fate),
            }
        }
        summary
    }

    pub fn concluded(&self) -> usize {
        self.survives.len() + self.falls.len() + self.untested.len()
    }
}

fn killers(hypothesis: &HypothesisOutcome, evidence: Evidence, said: Verdict, found: Verdict) -> Vec<String> {
    let core: Vec<&PredictionOutcome> =
        hypothesis.predictions.iter().filter(|p| p.core && p.evidence == evidence).collect();
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: String| {
        if !words.contains(&word) {
            words.push(word);
        }
    };
    match found {
        // What is missing, not a choice.
        Verdict::Untestable => {
            core.iter().flat_map(|p| p.primary.missing.first()).for_each(|missing| add(missing.clone()));
        }
        Verdict::Fragile => {
            for prediction in core.iter().filter(|p| p.verdict == Verdict::Fragile) {
                let curves = hypothesis.curves.iter();
                let curve = curves.filter(|c| c.prediction == prediction.id && c.evidence == evidence);
                let deciding: Vec<_> = curve
                    .flat_map(|curve| &curve.deciding)
                    .filter(|choice| choice.relation == Kinship::Equivalent)
                    .collect();
                for choice in &deciding {
                    add(format!(
                        "{} {} → {} makes {} {}",
                        choice.dimension, choice.from, choice.to, prediction.id, choice.verdict
                    ));
                }
                if deciding.is_empty() {
                    let primary = &prediction.primary;
                    for other in prediction.others.iter().filter(|other| opposes(primary, other)) {
                        add(format!("{} makes {} {}", change(primary, other), prediction.id, other.verdict));
                    }
                }
            }
        }
        // No other choice is to blame: the rows say so under the protocol that was chosen first.
        _ => core.iter().filter(|p| p.verdict != said && p.verdict != Verdict::Untestable).for_each(|p| {
            add(format!("{} is {} under its primary protocol, {}", p.id, p.verdict, protocols(&p.primary)));
        }),
    }
    words
}

fn opposes(primary: &Judgement, other: &Judgement) -> bool {
    let definite = |verdict| matches!(verdict, Verdict::Supported | Verdict::Contradicted);
    other.verdict != primary.verdict && definite(other.verdict)
}

/// The parts in which two protocols differ: `reduction last → mean`.
fn change(from: &Judgement, to: &Judgement) -> String {
    let (Some(before), Some(after)) = (from.protocols.first(), to.protocols.first()) else {
        return MISSING.to_string();
    };
    let parts = [
        ("reduction", before.reduction.as_str(), after.reduction.as_str()),
        ("endpoint", before.endpoint.as_str(), after.endpoint.as_str()),
        ("BOS", before.bos.as_str(), after.bos.as_str()),
    ];
    let changed = parts.iter().filter(|(_, from, to)| from != to);
    changed.map(|(part, from, to)| format!("{part} {from} → {to}")).collect::<Vec<_>>().join(" and ")
}
