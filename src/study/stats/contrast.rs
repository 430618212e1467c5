//! Student's and Welch's t tests of one mean and of the difference of two.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::describe::{Interval, mean, standard_deviation};

/// A t test of a mean, or of a difference of means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TTest {
    /// The mean difference, or mean(a) - mean(b).
    pub estimate: f64,
    /// The estimate over its standard error.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided.
    pub p: f64,
    /// The 1-alpha interval of the estimate.
    pub interval: Interval,
}

/// One sample against zero: differences of the same units, taken from a [`Paired`](number::metric::Paired), or values
/// minus their null. `None` with fewer than two, or without spread.
pub fn paired_t(differences: &[f64], alpha: f64) -> Option<TTest> {
    let (m, n) = (mean(differences)?, differences.len() as f64);
    let se = standard_deviation(differences)? / n.sqrt();
    test(m, se, n - 1.0, m.abs(), alpha)
}

/// Two groups of different units with variances of their own (Welch 1947). `None` with fewer than two in a group, or
/// without spread.
pub fn welch_t(a: &[f64], b: &[f64], alpha: f64) -> Option<TTest> {
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let (va, vb) = (standard_deviation(a)?.powi(2) / na, standard_deviation(b)?.powi(2) / nb);
    let df = (va + vb).powi(2) / (va * va / (na - 1.0) + vb * vb / (nb - 1.0));
    let (ma, mb) = (mean(a)?, mean(b)?);
    test(ma - mb, (va + vb).sqrt(), df, ma.abs() + mb.abs(), alpha)
}

/// Two groups of different units that share one variance. `None` as in [`welch_t`].
pub fn student_t(a: &[f64], b: &[f64], alpha: f64) -> Option<TTest> {
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let (ma, mb) = (mean(a)?, mean(b)?);
    let se = pooled_deviation(a, b)? * (1.0 / na + 1.0 / nb).sqrt();
    test(ma - mb, se, na + nb - 2.0, ma.abs() + mb.abs(), alpha)
}

/// The standard deviation within two groups.
pub(super) fn pooled_deviation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let squares = (na - 1.0) * standard_deviation(a)?.powi(2) + (nb - 1.0) * standard_deviation(b)?.powi(2);
    Some((squares / (na + nb - 2.0)).sqrt())
}

/// The q-quantile of Student's t; `None` of no quantile.
pub(crate) fn t_quantile(df: f64, q: f64) -> Option<f64> {
    (0.0 < q && q < 1.0).then_some(())?;
    Some(StudentsT::new(0.0, 1.0, df).ok()?.inverse_cdf(q))
}

/// `size`: of the numbers that went in; a spread of their rounding errors is none.
fn test(estimate: f64, se: f64, df: f64, size: f64, alpha: f64) -> Option<TTest> {
    let numbers = estimate.is_finite() && se.is_finite() && df.is_finite();
    if !numbers || se <= 1e-15 * size || se <= 0.0 {
        return None;
    }
    let t = estimate / se;
    let reach = t_quantile(df, 1.0 - alpha / 2.0)? * se;
    Some(TTest {
        estimate,
        t,
        df,
        p: (2.0 * StudentsT::new(0.0, 1.0, df).ok()?.sf(t.abs())).min(1.0),
        interval: Interval { low: estimate - reach, high: estimate + reach },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_spread_or_units_there_is_no_test() {
        assert_eq!(paired_t(&[0.1; 7], 0.05), None);
        assert_eq!(paired_t(&[1.0], 0.05), None);
        assert_eq!(welch_t(&[1.0, 1.0], &[2.0, 2.0], 0.05), None);
        assert_eq!(student_t(&[1.0, 2.0], &[2.0], 0.05), None);
        assert_eq!(paired_t(&[1.0, 2.0], 0.0), None, "no interval holds for certain");
    }

    #[test]
    fn equal_sizes_and_spreads_make_welch_student_s() {
        let (a, b) = ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]);
        let (welch, student) = (welch_t(&a, &b, 0.05).unwrap(), student_t(&a, &b, 0.05).unwrap());
        assert!((welch.p - student.p).abs() < 1e-12 && (welch.df - 4.0).abs() < 1e-12);
    }
}
