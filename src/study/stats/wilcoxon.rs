//! Wilcoxon's signed-rank test of whether differences are symmetric around zero.

use super::{describe::average_ranks, normal::upper_tail, permutation::smallest_sign_p};

/// A test on signed ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// The smaller of the rank sums above and below zero.
    pub statistic: f64,
    /// Two-sided.
    pub p: f64,
    /// Over all signs; else the normal approximation with correction for ties.
    pub exact: bool,
    /// The smallest p that as many differences other than zero can reach.
    pub smallest_p: f64,
}

/// Most differences whose exact distribution is used (SciPy's limit without ties).
const EXACT: usize = 50;

/// Differences of the same units, taken from a [`Paired`](number::metric::Paired). Zeros are left out (Wilcoxon 1945;
/// SciPy's `zero_method="wilcox"`). Exact up to 50 differences, with ties too, where SciPy's `method="auto"` goes over to
/// the normal approximation above 13. `None` where all are zero.
pub fn wilcoxon(differences: &[f64]) -> Option<Ranked> {
    let moved: Vec<f64> = differences.iter().copied().filter(|&d| d != 0.0).collect();
    let n = moved.len();
    if n == 0 || moved.iter().any(|d| d.is_nan()) {
        return None;
    }
    let ranks = average_ranks(&moved.iter().map(|d| d.abs()).collect::<Vec<_>>());
    let total: f64 = ranks.iter().sum();
    let above: f64 = ranks.iter().zip(&moved).filter(|(_, d)| **d > 0.0).map(|(r, _)| r).sum();
    let statistic = above.min(total - above);
    if n <= EXACT {
        let p = (2.0 * at_most(&ranks, statistic)).min(1.0);
        return Some(Ranked { statistic, p, exact: true, smallest_p: smallest_sign_p(n) });
    }
    // Half the sum of squared ranks is the variance that ties leave: each rank enters or not.
    let deviation = 0.5 * ranks.iter().map(|r| r * r).sum::<f64>().sqrt();
    let p = |statistic: f64| 2.0 * upper_tail((total / 2.0 - statistic) / deviation);
    Some(Ranked { statistic, p: p(statistic).min(1.0), exact: false, smallest_p: p(0.0) })
}

/// P(the sum of the ranks with a plus is at most `statistic`), every pattern of signs being as likely. Average ranks are
/// halves, so that twice a rank indexes a table.
fn at_most(ranks: &[f64], statistic: f64) -> f64 {
    let twice: Vec<usize> = ranks.iter().map(|r| (2.0 * r) as usize).collect();
    let mut chance = vec![0.0; twice.iter().sum::<usize>() + 1];
    chance[0] = 1.0;
    let mut reach = 0;
    for rank in twice {
        for sum in (0..=reach).rev() {
            chance[sum] *= 0.5;
            chance[sum + rank] += chance[sum];
        }
        reach += rank;
    }
    chance[..=(2.0 * statistic) as usize].iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_differences_of_one_sign_reach_the_smallest_p() {
        for n in 1..=60 {
            let found = wilcoxon(&(1..=n).map(f64::from).collect::<Vec<_>>()).unwrap();
            assert!((found.p / found.smallest_p - 1.0).abs() < 1e-12, "{n}: {found:?}");
            assert_eq!(found.exact, n <= 50);
        }
        let tied = wilcoxon(&[2.0; 6]).unwrap();
        assert_eq!((tied.p, tied.smallest_p), (2.0 / 64.0, 2.0 / 64.0));
    }

    #[test]
    fn zeros_say_nothing() {
        assert_eq!(wilcoxon(&[0.0, 0.0]), None);
        assert_eq!(wilcoxon(&[0.0, 1.0, -2.0, 3.0]), wilcoxon(&[1.0, -2.0, 3.0]));
    }
}
