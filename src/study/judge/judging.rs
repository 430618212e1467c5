//! Judges a hypothesis: every prediction on every kind of evidence it names, in every way.

use rayon::prelude::*;

use super::{
    cache::StatisticsCache,
    calibration::World,
    context::TestContext,
    curve::{self, Judged},
    decide::{decide, hold},
    findings::{Findings, Seen},
    hypothesis::{Hypothesis, ModelFilter, Prediction},
    multiverse::{Way, Ways},
    outcome::{Curve, HypothesisOutcome, Judgement, PredictionOutcome},
    overall,
    population::{Population, Scope},
    shared::every::Every,
    verdict::Verdict,
};
use base::hash::Key;
use number::{
    evidence::{Evidence, EvidenceTable, Tables},
    index::EvidenceIndex,
    protocol::Protocol,
};

/// Judges every prediction on the evidence it names, each kind by itself, under the primary protocol and every other way
/// (`multiverse`). The tables hold the rows to be judged and no more: of what was observed those of the hypothesis's profile and
/// prompt sets (tables know neither profiles nor sets). The same inputs and seed give the same outcome, number for number, on
/// any number of threads.
pub fn judge(hypothesis: &Hypothesis, hash: Key, tables: Tables<'_>, seed: u64) -> HypothesisOutcome {
    judge_with(hypothesis, hash, tables, &StatisticsCache::new(seed))
}

/// [`judge`] for one of several hypotheses on the same numbers: what one computed the next need not, and nothing else
/// depends on it.
pub fn judge_with(
    hypothesis: &Hypothesis,
    hash: Key,
    tables: Tables<'_>,
    cache: &StatisticsCache,
) -> HypothesisOutcome {
    let (mut predictions, mut curves, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
    for &evidence in Evidence::ALL {
        let (outcomes, found) = on_evidence(hypothesis, evidence, tables.of(evidence), cache);
        let mut core: Vec<Verdict> = outcomes.iter().filter(|o| o.core).map(|o| o.verdict).collect();
        // A core prediction that this evidence is not asked about is not tested by it: the others alone are not the claim.
        let unasked = |p: &&Prediction| p.core && !p.evidence.contains(&evidence);
        core.extend(hypothesis.predictions.iter().filter(unasked).map(|_| Verdict::Untestable));
        // Of evidence that no prediction asks for nothing is said, not even that it cannot be tested.
        if !outcomes.is_empty() {
            verdicts.push((evidence, overall::hypothesis(hypothesis.stands, &core)));
        }
        predictions.extend(outcomes);
        curves.extend(found);
    }
    // The file's order, each prediction's kinds of evidence together.
    let place = |id: &str| hypothesis.predictions.iter().position(|p| p.id == id);
    predictions.sort_by_key(|outcome| (place(&outcome.id), outcome.evidence));
    curves.sort_by_key(|curve| (place(&curve.prediction), curve.evidence));
    HypothesisOutcome {
        id: hypothesis.id.clone(),
        title: hypothesis.title.clone(),
        statement: hypothesis.statement.clone(),
        published_verdict: hypothesis.published_verdict.clone(),
        hash,
        status: hypothesis.status.as_str().to_string(),
        predictions,
        verdicts,
        published_conclusion: hypothesis.published_conclusion,
        stands: hypothesis.stands,
        curves,
    }
}

/// The judgement of every prediction that asks for these rows, under the primary protocol alone: what the data allow, and why not
/// more, without the other ways of measuring.
pub fn primary(
    hypothesis: &Hypothesis,
    evidence: Evidence,
    table: &EvidenceTable,
    cache: &StatisticsCache,
) -> Vec<(String, Judgement)> {
    let index = EvidenceIndex::new(table);
    let at = Place { hypothesis, evidence, index: &index, cache };
    let asked = hypothesis.predictions.par_iter().filter(|p| p.evidence.contains(&evidence));
    let way = Way::primary(hypothesis);
    asked.map(|prediction| (prediction.id.clone(), at.judged(prediction, &way).judgement)).collect()
}

fn on_evidence(
    hypothesis: &Hypothesis,
    evidence: Evidence,
    table: &EvidenceTable,
    cache: &StatisticsCache,
) -> (Vec<PredictionOutcome>, Vec<Curve>) {
    let index = EvidenceIndex::new(table);
    let asked: Vec<&Prediction> =
        hypothesis.predictions.iter().filter(|p| p.evidence.contains(&evidence)).collect();
    let at = Place { hypothesis, evidence, index: &index, cache };
    let primary: Vec<Judged> =
        asked.par_iter().map(|prediction| at.judged(prediction, &Way::primary(hypothesis))).collect();
    let ways: Vec<Ways> = primary.iter().map(|judged| Ways::of(hypothesis, &judged.seen, &index)).collect();
    // All predictions at once, so that one with few ways does not leave cores idle.
    let tasks: Vec<(usize, &Way)> = ways
        .iter()
        .enumerate()
        .flat_map(|(i, ways)| ways.ways.iter().skip(1).map(move |way| (i, way)))
        .collect();
    let others: Vec<Judged> = tasks.par_iter().map(|&(i, way)| at.judged(asked[i], way)).collect();
    let mut judged: Vec<Vec<Judged>> = primary.into_iter().map(|first| vec![first]).collect();
    for ((i, _), other) in tasks.iter().zip(others) {
        judged[*i].push(other);
    }
    let both: Vec<(PredictionOutcome, Option<Curve>)> = (asked, ways, judged)
        .into_par_iter()
        .map(|(prediction, ways, judged)| at.outcome(prediction, &ways, judged))
        .collect();
    let (outcomes, curves): (Vec<_>, Vec<_>) = both.into_iter().unzip();
    (outcomes, curves.into_iter().flatten().collect())
}

/// The evidence on which the predictions of one hypothesis are judged.
pub(super) struct Place<'a> {
    pub hypothesis: &'a Hypothesis,
    pub evidence: Evidence,
    pub index: &'a EvidenceIndex<'a>,
    pub cache: &'a StatisticsCache,
}

