//! `trend`: does a quantity rise or fall along a training?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Per training (fact `series`), Spearman's rho of a revision's step and its mean over prompts, permutation p, Holm over trainings.
/// A training falls (rises) where rho is at most -`size` (at least `size`) and significant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trend {
    pub of: Quantity,
    #[serde(default)]
    pub size: f64,
}

impl Trend {
    pub const STATISTICS: &'static [&'static str] = &[
        "series",
        "series-falling",
        "series-rising",
        "share-falling",
        "share-rising",
        "rho",
        "p",
        "revisions",
    ];
}

impl Kind for Trend {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
