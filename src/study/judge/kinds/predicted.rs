//! `predicted`: how far do models lie from a law with given numbers?

use std::collections::BTreeMap;

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
    stats::Units,
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
        Parts::of([("of", &self.of), ("against", &self.against)]).compared(self.across_protocols)
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
        let lineages = context.lineages(pair.keys(), &mut findings);
        let mut ratios = BTreeMap::new();
        for ((model, &x), &y) in pair.keys().iter().zip(pair.x()).zip(pair.y()) {
            let ratio = y / (self.coefficient * x.powf(self.exponent));
            findings.estimates.push(point(model, Some(ratio), of.models[model].values().len()));
            ratios.insert(*model, ratio);
        }
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
