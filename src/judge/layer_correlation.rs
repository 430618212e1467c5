//! `layer-correlation`: do two quantities go together from layer to layer?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::{Correlation as Method, Quantity};

/// Correlation across a model's layers of two profiles (means over prompts), models pooled by random-effects Fisher z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerCorrelation {
    pub x: Quantity,
    pub y: Quantity,
    pub method: Method,
    #[serde(default)]
    pub across_protocols: bool,
}

impl LayerCorrelation {
    pub const STATISTICS: &'static [&'static str] = &["rho", "absolute-rho", "p", "low", "high", "models"];
}

impl Kind for LayerCorrelation {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("x", &self.x), ("y", &self.y)]).compared(self.across_protocols).over_layers()
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
