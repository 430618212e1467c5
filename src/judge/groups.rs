//! `groups`: models of two groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Fault, Kind, Parts},
};
use crate::config::hypothesis::{FactValue, Quantity};

/// Models in two groups, by a fact or by the side of a quantity: difference of means (a less b), exact Mann-Whitney p, AUC, and a
/// permutation p that relabels whole families.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Groups {
    pub of: Quantity,
    pub by: By,
    #[serde(default)]
    pub across_protocols: bool,
}

/// Which models are group a; the others are b.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct By {
    /// With `is`: models whose fact has this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<FactValue>,
    /// Group b has this value, not any other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versus: Option<FactValue>,
    /// Models whose mean of this lies above `above`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// 0 unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
}

impl Groups {
    pub const STATISTICS: &'static [&'static str] = &[
        "a-models",
        "b-models",
        "difference",
        "low",
        "high",
        "p",
        "smallest-p",
        "p-family",
        "auc",
        "auc-low",
        "auc-high",
        "effect",
        "effect-low",
        "effect-high",
        "loo-lowest",
        "loo-highest",
    ];
}

impl Kind for Groups {
    fn parts(&self) -> Parts<'_> {
        let quantity = self.by.quantity.as_ref();
        let parts = Parts::of([("of", &self.of)]).compared(self.across_protocols);
        let quantities = quantity.map(|q| (vec!["by".into(), "quantity".into()], q));
        let facts = self.by.fact.as_deref().map(|fact| (vec!["by".into(), "fact".into()], fact));
        let quantities = parts.quantities.into_iter().chain(quantities).collect();
        Parts { quantities, facts: facts.into_iter().collect(), ..parts }
    }

    fn faults(&self) -> Vec<Fault> {
        let By { fact, is, versus, quantity, above } = &self.by;
        let good = match (fact, quantity) {
            (Some(_), None) => is.is_some() && above.is_none(),
            (None, Some(_)) => is.is_none() && versus.is_none(),
            (Some(_), Some(_)) | (None, None) => false,
        };
        let advice =
            "write by = { fact = \"norm\", is = \"rmsnorm\" } or by = { quantity = { ... }, above = 0 }";
        let message = "models are grouped by a fact and its value, or by the side of a quantity";
        (!good).then(|| Fault::new("by", message, advice)).into_iter().collect()
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
