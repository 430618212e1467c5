//! The sign test of whether values lie above the null as often as below it.

use super::{binomial_at_least, describe::Interval};

/// The sign test turned around: the 1-alpha interval of the median between two order statistics, whatever the
/// distribution. `None` where even the whole range covers less than that (fewer than six values at 0.05).
pub fn median_interval(values: &[f64], alpha: f64) -> Option<Interval> {
    let n = values.len();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The k-th smallest and largest miss the median with probability P(X <= k-1) = P(X >= n-k+1) each.
    let misses = |k: usize| binomial_at_least((n - k + 1) as u64, n as u64, 0.5);
    let k = (1..=n / 2).take_while(|&k| misses(k).is_some_and(|p| p <= alpha / 2.0)).last()?;
    Some(Interval { low: sorted[k - 1], high: sorted[n - k] })
}

/// Exact two-sided p of `values` lying above against below `null`; ties with it are left out. `None` if all tie.
pub fn sign_test(values: &[f64], null: f64) -> Option<f64> {
    let above = values.iter().filter(|&&v| v > null).count() as u64;
    let below = values.iter().filter(|&&v| v < null).count() as u64;
    let n = above + below;
    if n == 0 {
        return None;
    }
    Some((2.0 * binomial_at_least(above.max(below), n, 0.5)?).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_25_lies_between_the_8th_and_the_18th() {
        // Conover (1999), table A3: coverage 0.957.
        let values: Vec<f64> = (1..=25).map(f64::from).collect();
        assert_eq!(median_interval(&values, 0.05), Some(Interval { low: 8.0, high: 18.0 }));
        assert_eq!(median_interval(&values[..6], 0.05), Some(Interval { low: 1.0, high: 6.0 }));
        assert_eq!(median_interval(&values[..5], 0.05), None);
        assert_eq!(median_interval(&[], 0.05), None);
    }

    #[test]
    fn ties_are_left_out() {
        assert_eq!(sign_test(&[1.0, 1.0], 1.0), None);
        let with = sign_test(&[1.0, 2.0, 3.0, 4.0], 1.0).unwrap();
        assert!((with - 0.25).abs() < 1e-12);
    }
}
