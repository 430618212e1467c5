//! Prediction interval of a replication: what it may find if the published mean holds.

use super::{contrast::t_quantile, describe::Interval};

/// The interval that covers the mean of `n_new` further units with chance 1-alpha, given (mean, standard deviation,
/// units) of the original study: it carries the sampling error of both (Spence and Stanley 2016), for units drawn
/// alike. `None` with fewer than two original units, no new ones, or no deviation.
pub fn prediction_interval(
    (mean, deviation, n): (f64, f64, usize),
    n_new: usize,
    alpha: f64,
) -> Option<Interval> {
    if n < 2 || n_new == 0 || !mean.is_finite() || !(deviation > 0.0 && deviation.is_finite()) {
        return None;
    }
    let error = deviation * (1.0 / n as f64 + 1.0 / n_new as f64).sqrt();
    let reach = t_quantile((n - 1) as f64, 1.0 - alpha / 2.0)? * error;
    Some(Interval { low: mean - reach, high: mean + reach })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_replication_may_miss_by_more() {
        let width = |n_new| {
            let i = prediction_interval((0.5, 0.2, 25), n_new, 0.05).unwrap();
            i.high - i.low
        };
        assert!(width(5) > width(25) && width(25) > width(10_000));
        assert_eq!(prediction_interval((0.5, 0.2, 1), 5, 0.05), None);
        assert_eq!(prediction_interval((0.5, 0.2, 5), 0, 0.05), None);
        assert_eq!(prediction_interval((0.5, 0.0, 5), 5, 0.05), None);
    }
}
