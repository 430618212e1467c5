//! `kruskal-groups`: models of several groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Models grouped by a fact: Kruskal–Wallis with permutation p; epsilon squared is H over the most it can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KruskalGroups {
    pub of: Quantity,
    /// A fact of the model, e.g. `positions`.
    pub by: String,
}

impl KruskalGroups {
    pub const STATISTICS: &'static [&'static str] = &["p", "epsilon2", "groups", "models"];
}

impl Kind for KruskalGroups {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)]).fact("by", &self.by)
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
