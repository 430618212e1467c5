//! The correlation that a hypothesis file asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::Method;

/// Whether values or ranks are correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Correlation")]
pub enum CorrelationMethod {
    Spearman,
    Pearson,
}

impl CorrelationMethod {
    /// The method as the statistics call it.
    pub(crate) fn method(self) -> Method {
        match self {
            CorrelationMethod::Spearman => Method::Spearman,
            CorrelationMethod::Pearson => Method::Pearson,
        }
    }
}
