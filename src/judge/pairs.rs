//! `pairs`: every changed model against the one it was changed from, prompt by prompt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Every model whose fact `change` matches (`*` stands for any text) less its base, prompt by prompt. A pair is significant where
/// t and Wilcoxon both are, after Holm over the pairs, and its mean difference is at least `size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pairs {
    pub of: Quantity,
    /// E.g. `instruct`, `rope-theta x10`, `rope-theta *`.
    pub change: String,
    #[serde(default)]
    pub size: f64,
}

impl Pairs {
    pub const STATISTICS: &'static [&'static str] = &[
        "pairs",
        "share-lower-significant",
        "share-higher-significant",
        "share-significant",
        "share-sign-change",
        "share-falls-through",
        "pooled",
        "low",
        "high",
        "p",
        "r",
        "r-low",
        "r-high",
        "smallest-ratio",
        "largest-ratio",
        "smallest-size",
        "largest-size",
    ];
}

impl Kind for Pairs {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
