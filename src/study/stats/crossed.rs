//! Units and samples that are crossed, e.g. models and the prompts that all of them run on: a mean over units is uncertain by the
//! choice of samples too, however many units there are.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{
    contrast::t_quantile,
    describe::{Interval, mean},
};

/// The effect of one unit that is pooled, e.g. a lineage, estimated from samples, e.g. prompts, which other units may share.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled<K> {
    /// The effect.
    pub effect: f64,
    /// Its variance by the choice of samples.
    pub variance: f64,
    /// How far each sample moves the effect (its influence, as in the jackknife); the squares add up to the variance. Empty where
    /// no sample is shared with another unit.
    pub moved_by: Vec<(K, f64)>,
}

impl<K> Sampled<K> {
    /// An effect that shares no sample with another one.
    pub fn alone(effect: f64, variance: f64) -> Sampled<K> {
        Sampled { effect, variance, moved_by: Vec::new() }
    }

    /// The mean of some samples. `None` of fewer than two.
    pub fn mean(values: impl IntoIterator<Item = (K, f64)>) -> Option<Sampled<K>> {
        let (keys, values): (Vec<K>, Vec<f64>) = values.into_iter().unzip();
        let n = values.len() as f64;
        let effect = mean(&values).filter(|_| values.len() > 1)?;
        let moves = values.iter().map(|value| (value - effect) / (n * (n - 1.0)).sqrt());
        let variance = moves.clone().map(|moved| moved * moved).sum();
        Some(Sampled { effect, variance, moved_by: keys.into_iter().zip(moves).collect() })
    }

    /// The effect less a null.
    pub fn around(self, null: f64) -> Sampled<K> {
        Sampled { effect: self.effect - null, ..self }
    }

    /// An effect of which the variance is known by a formula, and how its samples move it up to a factor.
    pub fn of_variance(effect: f64, variance: f64, moves: Vec<(K, f64)>) -> Sampled<K> {
        let all: f64 = moves.iter().map(|(_, moved)| moved * moved).sum();
        let factor = if all > 0.0 { (variance / all).sqrt() } else { 0.0 };
        let moved_by = moves.into_iter().map(|(key, moved)| (key, moved * factor)).collect();
        Sampled { effect, variance, moved_by }
    }
}

impl<K: Ord + Clone> Sampled<K> {
    /// One mean less another one of samples of which some are the same.
    pub(crate) fn less(&self, other: &Sampled<K>) -> Sampled<K> {
        let mut moves: BTreeMap<K, f64> = self.moved_by.iter().cloned().collect();
        for (key, moved) in &other.moved_by {
            *moves.entry(key.clone()).or_default() -= moved;
        }
        let variance = moves.values().map(|moved| moved * moved).sum();
        Sampled { effect: self.effect - other.effect, variance, moved_by: moves.into_iter().collect() }
    }

    /// The mean of effects that belong to one unit, e.g. of the models of a lineage. Relatives may err alike on samples of their own
    /// too, so the mean of several is taken to be as uncertain as one of them. `None` of none.
    pub fn of_relatives(own: &[&Sampled<K>]) -> Option<Sampled<K>> {
        if let [one] = own {
            return Some((*one).clone());
        }
        let of = |pick: fn(&Sampled<K>) -> f64| mean(&own.iter().map(|one| pick(one)).collect::<Vec<_>>());
        let mut moves = BTreeMap::<K, f64>::new();
        for (key, moved) in own.iter().flat_map(|one| &one.moved_by) {
            *moves.entry(key.clone()).or_default() += moved / own.len() as f64;
        }
        let (effect, variance) = (of(|one| one.effect)?, of(|one| one.variance)?);
        Some(Sampled::of_variance(effect, variance, moves.into_iter().collect()))
    }
}

/// What samples that units share add to the variance of a weighted mean of the units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Crossed {
    /// The mean covariance of two units over the samples that they share; not below 0.
    pub shared: f64,
    /// The variance by the choice of samples that it is told from.
    by_samples: f64,
    /// How many samples two units or more have.
    samples: usize,
}

/// Each unit with its weight; the weights add up to 1. Samples move all units that have them at once: the squares of what they move the
/// mean by, less those of what they move each unit by alone, are the covariances of two units (two-way clusters: Cameron, Gelbach and
/// Miller 2011). How units differ tells nothing of these.
pub(crate) fn crossed<'u, K: Ord + 'u>(units: impl IntoIterator<Item = (&'u Sampled<K>, f64)>) -> Crossed {
    let mut moves = BTreeMap::<&K, (f64, usize)>::new();
    let (mut alone, mut same) = (0.0, 0.0);
    for (unit, weight) in units {
        same += weight * weight;
        for (key, moved) in &unit.moved_by {
            let of_sample = moves.entry(key).or_default();
            *of_sample = (of_sample.0 + weight * moved, of_sample.1 + 1);
            alone += (weight * moved).powi(2);
        }
    }
    let by_samples: f64 = moves.values().map(|(moved, _)| moved * moved).sum();
    let samples = moves.values().filter(|(_, units)| *units > 1).count();
    // Rounding is no covariance.
    let shared = Some(by_samples - alone).filter(|shared| *shared > 1e-12 * by_samples).unwrap_or(0.0);
    let pairs = (1.0 - same).max(f64::MIN_POSITIVE);
    Crossed { shared: shared / pairs, by_samples: by_samples / pairs, samples }
}

/// An interval of a mean that shared samples make wider.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wider {
    factor: f64,
    standard_error: f64,
    freedom: f64,
}

