//! `sign-flip`: on how many models do two protocols disagree about the side of a value?

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::{Cells, ModelCells},
        context::TestContext,
        effect::Effect,
        findings::{Findings, estimate},
        hypothesis::{Quantity, Scale},
        kind::{Fault, Kind, Parts},
        shared::{
            lineages::Share,
            sides::{at_least_two, one},
        },
        statistics::{Null, statistics},
    },
    stats::{Interval, mean},
};
use number::{metric::Metric, protocol::Protocol};

/// Share of lineages whose `metric` lies on different sides of `against` under two of the protocols, of those that have two, on the same
/// prompts (with `own-prompts` each on its own). Sides are those of means of logarithms. A lineage flips where the intervals of some two protocols lie clear of `against` on both sides,
/// beyond `size` in the log; it stays where they leave no room for that; else it is open. `low` counts those that flip, `high` those
/// that do not stay. `cells-flipping` counts single prompts of single models that lie so: nothing is sampled there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignFlip {
    pub metric: Metric,
    pub protocols: Vec<Protocol>,
    #[serde(default = "one")]
    pub against: f64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub size: f64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_prompts: bool,
    #[serde(default)]
    pub across_protocols: bool,
}

// Serde asks with a reference. What is not written does not enter the hash of older files.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(size: &f64) -> bool {
    *size == 0.0
}

statistics! {
    SignFlip {
        share,
        low,
        high,
        flipping,
        staying,
        staying_low,
        cells,
        cells_flipping,
        models,
        lineages,
        families,
    }
    effect { share: Null::ByName(0.5), } of { low: low, high: high, units: lineages, }
}

/// What a model does between protocols.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Flip,
    Stay,
    Open,
}

