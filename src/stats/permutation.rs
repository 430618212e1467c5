//! Permutation p values: exact when the arrangements can be walked, else Monte Carlo with p = (b+1)/(m+1)
//! (Phipson and Smyth 2010). All are two-sided: how often |statistic| is at least the observed one.

use rand::{RngExt, rngs::ChaCha12Rng};

use super::{
    Seed,
    correlation::{Method, raw, residuals},
    describe::centred,
};
use crate::metric::Paired;

/// Monte Carlo draws.
pub const MONTE_CARLO: u64 = 10_000;
/// Most arrangements that are walked one by one: 8!.
const EXACT_ARRANGEMENTS: u64 = 40_320;
/// Most units whose sign flips are walked: 2^16.
const EXACT_FLIPS: usize = 16;

/// p of a (partial) correlation: one side is rearranged, within `blocks` (a label per unit) if given, so that labels
/// that differ between blocks, e.g. categories, cannot make the correlation. `None` where there is no correlation.
pub fn correlation_p<K: Ord + Clone>(
    pair: &Paired<K>,
    method: Method,
    blocks: Option<&[usize]>,
    seed: Seed,
) -> Option<f64> {
    let (x, y) = residuals(pair, method);
    raw(&x, &y)?;
    let (x, y) = (centred(&x), centred(&y));
    let groups = match blocks {
        Some(labels) => grouped(labels),
        None => vec![(0..x.len()).collect()],
    };
    // Rearranging changes neither variance, so the sum of products orders arrangements as the correlation does.
    Some(rearranged_p(&groups, x.len(), seed, &mut |order| {
        order.iter().zip(&y).map(|(&i, b)| x[i] * b).sum::<f64>().abs()
    }))
}

/// p of the mean of paired differences (or of values minus the null) by flipping the sign of whole units.
pub fn sign_flip_p(values: &[f64], seed: Seed) -> Option<f64> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let observed = values.iter().sum::<f64>().abs();
    let tolerance = 1e-12 * values.iter().map(|v| v.abs()).sum::<f64>();
    if n <= EXACT_FLIPS {
        let extreme = (0..1_u32 << n).filter(|flips| {
            let sum: f64 =
                values.iter().enumerate().map(|(i, v)| if flips >> i & 1 == 1 { -v } else { *v }).sum();
            sum.abs() >= observed - tolerance
        });
        return Some(extreme.count() as f64 / f64::from(1_u32 << n));
    }
    let mut rng = seed.rng();
    let extreme = (0..MONTE_CARLO).filter(|_| {
        let sum: f64 = values.iter().map(|v| if rng.random::<bool>() { -v } else { *v }).sum();
        sum.abs() >= observed - tolerance
    });
    Some((extreme.count() as f64 + 1.0) / (MONTE_CARLO as f64 + 1.0))
}

/// The smallest two-sided p a correlation of n distinct units can reach: 2/n! (floored by Monte Carlo for large n).
pub fn smallest_correlation_p(units: usize) -> f64 {
    match factorial(units as u64) {
        Some(all) if all <= EXACT_ARRANGEMENTS => (2.0 / all as f64).min(1.0),
        _ => 1.0 / (MONTE_CARLO as f64 + 1.0),
    }
}

/// The smallest two-sided p a sign test (or exact sign flips) of n units can reach: 2/2^n.
pub fn smallest_sign_p(units: usize) -> f64 {
    (2.0 * 0.5_f64.powi(units.min(1100) as i32)).min(1.0)
}

/// Share of rearrangements of 0..n, within groups, whose statistic is at least that of the identity.
pub(super) fn rearranged_p(
    groups: &[Vec<usize>],
    n: usize,
    seed: Seed,
    statistic: &mut dyn FnMut(&[usize]) -> f64,
) -> f64 {
    let mut order: Vec<usize> = (0..n).collect();
    let observed = statistic(&order);
    let threshold = observed - 1e-11 * observed.abs() - 1e-300;
    let arrangements = groups.iter().try_fold(1_u64, |all, g| all.checked_mul(factorial(g.len() as u64)?));
    if let Some(all) = arrangements.filter(|&a| a <= EXACT_ARRANGEMENTS) {
        let mut extreme = 0_u64;
        walk(groups, 0, &mut order, &mut |o| extreme += u64::from(statistic(o) >= threshold));
        return extreme as f64 / all as f64;
    }
    let mut rng = seed.rng();
    let mut extreme = 0_u64;
    for _ in 0..MONTE_CARLO {
        for group in groups {
            shuffle(&mut order, group, &mut rng);
        }
        extreme += u64::from(statistic(&order) >= threshold);
    }
    (extreme as f64 + 1.0) / (MONTE_CARLO as f64 + 1.0)
}

/// Positions by label, in order of labels.
fn grouped(labels: &[usize]) -> Vec<Vec<usize>> {
    let mut groups = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (i, &label) in labels.iter().enumerate() {
        groups.entry(label).or_default().push(i);
    }
    groups.into_values().collect()
}

/// Visits every arrangement of group `at`'s positions, for each of those every arrangement of the following groups.
fn walk(groups: &[Vec<usize>], at: usize, order: &mut Vec<usize>, visit: &mut dyn FnMut(&[usize])) {
    fn inner(
        groups: &[Vec<usize>],
        at: usize,
        from: usize,
        order: &mut Vec<usize>,
        visit: &mut dyn FnMut(&[usize]),
    ) {
        let Some(group) = groups.get(at) else { return visit(order) };
        if from == group.len() {
            return inner(groups, at + 1, 0, order, visit);
        }
        for other in from..group.len() {
            order.swap(group[from], group[other]);
            inner(groups, at, from + 1, order, visit);
            order.swap(group[from], group[other]);
        }
    }
    inner(groups, at, 0, order, visit);
}

/// Fisher–Yates over the given positions.
fn shuffle(order: &mut [usize], positions: &[usize], rng: &mut ChaCha12Rng) {
    for last in (1..positions.len()).rev() {
        order.swap(positions[last], positions[rng.random_range(0..=last)]);
    }
}

fn factorial(n: u64) -> Option<u64> {
    (1..=n).try_fold(1_u64, |all, k| all.checked_mul(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walking_visits_every_arrangement_within_blocks_once() {
        let mut seen = std::collections::BTreeSet::new();
        let groups = [vec![0, 2, 3], vec![1, 4]];
        walk(&groups, 0, &mut (0..5).collect(), &mut |o| assert!(seen.insert(o.to_vec())));
        assert_eq!(seen.len(), 12);
        assert!(seen.iter().all(|o| [0, 2, 3].contains(&o[0]) && [1, 4].contains(&o[1])));
    }

    #[test]
    fn the_smallest_p_says_when_alpha_is_out_of_reach() {
        assert!(smallest_correlation_p(3) > 0.05 && smallest_correlation_p(5) < 0.05);
        assert!(smallest_sign_p(5) > 0.05 && smallest_sign_p(6) < 0.05);
        assert_eq!(smallest_sign_p(0), 1.0);
        let monotone: Vec<f64> = vec![1.0; 5];
        assert_eq!(sign_flip_p(&monotone, Seed(0)), Some(smallest_sign_p(5)));
    }

    #[test]
    fn a_block_of_one_cannot_move() {
        let p = rearranged_p(&[vec![0], vec![1]], 2, Seed(1), &mut |o| o[0] as f64);
        assert_eq!(p, 1.0);
    }
}
