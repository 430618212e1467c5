//! The rows behind a verdict: those that each quantity of a prediction takes under the primary protocol.

use super::{
    cache::StatisticsCache,
    context::TestContext,
    hypothesis::{Hypothesis, ModelFilter, Prediction},
    lookup,
    population::{Population, Scope},
    row_filter::RowFilter,
};
use number::{
    evidence::{Evidence, EvidenceTable, Measurement},
    index::EvidenceIndex,
};

/// The rows of one quantity.
#[derive(Clone, Debug)]
pub struct Behind {
    /// E.g. `last-gain`, or `unembedding-spectral-norm over vocabulary`.
    pub quantity: String,
    /// The rows that the quantity takes, model by model.
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
    let index = EvidenceIndex::new(table);
    let filters: Vec<&ModelFilter> = std::iter::once(&hypothesis.models).chain(&prediction.models).collect();
    let (population, rows, cache) =
        (Population::new(&index, &filters), RowFilter::default(), StatisticsCache::new(0));
    let context = TestContext {
        evidence,
        protocol: hypothesis.protocol,
        alpha: hypothesis.alpha,
        seed: cache.seed,
        needs: &prediction.needs,
        rule: &prediction.rule,
        index: &index,
        population: &population,
        scope: Scope::Taken,
        across: true,
        rows: &rows,
        cache: &cache,
        world: None,
    };
    let parts = prediction.test.parts();
    let quantities = parts.walk();
    quantities
        .into_iter()
        .filter(|(_, quantity)| quantity.metric.is_some())
        .map(|(_, quantity)| Behind {
            quantity: quantity.name(),
            rows: lookup::rows(&context, quantity).into_iter().cloned().collect(),
        })
        .collect()
}
