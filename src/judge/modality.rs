//! `modality`: are models of two sorts?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Whether models' means fall into two heaps: Hartigan's dip, and BIC of one Gaussian less that of two. `two` is 1 where the dip is
/// significant or the difference of BIC is above `delta-bic`, else 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Modality {
    pub of: Quantity,
    #[serde(default = "ten")]
    pub delta_bic: f64,
}

fn ten() -> f64 {
    10.0
}

impl Modality {
    pub const STATISTICS: &'static [&'static str] = &["dip-p", "delta-bic", "two", "models"];
}

impl Kind for Modality {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
