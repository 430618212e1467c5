//! The rows that one specification of a curve keeps.

use std::collections::BTreeSet;

use number::evidence::Measurement;

/// The rows that a specification keeps. The default keeps all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowFilter {
    /// Rows on prompts of this category are left out.
    pub without_category: Option<String>,
    /// Rows of these models are left out.
    pub without_models: BTreeSet<String>,
    /// The family that `without_models` are of.
    pub without_family: Option<String>,
    /// Of rows on prompts only those on prompts of this set are kept.
    pub set: Option<String>,
    /// Of rows of runs only those of this source are kept; properties of the weights are of no run.
    pub source: Option<String>,
    /// Likewise of this dtype.
    pub dtype: Option<String>,
}

impl RowFilter {
    /// Whether a row of a model that is not left out is kept; `sets` are those of its prompt.
    pub(crate) fn keeps(&self, row: &Measurement, sets: &[&str]) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        let category =
            self.without_category.is_none() || row.category.as_deref() != self.without_category.as_deref();
        let run =
            row.protocol.is_none() || (same(&self.source, &row.source) && same(&self.dtype, &row.dtype));
        // An aggregate over prompts is of no set that could be told.
        let set = self.set.as_deref().is_none_or(|set| row.protocol.is_none() || sets.contains(&set));
        category && run && set
    }
}
