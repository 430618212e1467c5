//! Equivalence test: whether a mean lies within bounds that make it negligible (two one-sided tests, Schuirmann 1987).

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{
    contrast::t_quantile,
    describe::{Interval, mean, standard_deviation},
};

/// p that the mean is not within (`low`, `high`): the larger p of the two one-sided t tests. Values are differences
/// of the same units, taken from a [`Paired`](number::metric::Paired), or values minus their null. `None` with fewer
/// than two values, without spread, or with bounds out of order.
pub fn tost(values: &[f64], low: f64, high: f64) -> Option<f64> {
    let (m, se) = mean_and_error(values)?;
    let t = StudentsT::new(0.0, 1.0, (values.len() - 1) as f64).ok()?;
    (low < high).then(|| t.sf((m - low) / se).max(t.cdf((m - high) / se)))
}

/// The 1-2·alpha interval of the mean that belongs to [`tost`]: it lies within the bounds where p < alpha. `None` with fewer
/// than two values, without spread, or unless 0 < alpha < 1/2.
pub fn tost_interval(values: &[f64], alpha: f64) -> Option<Interval> {
    let (m, se) = mean_and_error(values)?;
    let reach = t_quantile((values.len() - 1) as f64, 1.0 - alpha).filter(|&q| q > 0.0)? * se;
    Some(Interval { low: m - reach, high: m + reach })
}

fn mean_and_error(values: &[f64]) -> Option<(f64, f64)> {
    let m = mean(values)?;
    let se = standard_deviation(values)? / (values.len() as f64).sqrt();
    (se > 1e-15 * m.abs()).then_some((m, se))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_is_alpha_where_the_interval_touches_a_bound() {
        let values = [0.1, -0.2, 0.3, 0.05, 0.0, -0.1];
        let interval = tost_interval(&values, 0.05).unwrap();
        assert!((tost(&values, -5.0, interval.high).unwrap() - 0.05).abs() < 1e-10);
        assert!((tost(&values, interval.low, 5.0).unwrap() - 0.05).abs() < 1e-10);
        assert_eq!(tost(&values, 1.0, -1.0), None);
        assert_eq!(tost(&[1.0], -1.0, 1.0), None);
        assert_eq!(tost_interval(&values, 0.5), None);
    }
}
