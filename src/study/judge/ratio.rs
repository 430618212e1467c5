//! `ratio`: one number over another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::{Bench, Tested, point};
use super::kind::{Kind, Parts};
use super::statistics::statistics;
use crate::{config::hypothesis::Quantity, stats::Units};

/// One number over another. With `band`, `inside` says whether the ratio lies in it (1) or not (0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ratio {
    pub numerator: Quantity,
    pub denominator: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<[f64; 2]>,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    Ratio {
        ratio,
        inside,
    }
}

impl Kind for Ratio {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("numerator", &self.numerator), ("denominator", &self.denominator)])
            .compared(self.across_protocols)
    }

    /// With one model on each side, the ratio of their means over the selected rows; with several, each model's own
    /// ratio, and their geometric mean as the statistic.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let Ratio { numerator, denominator, band, across_protocols } = self;
        let across = *across_protocols;
        let mut tested = Tested::new("ratio");
        let top = bench.enough(numerator, &mut tested);
        let bottom = bench.enough(denominator, &mut tested);
        let ratio = if let (Some(a), Some(b)) = (top.only(), bottom.only()) {
            let n = bottom.models.values().map(|m| m.values().len()).sum();
            let pair = tested.pair(&a, &b, across);
            let ratio = pair.map(|p| p.x()[0] / p.y()[0]);
            bench.enough_models(top.models.keys().copied().take(1), &mut tested);
            tested.estimates.push(point("ratio", ratio, n));
            ratio
        } else if let Some(pair) = tested.pair(&top.by_model(), &bottom.by_model(), across) {
            if pair.is_empty() && !tested.lacks() {
                tested.missing.push("no model has both numbers".into());
            }
            bench.enough_models(pair.keys().iter().copied(), &mut tested);
            let ratios: Vec<f64> = pair.x().iter().zip(pair.y()).map(|(x, y)| x / y).collect();
            for (model, ratio) in pair.keys().iter().zip(&ratios) {
                tested.estimates.push(point(*model, Some(*ratio), 1));
            }
            if pair.len() > 1 {
                tested.notes.push(format!("ratio is the geometric mean over {} models", pair.len()));
            }
            let logs = pair.keys().iter().zip(&ratios).map(|(model, r)| (model.to_string(), r.ln()));
            let deviations = logs.filter(|(_, log)| log.is_finite()).collect();
            tested.units = Some(Units::Signs { of: "models", deviations });
            Some((ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp())
        } else {
            None
        };
        // A geometric mean of ratios that are not all positive is no number, and lies nowhere.
        let ratio = ratio.filter(|ratio| !ratio.is_nan());
        let inside =
            ratio.zip(*band).map(|(ratio, [low, high])| f64::from(u8::from(low <= ratio && ratio <= high)));
        tested.offer(Statistics { ratio, inside });
        tested
    }
}
