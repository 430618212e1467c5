//! `change-points`: do two quantities change at the same step of a training?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Per training (fact `series`), the step where the profile of `a` over revisions changes (two constants fit best), and of `b`.
/// `series-within` counts trainings whose two steps differ by at most `factor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChangePoints {
    pub a: Quantity,
    pub b: Quantity,
    #[serde(default = "two")]
    pub factor: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn two() -> f64 {
    2.0
}

impl ChangePoints {
    pub const STATISTICS: &'static [&'static str] =
        &["series", "series-within", "share-within", "factor", "a-step", "b-step", "a-p", "b-p"];
}

impl Kind for ChangePoints {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("a", &self.a), ("b", &self.b)]).compared(self.across_protocols)
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
