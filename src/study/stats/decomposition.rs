//! Analysis of variance: the sum of squares of a table, split between its factors, their two-way interactions and the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::describe::{centred, dot, spread};

/// A part of the total sum of squares. It is a description, no variance component: of values that scatter, a term takes as
/// much as its degrees of freedom, so that an interaction with many cells of few rows always has a share.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// A factor, "a × b" for the interaction of two, "rest" for what they leave (higher interactions and repetitions).
    pub name: String,
    /// Share of the total sum of squares: the shares sum to 1.
    pub share: f64,
}

/// More sets of terms are not walked: five factors with ten interactions.
const MOST_TERMS: usize = 10;

/// Rows are (level of each factor, value); `names` the factors. Balanced designs (every combination of levels equally
/// often) have one decomposition, analysis of variance. In others terms overlap, and each gets its Shapley value, the
/// mean over all orders of what it adds to R² (Lindeman, Merenda and Gold 1980; Grömping 2007): factors first among
/// themselves, then interactions among themselves, given the factors. `None` without spread, unless every row has a
/// level of every factor, or of more than five factors in an unbalanced design.
pub fn decompose(rows: &[(Vec<usize>, f64)], names: &[&str]) -> Option<Vec<Share>> {
    if names.is_empty()
        || rows.iter().any(|(levels, value)| levels.len() != names.len() || !value.is_finite())
    {
        return None;
    }
    let values: Vec<f64> = rows.iter().map(|r| r.1).collect();
    let (y, total) = (centred(&values), spread(&values)?);
    let mains: Vec<Term> = (0..names.len()).map(|f| Term::new(rows.iter().map(|r| vec![r.0[f]]))).collect();
    let pairs: Vec<(usize, usize)> =
        (0..names.len()).flat_map(|a| (a + 1..names.len()).map(move |b| (a, b))).collect();
    let crossed: Vec<Term> =
        pairs.iter().map(|&(a, b)| Term::new(rows.iter().map(|r| vec![r.0[a], r.0[b]]))).collect();
    let explained = |terms: &[&Term]| 1.0 - left_over(&y, terms) / total;
    let (factors, interactions) = if balanced(rows, &mains) {
        let alone: Vec<f64> = mains.iter().map(|m| explained(&[m])).collect();
        let beyond =
            crossed.iter().zip(&pairs).map(|(c, &(a, b))| explained(&[c]) - alone[a] - alone[b]).collect();
        (alone, beyond)
    } else {
        if mains.len().max(crossed.len()) > MOST_TERMS {
            return None;
        }
        (shapley(&mains, &[], &explained), shapley(&crossed, &mains, &explained))
    };
    let pair_names = pairs.iter().map(|&(a, b)| format!("{} × {}", names[a], names[b]));
    let mut shares: Vec<Share> = names
        .iter()
        .map(|n| (*n).to_owned())
        .chain(pair_names)
        .zip(factors.into_iter().chain(interactions))
        // What a term cannot add comes out as a rounding error of either sign.
        .map(|(name, share)| Share { name, share: if share.abs() < 1e-12 { 0.0 } else { share } })
        .collect();
    let rest = 1.0 - shares.iter().map(|s| s.share).sum::<f64>();
    shares.push(Share { name: "rest".into(), share: if rest.abs() < 1e-12 { 0.0 } else { rest } });
    Some(shares)
}

/// Each row's level of a factor or of a combination, and how many rows each level has.
struct Term {
    level: Vec<usize>,
    count: Vec<f64>,
}

impl Term {
    fn new(labels: impl Iterator<Item = Vec<usize>>) -> Term {
        let labels: Vec<Vec<usize>> = labels.collect();
        let distinct: BTreeSet<&Vec<usize>> = labels.iter().collect();
        let index: BTreeMap<&Vec<usize>, usize> = distinct.into_iter().zip(0..).collect();
        let level: Vec<usize> = labels.iter().map(|l| index[l]).collect();
        let mut count = vec![0.0; index.len()];
        level.iter().for_each(|&l| count[l] += 1.0);
        Term { level, count }
    }
}

fn balanced(rows: &[(Vec<usize>, f64)], mains: &[Term]) -> bool {
    let cells = Term::new(rows.iter().map(|r| r.0.clone()));
    let combinations = mains.iter().try_fold(1_usize, |all, m| all.checked_mul(m.count.len()));
    combinations == Some(cells.count.len()) && cells.count.iter().all(|&c| c == cells.count[0])
}

