//! The share of variance that groups explain, with its interval.

use statrs::{
    distribution::{ChiSquared, ContinuousCDF},
    function::{beta::beta_reg, gamma::ln_gamma},
};

use super::describe::{Interval, dot, mean};

/// From this noncentrality on the error of what is explained is nothing beside that of what is left, and the sum over the Poisson
/// mixture grows with its root.
const LARGE: f64 = 1e4;

/// The 1-alpha interval of the share of variance that a factor of `added` degrees of freedom explains of what is left with
/// `rest` more: the noncentralities that make the observed `share` an ordinary value (Steiger 2004), as shares of what they and
/// the units are together. `None` where the share or the degrees of freedom are none.
pub fn explained_interval(share: f64, added: usize, rest: usize, alpha: f64) -> Option<Interval> {
    if !(0.0..1.0).contains(&share) || added == 0 || rest == 0 || !(0.0 < alpha && alpha < 1.0) {
        return None;
    }
    let (a, b) = (added as f64 / 2.0, rest as f64 / 2.0);
    let units = (added + rest + 1) as f64;
    let over_rest = share / (1.0 - share);
    let left = ChiSquared::new(rest as f64).ok()?;
    // The share of an F is the argument of its incomplete beta function.
    let at = |q: f64| {
        if over_rest * rest as f64 > LARGE {
            return over_rest * left.inverse_cdf(1.0 - q);
        }
        if below(share, a, b, 0.0) <= q {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        while below(share, a, b, high) > q {
            high *= 2.0;
        }
        while high - low > 1e-10 * (1.0 + high) {
            let middle = 0.5 * (low + high);
            if below(share, a, b, middle) > q { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let of = |noncentrality: f64| noncentrality / (noncentrality + units);
    Some(Interval { low: of(at(1.0 - alpha / 2.0)), high: of(at(alpha / 2.0)) })
}

/// P(share at most `x`) under a noncentrality: the Poisson mixture of central ones, summed around its largest term.
fn below(x: f64, a: f64, b: f64, noncentrality: f64) -> f64 {
    let rate = noncentrality / 2.0;
    if rate == 0.0 {
        return if x <= 0.0 { 0.0 } else { beta_reg(a, b, x) };
    }
    if x <= 0.0 {
        return 0.0;
    }
    let width = 10.0 * rate.sqrt() + 30.0;
    let (first, last) = ((rate - width).max(0.0) as u64, (rate + width) as u64);
    (first..=last)
        .map(|j| {
            let j = j as f64;
            (j * rate.ln() - rate - ln_gamma(j + 1.0)).exp() * beta_reg(a + j, b, x)
        })
        .sum()
}

/// The share of the variance of `values` that lies between the groups of `labels` (eta squared), with its interval. `None` of one
/// group, where no group has two units, and of equal values.
pub fn eta_squared(values: &[f64], labels: &[usize], alpha: f64) -> Option<(f64, Interval)> {
    let centre = mean(values)?;
    let around: Vec<f64> = values.iter().map(|v| v - centre).collect();
    let total = Some(dot(&around, &around)).filter(|total| *total > 1e-24 * dot(values, values))?;
    let mut groups = std::collections::BTreeMap::<usize, Vec<f64>>::new();
    for (value, label) in around.iter().zip(labels) {
        groups.entry(*label).or_default().push(*value);
    }
    let between: f64 =
        groups.values().map(|own| own.iter().sum::<f64>().powi(2) / own.len() as f64).sum::<f64>();
    let share = (between / total).clamp(0.0, 1.0);
    let (added, rest) = (groups.len().checked_sub(1)?, values.len().checked_sub(groups.len())?);
    Some((share, explained_interval(share, added, rest, alpha)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy 1.17: `brentq(lambda l: ncf.cdf(f, d1, d2, l) - q, 0, 1e4)`, with f = share / (1 - share) * d2 / d1.
    #[test]
    fn limits_are_those_of_scipy_s_noncentral_f() {
        for (share, added, rest, low, high) in SCIPY {
            let found = explained_interval(share, added, rest, 0.05).unwrap();
            assert!((found.low - low).abs() < 1e-6 && (found.high - high).abs() < 1e-6, "{share}: {found:?}");
        }
    }

    const SCIPY: [(f64, usize, usize, f64, f64); 4] = [
        (0.05, 4, 20, 0.0, 0.12144779),
        (0.3, 6, 113, 0.134490491, 0.391868736),
        (0.6, 2, 9, 0.0306890616, 0.756076875),
        (0.02, 5, 114, 0.0, 0.0464553267),
    ];

    #[test]
    fn a_share_next_to_all_has_its_interval_at_once_and_meets_the_sum() {
        let near = explained_interval(1.0 - 1e-14, 2, 9, 0.05).unwrap();
        assert!(1.0 - 1e-12 < near.low && near.low < near.high && near.high < 1.0, "{near:?}");
        // Either side of the noncentrality from which the sum is not walked.
        let [sum, after] = [1110.0, 1112.0]
            .map(|over| over / (1.0 + over))
            .map(|share| explained_interval(share, 2, 9, 0.05).unwrap());
        assert!(
            (sum.low - after.low).abs() < 1e-4 && (sum.high - after.high).abs() < 1e-4,
            "{sum:?} {after:?}"
        );
    }

    #[test]
    fn the_share_between_groups_is_that_of_an_analysis_of_variance() {
        let (share, interval) =
            eta_squared(&[1.0, 2.0, 3.0, 5.0, 6.0, 7.0], &[0, 0, 0, 1, 1, 1], 0.05).unwrap();
        assert!((share - 24.0 / 28.0).abs() < 1e-12);
        assert!(interval.low < share && share < interval.high + 0.2);
        assert_eq!(eta_squared(&[1.0; 4], &[0, 0, 1, 1], 0.05), None);
        assert_eq!(eta_squared(&[1.0, 2.0], &[0, 0], 0.05), None);
    }
}
