//! Mann–Whitney test of whether values of one group tend to be larger than those of another.

use super::{describe::average_ranks, normal::upper_tail};

/// The rank test of two groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which a is larger; equal ones count half.
    pub u: f64,
    /// u as a share of all pairs: P(a > b) + P(a = b)/2.
    pub auc: f64,
    /// Two-sided: twice the smaller tail.
    pub p: f64,
    /// Over all ways to pick the groups, given the ties; else the normal approximation with corrections for ties and
    /// continuity.
    pub exact: bool,
    /// The smallest p that groups of these sizes can reach with these ties.
    pub smallest_p: f64,
}

/// Most units whose exact distribution is used: beyond, the normal approximation is as good.
const EXACT: usize = 60;

/// Two groups of different units under one protocol. `None` with an empty group, or when all values are equal.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<MannWhitney> {
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let all = [a, b].concat();
    if a.is_empty() || b.is_empty() || all.iter().any(|v| v.is_nan()) || all.iter().all(|v| *v == all[0]) {
        return None;
    }
    let ranks = average_ranks(&all);
    let lowest = na * (na + 1.0) / 2.0;
    let u = ranks[..a.len()].iter().sum::<f64>() - lowest;
    let exact = all.len() <= EXACT;
    let (p, smallest_p) = if exact {
        let chance = rank_sums(&ranks, a.len());
        let at = (2.0 * (u + lowest)) as usize;
        let tails = chance[..=at].iter().sum::<f64>().min(chance[at..].iter().sum());
        let possible = || chance.iter().copied().filter(|&c| c > 0.0);
        let ends = possible().next()?.min(possible().next_back()?);
        (2.0 * tails, 2.0 * ends)
    } else {
        let n = na + nb;
        let centre = (n + 1.0) / 2.0;
        let spread = ranks.iter().map(|r| (r - centre).powi(2)).sum::<f64>() / (n * (n - 1.0));
        let deviation = (na * nb * spread).sqrt();
        let p = |u: f64| 2.0 * upper_tail(((u - na * nb / 2.0).abs() - 0.5) / deviation);
        (p(u), p(na * nb))
    };
    Some(MannWhitney { u, auc: u / (na * nb), p: p.min(1.0), exact, smallest_p: smallest_p.min(1.0) })
}

/// Chance of twice each sum of `pick` of the ranks, every choice being as likely.
fn rank_sums(ranks: &[f64], pick: usize) -> Vec<f64> {
    let twice: Vec<usize> = ranks.iter().map(|r| (2.0 * r) as usize).collect();
    let width = twice.iter().sum::<usize>() + 1;
    let mut ways = vec![vec![0.0_f64; width]; pick + 1];
    ways[0][0] = 1.0;
    for (seen, rank) in twice.iter().enumerate() {
        for picked in (0..pick.min(seen + 1)).rev() {
            let (fewer, more) = ways.split_at_mut(picked + 1);
            for (to, from) in more[0][*rank..].iter_mut().zip(&fewer[picked]) {
                *to += from;
            }
        }
    }
    let ways = ways.swap_remove(pick);
    let all: f64 = ways.iter().sum();
    ways.into_iter().map(|w| w / all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separated_groups_reach_the_smallest_p() {
        let found = mann_whitney(&[1.0, 2.0], &[3.0, 4.0]).unwrap();
        assert_eq!((found.u, found.auc), (0.0, 0.0));
        assert!((found.p - 1.0 / 3.0).abs() < 1e-15 && found.p == found.smallest_p);
        assert_eq!(mann_whitney(&[1.0, 1.0], &[1.0]), None);
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }

    #[test]
    fn the_groups_change_places_without_changing_p() {
        let (a, b) = ([1.0, 2.0, 2.0, 5.0], [2.0, 3.0, 0.5]);
        let (there, back) = (mann_whitney(&a, &b).unwrap(), mann_whitney(&b, &a).unwrap());
        assert!((there.p - back.p).abs() < 1e-15 && there.auc + back.auc == 1.0);
    }
}
