//! Kruskal–Wallis test of whether groups differ in rank.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::{
    describe::average_ranks,
    permutation::{Draw, LANES, grouped, interleaved, rearranged_ps},
};

/// H corrected for ties, with the chi-square p (k-1 degrees of freedom).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kruskal {
    /// The statistic H, corrected for ties.
    pub h: f64,
    /// p of H by the chi-square distribution with k-1 degrees of freedom.
    pub chi_squared_p: f64,
    /// k, the number of groups.
    pub groups: usize,
}

/// `labels[i]` is the group of `values[i]`. `None` with fewer than two groups, or when all values are equal.
pub fn kruskal_wallis(values: &[f64], labels: &[usize]) -> Option<Kruskal> {
    let ranked = Ranked::new(values, labels)?;
    let chi = ChiSquared::new((ranked.sizes.len() - 1) as f64).ok()?;
    let order: Vec<usize> = (0..values.len()).collect();
    let h = ranked.h(&order);
    Some(Kruskal { h, chi_squared_p: chi.sf(h), groups: ranked.sizes.len() })
}

/// p of H by relabelling units; `None` as in [`kruskal_wallis`].
pub fn kruskal_permutation_p<'a>(values: &[f64], labels: &[usize], draw: impl Into<Draw<'a>>) -> Option<f64> {
    kruskal_permutation_ps(&[values], labels, None, draw).pop().flatten()
}

/// [`kruskal_permutation_p`] of each of several lists of values with the same labels, all by the same rearrangements: of units
/// within their block, where `blocks[i]` is that of unit i.
pub fn kruskal_permutation_ps<'a>(
    lists: &[&[f64]],
    labels: &[usize],
    blocks: Option<&[usize]>,
    draw: impl Into<Draw<'a>>,
) -> Vec<Option<f64>> {
    let n = labels.len();
    let exchangeable = blocks.map_or_else(|| vec![(0..n).collect()], grouped);
    let ranked: Vec<Option<Ranked>> = lists.iter().map(|values| Ranked::new(values, labels)).collect();
    let there: Vec<&Ranked> = ranked.iter().flatten().collect();
    let groups = grouped(labels);
    let groups = &groups;
    let statistics = there.chunks(LANES).map(|few| {
        let ranks = interleaved(n, &few.iter().map(|r| &r.ranks[..]).collect::<Vec<_>>());
        // H but for the variance, which no rearrangement changes.
        let statistic = move |order: &[u32]| {
            let mut total = [0.0; LANES];
            for group in groups {
                let mut sums = [0.0; LANES];
                for &i in group {
                    let ranks = &ranks[order[i] as usize];
                    (0..LANES).for_each(|lane| sums[lane] += ranks[lane]);
                }
                let size = group.len() as f64;
                (0..LANES).for_each(|lane| total[lane] += sums[lane] * sums[lane] / size);
            }
            total
        };
        (few.len(), statistic)
    });
    let mut found = rearranged_ps(&exchangeable, n, draw, statistics).into_iter();
    ranked.iter().map(|ranked| ranked.as_ref().and_then(|_| found.next())).collect()
}

/// Ranks around their centre, and each unit's group as an index.
struct Ranked {
    ranks: Vec<f64>,
    groups: Vec<usize>,
    sizes: Vec<f64>,
    /// Of the average ranks, which carries the correction for ties.
    variance: f64,
}

impl Ranked {
    fn new(values: &[f64], labels: &[usize]) -> Option<Ranked> {
        let mut known = labels.to_vec();
        known.sort_unstable();
        known.dedup();
        // Every label was put into `known`, so the search finds it.
        let groups: Vec<usize> = labels.iter().map(|l| known.partition_point(|k| k < l)).collect();
        let mut sizes = vec![0.0; known.len()];
        groups.iter().for_each(|&g| sizes[g] += 1.0);
        let n = values.len() as f64;
        let ranks: Vec<f64> = average_ranks(values).iter().map(|r| r - (n + 1.0) / 2.0).collect();
        let variance = ranks.iter().map(|r| r * r).sum::<f64>() / (n - 1.0);
        (sizes.len() > 1 && variance > 0.0).then_some(Ranked { ranks, groups, sizes, variance })
    }

    /// H with unit `order[i]`'s rank in the group of unit i.
    fn h(&self, order: &[usize]) -> f64 {
        let mut sums = vec![0.0; self.sizes.len()];
        for (&group, &unit) in self.groups.iter().zip(order) {
            sums[group] += self.ranks[unit];
        }
        sums.iter().zip(&self.sizes).map(|(sum, size)| sum * sum / size).sum::<f64>() / self.variance
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Seed, *};

    #[test]
    fn one_group_or_equal_values_have_no_test() {
        assert_eq!(kruskal_wallis(&[1.0, 2.0], &[0, 0]), None);
        assert_eq!(kruskal_wallis(&[1.0, 1.0], &[0, 1]), None);
    }

    #[test]
    fn units_of_different_blocks_do_not_change_places() {
        // Within each block the second group lies above: one of four arrangements, and its mirror image.
        let (values, labels) = ([1.0, 2.0, 11.0, 12.0], [0, 1, 0, 1]);
        let p = |blocks| kruskal_permutation_ps(&[&values], &labels, blocks, Seed(1))[0].unwrap();
        assert!((p(Some(&[0, 0, 1, 1])) - 0.5).abs() < 1e-12);
        assert!((p(None) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn separated_groups_reach_the_smallest_exact_p() {
        // Two of the six ways to pick two of four units are as extreme.
        let p = kruskal_permutation_p(&[1.0, 2.0, 3.0, 4.0], &[5, 5, 9, 9], Seed(1)).unwrap();
        assert!((p - 1.0 / 3.0).abs() < 1e-12);
    }
}