impl Kind for SignFlip {
    fn parts(&self) -> Parts<'_> {
        Parts { protocols: &self.protocols, ..Parts::default().compared(self.across_protocols) }
    }

    fn faults(&self) -> Vec<Fault> {
        let advice = "sides are those of logarithms: take a value above 0";
        let message = format!("`against` is {}", self.against);
        let negative = (self.against <= 0.0).then(|| Fault::new("against", message, advice));
        let few = at_least_two(&self.protocols, "a sign flip");
        few.into_iter().chain(negative).chain(Fault::if_negative("size", self.size)).collect()
    }

    fn no_permutation_reason(&self) -> &'static str {
        "a share of models that change side has no value that chance alone would give"
    }

    /// The estimates are the models' geometric means with their intervals over the prompts that every protocol has, then the share
    /// of lineages that flip with Clopper-Pearson limits.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(self.metric.describe().unit);
        let mut all: Vec<Cells<'_>> = Vec::new();
        for quantity in self.quantities() {
            let cells = context.enough_as_they_are(&quantity, &mut findings);
            findings.uses(cells.protocol);
            if all.first().is_some_and(|first| !findings.comparable(context, first, &cells)) {
                return findings;
            }
            all.push(cells);
        }
        // One that lacks a protocol is compared under the others.
        if all.iter().filter(|cells| !cells.models.is_empty()).count() > 1 {
            findings.missing.clear();
        }
        let mut protocols_of = BTreeMap::<&str, usize>::new();
        for model in all.iter().flat_map(|cells| cells.models.keys().copied()) {
            *protocols_of.entry(model).or_default() += 1;
        }
        let models: Vec<&str> = protocols_of.into_iter().filter(|(_, n)| *n > 1).map(|(m, _)| m).collect();
        // Any of the models may flip by chance.
        let level = context.alpha / models.len().max(1) as f64;
        let (mut does, mut cells, mut cells_flipping) = (BTreeMap::new(), 0, 0);
        for model in &models {
            let (of, sides) = self.sides(&all, model);
            if sides.iter().any(Vec::is_empty) {
                findings.notes.push(format!("{model}: no prompt was seen under two protocols, left out"));
                continue;
            }
            let prompts = if self.own_prompts { 0 } else { sides[0].len() };
            for prompt in 0..prompts {
                let own: Vec<f64> = sides.iter().map(|side| side[prompt]).collect();
                cells += 1;
                cells_flipping += usize::from(self.lie_apart(&own, &own));
            }
            let at = |alpha: f64| -> Option<(Vec<f64>, Vec<f64>)> {
                let intervals: Option<Vec<_>> = sides.iter().map(|s| context.interval_at(s, alpha)).collect();
                intervals.map(|all| all.iter().map(|i| (i.low, i.high)).unzip())
            };
            let flips = at(level).is_some_and(|(lows, highs)| self.lie_apart(&lows, &highs));
            // Room for a flip is left where some upper end lies above and some other lower end below.
            let stays = at(context.alpha).is_some_and(|(lows, highs)| !self.lie_apart(&highs, &lows));
            does.insert(
                *model,
                if flips {
                    Does::Flip
                } else if stays {
                    Does::Stay
                } else {
                    Does::Open
                },
            );
            for (side, protocol) in sides.iter().zip(of) {
                let interval = context.mean_interval(side);
                let back = |log: f64| (log + self.against.ln()).exp();
                let interval = interval.map(|i| Interval { low: back(i.low), high: back(i.high) });
                let label = format!("{model} {protocol}");
                findings.estimates.push(estimate(label, mean(side).map(back), interval, None, side.len()));
            }
        }
        if does.is_empty() && !findings.lacks() {
            findings
                .missing
                .push("no model has a value under two of the protocols on the same prompt".into());
        }
        let lineages = context.lineages(does.keys(), &mut findings);
        let share = |holds: &dyn Fn(Does) -> bool| {
            lineages.share(|model| does.get(model).is_some_and(|does| holds(*does)), context.alpha)
        };
        let (flip, stay) = (share(&|does| does == Does::Flip), share(&|does| does == Does::Stay));
        let may_flip = share(&|does| does != Does::Stay);
        let open: Vec<&str> = does.iter().filter(|(_, d)| **d == Does::Open).map(|(m, _)| *m).collect();
        if !open.is_empty() {
            let open = open.join(", ");
            findings.notes.push(format!("the prompts leave open whether these change side: {open}"));
        }
        if !does.is_empty() {
            findings.notes.push(format!(
                "intervals of models that flip are at alpha / {}, since any of as many may; the limits of the share are \
                 Clopper-Pearson with lineages as units",
                models.len()
            ));
        }
        let n = lineages.len() as u64;
        let (low, high) = (flip.and_then(|s| s.interval), may_flip.and_then(|s| s.interval));
        let interval = low.zip(high).map(|(low, high)| Interval { low: low.low, high: high.high });
        let value = flip.map(|share| share.value);
        findings.estimates.push(estimate("share that flips", value, interval, None, n as usize));
        findings.effect = value.map(|value| Effect {
            value,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p: None,
            n,
            null: 0.0,
            what: "share of lineages that flip".into(),
            hypothesis: None,
        });
        let whole = |share: Option<Share>| share.map(|share| share.whole as f64);
        findings.limits_of_share(&lineages, context.alpha, &["low", "staying-low"], &["high"]);
        findings.offer(Statistics {
            share: value,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            flipping: whole(flip),
            staying: whole(stay),
            staying_low: stay.and_then(|s| s.interval).map(|i| i.low),
            cells: Some(cells as f64),
            cells_flipping: Some(cells_flipping as f64),
            models: Some(does.len() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}

impl SignFlip {
    /// The logarithm of the metric under each protocol.
    pub(crate) fn quantities(&self) -> Vec<Quantity> {
        let under = |protocol: &Protocol| Quantity {
            protocol: Some(*protocol),
            scale: Scale::Log,
            ..Quantity::of(self.metric)
        };
        self.protocols.iter().map(under).collect()
    }

    /// Whether one of `up` lies above 0 and another one of `down` below, both beyond the smallest size of interest.
    fn lie_apart(&self, up: &[f64], down: &[f64]) -> bool {
        let above = |i: usize| up[i] > self.size;
        let below = |j: usize| down[j] < -self.size;
        (0..up.len()).any(|i| (0..down.len()).any(|j| i != j && above(i) && below(j)))
    }

    /// The protocols that have a model, and under each its logarithms less that of `against`, on the prompts that all of these have;
    /// where one has an aggregate alone, the means.
    fn sides(&self, all: &[Cells<'_>], model: &str) -> (Vec<Protocol>, Vec<Vec<f64>>) {
        let centre = self.against.ln();
        let having = self.protocols.iter().zip(all);
        let (of, own): (Vec<Protocol>, Vec<&ModelCells<'_>>) =
            having.filter_map(|(protocol, cells)| Some((*protocol, cells.models.get(model)?))).unzip();
        let whole = |cells: &&ModelCells<'_>| cells.values().iter().map(|v| v - centre).collect();
        if self.own_prompts {
            return (of, own.iter().map(whole).collect());
        }
        if own.iter().any(|cells| cells.prompts.is_empty()) {
            let means = own.iter().map(|cells| cells.mean().map(|mean| mean - centre).into_iter().collect());
            return (of, means.collect());
        }
        let prompts = own.first().into_iter().flat_map(|cells| cells.prompts.keys().copied());
        let everywhere: Vec<&str> =
            prompts.filter(|prompt| own.iter().all(|cells| cells.prompts.contains_key(prompt))).collect();
        let values =
            |cells: &&ModelCells<'_>| everywhere.iter().map(|p| cells.prompts[p].value - centre).collect();
        (of, own.iter().map(values).collect())
    }
}
