//! The sign test: are values above the null as often as below it?

use super::binomial_at_least;

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
    fn ties_are_left_out() {
        assert_eq!(sign_test(&[1.0, 1.0], 1.0), None);
        let with = sign_test(&[1.0, 2.0, 3.0, 4.0], 1.0).unwrap();
        assert!((with - 0.25).abs() < 1e-12);
    }
}
