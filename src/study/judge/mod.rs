//! Judging: a hypothesis and an evidence table in, verdicts with their numbers out.
//!
//! One file per kind of test; `cells` looks numbers up, `rule` decides, `multiverse` lists the ways to judge, `curve` sets
//! them side by side, `overall` combines, `family` corrects for how many claims there are, `summary` counts.

mod agreement;
mod behind;
mod bench;
mod by;
mod categories;
mod cells;
mod centred;
mod change_points;
mod combine;
mod contrast;
mod correlation;
mod curve;
mod effect;
mod explains;
mod extremes;
mod families;
mod family;
mod groups;
mod identity;
mod k_of_n;
pub(crate) mod kind;
mod kruskal_groups;
mod layer_correlation;
mod layer_location;
mod levels;
mod locate;
mod log_ratio_split;
mod lowest_category;
mod matched_groups;
mod mean_by_model;
mod memo;
mod modality;
mod multiverse;
mod narrow;
pub mod outcome;
mod overall;
mod pairs;
mod population;
mod power_law;
mod predicted;
mod proportional;
mod ratio;
mod reproduce;
mod revisions;
mod rule;
mod said;
mod share_of_models;
mod shelf;
mod sides;
mod sign_flip;
mod sign_pattern;
mod sink_fit;
mod spread_change;
mod statistics;
pub mod summary;
pub(crate) mod test;
mod trend;
mod units;

use bench::{Bench, Seen, Tested};
use effect::Effect;
use multiverse::{Way, Ways};
use outcome::{Curve, HypothesisOutcome, Judgement, PredictionOutcome, Verdict};
use population::{Population, Scope};
use rayon::prelude::*;
use shelf::Shelf;

pub use behind::{Behind, behind};
pub use family::{FAMILY, family, listed};
pub use memo::Memo;
pub use population::{asks_for, is_derived};

use crate::{
    config::hypothesis::{Hypothesis, ModelFilter, Prediction, Status, Test},
    stats::Units,
};
use base::hash::Key;
use number::{
    evidence::{Evidence, EvidenceTable},
    protocol::Protocol,
};

/// Judges every prediction on the evidence it names, under the primary protocol and every other way (`multiverse`). The
/// tables hold the rows to be judged and no more: `measured` those of the hypothesis's profile and prompt sets (tables know
/// neither profiles nor sets). The same inputs and seed give the same outcome, number for number, on any number of threads.
pub fn judge(
    hypothesis: &Hypothesis,
    hash: Key,
    published: &EvidenceTable,
    measured: &EvidenceTable,
    seed: u64,
) -> HypothesisOutcome {
    judge_with(hypothesis, hash, published, measured, &Memo::new(seed))
}

