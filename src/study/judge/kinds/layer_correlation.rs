//! `layer-correlation`: do two quantities go together from layer to layer?

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        digits::digits,
        findings::{Findings, estimate},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        shared::{correlation_method::CorrelationMethod, lineages::pool_of_lineages},
        spread::has_spread,
        statistics::{Null, statistics},
    },
    stats::{self, Interval, Sampled},
};

/// Correlation across a model's layers of two profiles (means over prompts), lineages pooled by random-effects Fisher z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerCorrelation {
    pub x: Quantity,
    pub y: Quantity,
    pub method: CorrelationMethod,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    LayerCorrelation {
        rho,
        absolute_rho,
        p,
        low,
        high,
        models,
        lineages,
        families,
    }
    effect { rho: Null::InUnit(0.0), } of { low: low, high: high, p: p, units: lineages, }
}

impl Kind for LayerCorrelation {
    fn null(&self, _: &str) -> Option<f64> {
        Some(0.0)
    }

    fn parts(&self) -> Parts<'_> {
        Parts::of([("x", &self.x), ("y", &self.y)]).compared(self.across_protocols).over_layers()
    }

    /// The estimates are the models' correlations with Fisher z intervals, then their pool.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let method = self.method.method();
        let name = match self.method {
            CorrelationMethod::Spearman => "Spearman's rho over layers",
            CorrelationMethod::Pearson => "Pearson's r over layers",
        };
        let mut findings = Findings::new(name);
        let x = context.profiles(&self.x, &mut findings);
        let y = context.profiles(&self.y, &mut findings);
        let (mut effects, mut models) = (BTreeMap::new(), Vec::new());
        for model in x.models.keys().copied().filter(|m| y.models.contains_key(m)) {
            let Some(pair) = findings.pair(&x.of(model), &y.of(model), self.across_protocols) else {
                return findings;
            };
            let differ = pair.len() > 3 && has_spread(pair.x()) && has_spread(pair.y());
            let found = Some(()).filter(|()| differ).and_then(|_| stats::partial(&pair, method));
            let Some(r) = found else {
                findings
                    .notes
                    .push(format!("{model}: needs four layers that differ, has {}, left out", pair.len()));
                continue;
            };
            models.push(model);
            match stats::z_variance(r, pair.len(), 0, method) {
                Some(variance) => {
                    effects.insert(model, Sampled::alone(r.atanh(), variance));
                }
                None => findings
                    .notes
                    .push(format!("{model}: rho = {} has no finite z variance and is not pooled", digits(r))),
            }
            let interval = stats::correlation_interval(r, pair.len(), 0, method, context.alpha);
            findings.estimates.push(estimate(model, Some(r), interval, None, pair.len()));
        }
        if models.is_empty() && !findings.lacks() {
            findings.missing.push("no model has both quantities at four layers".into());
        }
        let lineages = context.lineages(&models, &mut findings);
        let effects = pool_of_lineages(&lineages, &effects);
        let pooled = stats::random_effects(&effects, context.alpha);
        let interval = pooled.map(|p| Interval { low: p.interval.low.tanh(), high: p.interval.high.tanh() });
        let rho = pooled.map(|p| p.effect.tanh());
        findings.estimates.push(estimate("pooled", rho, interval, pooled.map(|p| p.p), effects.len()));
        if !models.is_empty() {
            findings.notes.push(
                "neighbouring layers resemble each other: a model's interval is too narrow, and no p is given for it; pooled \
                 by random effects on Fisher's z with lineages as units, interval and p by Student's t (Hartung-Knapp)"
                    .into(),
            );
        }
        findings.offer(Statistics {
            rho,
            absolute_rho: rho.map(f64::abs),
            p: pooled.map(|p| p.p),
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            models: Some(models.len() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
