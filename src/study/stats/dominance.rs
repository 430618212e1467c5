//! Effect sizes on ranks: how often a value of one side lies above one of the other (AUC, Cliff's delta).

use super::{
    Effect, Seed,
    bca::bootstrap_of,
    describe::{average_ranks, mean},
    normal,
};

/// Cliff's delta, P(a > b) - P(a < b), two groups of different units, with the interval that keeps within ±1 (Feng and
/// Cliff 2004). Where the groups do not overlap: Wilson's interval of the smaller group's share. `None` with fewer than
/// two in a group.
pub fn cliff_delta(a: &[f64], b: &[f64], alpha: f64) -> Option<Effect> {
    let dominance = Dominance::new(a, b)?;
    let (delta, z) = (2.0 * dominance.auc - 1.0, normal::reach(alpha)?);
    if delta.abs() == 1.0 {
        let inner = 2.0 * wilson(dominance.fewer, z) - 1.0;
        return Some(ends(delta, inner * delta.signum()));
    }
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let whole: f64 = a
        .iter()
        .flat_map(|x| b.iter().map(move |y| f64::from(i8::from(x > y) - i8::from(x < y))))
        .map(|sign| (sign - delta).powi(2))
        .sum();
    let variance = ((4.0 * (nb * nb * dominance.rows + na * na * dominance.columns) - whole)
        / (na * nb * (na - 1.0) * (nb - 1.0)))
        .max((1.0 - delta * delta) / (na * nb - 1.0));
    let left = 1.0 - delta * delta;
    let reach = z * (variance * (left * left + z * z * variance)).sqrt();
    let centre = delta - delta.powi(3);
    let scale = left + z * z * variance;
    Some(Effect {
        value: delta,
        low: ((centre - reach) / scale).max(-1.0),
        high: ((centre + reach) / scale).min(1.0),
    })
}

/// Area under the ROC curve, P(positive > negative) + P(=)/2, with the variance of DeLong, DeLong and Clarke-Pearson
/// (1988) on the logit scale, which keeps within 0 and 1. Complete separation as in [`cliff_delta`]. `None` with fewer than
/// two on a side.
pub fn auc(positive: &[f64], negative: &[f64], alpha: f64) -> Option<Effect> {
    let dominance = Dominance::new(positive, negative)?;
    let (value, z) = (dominance.auc, normal::reach(alpha)?);
    if value == 0.0 || value == 1.0 {
        let inner = wilson(dominance.fewer, z);
        return Some(ends(value, if value == 1.0 { inner } else { 1.0 - inner }));
    }
    let (np, nn) = (positive.len() as f64, negative.len() as f64);
    let variance = dominance.rows / (np * (np - 1.0)) + dominance.columns / (nn * (nn - 1.0));
    let logit = (value / (1.0 - value)).ln();
    let reach = z * variance.sqrt() / (value * (1.0 - value));
    let back = |l: f64| 1.0 / (1.0 + (-l).exp());
    Some(Effect { value, low: back(logit - reach), high: back(logit + reach) })
}

/// Rank sums above minus below zero over their total (Kerby 2014), for differences of the same units, taken from a
/// [`Paired`](number::metric::Paired); zeros are left out. BCa interval; where all have one sign, which resamples cannot
/// doubt, Wilson's of the share above zero. `None` where all are zero.
pub fn rank_biserial(differences: &[f64], alpha: f64, seed: Seed) -> Option<Effect> {
    let (value, z) = (biserial(differences)?, normal::reach(alpha)?);
    if value.abs() == 1.0 {
        let moved = differences.iter().filter(|&&d| d != 0.0).count();
        return Some(ends(value, (2.0 * wilson(moved, z) - 1.0) * value));
    }
    let interval = bootstrap_of(differences, biserial, alpha, seed)?;
    Some(Effect { value, low: interval.low, high: interval.high })
}

fn biserial(differences: &[f64]) -> Option<f64> {
    let moved: Vec<f64> = differences.iter().copied().filter(|&d| d != 0.0).collect();
    let ranks = average_ranks(&moved.iter().map(|d| d.abs()).collect::<Vec<_>>());
    let signed: f64 = ranks.iter().zip(&moved).map(|(r, d)| r * d.signum()).sum();
    (!moved.is_empty()).then(|| signed / ranks.iter().sum::<f64>())
}

/// How often a is above b, and how much that depends on which a and which b.
struct Dominance {
    auc: f64,
    /// Sum of squares of each a's share of b below it, around the mean.
    rows: f64,
    /// The same of each b's share of a above it.
    columns: f64,
    /// Units on the smaller side.
    fewer: usize,
}

impl Dominance {
    fn new(a: &[f64], b: &[f64]) -> Option<Dominance> {
        if a.len() < 2 || b.len() < 2 || a.iter().chain(b).any(|v| v.is_nan()) {
            return None;
        }
        let above = |x: f64, y: f64| if x > y { 1.0 } else { f64::from(u8::from(x == y)) / 2.0 };
        let rows: Vec<f64> =
            a.iter().map(|&x| b.iter().map(|&y| above(x, y)).sum::<f64>() / b.len() as f64).collect();
        let columns: Vec<f64> =
            b.iter().map(|&y| a.iter().map(|&x| above(x, y)).sum::<f64>() / a.len() as f64).collect();
        let auc = mean(&rows)?;
        let spread = |shares: &[f64]| shares.iter().map(|s| (s - auc).powi(2)).sum();
        let fewer = a.len().min(b.len());
        Some(Dominance { auc, rows: spread(&rows), columns: spread(&columns), fewer })
    }
}

/// The lower end of Wilson's interval (1927) of n successes in n: what a sample in which all agree leaves open.
pub(super) fn wilson(n: usize, z: f64) -> f64 {
    n as f64 / (n as f64 + z * z)
}

fn ends(value: f64, inner: f64) -> Effect {
    Effect { value, low: value.min(inner), high: value.max(inner) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separated_groups_have_an_end_that_depends_on_their_size() {
        let small = auc(&[3.0, 4.0], &[1.0, 2.0], 0.05).unwrap();
        assert_eq!((small.value, small.high), (1.0, 1.0));
        let large = auc(&[3.0; 40], &[1.0; 40], 0.05).unwrap();
        assert!(small.low < 0.5 && large.low > 0.9, "{small:?} {large:?}");
        let delta = cliff_delta(&[1.0, 2.0], &[3.0, 4.0], 0.05).unwrap();
        assert_eq!((delta.value, delta.low), (-1.0, -1.0));
        assert!((delta.high - (1.0 - 2.0 * small.low)).abs() < 1e-12);
    }

    #[test]
    fn differences_of_one_sign_are_one_with_an_end_that_depends_on_their_number() {
        let found = rank_biserial(&[1.0, 2.0, 0.0, 3.0], 0.05, Seed(1)).unwrap();
        assert_eq!((found.value, found.high), (1.0, 1.0));
        assert!(found.low < 0.2, "three differences leave almost everything open: {found:?}");
        assert_eq!(rank_biserial(&[0.0, 0.0], 0.05, Seed(1)), None);
    }
}
