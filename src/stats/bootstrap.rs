//! Bootstrap intervals of a mean with prompts as units.

use rand::RngExt;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{
    Seed,
    describe::{Interval, mean, quantile, standard_deviation},
};

/// Resamples behind a published interval.
const RESAMPLES: usize = 9_999;
/// With fewer units than this most resamples repeat themselves, and Student's t is the honest interval.
const FEWEST_FOR_BOOTSTRAP: usize = 5;

/// The 1-alpha interval of the mean used by every verdict: bootstrap-t, or Student's t with fewer than five units.
/// `None` with fewer than two.
pub fn mean_interval(values: &[f64], alpha: f64, seed: Seed) -> Option<Interval> {
    if values.len() >= FEWEST_FOR_BOOTSTRAP {
        return bootstrap_t(values, alpha, RESAMPLES, seed);
    }
    let (m, se) = (mean(values)?, standard_error(values)?);
    let t = StudentsT::new(0.0, 1.0, (values.len() - 1) as f64).ok()?.inverse_cdf(1.0 - alpha / 2.0);
    Some(Interval { low: m - t * se, high: m + t * se })
}

/// Studentised bootstrap (Efron and Tibshirani 1993, chapter 12): quantiles of (mean* - mean)/se*, turned around.
/// Resamples without spread have no t and are left out.
pub fn bootstrap_t(values: &[f64], alpha: f64, resamples: usize, seed: Seed) -> Option<Interval> {
    let (m, se) = (mean(values)?, standard_error(values)?);
    if se <= 1e-15 * m.abs() {
        return Some(Interval { low: m, high: m });
    }
    let mut t = Vec::with_capacity(resamples);
    each_resample(values, resamples, seed, |sample| {
        if let (Some(mean), Some(se)) =
            (mean(sample), standard_error(sample).filter(|&se| se > 1e-15 * m.abs()))
        {
            t.push((mean - m) / se);
        }
    });
    Some(Interval {
        low: m - quantile(&t, 1.0 - alpha / 2.0)? * se,
        high: m - quantile(&t, alpha / 2.0)? * se,
    })
}

/// Quantiles of the resampled means. Too narrow with few units; kept for comparison with other tools.
pub fn bootstrap_percentile(values: &[f64], alpha: f64, resamples: usize, seed: Seed) -> Option<Interval> {
    let mut means = Vec::with_capacity(resamples);
    each_resample(values, resamples, seed, |sample| means.extend(mean(sample)));
    Some(Interval { low: quantile(&means, alpha / 2.0)?, high: quantile(&means, 1.0 - alpha / 2.0)? })
}

fn standard_error(values: &[f64]) -> Option<f64> {
    Some(standard_deviation(values)? / (values.len() as f64).sqrt())
}

fn each_resample(values: &[f64], resamples: usize, seed: Seed, mut visit: impl FnMut(&[f64])) {
    if values.is_empty() {
        return;
    }
    let mut rng = seed.rng();
    let mut sample = vec![0.0; values.len()];
    for _ in 0..resamples {
        for slot in &mut sample {
            *slot = values[rng.random_range(0..values.len())];
        }
        visit(&sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_has_no_interval_and_equal_units_have_a_point() {
        assert_eq!(mean_interval(&[1.0], 0.05, Seed(1)), None);
        assert_eq!(mean_interval(&[2.0; 6], 0.05, Seed(1)), Some(Interval { low: 2.0, high: 2.0 }));
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let values = [1.0, 2.5, 0.5, 3.0, 2.0, 1.5];
        assert_eq!(mean_interval(&values, 0.05, Seed(3)), mean_interval(&values, 0.05, Seed(3)));
        assert_ne!(mean_interval(&values, 0.05, Seed(3)), mean_interval(&values, 0.05, Seed(4)));
    }
}
