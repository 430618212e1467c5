//! The standard normal distribution to full precision: the library's own function errs in the eleventh digit.

use statrs::{
    distribution::{ContinuousCDF, Normal},
    function::gamma::gamma_ur,
};

/// P(Z > z): half the upper tail of chi-square with one degree of freedom.
pub(crate) fn upper_tail(z: f64) -> f64 {
    // The library's gamma function takes neither.
    if z.is_nan() || z == 0.0 {
        return z + 0.5;
    }
    // Beyond 40 the tail is below the smallest float.
    let outer = 0.5 * gamma_ur(0.5, z.abs().min(40.0).powi(2) / 2.0);
    if z < 0.0 { 1.0 - outer } else { outer }
}

/// The point below which a normal value lies with chance `p`; `None` unless 0 < p < 1.
pub fn normal_quantile(p: f64) -> Option<f64> {
    (0.0 < p && p < 1.0).then(|| Normal::standard().inverse_cdf(p))
}

/// The point that a normal value is within ± of with chance 1-alpha; `None` unless 0 < alpha < 1.
pub(super) fn reach(alpha: f64) -> Option<f64> {
    (0.0 < alpha && alpha < 1.0).then(|| Normal::standard().inverse_cdf(1.0 - alpha / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        // Abramowitz and Stegun (1972), table 26.1.
        assert!((upper_tail(-1.0) - 0.841_344_746_068_543).abs() < 1e-14);
        assert!((upper_tail(2.0) - 0.022_750_131_948_179).abs() < 1e-14);
        assert!((upper_tail(0.0) - 0.5).abs() < 1e-15);
        assert!(upper_tail(9.0) > 0.0 && upper_tail(f64::INFINITY) < 1e-300 && upper_tail(f64::NAN).is_nan());
        assert!((upper_tail(reach(0.05).unwrap()) - 0.025).abs() < 1e-12);
        assert_eq!(reach(0.0), None);
    }
}
