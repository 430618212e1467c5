//! y = a + b·x by least squares.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::describe::{centred, dot, mean};

/// A fitted straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// b, in units of y per unit of x.
    pub slope: f64,
    /// a, in units of y.
    pub intercept: f64,
    /// Standard error of the slope.
    pub standard_error: f64,
    /// Two-sided, of no dependence (b = 0), by Student's t.
    pub p: f64,
    /// Share of the variance of y that the line explains.
    pub r_squared: f64,
}

/// Least squares of y on x, which belong to the same units. `None` with fewer than three units or a single x.
pub fn line(x: &[f64], y: &[f64]) -> Option<Line> {
    let n = x.len();
    if n < 3 || n != y.len() || !x.iter().chain(y).all(|v| v.is_finite()) {
        return None;
    }
    let (dx, dy) = (centred(x), centred(y));
    let (sxx, syy) = (dot(&dx, &dx), dot(&dy, &dy));
    if sxx <= 1e-24 * (1.0 + dot(x, x)) {
        return None;
    }
    let slope = dot(&dx, &dy) / sxx;
    let left: f64 = dx.iter().zip(&dy).map(|(x, y)| (y - slope * x).powi(2)).sum();
    let df = (n - 2) as f64;
    let standard_error = (left / df / sxx).sqrt();
    // A constant y depends on nothing; a perfect fit leaves no doubt.
    let (p, r_squared) = if syy <= 1e-24 * (1.0 + dot(y, y)) {
        (1.0, 0.0)
    } else {
        let t = (slope / standard_error).abs();
        (2.0 * StudentsT::new(0.0, 1.0, df).ok()?.sf(t), 1.0 - left / syy)
    };
    let p = if p.is_nan() { 0.0 } else { p.min(1.0) };
    Some(Line { slope, intercept: mean(y)? - slope * mean(x)?, standard_error, p, r_squared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_one_x_has_none() {
        let fit = line(&[1.0, 2.0, 4.0], &[1.0, 3.0, 7.0]).unwrap();
        assert!((fit.slope - 2.0).abs() < 1e-12 && (fit.intercept + 1.0).abs() < 1e-12, "{fit:?}");
        assert!(fit.r_squared > 1.0 - 1e-12 && fit.p < 1e-10);
        assert_eq!(line(&[2.0, 2.0, 2.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(line(&[1.0, 2.0, f64::NAN], &[1.0, 2.0, 3.0]), None);
    }
}
