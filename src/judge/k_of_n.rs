//! `k-of-n`: do at least k models show it?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Fault, Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Partial conjunction over models (Benjamini and Heller 2008): p of "fewer than k models lie on `side` of `against`", from each
/// model's one-sided sign-flip p over prompts. `k`, or `share` of the models rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KOfN {
    pub of: Quantity,
    #[serde(default)]
    pub against: f64,
    #[serde(default)]
    pub side: Side,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    #[default]
    Above,
    Below,
}

impl KOfN {
    pub const STATISTICS: &'static [&'static str] = &["p", "k", "largest-k", "models"];
}

impl Kind for KOfN {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn faults(&self) -> Vec<Fault> {
        let message = "k-of-n takes one of `k` (at least 1) and `share` (above 0, at most 1)";
        let good = match (self.k, self.share) {
            (Some(k), None) => k > 0,
            (None, Some(share)) => share > 0.0 && share <= 1.0,
            (Some(_), Some(_)) | (None, None) => false,
        };
        (!good)
            .then(|| Fault { path: vec![], message: message.into(), advice: "e.g. share = 0.75" })
            .into_iter()
            .collect()
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
