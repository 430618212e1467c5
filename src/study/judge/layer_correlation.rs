//! `layer-correlation`: do two quantities go together from layer to layer?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested, estimate},
    kind::{Kind, Parts},
    rule::digits,
    statistics::statistics,
};
use crate::{
    config::hypothesis::{Correlation as Method, Quantity},
    stats::{self, Interval},
};

/// Correlation across a model's layers of two profiles (means over prompts), models pooled by random-effects Fisher z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerCorrelation {
    pub x: Quantity,
    pub y: Quantity,
    pub method: Method,
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
    }
}

impl Kind for LayerCorrelation {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("x", &self.x), ("y", &self.y)]).compared(self.across_protocols).over_layers()
    }

    /// The estimates are the models' correlations with Fisher z intervals, then their pool.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let (method, name) = match self.method {
            Method::Spearman => (stats::Method::Spearman, "Spearman's rho over layers"),
            Method::Pearson => (stats::Method::Pearson, "Pearson's r over layers"),
        };
        let mut tested = Tested::new(name);
        let x = bench.profiles(&self.x, &mut tested);
        let y = bench.profiles(&self.y, &mut tested);
        let (mut effects, mut models) = (Vec::new(), Vec::new());
        for model in x.models.keys().copied().filter(|m| y.models.contains_key(m)) {
            let Some(pair) = tested.pair(&x.of(model), &y.of(model), self.across_protocols) else {
                return tested;
            };
            let found = Some(pair.len()).filter(|n| *n > 3).and_then(|_| stats::partial(&pair, method));
            let Some(r) = found else {
                tested
                    .notes
                    .push(format!("{model}: needs four layers that differ, has {}, left out", pair.len()));
                continue;
            };
            models.push(model);
            match stats::z_variance(r, pair.len(), 0, method) {
                Some(variance) => effects.push((r.atanh(), variance)),
                None => tested
                    .notes
                    .push(format!("{model}: rho = {} has no finite z variance and is not pooled", digits(r))),
            }
            let interval = stats::correlation_interval(r, pair.len(), 0, method, bench.alpha);
            tested.estimates.push(estimate(model, Some(r), interval, None, pair.len()));
        }
        if models.is_empty() && !tested.lacks() {
            tested.missing.push("no model has both quantities at four layers".into());
        }
        bench.enough_models(models.iter().copied(), &mut tested);
        let pooled = stats::random_effects(&effects, bench.alpha);
        let interval = pooled.map(|p| Interval { low: p.interval.low.tanh(), high: p.interval.high.tanh() });
        let rho = pooled.map(|p| p.effect.tanh());
        tested.estimates.push(estimate("pooled", rho, interval, pooled.map(|p| p.p), effects.len()));
        if !models.is_empty() {
            tested.notes.push(
                "neighbouring layers resemble each other: a model's interval is too narrow, and no p is given for it; pooled \
                 by random effects on Fisher's z with models as units, interval and p by Student's t (Hartung-Knapp)"
                    .into(),
            );
        }
        tested.offer(Statistics {
            rho,
            absolute_rho: rho.map(f64::abs),
            p: pooled.map(|p| p.p),
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            models: Some(models.len() as f64),
        });
        tested
    }
}
