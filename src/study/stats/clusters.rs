//! Bootstrap-t intervals of a mean whose units are whole clusters, or are drawn within strata.

use rand::{RngExt, rngs::ChaCha12Rng};

use super::{
    Seed,
    contrast::t_quantile,
    describe::{Interval, mean, quantile, standard_deviation},
};

/// Resamples behind a published interval.
const RESAMPLES: usize = 9_999;
/// With fewer clusters most resamples repeat themselves, and Student's t is the honest interval.
const FEWEST_CLUSTERS: usize = 5;

/// The 1-alpha interval of the mean over all values when values of one cluster (e.g. a family) resemble each other: clusters
/// are resampled whole and the mean is studentised by the spread between clusters; Student's t with fewer than five.
/// `None` with fewer than two clusters that have values.
pub fn bootstrap_clusters(clusters: &[Vec<f64>], alpha: f64, seed: Seed) -> Option<Interval> {
    let sums: Vec<(f64, f64)> =
        clusters.iter().filter(|c| !c.is_empty()).map(|c| (c.iter().sum(), c.len() as f64)).collect();
    let observed = ratio(&sums)?;
    if sums.len() < FEWEST_CLUSTERS {
        let reach = t_quantile((sums.len() - 1) as f64, 1.0 - alpha / 2.0)? * observed.1;
        return Some(Interval { low: observed.0 - reach, high: observed.0 + reach });
    }
    studentised(observed, alpha, seed, |rng| {
        ratio(&(0..sums.len()).map(|_| sums[rng.random_range(0..sums.len())]).collect::<Vec<_>>())
    })
}

/// The 1-alpha interval of the mean of stratum means (every stratum, e.g. category, counts the same), with values
/// resampled within their stratum. `None` where a stratum has fewer than two values.
pub fn bootstrap_strata(strata: &[Vec<f64>], alpha: f64, seed: Seed) -> Option<Interval> {
    let observed = mean_of_means(strata)?;
    let mut sample = strata.to_vec();
    studentised(observed, alpha, seed, |rng| {
        for (drawn, stratum) in sample.iter_mut().zip(strata) {
            drawn.fill_with(|| stratum[rng.random_range(0..stratum.len())]);
        }
        mean_of_means(&sample)
    })
}

/// Quantiles of (estimate* - estimate)/se*, turned around (Efron and Tibshirani 1993, chapter 12). Resamples without spread
/// are left out.
fn studentised(
    (estimate, error): (f64, f64),
    alpha: f64,
    seed: Seed,
    mut resample: impl FnMut(&mut ChaCha12Rng) -> Option<(f64, f64)>,
) -> Option<Interval> {
    let negligible = 1e-15 * estimate.abs();
    if error <= negligible {
        return Some(Interval { low: estimate, high: estimate });
    }
    let mut rng = seed.rng();
    let t: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| resample(&mut rng))
        .filter(|&(_, se)| se > negligible)
        .map(|(m, se)| (m - estimate) / se)
        .collect();
    Some(Interval {
        low: estimate - quantile(&t, 1.0 - alpha / 2.0)? * error,
        high: estimate - quantile(&t, alpha / 2.0)? * error,
    })
}

/// Mean of all values from (sum, size) of clusters, and its error from the spread between them (the linearised variance of a
/// ratio: Cochran 1977, section 6.3).
fn ratio(clusters: &[(f64, f64)]) -> Option<(f64, f64)> {
    let k = clusters.len() as f64;
    if clusters.len() < 2 {
        return None;
    }
    let size: f64 = clusters.iter().map(|c| c.1).sum();
    let m = clusters.iter().map(|c| c.0).sum::<f64>() / size;
    let squares: f64 = clusters.iter().map(|(sum, n)| (sum - m * n).powi(2)).sum();
    Some((m, (k / (k - 1.0) * squares).sqrt() / size))
}

/// And its error.
fn mean_of_means(strata: &[Vec<f64>]) -> Option<(f64, f64)> {
    let means: Vec<f64> = strata.iter().map(|s| mean(s)).collect::<Option<_>>()?;
    let variances: Vec<f64> = strata
        .iter()
        .map(|s| Some(standard_deviation(s)?.powi(2) / s.len() as f64))
        .collect::<Option<_>>()?;
    Some((mean(&means)?, variances.iter().sum::<f64>().sqrt() / strata.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_one_are_plain_units() {
        let values = [1.0, 2.5, 0.5, 3.0, 2.0, 1.5];
        let clusters: Vec<Vec<f64>> = values.iter().map(|&v| vec![v]).collect();
        let (found, plain) = (
            bootstrap_clusters(&clusters, 0.05, Seed(3)).unwrap(),
            super::super::mean_interval(&values, 0.05, Seed(3)).unwrap(),
        );
        assert!(
            (found.low - plain.low).abs() < 1e-9 && (found.high - plain.high).abs() < 1e-9,
            "{found:?} {plain:?}"
        );
    }

    #[test]
    fn copies_within_a_cluster_are_no_evidence() {
        let values = [1.0, 2.5, 0.5, 3.0, 2.0, 1.5];
        let copies = |n: usize| values.iter().map(|&v| vec![v; n]).collect::<Vec<_>>();
        let (one, many) = (
            bootstrap_clusters(&copies(1), 0.05, Seed(3)).unwrap(),
            bootstrap_clusters(&copies(50), 0.05, Seed(3)).unwrap(),
        );
        assert!((one.low - many.low).abs() < 1e-9 && (one.high - many.high).abs() < 1e-9);
        assert_eq!(bootstrap_clusters(&copies(50)[..1], 0.05, Seed(3)), None);
    }

    #[test]
    fn what_differs_between_strata_is_no_error() {
        let strata = |shift: f64| vec![vec![1.0, 2.0, 1.5, 0.5], vec![1.0 + shift, 2.5 + shift, 0.5 + shift]];
        let width = |s: f64| {
            let i = bootstrap_strata(&strata(s), 0.05, Seed(2)).unwrap();
            i.high - i.low
        };
        assert!((width(0.0) - width(100.0)).abs() < 1e-9);
        assert_eq!(bootstrap_strata(&[vec![1.0], vec![2.0, 3.0]], 0.05, Seed(1)), None);
    }
}
