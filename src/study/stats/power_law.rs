//! y = c·x^b: a straight line through logarithms.

use super::{contrast::t_quantile, line::line};

/// A fitted power law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLaw {
    /// b.
    pub exponent: f64,
    /// c, in units of y.
    pub coefficient: f64,
    /// Lower end of the 1-alpha interval of the exponent.
    pub low: f64,
    /// Upper end of the same interval.
    pub high: f64,
    /// Two-sided, of no dependence (b = 0).
    pub p: f64,
    /// Share of the variance of ln y that the fit explains.
    pub r_squared: f64,
    /// Units behind the fit.
    pub n: usize,
}

/// Least squares of ln y on ln x with Student's interval. x and y belong to the same units: taken from a
/// [`Paired`](number::metric::Paired), or x a property of the model. `None` with fewer than three units, a value that is not
/// above zero, or a single x.
pub fn power_law(x: &[f64], y: &[f64], alpha: f64) -> Option<PowerLaw> {
    let n = x.len();
    let positive = |v: &f64| v.is_finite() && *v > 0.0;
    if n < 3 || n != y.len() || !x.iter().chain(y).all(positive) {
        return None;
    }
    let logs = |v: &[f64]| v.iter().map(|v| v.ln()).collect::<Vec<_>>();
    let fit = line(&logs(x), &logs(y))?;
    let reach = t_quantile((n - 2) as f64, 1.0 - alpha / 2.0)? * fit.standard_error;
    Some(PowerLaw {
        exponent: fit.slope,
        coefficient: fit.intercept.exp(),
        low: fit.slope - reach,
        high: fit.slope + reach,
        p: fit.p,
        r_squared: fit.r_squared,
        n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_law_is_found() {
        let x = [1.0, 2.0, 4.0, 7.0];
        let law = power_law(&x, &x.map(|x: f64| 3.0 * x.powf(-0.5)), 0.05).unwrap();
        assert!((law.exponent + 0.5).abs() < 1e-12 && (law.coefficient - 3.0).abs() < 1e-12);
        assert!(law.p < 1e-10 && law.r_squared > 1.0 - 1e-12 && law.high - law.low < 1e-10);
    }

    #[test]
    fn what_has_no_logarithm_has_no_law() {
        assert_eq!(power_law(&[1.0, 2.0, 0.0], &[1.0, 2.0, 3.0], 0.05), None);
        assert_eq!(power_law(&[2.0, 2.0, 2.0], &[1.0, 2.0, 3.0], 0.05), None);
        let flat = power_law(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0], 0.05).unwrap();
        assert_eq!((flat.p, flat.r_squared), (1.0, 0.0));
    }
}
