//! The family: one primary p per hypothesis and kind of evidence, corrected for how many hypotheses there are.
//!
//! A verdict follows from its own file and evidence, whatever else is judged beside it; so the correction changes no
//! verdict, and says in words where a support would not outlast it. All other p are an exploratory list with a
//! correction of its own.

use super::{
    digits::digits,
    hypothesis::Stands,
    outcome::{Curve, FamilyMember, HypothesisOutcome, Kinship, Listed, PredictionOutcome},
    verdict::Verdict,
};
use crate::stats::{benjamini_hochberg, holm};
use number::evidence::Evidence;

/// Primary p of every hypothesis: that of its first core prediction that is testable and has one (where any of them
/// makes it stand: the smallest, times how many have one, by Bonferroni), before and after Holm over the family, per
/// kind of evidence. Who has none counts as p = 1. `alphas` are of the outcomes, in their order. `size` is that of
/// the family, as the experiment states it: all that are judged if it states none, and never fewer.
pub fn family(outcomes: &[HypothesisOutcome], alphas: &[f64], size: Option<usize>) -> Vec<FamilyMember> {
    let mut members = Vec::new();
    for &evidence in Evidence::ALL {
        let found: Vec<Option<(&str, f64)>> = outcomes.iter().map(|o| primary_p(o, evidence)).collect();
        let mut p: Vec<f64> = found.iter().map(|f| f.map_or(1.0, |(_, p)| p)).collect();
        p.resize(p.len().max(size.unwrap_or(0)), 1.0);
        let (size, adjusted) = (p.len(), holm(&p));
        for (((outcome, found), holm), alpha) in outcomes.iter().zip(found).zip(adjusted).zip(alphas) {
            let supported = outcome.verdicts.contains(&(evidence, Verdict::Supported));
            members.push(FamilyMember {
                hypothesis: outcome.id.clone(),
                evidence,
                prediction: found.map(|(prediction, _)| prediction.to_string()),
                p: found.map(|(_, p)| p),
                holm: found.map(|_| holm),
                of: size,
                note: note(found.map(|(_, p)| p), holm, *alpha, size, supported),
            });
        }
    }
    members
}

/// Every other p of a testable prediction, per kind of evidence, with Benjamini and Hochberg's correction over the list:
/// nobody chose these beforehand as the one that counts.
pub fn listed(outcomes: &[HypothesisOutcome]) -> Vec<Listed> {
    let mut all = Vec::new();
    for &evidence in Evidence::ALL {
        let others = outcomes.iter().flat_map(|outcome| {
            let primary = primary_p(outcome, evidence).map(|(prediction, _)| prediction);
            let others = outcome.predictions.iter().filter(move |p| p.evidence == evidence);
            others
                .filter(move |p| Some(p.id.as_str()) != primary)
                .filter_map(|p| Some((outcome.id.as_str(), p.id.as_str(), own_p(outcome, p)?)))
        });
        let others: Vec<(&str, &str, f64)> = others.collect();
        let adjusted = benjamini_hochberg(&others.iter().map(|(_, _, p)| *p).collect::<Vec<_>>());
        all.extend(others.into_iter().zip(adjusted).map(|((hypothesis, prediction, p), adjusted)| Listed {
            hypothesis: hypothesis.into(),
            prediction: prediction.into(),
            evidence,
            p,
            adjusted,
        }));
    }
    all
}

fn primary_p(outcome: &HypothesisOutcome, evidence: Evidence) -> Option<(&str, f64)> {
    let core = outcome.predictions.iter().filter(|p| p.core && p.evidence == evidence);
    let mut with = core.filter_map(|prediction| Some((prediction.id.as_str(), own_p(outcome, prediction)?)));
    match outcome.stands {
        Stands::All => with.next(),
        Stands::Any => {
            let all: Vec<(&str, f64)> = with.collect();
            let (prediction, least) = all.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))?;
            Some((prediction, (least * all.len() as f64).min(1.0)))
        }
    }
}

/// p of a testable prediction's effect in the primary specification.
fn own_p(outcome: &HypothesisOutcome, prediction: &PredictionOutcome) -> Option<f64> {
    let of = |c: &&Curve| c.prediction == prediction.id && c.evidence == prediction.evidence;
    let curve =
        outcome.curves.iter().find(of).filter(|_| prediction.primary.verdict != Verdict::Untestable)?;
    curve.specifications.iter().find(|s| s.relation == Kinship::Primary)?.p
}

fn note(p: Option<f64>, holm: f64, alpha: f64, size: usize, supported: bool) -> String {
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
