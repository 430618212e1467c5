//! What lies behind a verdict: the rows that each quantity of a prediction takes under the primary protocol.

use super::{
    bench::Bench,
    cells,
    memo::Memo,
    narrow::Narrow,
    population::{Population, Scope},
    shelf::Shelf,
};
use crate::config::hypothesis::{Hypothesis, ModelFilter, Prediction};
use number::evidence::{Evidence, EvidenceTable, Measurement};

/// The rows of one quantity.
#[derive(Clone, Debug)]
pub struct Behind {
    /// E.g. `last-gain`, or `unembedding-spectral-norm over vocabulary`.
    pub quantity: String,
    pub rows: Vec<Measurement>,
}

/// One entry per quantity of the test that is read from rows, in the order of the test. Tests that compare protocols by
/// themselves name none.
pub fn behind(
    hypothesis: &Hypothesis,
    prediction: &Prediction,
    evidence: Evidence,
    table: &EvidenceTable,
) -> Vec<Behind> {
    let shelf = Shelf::new(table);
    let filters: Vec<&ModelFilter> = std::iter::once(&hypothesis.models).chain(&prediction.models).collect();
    let (population, narrow, memo) = (Population::new(&shelf, &filters), Narrow::default(), Memo::new(0));
    let bench = Bench {
        evidence,
        protocol: hypothesis.protocol,
        alpha: hypothesis.alpha,
        seed: memo.seed,
        needs: &prediction.needs,
        shelf: &shelf,
        population: &population,
        scope: Scope::Taken,
        across: true,
        narrow: &narrow,
        memo: &memo,
    };
    let parts = prediction.test.parts();
    let quantities = parts.walk();
    quantities
        .into_iter()
        .filter(|(_, quantity)| quantity.metric.is_some())
        .map(|(_, quantity)| Behind {
            quantity: quantity.name(),
            rows: cells::rows(&bench, quantity).into_iter().cloned().collect(),
        })
        .collect()
}
