//! The length of a prompt at which a Frobenius gain is 1, by a model of the norms around the last block, and how sure it is.

use rand::RngExt;
use serde::Serialize;

use crate::stats::{self, Seed};

/// Resamples of the prompts behind an interval.
const RESAMPLES: usize = 999;
/// Of the interval: 95 %.
const ALPHA: f64 = 0.05;
/// Tokens after the first beyond which nothing is looked for: longer than any context.
const LONGEST: f64 = 1e7;
/// Between the lengths at which a change of side is looked for.
const STEP: f64 = 1.1;

/// One prompt: squared norms before and after the last block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    /// Its length n, at least 2.
    pub tokens: f64,
    /// Of the first token.
    pub first: [f64; 2],
    /// Of the n-1 others, summed.
    pub others: [f64; 2],
}

/// A length in tokens and its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Length {
    /// `None`: the gain stays on one side of 1 at every length.
    pub tokens: Option<f64>,
    /// Lower end of the 95 % interval, by resampling prompts; `None` where there is no such length in so many of the resamples
    /// or fewer than three prompts.
    pub low: Option<f64>,
    /// Upper end; `None` likewise.
    pub high: Option<f64>,
}

/// How norms depend on the length: the first token's squared norm, and of the others scale · (n-1)^power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Norms {
    pub first: [f64; 2],
    pub scale: [f64; 2],
    pub power: [f64; 2],
}

impl Norms {
    /// Ordinary tokens whose norm is the same at every length: root mean squares over tokens and prompts. `None` of no prompts.
    pub(super) fn constant(units: &[Unit]) -> Option<Norms> {
        Norms::of(units, [0.0, 0.0])
    }

    /// Ordinary tokens whose squared norm follows a power of the length, by least squares on logarithms. `None` with fewer
    /// than three prompts or a single length.
    pub(super) fn growing(units: &[Unit]) -> Option<Norms> {
        let lengths: Vec<f64> = units.iter().map(|unit| (unit.tokens - 1.0).ln()).collect();
        let power = |side: usize| {
            let squares = units.iter().map(|unit| (unit.others[side] / (unit.tokens - 1.0)).ln());
            Some(stats::line(&lengths, &squares.collect::<Vec<f64>>())?.slope)
        };
        Norms::of(units, [power(0)?, power(1)?])
    }

    fn of(units: &[Unit], power: [f64; 2]) -> Option<Norms> {
        let sum = |of: &dyn Fn(&Unit) -> f64| units.iter().map(of).sum::<f64>();
        let side = |side: usize| {
            let first = sum(&|unit| unit.first[side]).max(0.0) / units.len() as f64;
            let weights = sum(&|unit| (unit.tokens - 1.0).powf(1.0 + power[side]));
            Some((first, sum(&|unit| unit.others[side]) / weights)).filter(|(_, scale)| scale.is_finite())
        };
        let ((first, scale), (first_after, scale_after)) = side(0).zip(side(1))?;
        Some(Norms { first: [first, first_after], scale: [scale, scale_after], power })
    }

    /// The gain of a prompt of n tokens.
    pub(super) fn gain(&self, tokens: f64) -> f64 {
        let others = tokens - 1.0;
        let square = |side: usize| self.first[side] + self.scale[side] * others.powf(1.0 + self.power[side]);
        (square(1) / square(0)).sqrt()
    }

    /// The smallest length, above one token, at which the gain is 1.
    pub(super) fn crossing(&self) -> Option<f64> {
        if self.power == [0.0, 0.0] {
            let others = (self.first[0] - self.first[1]) / (self.scale[1] - self.scale[0]);
            return Some(1.0 + others).filter(|n| n.is_finite() && *n > 1.0);
        }
        let above = |others: f64| self.gain(1.0 + others) > 1.0;
        let start = above(1.0);
        let mut low = 1.0;
        while low < LONGEST && above(low * STEP) == start {
            low *= STEP;
        }
        let mut high = low * STEP;
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if above(middle) == start { low = middle } else { high = middle }
        }
        Some(1.0 + low).filter(|_| low < LONGEST)
    }

    /// Where the gain leaves the side on which another model's begins: no tokens where it never is on it, infinitely many
    /// where it never leaves it.
    fn leaves(&self, side: bool) -> f64 {
        match self.gain(2.0) > 1.0 {
            start if start == side => self.crossing().unwrap_or(f64::INFINITY),
            _ => 0.0,
        }
    }
}

