//! Judging: a hypothesis and an evidence table in, verdicts with their numbers out.
//!
//! One file per kind of test; `cells` looks numbers up, `rule` decides, `overall` combines.

mod agreement;
mod bench;
mod categories;
mod cells;
mod centred;
mod change_points;
mod combine;
mod contrast;
mod correlation;
mod explains;
mod extremes;
mod families;
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
mod mean_by_model;
mod modality;
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
mod sign_flip;
mod sign_pattern;
mod sink_fit;
mod spread_change;
pub(crate) mod test;
mod trend;
mod units;

use bench::{Bench, Tested};
use outcome::{HypothesisOutcome, Judgement, PredictionOutcome, Verdict};
use population::{Population, Scope};
use shelf::Shelf;

use crate::{
    config::hypothesis::{Hypothesis, Prediction, Relation, Status, Test},
    evidence::{Evidence, EvidenceTable},
    hash::Key,
    protocol::Protocol,
    stats::Seed,
};

/// Judges every prediction on the evidence it names, under the primary protocol and the others. The tables hold the
/// rows to be judged and no more: `measured` those of the hypothesis's profile and prompt sets (tables know neither
/// profiles nor sets). The same inputs and seed give the same outcome, number for number.
pub fn judge(
    hypothesis: &Hypothesis,
    hash: Key,
    published: &EvidenceTable,
    measured: &EvidenceTable,
    seed: u64,
) -> HypothesisOutcome {
    let mut predictions: Vec<PredictionOutcome> = Vec::new();
    let mut verdicts = Vec::new();
    for &evidence in Evidence::ALL {
        let table = match evidence {
            Evidence::Published => published,
            Evidence::Measured => measured,
        };
        let shelf = Shelf::new(table);
        let asked = hypothesis.predictions.iter().filter(|p| p.evidence.contains(&evidence));
        let outcomes: Vec<PredictionOutcome> = asked
            .map(|prediction| judge_prediction(hypothesis, prediction, evidence, &shelf, seed))
            .collect();
        let mut core: Vec<Verdict> = outcomes.iter().filter(|o| o.core).map(|o| o.verdict).collect();
        // A core prediction that this evidence is not asked about is not tested by it: the others alone are not the claim.
        let unasked = |p: &&Prediction| p.core && !p.evidence.contains(&evidence);
        core.extend(hypothesis.predictions.iter().filter(unasked).map(|_| Verdict::Untestable));
        verdicts.push((evidence, overall::hypothesis(&core)));
        predictions.extend(outcomes);
    }
    // The file's order, each prediction's kinds of evidence together.
    let place = |id: &str| hypothesis.predictions.iter().position(|p| p.id == id);
    predictions.sort_by_key(|outcome| (place(&outcome.id), outcome.evidence));
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
        curves: Vec::new(),
    }
}

fn judge_prediction(
    hypothesis: &Hypothesis,
    prediction: &Prediction,
    evidence: Evidence,
    shelf: &Shelf<'_>,
    seed: u64,
) -> PredictionOutcome {
    let filters: Vec<_> = std::iter::once(&hypothesis.models).chain(&prediction.models).collect();
    let population = Population::new(shelf, &filters);
    let under = |protocol: Protocol| {
        let bench = Bench {
            evidence,
            protocol,
            alpha: hypothesis.alpha,
            seed: Seed(seed).derive(&format!("{}/{evidence}/{protocol}", prediction.id)),
            needs: &prediction.needs,
            shelf,
            population: &population,
            scope: Scope::Taken,
            across: prediction.test.parts().across == Some(true),
        };
        let mut judgement = judgement(prediction, &bench, prediction.test.run(&bench));
        if matches!(prediction.test, Test::Reproduce { .. }) {
            reproduce::copied(&mut judgement);
        }
        judgement
    };
    let primary = under(hypothesis.protocol);
    let varied = if prediction.test.varies() { &hypothesis.also[..] } else { &[] };
    let others: Vec<Judgement> = varied.iter().map(|other| under(other.protocol)).collect();
    let equivalents =
        varied.iter().zip(&others).filter(|(o, _)| o.relation == Relation::Equivalent).map(|(_, j)| j);
    PredictionOutcome {
        id: prediction.id.clone(),
        claim: prediction.claim.clone(),
        core: prediction.core,
        evidence,
        verdict: overall::prediction(primary.verdict, equivalents),
        primary,
        others,
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
