//! What a kind of test runs on: one kind of evidence, one protocol, and the models that the prediction is about.

use super::{
    cache::StatisticsCache,
    calibration::World,
    hypothesis::{Condition, Needs, Rule},
    population::{Population, Scope},
    row_filter::RowFilter,
    spread::has_spread,
};
use crate::stats::{Interval, Seed, out_of_reach};
use number::{
    evidence::{Evidence, Measurement},
    index::{EvidenceIndex, IndexedModel},
    protocol::Protocol,
};

/// The surroundings of one run of a test: it reads numbers through them and knows nothing else.
#[derive(Clone, Copy)]
pub(crate) struct TestContext<'a> {
    /// The kind of evidence that the numbers are from.
    pub evidence: Evidence,
    /// The protocol of quantities that name none of their own.
    pub protocol: Protocol,
    /// Level of tests; intervals are 1 - alpha.
    pub alpha: f64,
    /// Seed of resampling, by prediction, evidence and protocol.
    pub seed: Seed,
    /// Fewest units the prediction needs.
    pub needs: &'a Needs,
    /// What decides the prediction. The conditions that support it say what it is about.
    pub rule: &'a Rule,
    /// The rows of the evidence table.
    pub index: &'a EvidenceIndex<'a>,
    /// The models that the prediction is about.
    pub population: &'a Population,
    /// Which revisions and variants of these models a look-up takes.
    pub scope: Scope,
    /// Whether numbers of different protocols may be combined into one: the file says so.
    pub across: bool,
    /// The rows that this specification keeps.
    pub rows: &'a RowFilter,
    /// Resamples and results shared with other judgements.
    pub cache: &'a StatisticsCache,
    /// Numbers of a simulated world, which stand for those of the rows.
    pub world: Option<&'a World<'a>>,
}

impl<'a> TestContext<'a> {
    /// The same context with another scope, e.g. with revisions and variants.
    pub(crate) fn with(&self, scope: Scope) -> TestContext<'a> {
        TestContext { scope, ..*self }
    }

    /// The conditions that support the prediction.
    pub(crate) fn supported(&self) -> &'a [Condition] {
        &self.rule.supported
    }

    /// Whether anybody reads one of these statistics: everybody may, but of a simulated world only the verdict is read, and so what the
    /// rule names.
    pub(crate) fn reads(&self, statistics: &[&str]) -> bool {
        let named = |condition: &Condition| statistics.contains(&condition.statistic.as_str());
        self.world.is_none() || self.rule.ways().iter().any(|way| way.conditions.iter().any(named))
    }

    /// Whether a look-up takes a model (by its number in the index).
    pub(crate) fn takes(&self, model: usize, scope: Scope) -> bool {
        self.population.takes(self.index, model, scope)
            && !self.rows.without_models.contains(self.index.models[model].id)
    }

    /// Whether this specification keeps a row of a model that is not left out.
    pub(crate) fn keeps(&self, row: &Measurement) -> bool {
        let sets = row.prompt.as_deref().map_or(&[][..], |prompt| self.index.sets(prompt));
        self.rows.keeps(row, sets)
    }

    /// Whether the prediction is about this base model.
    pub(crate) fn takes_base(&self, id: &str) -> bool {
        let number = self.index.model_number(id);
        number.is_some_and(|number| self.takes(number, Scope::Taken))
    }

    /// Facts and depth of a model of this table.
    pub(crate) fn model(&self, id: &str) -> Option<&'a IndexedModel<'a>> {
        self.index.model(id)
    }

    /// The 1-alpha and the 1-2alpha interval of a mean, as [`stats::mean_interval`](crate::stats::mean_interval) gives them;
    /// none of values without spread.
    pub(crate) fn mean_intervals(&self, values: &[f64]) -> Option<[Interval; 2]> {
        self.cache.means(values, self.alpha).filter(|_| has_spread(values))
    }

    /// The interval of a mean at another level; none of values without spread.
    pub(crate) fn interval_at(&self, values: &[f64], alpha: f64) -> Option<Interval> {
        self.cache.means(values, alpha).filter(|_| has_spread(values)).map(|[at_alpha, _]| at_alpha)
    }

    /// The first of [`TestContext::mean_intervals`].
    pub(crate) fn mean_interval(&self, values: &[f64]) -> Option<Interval> {
        self.mean_intervals(values).map(|[at_alpha, _]| at_alpha)
    }

    /// The words of a note about a p that is withheld because no outcome of the test could be significant.
    pub(crate) fn no_p_given(&self, circumstances: &str) -> String {
        format!("{}, no p given", out_of_reach(self.alpha, circumstances))
    }
}