impl Wider {
    /// The interval with each end so much farther from the mean.
    pub(crate) fn interval(&self, mean: f64, Interval { low, high }: Interval) -> Interval {
        Interval { low: mean - self.factor * (mean - low), high: mean + self.factor * (high - mean) }
    }

    /// Two-sided p of a mean that lies so far from the null, by Student's t.
    fn p(&self, from_null: f64) -> Option<f64> {
        Some(2.0 * StudentsT::new(0.0, 1.0, self.freedom).ok()?.sf((from_null / self.standard_error).abs()))
    }

    /// A p that takes the units as independent, or [`Wider::p`] where that is larger.
    pub(crate) fn raised(&self, p: f64, from_null: f64) -> f64 {
        self.p(from_null).map_or(p, |own| own.max(p))
    }
}

impl Crossed {
    /// What the shared samples make of an interval of the mean of units that takes them as independent. `None` where they make nothing
    /// of it.
    pub(crate) fn widens(&self, variance: f64, of_units: f64, alpha: f64) -> Option<Wider> {
        if self.shared == 0.0 || variance <= 0.0 {
            return None;
        }
        let freedom = self.freedom(of_units, variance);
        let quantiles = t_quantile(freedom, 1.0 - alpha / 2.0)? / t_quantile(of_units, 1.0 - alpha / 2.0)?;
        let all = variance + self.shared;
        Some(Wider { factor: (all / variance).sqrt() * quantiles, standard_error: all.sqrt(), freedom })
    }

    /// Degrees of freedom of the variance of units with so many, and of the shared samples together (Satterthwaite 1946; of two
    /// crossed factors Clark 1973). Never more than those of the units: few units say little of how units differ.
    pub(crate) fn freedom(&self, of_units: f64, variance: f64) -> f64 {
        if self.shared == 0.0 {
            return of_units;
        }
        let of_samples = (self.samples as f64 - 1.0).max(1.0);
        let all = variance + self.shared;
        let parts = variance * variance / of_units + self.by_samples * self.by_samples / of_samples;
        (all * all / parts).min(of_units)
    }
}

/// [`Crossed::widens`] of the plain mean of units, which differ by so much. `None` too with fewer than two.
pub(crate) fn widened<K: Ord>(units: &[Sampled<K>], deviation: f64, alpha: f64) -> Option<Wider> {
    let n = units.len() as f64;
    if units.len() < 2 {
        return None;
    }
    crossed(units.iter().map(|unit| (unit, 1.0 / n))).widens(deviation * deviation / n, n - 1.0, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_samples_move_adds_up_to_the_variance() {
        let known: Sampled<u8> = Sampled::of_variance(0.3, 0.02, vec![(0, 1.0), (1, -2.0)]);
        assert!((known.moved_by.iter().map(|(_, m)| m * m).sum::<f64>() - 0.02).abs() < 1e-15);
        let twins = Sampled::of_relatives(&[&known, &known]).unwrap();
        assert!(
            (twins.variance - 0.02).abs() < 1e-15
                && (twins.moved_by[1].1 - known.moved_by[1].1).abs() < 1e-12
        );
    }

    #[test]
    fn a_mean_of_units_on_the_same_samples_is_as_uncertain_as_these() {
        let samples = [0.9, -0.4, 0.3, 1.2, -0.8, 0.5, 0.1, -0.6];
        let unit = |own: f64, first: usize| {
            Sampled::mean(samples.iter().enumerate().map(|(i, v)| (first + i, v + own))).unwrap()
        };
        let alone = Interval { low: 0.0, high: 0.3 };
        let same: Vec<_> = [0.0, 0.01, 0.02].map(|own| unit(own, 0)).into();
        let wider = widened(&same, 0.01, 0.05).unwrap();
        // The error of the units is 0.006, that of eight samples 0.25.
        let found = wider.interval(0.15, alone);
        assert!(
            found.high - found.low > 10.0 && (wider.p(0.15).unwrap() - 0.6).abs() < 0.1,
            "{found:?} {wider:?}"
        );
        let apart: Vec<_> = [0.0, 0.01, 0.02].iter().enumerate().map(|(i, own)| unit(*own, 8 * i)).collect();
        assert_eq!(widened(&apart, 0.01, 0.05), None);
        assert!(same[0].less(&same[1]).variance < 1e-30, "the same samples differ by nothing");
    }
}
