//! `proportional`: is y a multiple of x, prompt by prompt within a model?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::{Bench, Tested, point};
use super::kind::{Kind, Parts};
use super::statistics::statistics;
use crate::{
    config::hypothesis::Quantity,
    stats::{cross_validated, quantile},
};

/// Is y proportional to x? Cross-validated R² of a line through zero, an affine line, and ranks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Proportional {
    pub x: Quantity,
    pub y: Quantity,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    Proportional {
        linear_r2,
        affine_r2,
        rank_r2,
        linear_minus_best,
    }
}

impl Kind for Proportional {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("x", &self.x), ("y", &self.y)]).compared(self.across_protocols)
    }

    /// Cross-validated R² per model of a line through zero, an affine line and ranks; the statistics are medians over
    /// models, the estimates the line through zero.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let Proportional { x, y, across_protocols } = self;
        let across = *across_protocols;
        let mut tested = Tested::new("cross-validated R2 of y = b x");
        let xs = bench.enough(x, &mut tested);
        let ys = bench.enough(y, &mut tested);
        let (mut fits, mut models) = (Vec::new(), Vec::new());
        for model in xs.models.keys().filter(|m| ys.models.contains_key(*m)) {
            let Some(pair) = tested.pair(&xs.by_prompt(model), &ys.by_prompt(model), across) else {
                return tested;
            };
            let Some(fit) = cross_validated(&pair) else {
                tested
                    .notes
                    .push(format!("{model}: needs four prompts that differ, has {}, left out", pair.len()));
                continue;
            };
            tested.estimates.push(point(model, Some(fit.linear), pair.len()));
            fits.push(fit);
            models.push(*model);
        }
        if fits.is_empty() && !tested.lacks() {
            tested.missing.push("needs a model with four prompts that have both quantities".into());
        }
        bench.enough_models(models, &mut tested);
        if fits.len() > 1 {
            tested.notes.push(format!("statistics are medians over {} models", fits.len()));
        }
        let median = |pick: fn(&crate::stats::CrossValidated) -> f64| {
            quantile(&fits.iter().map(pick).collect::<Vec<_>>(), 0.5)
        };
        tested.offer(Statistics {
            linear_r2: median(|f| f.linear),
            affine_r2: median(|f| f.affine),
            rank_r2: median(|f| f.rank),
            linear_minus_best: median(|f| f.linear - f.linear.max(f.affine).max(f.rank)),
        });
        tested
    }
}
