//! `layer-location`: do two things happen at the same layer?

use rand::RngExt;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate, point},
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        shared::locate::{Locate, eligible, locate},
        statistics::statistics,
    },
    stats::{MONTE_CARLO, Seed, mean},
};

/// Per model the layer that `left-locate` finds in the profile of `left` (mean over prompts, layer by layer), and likewise right.
/// `left-from` looks at the layers from this share of the depth on. `share-apart`: models at least `apart` layers apart;
/// `share-within`: models whose layers differ by at most `within` of the depth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerLocation {
    pub left: Quantity,
    pub left_locate: Locate,
    #[serde(default)]
    pub left_from: f64,
    pub right: Quantity,
    pub right_locate: Locate,
    #[serde(default)]
    pub right_from: f64,
    #[serde(default = "two")]
    pub apart: f64,
    #[serde(default = "tenth")]
    pub within: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn two() -> f64 {
    2.0
}

fn tenth() -> f64 {
    0.1
}

statistics! {
    LayerLocation {
        mean_difference,
        mean_share_of_depth,
        low,
        high,
        share_apart,
        apart_low,
        apart_high,
        share_within,
        p,
        p_apart,
        models,
        lineages,
        families,
    }
}

impl Kind for LayerLocation {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("left", &self.left), ("right", &self.right)])
            .compared(self.across_protocols)
            .over_layers()
    }

    fn faults(&self) -> Vec<Fault> {
        let shares = [("left-from", self.left_from), ("right-from", self.right_from)].into_iter();
        let wrong = shares.filter(|(_, share)| !(0.0..1.0).contains(share));
        let message = "a share of the depth lies from 0 to below 1";
        wrong.map(|(field, _)| Fault::new(field, message, "e.g. 0.5 for the upper half")).collect()
    }

    /// The estimates are the models' differences in layers, then their mean as a share of the depth with its bootstrap interval
    /// over lineages.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new("layers between");
        let left = context.profiles(&self.left, &mut findings);
        let right = context.profiles(&self.right, &mut findings);
        let mut found = Vec::new();
        for model in left.models.keys().copied().filter(|m| right.models.contains_key(m)) {
            if findings.pair(&left.of(model), &right.of(model), self.across_protocols).is_none() {
                return findings;
            }
            let top = [&left, &right].into_iter().filter_map(|p| p.models[model].keys().max()).max();
            let depth = context.model(model).and_then(|m| m.blocks).or(top.copied()).unwrap_or(0);
            let seed = context.seed.derive(model);
            let a = eligible(&left.models[model], depth, self.left_from);
            let b = eligible(&right.models[model], depth, self.right_from);
            let (at_a, at_b) = (locate(self.left_locate, &a, seed), locate(self.right_locate, &b, seed));
            let (Some(at_a), Some(at_b)) = (at_a, at_b) else {
                findings.notes.push(format!("{model}: no such layer, left out"));
                continue;
            };
            findings.estimates.push(point(
                format!("{model} (layer {at_a} and {at_b} of {depth})"),
                Some(f64::from(at_a) - f64::from(at_b)),
                1,
            ));
            let layers: Vec<u32> = a.iter().map(|(layer, _)| *layer).collect();
            found.push(Found { model, at_a, at_b, depth: f64::from(depth.max(1)), layers });
        }
        if found.is_empty() && !findings.lacks() {
            findings.missing.push("no model has both profiles with such a layer".into());
        }
        let lineages = context.lineages(found.iter().map(|f| f.model), &mut findings);
        let by_model: BTreeMap<&str, &Found<'_>> = found.iter().map(|f| (f.model, f)).collect();
        let over = |of: &dyn Fn(&Found<'_>) -> f64| -> Vec<f64> {
            lineages.means(|model| Some(of(by_model[model]))).into_iter().map(|(_, value)| value).collect()
        };
        let distances = over(&|f| f.distance());
        let shares = over(&|f| f.distance() / f.depth);
        let interval = context.mean_interval(&shares);
        let share = |holds: &dyn Fn(&Found<'_>) -> bool| {
            lineages.share(|model| holds(by_model[model]), context.alpha)
        };
        let apart = share(&|f| f.distance() >= self.apart);
        let within = share(&|f| f.distance() / f.depth <= self.within);
        let drawn: Vec<Vec<&Found<'_>>> =
            lineages.members().map(|models| models.iter().map(|model| by_model[model]).collect()).collect();
        let (p, p_apart) = chance(&drawn, context.seed.derive("layers"));
        findings.estimates.push(estimate("share of the depth", mean(&shares), interval, p, lineages.len()));
        if p.is_some() {
            findings.notes.push(
                "p is how often left layers drawn at random from those looked at lie as close to the right ones, and the second p how \
                 often as far apart: mean share of the depth over lineages, whose models are drawn \
                 alike"
                    .into(),
            );
        }
        findings.limits_of_share(&lineages, context.alpha, &["apart-low"], &["apart-high"]);
        findings.offer(Statistics {
            mean_difference: mean(&distances),
            mean_share_of_depth: mean(&shares),
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            share_apart: apart.map(|s| s.value),
            apart_low: apart.and_then(|s| s.interval).map(|i| i.low),
            apart_high: apart.and_then(|s| s.interval).map(|i| i.high),
            share_within: within.map(|s| s.value),
            p,
            p_apart,
            models: Some(found.len() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}

struct Found<'a> {
    model: &'a str,
    at_a: u32,
    at_b: u32,
    depth: f64,
    /// The layers among which the left one was looked for.
    layers: Vec<u32>,
}

impl Found<'_> {
    /// The layer at a height from 0 to below 1 among those looked at.
    fn at(&self, height: f64) -> u32 {
        self.layers[((height * self.layers.len() as f64) as usize).min(self.layers.len() - 1)]
    }

    fn distance(&self) -> f64 {
        f64::from(self.at_a.abs_diff(self.at_b))
    }
}

/// p of a mean share of the depth as small, and as large, when the left layer of every model is any of those looked at, at the
/// same height in all models of a lineage: (b+1)/(m+1) (Phipson and Smyth 2010).
fn chance(lineages: &[Vec<&Found<'_>>], seed: Seed) -> (Option<f64>, Option<f64>) {
    if lineages.is_empty() {
        return (None, None);
    }
    let over = |models: &[&Found<'_>], share: &dyn Fn(&Found<'_>) -> f64| {
        models.iter().map(|f| share(f)).sum::<f64>() / models.len() as f64
    };
    let observed: f64 = lineages.iter().map(|models| over(models, &|f| f.distance() / f.depth)).sum();
    let mut rng = seed.rng();
    let (mut near, mut far) = (1.0, 1.0);
    for _ in 0..MONTE_CARLO {
        let drawn: f64 = lineages
            .iter()
            .map(|models| {
                let height = rng.random::<f64>();
                over(models, &|f| f64::from(f.at(height).abs_diff(f.at_b)) / f.depth)
            })
            .sum();
        near += f64::from(u8::from(drawn <= observed + 1e-12));
        far += f64::from(u8::from(drawn >= observed - 1e-12));
    }
    let all = MONTE_CARLO as f64 + 1.0;
    (Some(near / all), Some(far / all))
}
