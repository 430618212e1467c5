//! Counts the hypotheses whose published conclusion survives, and names the choices that undo the others.

use serde::Serialize;

use super::{
    outcome::{Curve, HypothesisOutcome, Kinship},
    verdict::Verdict,
};
use number::evidence::Evidence;

/// How the published conclusions fare on one kind of evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survival {
    /// The kind of evidence.
    pub evidence: Evidence,
    /// Hypotheses about which something definite was concluded.
    pub concluded: usize,
    /// Ids whose verdict here is the published conclusion.
    pub survives: Vec<String>,
    /// Ids whose verdict here is the published conclusion, from a finding that is not the published one, e.g. from its opposite.
    pub reversed: Vec<String>,
    /// Conclusions that got another verdict here.
    pub fallen: Vec<Fallen>,
    /// Conclusions about which equally defensible ways of measuring disagree here: these have not fallen.
    pub fragile: Vec<Fallen>,
    /// Ids that cannot be judged here, or that the data leave open.
    pub open: Vec<String>,
}

/// A conclusion that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fallen {
    /// Id of the hypothesis.
    pub hypothesis: String,
    /// The published conclusion.
    pub said: Verdict,
    /// The verdict here.
    pub found: Verdict,
    /// Single choices that turn the verdict, e.g. `contradicted with BOS = never`; none where no choice saves it.
    pub choices: Vec<String>,
}

/// Counts the outcomes on one kind of evidence.
pub fn survival(outcomes: &[HypothesisOutcome], evidence: Evidence) -> Survival {
    let mut counted = Survival {
        evidence,
        concluded: 0,
        survives: vec![],
        reversed: vec![],
        fallen: vec![],
        fragile: vec![],
        open: vec![],
    };
    for outcome in outcomes {
        let Some(said) = outcome.published_conclusion else { continue };
        counted.concluded += 1;
        let found = outcome.verdicts.iter().find(|(of, _)| *of == evidence).map(|(_, verdict)| *verdict);
        match found {
            Some(found) if found == said && is_reversed(outcome, evidence) => {
                counted.reversed.push(outcome.id.clone());
            }
            Some(found) if found == said => counted.survives.push(outcome.id.clone()),
            None | Some(Verdict::Untestable | Verdict::Inconclusive) => counted.open.push(outcome.id.clone()),
            Some(found) => {
                let choices = choices(outcome, evidence, said, found);
                let of = if found == Verdict::Fragile { &mut counted.fragile } else { &mut counted.fallen };
                of.push(Fallen { hypothesis: outcome.id.clone(), said, found, choices });
            }
        }
    }
    counted
}

/// Whether a core prediction has the verdict of its hypothesis though what was found in print does not hold here.
fn is_reversed(outcome: &HypothesisOutcome, evidence: Evidence) -> bool {
    let mut core = outcome.predictions.iter().filter(|p| p.core && p.evidence == evidence);
    core.any(|p| Some(p.verdict) == outcome.published_conclusion && p.primary.as_printed == Some(false))
}

/// The choices that matter for a fallen conclusion: for a fragile claim the equivalent ones that change its verdict,
/// else those of any kind that would give the published conclusion.
fn choices(outcome: &HypothesisOutcome, evidence: Evidence, said: Verdict, found: Verdict) -> Vec<String> {
    let mut words = Vec::new();
    let core = outcome.predictions.iter().filter(|p| p.core && p.evidence == evidence && p.verdict != said);
    for prediction in core {
        let of = |c: &&Curve| c.prediction == prediction.id && c.evidence == evidence;
        let Some(curve) = outcome.curves.iter().find(of) else { continue };
        for choice in &curve.deciding {
            let tells = match found {
                Verdict::Fragile => choice.relation == Kinship::Equivalent,
                _ => choice.verdict == said,
            };
            let text = format!("{} with {} = {}", choice.verdict, choice.dimension, choice.to);
            if tells && !words.contains(&text) {
                words.push(text);
            }
        }
    }
    words
}
