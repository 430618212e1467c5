//! `layer-location`: do two things happen at the same layer?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Per model the layer that `left-locate` finds in the profile of `left` (mean over prompts, layer by layer), and likewise right.
/// `left-from` looks at the layers from this share of the depth on. `share-apart`: models at least `apart` layers apart;
/// `share-within`: models whose layers differ by at most `within` of the depth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerLocation {
    pub left: Quantity,
    pub left_locate: Locate,
    #[serde(default)]
    pub left_from: f64,
    pub right: Quantity,
    pub right_locate: Locate,
    #[serde(default)]
    pub right_from: f64,
    #[serde(default = "two")]
    pub apart: f64,
    #[serde(default = "tenth")]
    pub within: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn two() -> f64 {
    2.0
}

fn tenth() -> f64 {
    0.1
}

/// A layer of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Locate {
    Argmax,
    Argmin,
    /// Where the profile changes most from the layer before.
    ArgmaxGradient,
    /// The first layer of the second part, where two constants fit best.
    ChangePoint,
    /// The first layer whose sign is not that of the one before.
    SignChange,
}

impl LayerLocation {
    pub const STATISTICS: &'static [&'static str] = &[
        "mean-difference",
        "mean-share-of-depth",
        "low",
        "high",
        "share-apart",
        "share-within",
        "p",
        "models",
    ];
}

impl Kind for LayerLocation {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("left", &self.left), ("right", &self.right)])
            .compared(self.across_protocols)
            .over_layers()
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
