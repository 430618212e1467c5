//! `predicted`: how far do models lie from a law with given numbers?

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        statistics::{Null, statistics},
    },
    stats::{Units, power_law},
};

/// Per model the mean over prompts of `of` over coefficient × against^exponent. `worst` is the largest factor, either way; the
/// share within the factor and the mean count lineages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Predicted {
    pub of: Quantity,
    pub against: Quantity,
    pub coefficient: f64,
    pub exponent: f64,
    #[serde(default = "two")]
    pub factor: f64,
    /// Ids of the models that the law was fitted to. Their points support nothing: each, and what stems from it, is held
    /// against the law as fitted to the others of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fitted_to: Vec<String>,
    #[serde(default)]
    pub across_protocols: bool,
}

fn two() -> f64 {
    2.0
}

statistics! {
    Predicted {
        share_within_factor,
        low,
        high,
        worst,
        mean_ratio,
        models,
        lineages,
        families,
    }
    effect { mean_ratio: Null::ByName(1.0), } of { low: low, high: high, units: lineages, }
}

impl Kind for Predicted {
    fn parts(&self) -> Parts<'_> {
        let fitted = self.fitted_to.iter().enumerate();
        let models = fitted.map(|(i, id)| (vec!["fitted-to".into(), i.into()], &id[..])).collect();
        let parts = Parts::of([("of", &self.of), ("against", &self.against)]).compared(self.across_protocols);
        Parts { models, ..parts }
    }

    /// The estimates are the models' ratios of found over predicted, then the share within the factor.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new("found over predicted");
        let of = context.enough(&self.of, &mut findings);
        let against = context.enough(&self.against, &mut findings);
        let (x, y) = (against.by_model(), of.by_model());
        let Some(pair) = findings.pair(&x, &y, self.across_protocols) else { return findings };
        if pair.is_empty() && !findings.lacks() {
            findings.missing.push(format!("no model has {} and {}", self.of.name(), self.against.name()));
        }
        let (mut ratios, mut refitted) = (BTreeMap::new(), Vec::new());
        let points: Vec<(&str, f64, f64)> =
            pair.keys().iter().zip(pair.x()).zip(pair.y()).map(|((model, x), y)| (*model, *x, *y)).collect();
        // A relative of a point that the law was fitted to is no new one.
        let lineage = |model: &str| context.model(model).map_or("", |found| found.lineage);
        let fitted: BTreeSet<&str> = self.fitted_to.iter().map(|id| lineage(id)).collect();
        for &(model, x, y) in &points {
            let predicted = if fitted.contains(lineage(model)) {
                refitted.push(model);
                let is_other =
                    |other: &str| fitted.contains(lineage(other)) && lineage(other) != lineage(model);
                let (xs, ys): (Vec<f64>, Vec<f64>) =
                    points.iter().filter(|(other, ..)| is_other(other)).map(|(_, x, y)| (*x, *y)).unzip();
                power_law(&xs, &ys, context.alpha).map(|law| law.coefficient * x.powf(law.exponent))
            } else {
                Some(self.coefficient * x.powf(self.exponent))
            };
            let Some(ratio) = predicted.map(|predicted| y / predicted) else {
                findings
                    .notes
                    .push(format!("{model}: too few other points that the law was fitted to, left out"));
                continue;
            };
            findings.estimates.push(point(model, Some(ratio), of.models[model].values().len()));
            ratios.insert(model, ratio);
        }
        if !refitted.is_empty() {
            findings.notes.push(format!(
                "the law was fitted to {}: each is held against it as fitted to the others",
                refitted.join(", ")
            ));
        }
        let lineages = context.lineages(ratios.keys(), &mut findings);
        let n = lineages.len();
        let off = |ratio: &f64| if *ratio > 0.0 { ratio.max(1.0 / ratio) } else { f64::INFINITY };
        let found = lineages.share(|model| off(&ratios[model]) <= self.factor, context.alpha);
        let (share, interval) = (found.map(|f| f.value), found.and_then(|f| f.interval));
        findings.estimates.push(estimate(
            format!("share within a factor {}", self.factor),
            share,
            interval,
            None,
            n,
        ));
        let logs = lineages.means(|model| Some(ratios[model].ln()));
        let finite = logs.iter().filter(|(_, log)| log.is_finite());
        let deviations = finite.map(|(lineage, log)| (lineage.to_string(), *log)).collect();
        findings.units = Some(Units::Signs { of: "lineages", deviations });
        let logs = logs.iter().map(|(_, log)| log).sum::<f64>() / n as f64;
        findings.limits_of_share(&lineages, context.alpha, &["low"], &["high"]);
        findings.offer(Statistics {
            share_within_factor: share,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            worst: ratios.values().map(off).reduce(f64::max),
            mean_ratio: Some(logs.exp()),
            models: Some(lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