/// [`judge`] for one of several hypotheses on the same numbers: what one computed the next need not, and nothing else
/// depends on it.
pub fn judge_with(
    hypothesis: &Hypothesis,
    hash: Key,
    published: &EvidenceTable,
    measured: &EvidenceTable,
    memo: &Memo,
) -> HypothesisOutcome {
    let (mut predictions, mut curves, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
    for &evidence in Evidence::ALL {
        let table = match evidence {
            Evidence::Published => published,
            Evidence::Measured => measured,
        };
        let (outcomes, found) = on_evidence(hypothesis, evidence, table, memo);
        let mut core: Vec<Verdict> = outcomes.iter().filter(|o| o.core).map(|o| o.verdict).collect();
        // A core prediction that this evidence is not asked about is not tested by it: the others alone are not the claim.
        let unasked = |p: &&Prediction| p.core && !p.evidence.contains(&evidence);
        core.extend(hypothesis.predictions.iter().filter(unasked).map(|_| Verdict::Untestable));
        verdicts.push((evidence, overall::hypothesis(hypothesis.stands, &core)));
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
        status: match hypothesis.status {
            Status::ReAnalysis => "re-analysis".to_string(),
            Status::Prospective => "prospective".to_string(),
        },
        predictions,
        verdicts,
        published_conclusion: hypothesis.published_conclusion,
        stands: hypothesis.stands,
        curves,
    }
}

/// One prediction judged in one way.
struct Judged {
    judgement: Judgement,
    effect: Option<Effect>,
    units: Option<Units>,
    seen: Seen,
}

fn on_evidence(
    hypothesis: &Hypothesis,
    evidence: Evidence,
    table: &EvidenceTable,
    memo: &Memo,
) -> (Vec<PredictionOutcome>, Vec<Curve>) {
    let shelf = Shelf::new(table);
    let asked: Vec<&Prediction> =
        hypothesis.predictions.iter().filter(|p| p.evidence.contains(&evidence)).collect();
    let at = Place { hypothesis, evidence, shelf: &shelf, memo };
    let primary: Vec<Judged> =
        asked.par_iter().map(|prediction| at.judged(prediction, &Way::primary(hypothesis))).collect();
    let ways: Vec<Ways> = primary.iter().map(|judged| Ways::of(hypothesis, &judged.seen, &shelf)).collect();
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

/// Where predictions are judged.
struct Place<'a> {
    hypothesis: &'a Hypothesis,
    evidence: Evidence,
    shelf: &'a Shelf<'a>,
    memo: &'a Memo,
}

impl Place<'_> {
    fn judged(&self, prediction: &Prediction, way: &Way) -> Judged {
        let (evidence, protocol) = (self.evidence, way.protocol);
        let filters: Vec<&ModelFilter> =
            std::iter::once(&self.hypothesis.models).chain(&prediction.models).collect();
        let population = Population::new(self.shelf, &filters);
        let bench = Bench {
            evidence,
            protocol,
            alpha: self.hypothesis.alpha,
            seed: self.memo.seed.derive(&format!("{}/{evidence}/{protocol}", prediction.id)),
            needs: &prediction.needs,
            shelf: self.shelf,
            population: &population,
            scope: Scope::Taken,
            across: prediction.test.parts().across == Some(true),
            narrow: &way.narrow,
            memo: self.memo,
        };
        let mut tested = prediction.test.run(&bench);
        let (effect, units) = (effect::headline(&tested), tested.units.take());
        let seen = std::mem::take(&mut tested.seen);
        let mut judgement = judgement(prediction, &bench, tested);
        if matches!(prediction.test, Test::Reproduce { .. }) {
            reproduce::copied(&mut judgement);
        }
        Judged { judgement, effect, units, seen }
    }

    fn outcome(
        &self,
        prediction: &Prediction,
        ways: &Ways,
        judged: Vec<Judged>,
    ) -> (PredictionOutcome, Option<Curve>) {
        let Hypothesis { also, alpha, .. } = self.hypothesis;
        let seed = self.memo.seed.derive(&format!("{}/{}", prediction.id, self.evidence));
        let unflippable = prediction.test.kind().unflippable();
        let curve = curve::curve(&prediction.id, self.evidence, ways, &judged, *alpha, seed, unflippable);
        let fragile = curve::fragile(ways, &judged);
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

fn judgement(prediction: &Prediction, bench: &Bench<'_>, mut tested: Tested) -> Judgement {
    tested.missing = each_once(tested.missing);
    let (verdict, because) = rule::decide(&prediction.rule, &tested);
    if tested.protocols.is_empty() {
        tested.protocols.push(bench.protocol);
    }
    let notes = each_once(bench.population.notes.iter().cloned().chain(tested.notes));
    Judgement {
        evidence: bench.evidence,
        protocols: tested.protocols,
        verdict,
        unit: tested.unit,
        statistics: tested.statistics,
        estimates: tested.estimates,
        because,
        missing: tested.missing,
        notes,
    }
}

/// Both sides of a test may say the same: it is read once.
fn each_once(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once
}
