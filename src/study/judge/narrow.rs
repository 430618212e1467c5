//! Less than all the rows: what one specification leaves out.

use std::collections::BTreeSet;

use number::evidence::Measurement;

/// Which rows a specification takes. The default takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Narrow {
    pub without_category: Option<String>,
    pub without_models: BTreeSet<String>,
    /// What these models have in common.
    pub without_family: Option<String>,
    /// Only rows of this source, and of this dtype; properties of the weights stay, they are of no run.
    pub source: Option<String>,
    pub dtype: Option<String>,
}

impl Narrow {
    /// Whether a row of a model that is not left out is taken.
    pub(crate) fn admits(&self, row: &Measurement) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        let category = self.without_category.is_none() || row.category != self.without_category;
        let run =
            row.protocol.is_none() || (same(&self.source, &row.source) && same(&self.dtype, &row.dtype));
        category && run
    }
}
