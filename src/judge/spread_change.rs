//! `spread-change`: do prompts differ less after a change along a training?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Per training (fact `series`), the variance over prompts of `of` after over before the step where `at` changes. Paired over
/// prompts: each one's mean absolute deviation from its revision's mean, after less before, sign-flip p, Holm over trainings. A
/// training falls where the ratio is at most `size` and significant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpreadChange {
    pub of: Quantity,
    pub at: Quantity,
    #[serde(default = "half")]
    pub size: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn half() -> f64 {
    0.5
}

impl SpreadChange {
    pub const STATISTICS: &'static [&'static str] =
        &["ratio", "largest-ratio", "p", "series", "series-falling", "share-falling"];
}

impl Kind for SpreadChange {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of), ("at", &self.at)]).compared(self.across_protocols)
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
