//! Kruskal–Wallis: do groups differ in rank?

use std::collections::BTreeMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::{Seed, describe::average_ranks, permutation::rearranged_p};

/// H corrected for ties, with the chi-square p (k-1 degrees of freedom).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kruskal {
    pub h: f64,
    pub chi_squared_p: f64,
    pub groups: usize,
}

/// `labels[i]` is the group of `values[i]`. `None` with fewer than two groups, or when all values are equal.
pub fn kruskal_wallis(values: &[f64], labels: &[usize]) -> Option<Kruskal> {
    let groups = labels.iter().collect::<std::collections::BTreeSet<_>>().len();
    let h = statistic(&average_ranks(values), labels)?;
    let chi = ChiSquared::new(groups.checked_sub(1).filter(|&k| k > 0)? as f64).ok()?;
    Some(Kruskal { h, chi_squared_p: chi.sf(h), groups })
}

/// p of H by relabelling units; `None` as in [`kruskal_wallis`].
pub fn kruskal_permutation_p(values: &[f64], labels: &[usize], seed: Seed) -> Option<f64> {
    kruskal_wallis(values, labels)?;
    let ranks = average_ranks(values);
    let everyone = vec![(0..values.len()).collect()];
    let mut moved = labels.to_vec();
    Some(rearranged_p(&everyone, values.len(), seed, &mut |order| {
        for (slot, &i) in moved.iter_mut().zip(order) {
            *slot = labels[i];
        }
        statistic(&ranks, &moved).unwrap_or(0.0)
    }))
}

fn statistic(ranks: &[f64], labels: &[usize]) -> Option<f64> {
    let n = ranks.len() as f64;
    let mut sums = BTreeMap::<usize, (f64, f64)>::new();
    for (&rank, &label) in ranks.iter().zip(labels) {
        let entry = sums.entry(label).or_default();
        *entry = (entry.0 + rank, entry.1 + 1.0);
    }
    let centre = (n + 1.0) / 2.0;
    let between: f64 = sums.values().map(|(sum, m)| m * (sum / m - centre).powi(2)).sum();
    // The variance of tied average ranks is the tie correction.
    let variance = ranks.iter().map(|r| (r - centre).powi(2)).sum::<f64>() / (n - 1.0);
    (variance > 0.0 && sums.len() > 1).then(|| between / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_or_equal_values_have_no_test() {
        assert_eq!(kruskal_wallis(&[1.0, 2.0], &[0, 0]), None);
        assert_eq!(kruskal_wallis(&[1.0, 1.0], &[0, 1]), None);
    }

    #[test]
    fn separated_groups_reach_the_smallest_exact_p() {
        // 4!·2/(2!·2!·...) arrangements: 2 of 6 distinct labelings are as extreme.
        let p = kruskal_permutation_p(&[1.0, 2.0, 3.0, 4.0], &[0, 0, 1, 1], Seed(1)).unwrap();
        assert!((p - 1.0 / 3.0).abs() < 1e-12);
    }
}
