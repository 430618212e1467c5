//! The family: one primary p per hypothesis and kind of evidence, corrected for how many hypotheses there are.
//!
//! A verdict follows from its own file and evidence, whatever else is judged beside it; so the correction changes no
//! verdict: beside each stands what it would be as one of the family. All other p are an exploratory list with a
//! correction of its own.

use super::{
    digits::digits,
    hypothesis::Stands,
    outcome::{Curve, FamilyMember, HypothesisOutcome, Kinship, Listed, PredictionOutcome},
    verdict::Verdict,
};
use crate::stats::{benjamini_hochberg, holm};
use number::evidence::Evidence;

/// Primary p of every hypothesis before and after Holm over the family, per kind of evidence, with its null hypothesis, and the
/// verdict by itself and as one of the family.
///
/// A claim of all its parts is refuted by any: where it is, the smallest p of the core predictions that do it, times how many it
/// has (Bonferroni), is that of "every part holds". Else the largest p of the core predictions is that of "some part does not"
/// (Berger 1982). Of a claim of any part it is the smallest, times how many have one.
///
/// Who has no p is counted as p = 1, and the member's remark says so; so are members of the family that are not judged here.
/// `alphas` are of the outcomes, in their order. `size` is that of the family, as the experiment states it: all that are judged if
/// it states none, and never fewer.
pub fn family(outcomes: &[HypothesisOutcome], alphas: &[f64], size: Option<usize>) -> Vec<FamilyMember> {
    let mut members = Vec::new();
    for &evidence in Evidence::ALL {
        let found: Vec<Option<Primary<'_>>> = outcomes.iter().map(|o| primary_p(o, evidence)).collect();
        let mut p: Vec<f64> = found.iter().map(|f| f.as_ref().map_or(1.0, |found| found.p)).collect();
        p.resize(p.len().max(size.unwrap_or(0)), 1.0);
        let counted = found.iter().flatten().count();
        let (size, adjusted) = (p.len(), holm(&p));
        for (((outcome, found), holm), alpha) in outcomes.iter().zip(found).zip(adjusted).zip(alphas) {
            let before = outcome.verdicts.iter().find(|(of, _)| *of == evidence).map(|(_, verdict)| *verdict);
            let p = found.as_ref().map(|found| found.p);
            members.push(FamilyMember {
                hypothesis: outcome.id.clone(),
                evidence,
                prediction: found.as_ref().map(|found| found.prediction.to_string()),
                p,
                holm: p.map(|_| holm),
                of: size,
                with_p: counted,
                null: found.map(|found| found.null).unwrap_or_default(),
                before,
                after: before.map(|verdict| after(verdict, p.map(|_| holm), *alpha)),
                note: note(p, holm, *alpha, size, before),
            });
        }
    }
    members
}

/// A verdict as one of a family: what says that chance does not explain it needs a p that outlasts the correction.
fn after(verdict: Verdict, holm: Option<f64>, alpha: f64) -> Verdict {
    let says_so = matches!(verdict, Verdict::Supported | Verdict::Contradicted);
    if says_so && holm.is_none_or(|p| p >= alpha) { Verdict::Inconclusive } else { verdict }
}

/// Every other p of a testable prediction, per kind of evidence, with Benjamini and Hochberg's correction over the list:
/// nobody chose these beforehand as the one that counts.
pub fn listed(outcomes: &[HypothesisOutcome]) -> Vec<Listed> {
    let mut all = Vec::new();
    for &evidence in Evidence::ALL {
        let others = outcomes.iter().flat_map(|outcome| {
            let primary = primary_p(outcome, evidence).map(|found| found.prediction);
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

/// The p that a hypothesis brings to the family.
struct Primary<'a> {
    prediction: &'a str,
    p: f64,
    null: String,
}

fn primary_p(outcome: &HypothesisOutcome, evidence: Evidence) -> Option<Primary<'_>> {
    let core = || outcome.predictions.iter().filter(|p| p.core && p.evidence == evidence);
    let with: Vec<(&PredictionOutcome, f64)> =
        core().filter_map(|prediction| Some((prediction, own_p(outcome, prediction)?))).collect();
    let smallest = |of: &[(&'_ PredictionOutcome, f64)]| of.iter().map(|(_, p)| *p).reduce(f64::min);
    let refuted = outcome.verdicts.contains(&(evidence, Verdict::Contradicted));
    let (p, times) = match outcome.stands {
        Stands::All if refuted => {
            let refuting =
                |(prediction, _): &&(&PredictionOutcome, f64)| prediction.verdict == Verdict::Contradicted;
            let refuting: Vec<_> = with.iter().filter(refuting).copied().collect();
            (smallest(&refuting)?, core().count())
        }
        Stands::All => (with.iter().map(|(_, p)| *p).reduce(f64::max)?, 1),
        Stands::Any => (smallest(&with)?, with.len()),
    };
    let prediction = &with.iter().find(|(_, own)| *own == p)?.0.id;
    let null = curve_of(outcome, prediction, evidence).map(|curve| curve.null_hypothesis.clone());
    Some(Primary { prediction, p: (p * times as f64).min(1.0), null: null.unwrap_or_default() })
}

fn curve_of<'a>(outcome: &'a HypothesisOutcome, prediction: &str, evidence: Evidence) -> Option<&'a Curve> {
    outcome.curves.iter().find(|c| c.prediction == prediction && c.evidence == evidence)
}

/// p of a testable prediction's effect in the primary specification.
fn own_p(outcome: &HypothesisOutcome, prediction: &PredictionOutcome) -> Option<f64> {
    let curve = curve_of(outcome, &prediction.id, prediction.evidence)
        .filter(|_| prediction.primary.verdict != Verdict::Untestable)?;
    curve.specifications.iter().find(|s| s.relation == Kinship::Primary)?.p
}

fn note(p: Option<f64>, holm: f64, alpha: f64, size: usize, verdict: Option<Verdict>) -> String {
    let definite = verdict.filter(|v| matches!(v, Verdict::Supported | Verdict::Contradicted));
    match (p, definite) {
        (None, Some(verdict)) => {
            format!("{verdict} by a rule without a p: says nothing about chance, counted as p = 1 of {size}")
        }
        (None, None) => format!("no testable core prediction has a p here: counted as p = 1 of {size}"),
        (Some(p), Some(verdict)) if holm >= alpha => format!(
            "{verdict} alone, but not as one of {size}: p = {} is {} after Holm, not below {}",
            digits(p),
            digits(holm),
            digits(alpha)
        ),
        (Some(_), _) => String::new(),
    }
}
