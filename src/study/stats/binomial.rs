//! Exact binomial tail and the Clopper–Pearson interval of a share.

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF};

use super::describe::Interval;

/// P(X ≥ k) for X ~ Binomial(n, p): one-sided p of "the share exceeds `p`". `None` if p is no probability or k > n.
pub fn binomial_at_least(k: u64, n: u64, p: f64) -> Option<f64> {
    if k > n {
        return None;
    }
    let distribution = Binomial::new(p, n).ok()?;
    Some(if k == 0 { 1.0 } else { distribution.sf(k - 1) })
}

/// The exact 1-alpha interval of k successes in n (Clopper and Pearson 1934). `None` if n = 0 or k > n.
pub fn clopper_pearson(k: u64, n: u64, alpha: f64) -> Option<Interval> {
    if n == 0 || k > n {
        return None;
    }
    let (k, n) = (k as f64, n as f64);
    let low = if k == 0.0 { 0.0 } else { beta_quantile(k, n - k + 1.0, alpha / 2.0)? };
    let high = if k == n { 1.0 } else { beta_quantile(k + 1.0, n - k, 1.0 - alpha / 2.0)? };
    Some(Interval { low, high })
}

/// By bisection on the distribution function: 200 halvings reach float64, whatever the library's own inverse does.
fn beta_quantile(a: f64, b: f64, q: f64) -> Option<f64> {
    let beta = Beta::new(a, b).ok()?;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if beta.cdf(middle) < q {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_or_all_successes_reach_the_ends() {
        assert_eq!(clopper_pearson(0, 5, 0.05).unwrap().low, 0.0);
        assert_eq!(clopper_pearson(5, 5, 0.05).unwrap().high, 1.0);
        assert_eq!(clopper_pearson(1, 0, 0.05), None);
        assert_eq!(binomial_at_least(0, 5, 0.5), Some(1.0));
        assert!((binomial_at_least(5, 5, 0.5).unwrap() - 1.0 / 32.0).abs() < 1e-15);
        assert_eq!(binomial_at_least(6, 5, 0.5), None);
    }
}
