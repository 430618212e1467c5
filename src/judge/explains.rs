//! `explains`: does a fact tell models apart beyond what other facts do?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Nested linear models over models: partial R² of the fact `by` given the facts `beyond`; permutation p by whole clusters (models
/// of one `cluster` value move together).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Explains {
    pub of: Quantity,
    pub by: String,
    #[serde(default)]
    pub beyond: Vec<String>,
    #[serde(default = "family")]
    pub cluster: String,
}

fn family() -> String {
    "family".into()
}

impl Explains {
    pub const STATISTICS: &'static [&'static str] = &["partial-r2", "p", "p-f", "models", "groups"];
}

impl Kind for Explains {
    fn parts(&self) -> Parts<'_> {
        let beyond =
            self.beyond.iter().enumerate().map(|(i, fact)| (vec!["beyond".into(), i.into()], &fact[..]));
        let parts = Parts::of([("of", &self.of)]).fact("by", &self.by).fact("cluster", &self.cluster);
        Parts { facts: parts.facts.into_iter().chain(beyond).collect(), ..parts }
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
