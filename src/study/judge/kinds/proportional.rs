//! `proportional`: is y a multiple of x, prompt by prompt within a model?

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::ModelCells,
        context::TestContext,
        findings::{Findings, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        shared::blocks::sets,
        spread::has_spread,
        statistics::statistics,
    },
    stats::{CrossValidated, cross_validated, median_interval, quantile},
};
use number::metric::Paired;

/// Is y proportional to x? Cross-validated R² of a line through zero, an affine line, and ranks, within
/// each prompt set.
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
        linear_low,
        linear_high,
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
    /// lineages, the estimates the line through zero.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let Proportional { x, y, across_protocols } = self;
        let across = *across_protocols;
        let mut findings = Findings::new("cross-validated R2 of y = b x");
        findings.within_sets = true;
        let xs = context.enough(x, &mut findings);
        let ys = context.enough(y, &mut findings);
        let mut fits = BTreeMap::new();
        for model in xs.models.keys().filter(|m| ys.models.contains_key(*m)) {
            let Some(pair) = findings.pair(&xs.by_prompt(model), &ys.by_prompt(model), across) else {
                return findings;
            };
            let Some(fit) = within_sets(&ys.models[model], &pair) else {
                findings
                    .notes
                    .push(format!("{model}: needs four prompts that differ, has {}, left out", pair.len()));
                continue;
            };
            findings.estimates.push(point(model, Some(fit.linear), pair.len()));
            fits.insert(*model, fit);
        }
        if fits.is_empty() && !findings.lacks() {
            findings.missing.push("needs a model with four prompts that have both quantities".into());
        }
        let lineages = context.lineages(fits.keys(), &mut findings);
        if lineages.len() > 1 {
            findings.notes.push(format!("statistics are medians over {} lineages", lineages.len()));
        }
        let median = |pick: fn(&crate::stats::CrossValidated) -> f64| {
            let means = lineages.means(|model| fits.get(model).map(pick));
            quantile(&means.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), 0.5)
        };
        let linear: Vec<f64> =
            lineages.means(|m| fits.get(m).map(|f| f.linear)).into_iter().map(|(_, r2)| r2).collect();
        let interval = median_interval(&linear, context.alpha).filter(|_| has_spread(&linear));
        if interval.is_none() {
            let few = format!("the interval of a median needs 6 lineages, has {}", linear.len());
            findings.reason(&["linear-low", "linear-high"], few);
        }
        findings.offer(Statistics {
            linear_r2: median(|f| f.linear),
            linear_low: interval.map(|i| i.low),
            linear_high: interval.map(|i| i.high),
            affine_r2: median(|f| f.affine),
            rank_r2: median(|f| f.rank),
            linear_minus_best: median(|f| f.linear - f.linear.max(f.affine).max(f.rank)),
        });
        findings
    }
}

/// The fit within each set of at least four prompts that differ, mean over the sets by their prompts.
fn within_sets(model: &ModelCells<'_>, pair: &Paired<&str>) -> Option<CrossValidated> {
    let (of, names) = sets(model, pair.keys());
    let fits: Vec<(f64, CrossValidated)> = (0..names.len())
        .filter_map(|set| {
            let own = pair.only(|prompt| of[prompt] == set);
            Some((own.len() as f64, cross_validated(&own)?))
        })
        .collect();
    let all: f64 = fits.iter().map(|(n, _)| n).sum();
    let mean =
        |pick: fn(&CrossValidated) -> f64| fits.iter().map(|(n, fit)| n * pick(fit)).sum::<f64>() / all;
    (all > 0.0).then(|| CrossValidated {
        linear: mean(|f| f.linear),
        affine: mean(|f| f.affine),
        rank: mean(|f| f.rank),
    })
}