/// The mean over all orders of what each of `terms` adds to R² of those before it, all after `given`.
fn shapley(terms: &[Term], given: &[Term], explained: &dyn Fn(&[&Term]) -> f64) -> Vec<f64> {
    let n = terms.len();
    let value: Vec<f64> = (0_usize..1 << n)
        .map(|set| {
            let chosen = terms.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1).map(|(_, t)| t);
            explained(&given.iter().chain(chosen).collect::<Vec<_>>())
        })
        .collect();
    let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
    (0..n)
        .map(|i| {
            (0_usize..1 << n)
                .filter(|set| set >> i & 1 == 0)
                .map(|set| {
                    let before = set.count_ones() as usize;
                    let orders = factorial(before) * factorial(n - before - 1) / factorial(n);
                    orders * (value[set | 1 << i] - value[set])
                })
                .sum()
        })
        .collect()
}

/// Residual sum of squares of y (mean zero) after the additive model of `terms`: conjugate gradients on the least squares of
/// its indicator columns, each scaled to length 1. Terms may overlap or nest: columns that others span add nothing.
fn left_over(y: &[f64], terms: &[&Term]) -> f64 {
    let against = |r: &[f64]| -> Vec<Vec<f64>> {
        terms
            .iter()
            .map(|term| {
                let mut sums = vec![0.0; term.count.len()];
                term.level.iter().zip(r).for_each(|(&l, r)| sums[l] += r);
                sums.iter().zip(&term.count).map(|(s, c)| s / c.sqrt()).collect()
            })
            .collect()
    };
    let length = |v: &[Vec<f64>]| v.iter().map(|v| dot(v, v)).sum::<f64>();
    let mut residual = y.to_vec();
    let mut gradient = against(&residual);
    let mut direction = gradient.clone();
    let mut slope = length(&gradient);
    let enough = 1e-26 * dot(y, y);
    let columns: usize = terms.iter().map(|t| t.count.len()).sum();
    for _ in 0..2 * columns + 50 {
        if slope <= enough {
            break;
        }
        let mut step = vec![0.0; y.len()];
        for (term, d) in terms.iter().zip(&direction) {
            let scaled: Vec<f64> = d.iter().zip(&term.count).map(|(d, c)| d / c.sqrt()).collect();
            step.iter_mut().zip(&term.level).for_each(|(s, &l)| *s += scaled[l]);
        }
        let size = slope / dot(&step, &step);
        residual.iter_mut().zip(&step).for_each(|(r, s)| *r -= size * s);
        gradient = against(&residual);
        let next = length(&gradient);
        for (d, g) in direction.iter_mut().zip(&gradient) {
            d.iter_mut().zip(g).for_each(|(d, g)| *d = g + next / slope * *d);
        }
        slope = next;
    }
    dot(&residual, &residual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(shares: &[Share], name: &str) -> f64 {
        shares.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no {name}")).share
    }

    #[test]
    fn in_a_balanced_design_every_order_gives_the_same_shares() {
        let rows: Vec<(Vec<usize>, f64)> =
            (0..36).map(|i| (vec![i / 12, i / 3 % 4, i % 3], ((i * 7919 + 13) % 101) as f64)).collect();
        let found = decompose(&rows, &["a", "b", "c"]).unwrap();
        let y = centred(&rows.iter().map(|r| r.1).collect::<Vec<_>>());
        let mains: Vec<Term> = (0..3).map(|f| Term::new(rows.iter().map(|r| vec![r.0[f]]))).collect();
        let orders = shapley(&mains, &[], &|terms| 1.0 - left_over(&y, terms) / dot(&y, &y));
        for (name, order) in ["a", "b", "c"].iter().zip(orders) {
            assert!((share(&found, name) - order).abs() < 1e-12);
        }
        assert!((found.iter().map(|s| s.share).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_product_of_two_factors_is_their_interaction() {
        let rows = [(0, 0, 1.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 1.0)].map(|(a, b, y)| (vec![a, b], y));
        let found = decompose(&rows, &["a", "b"]).unwrap();
        assert_eq!((share(&found, "a"), share(&found, "a × b"), share(&found, "rest")), (0.0, 1.0, 0.0));
    }

    #[test]
    fn rows_without_a_level_or_a_spread_are_refused() {
        assert_eq!(decompose(&[(vec![0], 1.0), (vec![], 2.0)], &["a"]), None);
        assert_eq!(decompose(&[(vec![0], 1.0), (vec![1], 1.0)], &["a"]), None);
        assert_eq!(decompose(&[], &["a"]), None);
    }
}
