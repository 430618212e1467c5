//! `extremes`: how small and how large a quantity gets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Fault, Kind, Parts},
};
use crate::config::hypothesis::Quantity;

/// Smallest, largest and median value over models (each the median of its prompts, or their mean) or over cells (every model and
/// prompt); `share-inside` of those that lie in `inside`. With `relative-to`, values are multiples of that quantity's mean over
/// its models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Extremes {
    pub of: Quantity,
    #[serde(default)]
    pub over: Over,
    #[serde(default)]
    pub summary: Summary,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<[f64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_to: Option<Quantity>,
    #[serde(default)]
    pub across_protocols: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    #[default]
    Models,
    Cells,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Summary {
    #[default]
    Median,
    Mean,
}

impl Extremes {
    pub const STATISTICS: &'static [&'static str] =
        &["smallest", "largest", "median", "cells", "models", "share-inside", "low", "high"];
}

impl Kind for Extremes {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
            .and("relative-to", self.relative_to.as_ref())
            .compared(self.across_protocols)
    }

    fn faults(&self) -> Vec<Fault> {
        let upside_down = self.inside.filter(|[low, high]| low > high);
        let fault =
            Fault::new("inside", "no value lies inside: the first bound is above the second", "swap them");
        upside_down.map(|_| fault).into_iter().collect()
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
