//! Where the mean of a model lies in a world.

use super::{
    setting::{Setting, Truth},
    truth::Pattern,
};
use crate::judge::kinds::Unit;
use crate::stats::mean;

impl Setting<'_> {
    /// Where a model's mean lies in a world; `own` is what sets its lineage and itself apart by the spreads that were seen.
    pub(super) fn level(&self, number: usize, i: usize, own: f64, truth: Truth) -> f64 {
        let seen = &self.drawn[number].models;
        let Truth { effect, elsewhere } = truth;
        let lineage = self.lineages[number][i];
        match self.pattern {
            // One lineage decides; the others are as they were seen, where that is what the claim says, and not near it.
            Pattern::Level { against, every: true, .. } => {
                let sign = self.aim.sign;
                let others = sign * (sign * (seen[i].mean - against)).max(sign * elsewhere);
                against + if lineage == 0 { effect } else { others }
            }
            Pattern::Level { against, every: false, .. } => against + effect + own,
            // One lineage too few has what the claim says.
            Pattern::Some { against, .. } => {
                against + if lineage + 1 < self.asked_for() { elsewhere } else { effect }
            }
            Pattern::Levels { signs, .. } => effect * signs[number] + own,
            Pattern::Shift { band, .. } => {
                let middle = band.map_or(0.0, |[middle, _]| middle);
                seen[i].mean - self.mean_of(number) + (middle + effect) * f64::from(u8::from(number == 0))
            }
            Pattern::Difference { .. } | Pattern::Fact { .. } => {
                self.mean_of(0) + effect * self.along[i] + own
            }
            Pattern::Relation { asked } if asked.unit == Unit::Model => {
                let spread = self.spread[0];
                // The choice of prompts is part of what x does not say.
                let left = (1.0 - effect * effect).max(0.0) * spread.all().powi(2) - spread.of_mean.powi(2);
                let of_own = spread.between.powi(2) + spread.inside.powi(2);
                let noise = if of_own > 0.0 { (left.max(0.0) / of_own).sqrt() } else { 0.0 };
                self.mean_of(0) + effect * self.along[i] * spread.all() + noise * own
            }
            // As many lineages in one heap as in the other.
            Pattern::Heaps { .. } => {
                let side = if lineage.is_multiple_of(2) { 1.0 } else { -1.0 };
                self.mean_of(0) + side * effect + own
            }
            Pattern::Inside { .. }
            | Pattern::Relation { .. }
            | Pattern::Categories { .. }
            | Pattern::Sides { .. }
            | Pattern::Lowest { .. }
            | Pattern::Near { .. }
            | Pattern::Law { .. }
            | Pattern::Multiple { .. }
            | Pattern::Sink { .. }
            | Pattern::Kept { .. }
            | Pattern::Layers { .. }
            | Pattern::Close { .. }
            | Pattern::Apart { .. }
            | Pattern::Together { .. }
            | Pattern::Along { .. } => seen[i].mean,
            Pattern::Change { through, .. } => {
                let base = self.along[i];
                let is_base = || self.along.contains(&(i as f64));
                match (base < 0.0, through) {
                    (true, true) if is_base() => effect,
                    (true, _) => seen[i].mean,
                    (false, true) => -effect,
                    (false, false) => seen[base as usize].mean + effect,
                }
            }
        }
    }

    /// How many lineages must have what is claimed of some.
    fn asked_for(&self) -> usize {
        let Pattern::Some { k, share, .. } = self.pattern else { return 0 };
        let all = self.lineages[0].iter().max().map_or(0, |most| most + 1);
        let of_share = share.map(|share| (share * all as f64).ceil() as usize);
        k.map(|k| k as usize).or(of_share).unwrap_or(1)
    }

    fn mean_of(&self, number: usize) -> f64 {
        let means: Vec<f64> = self.drawn[number].models.iter().map(|m| m.mean).collect();
        mean(&means).unwrap_or(0.0)
    }
}
