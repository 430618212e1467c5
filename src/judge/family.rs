//! The family: one primary p per hypothesis and kind of evidence, corrected for how many hypotheses there are.
//!
//! A verdict follows from its own file and evidence, whatever else is judged beside it; so the correction changes no verdict,
//! and says in words where a support would not outlast it.

use super::outcome::{FamilyMember, HypothesisOutcome, Kinship, Verdict};
use crate::{evidence::Evidence, stats::holm};

/// Hypotheses of the research. Judging some of them alone does not make their family smaller.
pub const FAMILY: usize = 18;

/// Primary p of every hypothesis: that of its first core prediction that is testable and has one, before and after Holm
/// over the family, per kind of evidence. Who has none counts as p = 1. `alphas` are of the outcomes, in their order.
pub fn family(outcomes: &[HypothesisOutcome], alphas: &[f64]) -> Vec<FamilyMember> {
    let mut members = Vec::new();
    for &evidence in Evidence::ALL {
        let found: Vec<Option<(&str, f64)>> = outcomes.iter().map(|o| primary_p(o, evidence)).collect();
        let mut p: Vec<f64> = found.iter().map(|f| f.map_or(1.0, |(_, p)| p)).collect();
        p.resize(p.len().max(FAMILY), 1.0);
        let (size, adjusted) = (p.len(), holm(&p));
        for (((outcome, found), holm), alpha) in outcomes.iter().zip(found).zip(adjusted).zip(alphas) {
            let supported = outcome.verdicts.contains(&(evidence, Verdict::Supported));
            members.push(FamilyMember {
                hypothesis: outcome.id.clone(),
                evidence,
                prediction: found.map(|(prediction, _)| prediction.to_string()),
                p: found.map(|(_, p)| p),
                holm: found.map(|_| holm),
                note: note(found.map(|(_, p)| p), holm, *alpha, size, supported),
            });
        }
    }
    members
}

fn primary_p(outcome: &HypothesisOutcome, evidence: Evidence) -> Option<(&str, f64)> {
    let core = outcome.predictions.iter().filter(|p| p.core && p.evidence == evidence);
    core.filter(|p| p.primary.verdict != Verdict::Untestable).find_map(|prediction| {
        let curve =
            outcome.curves.iter().find(|c| c.prediction == prediction.id && c.evidence == evidence)?;
        let primary = curve.specifications.iter().find(|s| s.relation == Kinship::Primary)?;
        Some((prediction.id.as_str(), primary.p?))
    })
}

fn note(p: Option<f64>, holm: f64, alpha: f64, size: usize, supported: bool) -> String {
    let digits = super::rule::digits;
    match p {
        None if supported => {
            format!("supported by a rule without a p: says nothing about chance, counted as p = 1 of {size}")
        }
        None => format!("no testable core prediction has a p here: counted as p = 1 of {size}"),
        Some(p) if supported && holm >= alpha => format!(
            "supported alone, but not as one of {size}: p = {} is {} after Holm, not below {}",
            digits(p),
            digits(holm),
            digits(alpha)
        ),
        Some(_) => String::new(),
    }
}