/// The length at which a model of these prompts' norms crosses 1, with its interval.
pub(super) fn length(units: &[Unit], norms: fn(&[Unit]) -> Option<Norms>, seed: Seed) -> Length {
    let Some(fitted) = norms(units) else { return Length::default() };
    let tokens = fitted.crossing();
    if units.len() < 3 {
        return Length { tokens, ..Length::default() };
    }
    let side = fitted.gain(2.0) > 1.0;
    let mut rng = seed.rng();
    let mut sample = units.to_vec();
    let mut found: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            sample.fill_with(|| units[rng.random_range(0..units.len())]);
            Some(norms(&sample)?.leaves(side))
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let end = |share: f64| {
        let at = (share * (found.len() + 1) as f64).round() as usize;
        let value = found.get(at.clamp(1, found.len().max(1)) - 1).copied()?;
        Some(value).filter(|value| value.is_finite())
    };
    Length { tokens, low: end(ALPHA / 2.0), high: end(1.0 - ALPHA / 2.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prompts that obey a model exactly but for a factor of their own.
    fn units(norms: Norms, noise: f64) -> Vec<Unit> {
        let square = |side: usize, n: f64| norms.scale[side] * (n - 1.0_f64).powf(1.0 + norms.power[side]);
        let unit = |k: u32| {
            let (n, factor) = (f64::from(4 + 3 * k), (noise * f64::from(k % 3) - noise).exp());
            Unit { tokens: n, first: norms.first, others: [square(0, n), square(1, n) * factor] }
        };
        (0..24).map(unit).collect()
    }

    const LLAMA: Norms =
        Norms { first: [242_950.41, 26_797.69], scale: [3_375.61, 7_378.81], power: [0.0, 0.0] };

    #[test]
    fn a_length_lies_in_its_interval_which_noise_widens() {
        let found = |noise| length(&units(LLAMA, noise), Norms::constant, Seed(1));
        let exact = found(0.0);
        assert!((exact.tokens.unwrap() - 55.0).abs() < 0.5, "{exact:?}");
        assert!((exact.high.unwrap() - exact.low.unwrap()) < 1e-6, "{exact:?}");
        let noisy = found(0.2);
        let (low, at, high) = (noisy.low.unwrap(), noisy.tokens.unwrap(), noisy.high.unwrap());
        assert!(low < at && at < high && high - low > 2.0, "{noisy:?}");
        assert_eq!(found(0.2), noisy, "the same seed, the same interval");
    }

    #[test]
    fn an_interval_is_open_where_resamples_never_cross() {
        // After the block ordinary tokens are longer by a hair, which noise takes away.
        let norms = Norms { scale: [3_375.61, 3_376.0], ..LLAMA };
        let found = length(&units(norms, 0.2), Norms::constant, Seed(1));
        assert!(found.low.is_some() && found.high.is_none(), "{found:?}");
        let few = length(&units(LLAMA, 0.0)[..2], Norms::constant, Seed(1));
        assert!(few.tokens.is_some() && few.low.is_none() && few.high.is_none());
    }

    #[test]
    fn norms_that_grow_with_the_length_are_recovered_and_cross_where_they_should() {
        let norms = Norms { power: [0.1, 0.3], ..LLAMA };
        let fitted = Norms::growing(&units(norms, 0.0)).unwrap();
        for side in 0..2 {
            assert!((fitted.power[side] - norms.power[side]).abs() < 1e-9, "{fitted:?}");
            assert!((fitted.scale[side] / norms.scale[side] - 1.0).abs() < 1e-9, "{fitted:?}");
        }
        let at = fitted.crossing().unwrap();
        assert!((fitted.gain(at) - 1.0).abs() < 1e-9 && at < LLAMA.crossing().unwrap(), "{at}");
        assert_eq!(Norms { first: [1.0, 2.0], ..norms }.crossing(), None, "above 1 at every length");
    }
}
