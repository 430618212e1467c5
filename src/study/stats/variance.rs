//! Comparison of two spreads: Brown and Forsythe's test, and the ratio of variances.

use rand::RngExt;
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::{
    Effect, Seed,
    describe::{centred, dot, mean, quantile, standard_deviation},
};

/// Resamples behind a published interval.
const RESAMPLES: usize = 9_999;

/// The F of absolute deviations from the medians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BrownForsythe {
    /// F of the absolute deviations from the medians, on 1 and n-2 degrees of freedom.
    pub f: f64,
    /// Two-sided, F on 1 and n-2 degrees of freedom.
    pub p: f64,
}

/// Equal spread of two groups of different units, robust to what is not normal (Brown and Forsythe 1974; SciPy's
/// `levene(center="median")`). `None` with fewer than two in a group, or where all deviations of a group are equal.
pub fn brown_forsythe(a: &[f64], b: &[f64]) -> Option<BrownForsythe> {
    let deviations = |v: &[f64]| {
        let median = quantile(v, 0.5)?;
        Some(v.iter().map(|v| (v - median).abs()).collect::<Vec<f64>>())
    };
    let (da, db) = (deviations(a)?, deviations(b)?);
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let within: f64 = [&da, &db].map(|d| dot(&centred(d), &centred(d))).iter().sum();
    if a.len() < 2 || b.len() < 2 || !within.is_finite() || within <= 1e-24 * (dot(&da, &da) + dot(&db, &db))
    {
        return None;
    }
    let between = (mean(&da)? - mean(&db)?).powi(2) * na * nb / (na + nb);
    let f = between / (within / (na + nb - 2.0));
    Some(BrownForsythe { f, p: FisherSnedecor::new(1.0, na + nb - 2.0).ok()?.sf(f) })
}

/// Variance of a over variance of b, two groups of different units, with the bootstrap-t interval of its logarithm: the
/// F interval is wrong wherever values are not normal. `None` with fewer than three in a group, or without spread.
pub fn variance_ratio(a: &[f64], b: &[f64], alpha: f64, seed: Seed) -> Option<Effect> {
    if a.len() < 3 || b.len() < 3 || !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let (value, error) = log_ratio(a, b)?;
    let mut rng = seed.rng();
    let (mut sa, mut sb) = (a.to_vec(), b.to_vec());
    let t: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            sa.fill_with(|| a[rng.random_range(0..a.len())]);
            sb.fill_with(|| b[rng.random_range(0..b.len())]);
            let (resampled, error) = log_ratio(&sa, &sb)?;
            Some((resampled - value) / error)
        })
        .collect();
    Some(Effect {
        value: value.exp(),
        low: (value - quantile(&t, 1.0 - alpha / 2.0)? * error).exp(),
        high: (value - quantile(&t, alpha / 2.0)? * error).exp(),
    })
}

/// ln of the ratio, and its error from the fourth moments: Var(ln s²) ≈ (kurtosis - 1)/n.
fn log_ratio(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    let part = |v: &[f64]| {
        let deviation = standard_deviation(v).filter(|s| *s > 1e-12 * v[0].abs())?;
        let n = v.len() as f64;
        let squares: Vec<f64> = centred(v).iter().map(|d| d * d).collect();
        let second = mean(&squares)?;
        Some((2.0 * deviation.ln(), (dot(&squares, &squares) / n / (second * second) - 1.0) / n))
    };
    let ((la, va), (lb, vb)) = (part(a)?, part(b)?);
    // Two equally frequent values have a kurtosis of 1 and no error of their own.
    (va + vb > 1e-12).then(|| (la - lb, (va + vb).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_has_no_unit_and_turns_round() {
        let (a, b) = ([1.0, 2.0, 4.0, 8.0, 3.0], [2.0, 2.5, 3.0, 2.2, 2.9, 2.4]);
        let there = variance_ratio(&a, &b, 0.05, Seed(1)).unwrap();
        let scaled = variance_ratio(&a.map(|v| 10.0 * v), &b.map(|v| 10.0 * v), 0.05, Seed(1)).unwrap();
        assert!(
            (there.value - scaled.value).abs() < 1e-9 && (there.low - scaled.low).abs() < 1e-6 * there.low
        );
        assert!(there.low < there.value && there.value < there.high);
        assert_eq!(variance_ratio(&[1.0; 4], &a, 0.05, Seed(1)), None);
        assert_eq!(brown_forsythe(&[1.0, 1.0], &[2.0, 2.0]), None);
    }
}
