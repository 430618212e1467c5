//! Nested linear models: what a factor explains beyond others.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::{
    Seed,
    describe::{centred, dot},
    permutation::rearranged_p,
};

/// The part of the variance that the added factor explains beyond the base, and its tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nested {
    /// Share of what the base leaves.
    pub partial_r2: f64,
    /// F of the added factor.
    pub f: f64,
    /// Degrees of freedom of the added factor, and those that are left.
    pub freedom: (usize, usize),
    /// p of the F test, which takes rows as independent.
    pub p: f64,
    /// p of the same F when `added` is dealt anew to whole clusters, or to rows without any (Draper and Stoneman
    /// 1966): the one to believe where rows of a cluster resemble each other. Exact where `added` has nothing to do
    /// with the base. `None` where `added` differs within a cluster, which is then no unit of it.
    pub permutation_p: Option<f64>,
}

/// `base[k][i]` is the level of row i in the k-th factor of the base (none: a mean alone), `added[i]` in the added one,
/// `clusters[i]` its cluster. Factors enter as levels, without order or interactions. `None` where lengths differ, the base
/// explains everything or already knows the added factor, or no degrees of freedom are left.
pub fn nested(
    y: &[f64],
    base: &[Vec<usize>],
    added: &[usize],
    clusters: Option<&[usize]>,
    seed: Seed,
) -> Option<Nested> {
    let n = y.len();
    let lengths = base.iter().map(Vec::len).chain([added.len()]).chain(clusters.map(<[usize]>::len));
    if lengths.into_iter().any(|l| l != n) || y.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let mut basis = Vec::new();
    extend(&mut basis, vec![1.0; n]);
    base.iter().flat_map(|factor| indicators(factor)).for_each(|column| extend(&mut basis, column));
    let around = centred(y);
    let left = without(around.clone(), &basis);
    let before = dot(&left, &left);
    if before <= 1e-20 * dot(&around, &around) || before == 0.0 {
        return None;
    }
    let directions = |labels: &[usize]| {
        let mut all = basis.clone();
        indicators(labels).into_iter().for_each(|column| extend(&mut all, column));
        all.split_off(basis.len())
    };
    let explained = |directions: &[Vec<f64>]| directions.iter().map(|d| dot(d, &left).powi(2)).sum::<f64>();
    let own = directions(added);
    let (gain, df) = (explained(&own), own.len());
    let rest = n.checked_sub(basis.len() + df).filter(|&r| r > 0 && df > 0)?;
    let after = before - gain;
    if after <= 1e-20 * before {
        return None;
    }
    let f = gain / df as f64 / (after / rest as f64);
    // Rearranged labels may add a different number of directions: the F takes them into account.
    let f_of = |labels: &[usize]| {
        let directions = directions(labels);
        let gain = explained(&directions);
        let rest = n.saturating_sub(basis.len() + directions.len()) as f64;
        if directions.is_empty() {
            0.0
        } else {
            gain / directions.len() as f64 * rest / (before - gain).max(1e-20 * before)
        }
    };
    Some(Nested {
        partial_r2: gain / before,
        f,
        freedom: (df, rest),
        p: FisherSnedecor::new(df as f64, rest as f64).ok()?.sf(f),
        permutation_p: relabelled_p(added, clusters, seed, &f_of),
    })
}

/// Deals the clusters' labels anew.
fn relabelled_p(
    added: &[usize],
    clusters: Option<&[usize]>,
    seed: Seed,
    statistic: &dyn Fn(&[usize]) -> f64,
) -> Option<f64> {
    let mut label_of = BTreeMap::new();
    let rows: Vec<usize> = (0..added.len()).collect();
    let clusters = clusters.unwrap_or(&rows);
    for (&cluster, &label) in clusters.iter().zip(added) {
        if *label_of.entry(cluster).or_insert(label) != label {
            return None;
        }
    }
    let labels: Vec<usize> = label_of.values().copied().collect();
    let known: Vec<usize> = label_of.into_keys().collect();
    let place: Vec<usize> = clusters.iter().map(|c| known.partition_point(|k| k < c)).collect();
    let everyone = vec![(0..labels.len()).collect()];
    let mut dealt = vec![0; added.len()];
    Some(rearranged_p(&everyone, labels.len(), seed, &mut |order| {
        dealt.iter_mut().zip(&place).for_each(|(d, &p)| *d = labels[order[p]]);
        statistic(&dealt)
    }))
}

fn indicators(labels: &[usize]) -> Vec<Vec<f64>> {
    let mut levels = labels.to_vec();
    levels.sort_unstable();
    levels.dedup();
    levels.iter().map(|level| labels.iter().map(|l| f64::from(u8::from(l == level))).collect()).collect()
}

/// Adds the direction of `column` that the basis (orthonormal) lacks, if any.
fn extend(basis: &mut Vec<Vec<f64>>, column: Vec<f64>) {
    let size = dot(&column, &column);
    // Twice is enough (Kahan; Parlett 1998): the first leaves rounding errors along the basis.
    let direction = without(without(column, basis), basis);
    let length = dot(&direction, &direction);
    if length > 1e-16 * size {
        basis.push(direction.iter().map(|d| d / length.sqrt()).collect());
    }
}

fn without(mut v: Vec<f64>, basis: &[Vec<f64>]) -> Vec<f64> {
    for direction in basis {
        let along = dot(&v, direction);
        v.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_the_base_knows_adds_nothing() {
        let y = [1.0, 2.0, 4.0, 3.0, 7.0, 5.0];
        let base = vec![vec![0, 0, 1, 1, 2, 2]];
        assert_eq!(nested(&y, &base, &[5, 5, 5, 5, 6, 6], None, Seed(1)), None);
        assert_eq!(nested(&y, &base, &[0, 1], None, Seed(1)), None);
    }

    #[test]
    fn rows_of_one_cluster_count_once() {
        // Four clusters of ten near-copies: rows reject, clusters cannot.
        let y: Vec<f64> = (0..40).map(|i| f64::from(i / 20) + f64::from(i * 7 % 10) * 1e-3).collect();
        let clusters: Vec<usize> = (0..40).map(|i| i / 10).collect();
        let added: Vec<usize> = (0..40).map(|i| i / 20).collect();
        let found = nested(&y, &[], &added, Some(&clusters), Seed(1)).unwrap();
        assert!(found.p < 1e-10);
        assert!((found.permutation_p.unwrap() - 1.0 / 3.0).abs() < 1e-12, "{found:?}");
        let across: Vec<usize> = (0..40).map(|i| i % 2).collect();
        assert_eq!(nested(&y, &[], &across, Some(&clusters), Seed(1)).unwrap().permutation_p, None);
    }
}
