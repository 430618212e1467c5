//! `identity`: two quantities that should be the same number, cell by cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use super::{
    bench::{Bench, Tested, point},
    kind::{Kind, Parts},
    outcome::Estimate,
    statistics::statistics,
};
use crate::{
    config::hypothesis::Quantity,
    stats::{median_interval, quantile},
};
use number::evidence::Evidence;

/// Two quantities that should be the same number, cell by cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Identity {
    pub left: Quantity,
    pub right: Quantity,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    Identity {
        worst_relative_error,
        median_relative_error,
        median_high,
        cells,
    }
}

impl Kind for Identity {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("left", &self.left), ("right", &self.right)]).compared(self.across_protocols)
    }

    /// |left - right| / max(|left|, |right|) over every (model, prompt) that has both; the estimates are each model's median
    /// with its distribution-free interval, and its worst cell. The medians are of the model with the largest one: models
    /// are not pooled.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let Identity { left, right, across_protocols } = self;
        let across = *across_protocols;
        let mut tested = Tested::new("relative error");
        let a = bench.enough(left, &mut tested);
        let b = bench.enough(right, &mut tested);
        let Some(pair) = tested.pair(&a.by_cell(), &b.by_cell(), across) else { return tested };
        if pair.is_empty() && !tested.lacks() {
            tested.missing.push("no model and prompt has both quantities".into());
        }
        let errors: Vec<f64> = pair.x().iter().zip(pair.y()).map(|(&x, &y)| relative(x, y)).collect();
        let mut models = BTreeMap::<&str, Vec<f64>>::new();
        for ((model, _), error) in pair.keys().iter().zip(&errors) {
            models.entry(model).or_default().push(*error);
        }
        bench.enough_models(models.keys().copied(), &mut tested);
        // One formula on one observation gives one number: such a comparison could not have come out otherwise.
        if bench.evidence == Evidence::Measured && !errors.is_empty() && errors.iter().all(|e| *e == 0.0) {
            let cells = errors.len();
            tested.missing.push(format!(
                "a second source: both sides are the same number to the last bit in all {cells} cells, computed here from the \
                 same observation"
            ));
        }
        let (mut largest, mut highest) = (None::<f64>, Some(0.0_f64).filter(|_| !models.is_empty()));
        for (model, errors) in models {
            let median = quantile(&errors, 0.5);
            let interval = median_interval(&errors, bench.alpha);
            largest = largest.into_iter().chain(median).reduce(f64::max);
            highest = highest.zip(interval).map(|(h, i)| h.max(i.high));
            tested.estimates.push(Estimate {
                label: format!("{model} (median)"),
                value: median,
                low: interval.map(|i| i.low),
                high: interval.map(|i| i.high),
                p: None,
                n: errors.len() as u64,
            });
            let worst = errors.iter().copied().reduce(f64::max);
            tested.estimates.push(point(format!("{model} (worst)"), worst, errors.len()));
        }
        tested.offer(Statistics {
            worst_relative_error: errors.iter().copied().reduce(f64::max),
            median_relative_error: largest,
            median_high: highest,
            cells: Some(errors.len() as f64),
        });
        tested
    }
}

fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / x.abs().max(y.abs()) }
}
