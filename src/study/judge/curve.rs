//! The specification curve of one prediction, from its judgements in every way: effects in order, how many agree, a
//! joint p by permutation, and the single choices that change the verdict.

use super::{
    effect::Effect,
    findings::Seen,
    multiverse::{Way, Ways},
    outcome::{Choice, Curve, Deciding, Judgement, Kinship, Specification},
    verdict::Verdict,
};
use crate::stats::{NoJointP, Seed, Units, joint, quantile};
use number::evidence::Evidence;

/// Ways of a prediction that change its verdict, in words, are listed up to this many.
const NAMED: usize = 3;

/// One prediction judged in one way, with what the curve needs of it.
pub(super) struct Judged {
    pub judgement: Judgement,
    pub effect: Option<Effect>,
    pub units: Option<Units>,
    pub seen: Seen,
}

/// The curve of a prediction. `judged` are of the ways, in their order, the primary one first. `None` where the test
/// is about no single number.
pub(super) fn curve(
    prediction: &str,
    evidence: Evidence,
    ways: &Ways,
    judged: &[Judged],
    alpha: f64,
    seed: Seed,
    no_permutation_reason: &str,
) -> Option<Curve> {
    let primary = judged.first()?;
    let effect = primary.effect.as_ref()?;
    // With fewer rows an effect may be of other units, e.g. of the prompts of the one model that is left.
    let alike = |other: &Effect| other.what == effect.what;
    let choices = ways.choices();
    let mut notes = ways.notes.clone();
    let all: Vec<(&Way, &Judged, &Vec<Choice>)> = ways
        .ways
        .iter()
        .zip(judged)
        .zip(&choices)
        .map(|((way, judged), choices)| (way, judged, choices))
        .filter(|(way, ..)| !way.repeats)
        .collect();
    let mut specifications: Vec<Specification> = all
        .iter()
        .filter_map(|(way, judged, choices)| {
            let effect = judged.effect.as_ref()?;
            let like = alike(effect);
            Some(Specification {
                choices: choices.to_vec(),
                relation: way.kinship,
                verdict: judged.judgement.verdict,
                effect: Some(effect.value),
                low: effect.low.filter(|_| like),
                high: effect.high.filter(|_| like),
                p: effect.p.filter(|_| like),
                n: effect.n,
            })
        })
        .collect();
    specifications.sort_by(|a, b| {
        let value = |s: &Specification| s.effect.unwrap_or(f64::NAN);
        value(a).total_cmp(&value(b)).then_with(|| a.choices.cmp(&b.choices))
    });
    if specifications.len() < all.len() {
        notes.push(format!(
            "{} specifications have no effect here and are left out",
            all.len() - specifications.len()
        ));
    }
    let of_others = all.iter().filter_map(|(_, judged, _)| judged.effect.as_ref()).filter(|e| !alike(e));
    let of_others: Vec<&str> = of_others.map(|effect| effect.what.as_str()).collect();
    if let Some(what) = of_others.first() {
        notes.push(format!(
            "{} specifications have a {what}: no interval and no p beside the others",
            of_others.len()
        ));
    }
    let pooled = || specifications.iter().filter(|s| s.relation != Kinship::DifferentEstimand);
    let effects: Vec<f64> = pooled().filter_map(|s| s.effect).collect();
    let testable = pooled().filter(|s| s.verdict != Verdict::Untestable).count();
    let verdict = primary.judgement.verdict;
    let agree = pooled().filter(|s| s.verdict == verdict).count();
    let agreement = (verdict != Verdict::Untestable && testable > 0).then(|| agree as f64 / testable as f64);
    let flippable = |(way, judged, _): &(&Way, &'_ Judged, &Vec<Choice>)| {
        way.kinship != Kinship::DifferentEstimand && judged.effect.is_some()
    };
    // The same flips for all: of units of the primary specification's sort.
    let units: Vec<&Units> = all
        .iter()
        .filter(|s| flippable(s))
        .filter_map(|(_, judged, _)| judged.units.as_ref())
        .filter(|units| primary.units.as_ref().is_some_and(|own| own.alike(units)))
        .collect();
    if !units.is_empty() && units.len() < effects.len() {
        notes.push(format!(
            "joint p: {} of {} specifications have units of the primary one's sort to flip",
            units.len(),
            effects.len()
        ));
    }
    let joint = joint(&units, alpha, seed.derive("joint"));
    let of_every = matches!(units.first(), Some(Units::Every(_)));
    notes.push(match &joint {
        Ok(joint) if of_every => format!(
            "the joint p rests on {} flips of each model's {} prompts, which are the same in {} specifications; it is of \"{}\"",
            if joint.exact { format!("all {}", joint.flips) } else { joint.flips.to_string() },
            joint.units,
            units.len(),
            effect.null_in_words(),
        ),
        Ok(joint) => format!(
            "the joint p rests on {} flips of {} units, which are the same in {} specifications; each by its own flips, {:.0} % of \
             these lie beyond the null in one direction",
            if joint.exact { format!("all {}", joint.flips) } else { joint.flips.to_string() },
            joint.units,
            units.len(),
            100.0 * joint.beyond,
        ),
        Err(NoJointP::Nothing) => format!("no joint p: {no_permutation_reason}"),
        Err(why) => format!("no joint p: {why}"),
    });
    if joint.is_ok() && matches!(units.first(), Some(Units::Pairs(pairs)) if pairs.len() > 1) {
        notes.push("joint p is of the plain mean of the models' correlations".into());
    }
    let joint = joint.ok();
    Some(Curve {
        prediction: prediction.to_string(),
        evidence,
        effect: effect.what.clone(),
        null: effect.null,
        null_hypothesis: effect.null_in_words(),
        agreement,
        median: quantile(&effects, 0.5),
        joint_p_median: joint.map(|j| j.median),
        joint_p_share: joint.map(|j| j.share),
        flips: joint.map_or(0, |j| j.flips),
        deciding: deciding(verdict, &all),
        specifications,
        notes,
    })
}

