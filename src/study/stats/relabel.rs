//! Permutation test of two groups by relabelling whole units: exact when the ways to pick the groups can be walked, else
//! Monte Carlo with p = (b+1)/(m+1) (Phipson and Smyth 2010).

use std::collections::BTreeMap;

use rand::RngExt;

use super::{
    Seed,
    describe::{centred, mean},
    permutation::MONTE_CARLO,
};

/// Most ways to pick the groups that are walked one by one.
const EXACT_CHOICES: u64 = 200_000;

/// Two-sided p of mean(a) - mean(b), two groups of different units under one protocol. `None` with an empty group, or
/// a value that is not finite.
pub fn relabel_p(a: &[f64], b: &[f64], seed: Seed) -> Option<f64> {
    if a.is_empty() || b.is_empty() || a.iter().chain(b).any(|v| !v.is_finite()) {
        return None;
    }
    // With the sum of all at zero, the sum of a group orders the choices as the difference of means does.
    let all = centred(&[a, b].concat());
    let observed = all[..a.len()].iter().sum::<f64>().abs();
    let threshold = observed - 1e-12 * all.iter().map(|v| v.abs()).sum::<f64>();
    if let Some(choices) = choices(a.len(), b.len()).filter(|&c| c <= EXACT_CHOICES) {
        return Some(at_least(&all, a.len(), 0.0, threshold) as f64 / choices as f64);
    }
    let mut rng = seed.rng();
    let mut order = all;
    let extreme = (0..MONTE_CARLO).filter(|_| {
        // The first steps of Fisher–Yates: a group drawn without replacement.
        for i in 0..a.len() {
            let other = rng.random_range(i..order.len());
            order.swap(i, other);
        }
        order[..a.len()].iter().sum::<f64>().abs() >= threshold
    });
    Some((extreme.count() as f64 + 1.0) / (MONTE_CARLO as f64 + 1.0))
}

/// The smallest p [`relabel_p`] can reach with groups of n and m distinct units: 1 of the ways to pick them, 2 where the
/// mirrored pick is as far apart, floored by Monte Carlo.
pub fn smallest_relabel_p(n: usize, m: usize) -> f64 {
    if n == 0 || m == 0 {
        return 1.0;
    }
    match choices(n, m) {
        Some(all) if all <= EXACT_CHOICES => (if n == m { 2.0 } else { 1.0 }) / all as f64,
        _ => 1.0 / (MONTE_CARLO as f64 + 1.0),
    }
}

/// [`relabel_p`] of means of clusters (e.g. families), so that units of one cluster, which resemble each other, count
/// once and keep one label. `cluster_of[i]` is the cluster of `values[i]`, `group_of_cluster[c]` the group of cluster
/// c. `None` unless exactly two groups have values, or where a label is missing.
pub fn relabel_clusters_p(
    values: &[f64],
    cluster_of: &[usize],
    group_of_cluster: &[usize],
    seed: Seed,
) -> Option<f64> {
    let mut clusters = BTreeMap::<usize, Vec<f64>>::new();
    for (i, &value) in values.iter().enumerate() {
        clusters.entry(*cluster_of.get(i)?).or_default().push(value);
    }
    let mut groups = BTreeMap::<usize, Vec<f64>>::new();
    for (cluster, values) in clusters {
        groups.entry(*group_of_cluster.get(cluster)?).or_default().push(mean(&values)?);
    }
    match groups.into_values().collect::<Vec<_>>().as_slice() {
        [a, b] => relabel_p(a, b, seed),
        _ => None,
    }
}

/// The number of choices of `pick` of `values` have a sum of at least `threshold`, whatever its sign, starting from `sum`.
fn at_least(values: &[f64], pick: usize, sum: f64, threshold: f64) -> u64 {
    if pick == 0 {
        return u64::from(sum.abs() >= threshold);
    }
    (0..=values.len() - pick)
        .map(|first| at_least(&values[first + 1..], pick - 1, sum + values[first], threshold))
        .sum()
}

/// (n+m)! / (n! m!); `None` where it does not fit.
fn choices(n: usize, m: usize) -> Option<u64> {
    let (few, all) = (n.min(m) as u64, (n + m) as u64);
    (1..=few).try_fold(1_u64, |ways, k| Some(ways.checked_mul(all - few + k)? / k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separated_groups_reach_the_smallest_p() {
        let found = relabel_p(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0], Seed(1)).unwrap();
        assert_eq!(found, smallest_relabel_p(3, 3));
        let uneven = relabel_p(&[1.0, 2.0], &[11.0, 12.0, 13.0], Seed(1)).unwrap();
        assert_eq!(uneven, smallest_relabel_p(2, 3));
        assert_eq!(smallest_relabel_p(3, 3), 0.1);
        let far = |from: i32| (from..from + 15).map(f64::from).collect::<Vec<_>>();
        assert_eq!(relabel_p(&far(0), &far(100), Seed(1)), Some(smallest_relabel_p(15, 15)));
    }

    #[test]
    fn many_units_of_few_clusters_are_few() {
        let values: Vec<f64> =
            (0..40).map(|i| if i < 20 { 0.0 } else { 1.0 } + f64::from(i) * 1e-3).collect();
        let cluster_of: Vec<usize> = (0..40).map(|i| i / 10).collect();
        let p = relabel_clusters_p(&values, &cluster_of, &[0, 0, 1, 1], Seed(1)).unwrap();
        assert!((p - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(relabel_clusters_p(&values, &cluster_of, &[0, 0, 0, 0], Seed(1)), None);
        assert_eq!(relabel_clusters_p(&values, &cluster_of, &[0, 1], Seed(1)), None);
    }

    #[test]
    fn choices_are_binomial() {
        assert_eq!(choices(3, 4), Some(35));
        assert_eq!(choices(30, 30), Some(118_264_581_564_861_424));
        assert_eq!(choices(200, 200), None);
    }
}
