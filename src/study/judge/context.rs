//! What a kind of test runs on: one kind of evidence, one protocol, and the models that the prediction is about.

use super::{
    cache::StatisticsCache,
    hypothesis::Needs,
    population::{Population, Scope},
    row_filter::RowFilter,
};
use crate::stats::{Interval, Seed, out_of_reach};
use number::{
    evidence::Evidence,
    index::{EvidenceIndex, IndexedModel},
    protocol::Protocol,
};

/// What every test works on.
#[derive(Clone, Copy)]
pub(crate) struct TestContext<'a> {
    pub evidence: Evidence,
    pub protocol: Protocol,
    pub alpha: f64,
    pub seed: Seed,
    pub needs: &'a Needs,
    pub index: &'a EvidenceIndex<'a>,
    pub population: &'a Population,
    pub scope: Scope,
    /// Whether numbers of different protocols may be combined into one: the file says so.
    pub across: bool,
    /// The rows that this specification keeps.
    pub rows: &'a RowFilter,
    pub cache: &'a StatisticsCache,
}

impl<'a> TestContext<'a> {
    /// The same with revisions and variants, or with models that were changed from those the filter takes.
    pub(crate) fn with(&self, scope: Scope) -> TestContext<'a> {
        TestContext { scope, ..*self }
    }

    pub(crate) fn takes(&self, model: usize, scope: Scope) -> bool {
        self.population.takes(self.index, model, scope)
            && !self.rows.without_models.contains(self.index.models[model].id)
    }

    /// Whether the prediction speaks of a model that others were changed from.
    pub(crate) fn takes_base(&self, id: &str) -> bool {
        let number = self.index.model_number(id);
        number.is_some_and(|number| self.takes(number, Scope::Taken))
    }

    /// Facts and depth of a model of this table.
    pub(crate) fn model(&self, id: &str) -> Option<&'a IndexedModel<'a>> {
        self.index.model(id)
    }

    /// The interval of a mean at the level of the context, as [`stats::mean_interval`](crate::stats::mean_interval) gives it.
    pub(crate) fn mean_interval(&self, values: &[f64]) -> Option<Interval> {
        self.cache.means(values, self.alpha).map(|[at_alpha, _]| at_alpha)
    }

    /// The words of a note about a p that is withheld because no outcome of the test could be significant.
    pub(crate) fn no_p_given(&self, circumstances: &str) -> String {
        format!("{}, no p given", out_of_reach(self.alpha, circumstances))
    }
}