/// Single choices that change a testable verdict.
fn deciding(verdict: Verdict, all: &[(&Way, &Judged, &Vec<Choice>)]) -> Vec<Deciding> {
    let Some((_, _, primary)) = all.first().filter(|_| verdict != Verdict::Untestable) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (way, judged, choices) in all {
        let other = judged.judgement.verdict;
        let [(from, to)] = differing(primary, choices)[..] else { continue };
        if other != verdict && other != Verdict::Untestable {
            found.push(Deciding {
                dimension: to.dimension.clone(),
                from: from.value.clone(),
                to: to.value.clone(),
                relation: way.kinship,
                verdict: other,
            });
        }
    }
    found
}

fn differing<'a>(a: &'a [Choice], b: &'a [Choice]) -> Vec<(&'a Choice, &'a Choice)> {
    a.iter().zip(b).filter(|(a, b)| a != b).collect()
}

/// A claim about every model that the primary specification leaves open falls with a model that only an equivalent one has
/// numbers of: those rows are the only ones about it. In words which.
pub(super) fn refuted_elsewhere(ways: &Ways, judged: &[Judged]) -> Option<String> {
    let primary = judged
        .first()
        .filter(|primary| matches!(primary.judgement.verdict, Verdict::Inconclusive | Verdict::Untestable))?;
    let refutes = |(way, judged): &(&Way, &Judged)| {
        way.kinship == Kinship::Equivalent
            && !way.is_subset()
            && judged.judgement.verdict == Verdict::Contradicted
            && !judged.seen.models.is_subset(&primary.seen.models)
    };
    let (way, judged) = ways.ways.iter().zip(judged).skip(1).find(refutes)?;
    let only: Vec<&str> = judged.seen.models.difference(&primary.seen.models).map(String::as_str).collect();
    Some(format!(
        "contradicted under {}, which has the only numbers of {}: {}",
        way.protocol,
        only.join(", "),
        judged.judgement.because
    ))
}

/// `fragile: supported, but contradicted with BOS = never` for a definite verdict that an equivalent way changes. With all
/// the rows any other testable verdict does; with fewer rows only a definite one, since an open one may be lost power.
///
/// A prompt set alone that has as many prompts as the prediction needs (`needs_prompts` says that it states how many) has what it
/// takes: there an open verdict counts as one with all the rows does.
pub(super) fn fragile(ways: &Ways, judged: &[Judged], needs_prompts: bool) -> Option<String> {
    let verdict = judged.first()?.judgement.verdict;
    let definite = |v: Verdict| matches!(v, Verdict::Supported | Verdict::Contradicted | Verdict::Negligible);
    if !definite(verdict) {
        return None;
    }
    let choices = ways.choices();
    let changes = |way: &Way, other: Verdict| {
        way.kinship == Kinship::Equivalent
            && other != verdict
            && if way.is_subset() && !(needs_prompts && way.rows.set.is_some()) {
                definite(other)
            } else {
                other != Verdict::Untestable
            }
    };
    let mut against: Vec<(usize, String)> = ways
        .ways
        .iter()
        .zip(judged)
        .zip(&choices)
        .filter(|((way, judged), _)| changes(way, judged.judgement.verdict))
        .map(|((way, judged), own)| {
            let differ = differing(&choices[0], own);
            let words: Vec<String> =
                differ.iter().map(|(_, to)| format!("{} = {}", to.dimension, to.value)).collect();
            // Only parts of the protocol that enter no number differ.
            let words = if words.is_empty() { way.protocol.to_string() } else { words.join(" and ") };
            (differ.len(), format!("{} with {words}", judged.judgement.verdict))
        })
        .collect();
    against.sort_by_key(|(choices, _)| *choices);
    let more = against.len().saturating_sub(NAMED);
    let mut words: Vec<String> = against.into_iter().take(NAMED).map(|(_, words)| words).collect();
    if words.is_empty() {
        return None;
    }
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    Some(format!("fragile: {verdict}, but {}", words.join(", ")))
}
