//! `contrast`: two quantities against each other, prompt by prompt or model by model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Two quantities, `a` less `b`. Prompts are the units where each is of one model, else models are; `paired = false` sets two
/// groups of them beside each other. On log scale `ratio` is that of the geometric means. With `band`, `inside` is 1 where the
/// whole interval of the difference (on log scale: of the ratio) lies in the band, `outside` where none of it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contrast {
    pub a: Quantity,
    pub b: Quantity,
    #[serde(default = "yes")]
    pub paired: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<[f64; 2]>,
    #[serde(default)]
    pub across_protocols: bool,
}

fn yes() -> bool {
    true
}

impl Contrast {
    pub const STATISTICS: &'static [&'static str] = &[
        "a-low",
        "a-high",
        "b-low",
        "b-high",
        "difference",
        "low",
        "high",
        "p",
        "p-t",
        "p-rank",
        "effect",
        "effect-low",
        "effect-high",
        "ratio",
        "ratio-low",
        "ratio-high",
        "inside",
        "outside",
        "models",
        "prompts",
        "loo-lowest",
        "loo-highest",
    ];
}

impl Kind for Contrast {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("a", &self.a), ("b", &self.b)]).compared(self.across_protocols)
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
