//! `agreement`: are models on the same side of a value under every protocol?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Fault, Kind, Parts},
};
use crate::{metric::Metric, protocol::Protocol};

/// Cohen's kappa between protocols of which side of `against` models' means lie on: that of the pair that agrees least.
/// `share-on-side`: the smallest share, over models, of prompts on their model's side under the first protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Agreement {
    pub metric: Metric,
    pub protocols: Vec<Protocol>,
    #[serde(default = "one")]
    pub against: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn one() -> f64 {
    1.0
}

impl Agreement {
    pub const STATISTICS: &'static [&'static str] =
        &["kappa", "low", "high", "share-on-side", "mean-share-on-side", "models"];
}

impl Kind for Agreement {
    fn parts(&self) -> Parts<'_> {
        Parts { protocols: &self.protocols, ..Parts::default().compared(self.across_protocols) }
    }

    fn faults(&self) -> Vec<Fault> {
        let few = Fault::new("protocols", "agreement needs at least two protocols", "list another one");
        (self.protocols.len() < 2).then_some(few).into_iter().collect()
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
