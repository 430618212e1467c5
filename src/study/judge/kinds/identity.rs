//! `identity`: two quantities that should be the same number, cell by cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        outcome::Estimate,
        statistics::statistics,
    },
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
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let Identity { left, right, across_protocols } = self;
        let across = *across_protocols;
        let mut findings = Findings::new("relative error");
        let a = context.enough_as_they_are(left, &mut findings);
        let b = context.enough_as_they_are(right, &mut findings);
        let Some(pair) = findings.pair(&a.by_cell(), &b.by_cell(), across) else { return findings };
        if pair.is_empty() && !findings.lacks() {
            findings.missing.push("no model and prompt has both quantities".into());
        }
        let errors: Vec<f64> = pair.x().iter().zip(pair.y()).map(|(&x, &y)| relative(x, y)).collect();
        let mut models = BTreeMap::<&str, Vec<f64>>::new();
        for ((model, _), error) in pair.keys().iter().zip(&errors) {
            models.entry(model).or_default().push(*error);
        }
        context.lineages(models.keys(), &mut findings);
        // One formula on one observation gives one number: such a comparison could not have come out otherwise.
        if context.evidence != Evidence::Published && !errors.is_empty() && errors.iter().all(|e| *e == 0.0) {
            let cells = errors.len();
            findings.missing.push(format!(
                "a second source: both sides are the same number to the last bit in all {cells} cells, computed here from the \
                 same observation"
            ));
        }
        let (mut largest, mut highest) = (None::<f64>, Some(0.0_f64).filter(|_| !models.is_empty()));
        for (model, errors) in models {
            let median = quantile(&errors, 0.5);
            let interval = median_interval(&errors, context.alpha);
            largest = largest.into_iter().chain(median).reduce(f64::max);
            highest = highest.zip(interval).map(|(h, i)| h.max(i.high));
            findings.estimates.push(Estimate {
                label: format!("{model} (median)"),
                value: median,
                low: interval.map(|i| i.low),
                high: interval.map(|i| i.high),
                p: None,
                n: errors.len() as u64,
            });
            let worst = errors.iter().copied().reduce(f64::max);
            findings.estimates.push(point(format!("{model} (worst)"), worst, errors.len()));
        }
        findings.offer(Statistics {
            worst_relative_error: errors.iter().copied().reduce(f64::max),
            median_relative_error: largest,
            median_high: highest,
            cells: Some(errors.len() as f64),
        });
        findings
    }
}

fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / x.abs().max(y.abs()) }
}
