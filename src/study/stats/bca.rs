//! BCa bootstrap: the interval of any statistic, corrected for its bias and skewness (Efron 1987).

use rand::RngExt;
use statrs::distribution::{ContinuousCDF, Normal};

use super::{
    Seed,
    describe::{Interval, mean, quantile},
};

/// Resamples behind a published interval.
const RESAMPLES: usize = 9_999;
/// A statistic that more resamples than this leave undefined has no bootstrap distribution.
const MOST_UNDEFINED: f64 = 0.1;

/// The 1-alpha interval of a mean. `None` with fewer than two values.
pub fn bootstrap_bca(values: &[f64], alpha: f64, resamples: usize, seed: Seed) -> Option<Interval> {
    bca(values, mean, alpha, resamples, seed)
}

/// The 1-alpha interval of `statistic` with `values` as units. Where every resample gives the same number: that
/// number. `None` with fewer than two values, where `statistic` is `None` of the values, of the values without one of
/// them or of more than a tenth of the resamples, or where it lies outside all of these.
pub fn bootstrap_of(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
    alpha: f64,
    seed: Seed,
) -> Option<Interval> {
    bca(values, statistic, alpha, RESAMPLES, seed)
}

fn bca(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
    alpha: f64,
    resamples: usize,
    seed: Seed,
) -> Option<Interval> {
    if values.len() < 2 || !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let observed = statistic(values)?;
    let replicates = resampled(values, &statistic, resamples, seed);
    if (replicates.len() as f64) < (1.0 - MOST_UNDEFINED) * resamples as f64 {
        return None;
    }
    let tolerance = 1e-14 * (observed.abs() + replicates.iter().fold(0.0_f64, |most, r| most.max(r.abs())));
    if replicates.iter().all(|r| (r - observed).abs() <= tolerance) {
        return Some(Interval { low: observed, high: observed });
    }
    // Ties count half, as in SciPy.
    let share = |at_most: f64| replicates.iter().filter(|&&r| r <= at_most).count() as f64;
    let below = (share(observed + tolerance) + share(observed - tolerance)) / 2.0 / replicates.len() as f64;
    if below <= 0.0 || below >= 1.0 {
        return None;
    }
    let normal = Normal::standard();
    let bias = normal.inverse_cdf(below);
    let acceleration = acceleration(values, &statistic)?;
    let end = |q: f64| {
        let z = bias + normal.inverse_cdf(q);
        quantile(&replicates, normal.cdf(bias + z / (1.0 - acceleration * z)))
    };
    Some(Interval { low: end(alpha / 2.0)?, high: end(1.0 - alpha / 2.0)? })
}

fn resampled(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
    resamples: usize,
    seed: Seed,
) -> Vec<f64> {
    let mut rng = seed.rng();
    let mut sample = vec![0.0; values.len()];
    (0..resamples)
        .filter_map(|_| {
            sample.fill_with(|| values[rng.random_range(0..values.len())]);
            statistic(&sample).filter(|s| s.is_finite())
        })
        .collect()
}

/// Skewness of the statistic without one value, over 6 √n.
fn acceleration(values: &[f64], statistic: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
    let without = |i: usize| statistic(&[&values[..i], &values[i + 1..]].concat());
    let left: Vec<f64> = (0..values.len()).map(without).collect::<Option<_>>()?;
    let centre = mean(&left)?;
    let moment = |power: i32| left.iter().map(|l| (centre - l).powi(power)).sum::<f64>();
    let (second, third) = (moment(2), moment(3));
    Some(if second > 0.0 { third / (6.0 * second.powf(1.5)) } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_interval_and_equal_ones_have_a_point() {
        assert_eq!(bootstrap_bca(&[1.0], 0.05, 999, Seed(1)), None);
        assert_eq!(bootstrap_bca(&[2.0; 6], 0.05, 999, Seed(1)), Some(Interval { low: 2.0, high: 2.0 }));
        assert_eq!(bootstrap_of(&[1.0, 2.0, 3.0], |_| None, 0.05, Seed(1)), None);
    }
}
