//! `power-law`: y = coefficient x^exponent over models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    kind::{Fault, Kind, Parts},
};
use crate::config::{
    document::Step,
    hypothesis::{Quantity, Scale},
};

/// Fit log y = log coefficient + exponent log x over models (means over prompts), interval of the exponent by Student's t. Both
/// quantities are linear: the fit takes the logarithms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PowerLaw {
    pub x: Quantity,
    pub y: Quantity,
    #[serde(default)]
    pub across_protocols: bool,
}

impl PowerLaw {
    pub const STATISTICS: &'static [&'static str] =
        &["exponent", "low", "high", "coefficient", "p", "r2", "models", "loo-lowest", "loo-highest"];
}

impl Kind for PowerLaw {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("x", &self.x), ("y", &self.y)]).compared(self.across_protocols)
    }

    fn faults(&self) -> Vec<Fault> {
        let logs = [("x", &self.x), ("y", &self.y)].into_iter().filter(|(_, q)| q.scale != Scale::Linear);
        let fault = |field| Fault {
            path: vec![Step::from(field), "scale".into()],
            message: "a power law takes the logarithms itself".into(),
            advice: "drop `scale`",
        };
        logs.map(|(field, _)| fault(field)).collect()
    }

    fn run(&self, _bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new("");
        tested.missing.push("not built yet".into());
        tested
    }
}