impl Place<'_> {
    fn judged(&self, prediction: &Prediction, way: &Way) -> Judged {
        self.judged_in(None, prediction, way)
    }

    /// The models that a prediction is about.
    pub(super) fn population(&self, prediction: &Prediction) -> Population {
        let filters: Vec<&ModelFilter> =
            std::iter::once(&self.hypothesis.models).chain(&prediction.models).collect();
        Population::new(self.index, &filters)
    }

    /// What the test of a prediction runs on, in one way.
    pub(super) fn context<'t>(
        &'t self,
        world: Option<&'t World<'t>>,
        prediction: &'t Prediction,
        way: &'t Way,
        population: &'t Population,
    ) -> TestContext<'t> {
        let (evidence, protocol) = (self.evidence, way.protocol);
        TestContext {
            evidence,
            protocol,
            alpha: self.hypothesis.alpha,
            seed: self.cache.seed.derive(&format!("{}/{evidence}/{protocol}", prediction.id)),
            needs: &prediction.needs,
            rule: &prediction.rule,
            index: self.index,
            population,
            scope: Scope::Taken,
            across: prediction.test.parts().across == Some(true),
            rows: &way.rows,
            cache: self.cache,
            world,
        }
    }

    /// Judges a prediction in one way, on the numbers of a simulated world if one is given.
    pub(super) fn judged_in(&self, world: Option<&World<'_>>, prediction: &Prediction, way: &Way) -> Judged {
        let population = self.population(prediction);
        let context = self.context(world, prediction, way, &population);
        let mut findings = prediction.test.run(&context);
        let parts = prediction.test.parts();
        for (quantity, sentence) in std::mem::take(&mut findings.flat) {
            if parts.must_differ().any(|one| *one == quantity) {
                findings.missing.push(format!("no spread: {sentence}"));
            }
        }
        let (effect, units) = (findings.headline(), findings.units.take());
        let seen = std::mem::take(&mut findings.seen);
        if !findings.within_sets {
            findings.notes.extend(sets_together(&seen));
        }
        let mut judgement = judgement(prediction, &context, findings);
        prediction.test.kind().amend(&mut judgement);
        Judged { judgement, effect, units, seen }
    }

    fn outcome(
        &self,
        prediction: &Prediction,
        ways: &Ways,
        judged: Vec<Judged>,
    ) -> (PredictionOutcome, Option<Curve>) {
        let Hypothesis { also, alpha, .. } = self.hypothesis;
        let seed = self.cache.seed.derive(&format!("{}/{}", prediction.id, self.evidence));
        let no_permutation_reason = prediction.test.kind().no_permutation_reason();
        let curve =
            curve::curve(&prediction.id, self.evidence, ways, &judged, *alpha, seed, no_permutation_reason);
        let fragile = curve::fragile(ways, &judged, prediction.needs.prompts > 0);
        let about_every = Every::of(&prediction.rule.supported).is_some();
        let refuted = curve::refuted_elsewhere(ways, &judged).filter(|_| about_every);
        let mut judgements: Vec<Option<Judgement>> = judged.into_iter().map(|j| Some(j.judgement)).collect();
        let mut under = |protocol: Protocol| {
            let way = ways.ways.iter().position(|way| way.protocol == protocol && !way.is_subset())?;
            judgements.get_mut(way)?.take()
        };
        let mut primary =
            under(self.hypothesis.protocol).expect("the primary way is always there, and first");
        let others = also.iter().filter_map(|other| under(other.protocol)).collect();
        let mut verdict = primary.verdict;
        if let Some(fragile) = fragile {
            verdict = Verdict::Fragile;
            primary.because = format!("{fragile}; {}", primary.because);
        }
        if let Some(refuted) = refuted {
            verdict = Verdict::Contradicted;
            primary.because = format!("{refuted}; by itself {}: {}", primary.verdict, primary.because);
        }
        let outcome = PredictionOutcome {
            id: prediction.id.clone(),
            claim: prediction.claim.clone(),
            core: prediction.core,
            evidence: self.evidence,
            verdict,
            primary,
            others,
        };
        (outcome, curve)
    }
}

fn judgement(prediction: &Prediction, context: &TestContext<'_>, mut findings: Findings) -> Judgement {
    findings.missing = each_once(findings.missing);
    let decision = decide(&prediction.rule, prediction.test.name(), &findings);
    let as_printed = hold(&prediction.published_finding, &findings);
    if findings.protocols.is_empty() {
        findings.protocols.push(context.protocol);
    }
    let notes = each_once(context.population.notes.iter().cloned().chain(findings.notes));
    Judgement {
        evidence: context.evidence,
        kind: prediction.test.name().to_string(),
        protocols: findings.protocols,
        verdict: decision.verdict,
        unit: findings.unit,
        statistics: findings.statistics,
        estimates: findings.estimates,
        because: decision.because,
        missing: [findings.missing, decision.missing].concat(),
        would_decide: decision.would_decide,
        allows: decision.allows,
        as_printed,
        notes,
    }
}

/// What a reader has to know of a number that prompts of several sets enter: it is of this mixture.
fn sets_together(seen: &Seen) -> Option<String> {
    let names: Vec<&str> = seen.sets.iter().map(String::as_str).collect();
    (names.len() > 1).then(|| {
        format!(
            "prompts of {} sets enter together, each prompt with the same weight: {}",
            names.len(),
            names.join(", ")
        )
    })
}

/// The texts without repeats, since both sides of a test may note the same.
fn each_once(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once
}
