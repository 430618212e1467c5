//! `predicted`: how far do models lie from a law with given numbers?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Per model the mean over prompts of `of` over coefficient × against^exponent. `worst` is the largest factor, either way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Predicted {
    pub of: Quantity,
    pub against: Quantity,
    pub coefficient: f64,
    pub exponent: f64,
    #[serde(default = "two")]
    pub factor: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn two() -> f64 {
    2.0
}

impl Predicted {
    pub const STATISTICS: &'static [&'static str] =
        &["share-within-factor", "low", "high", "worst", "mean-ratio", "models"];
}

impl Kind for Predicted {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of), ("against", &self.against)]).compared(self.across_protocols)
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
