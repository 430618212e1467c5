//! Joint inference over a specification curve (Simonsohn, Simmons and Nelson 2020): how unusual is the whole curve under
//! the null hypothesis?
//!
//! The same flips of the same units go through every specification at once, so their kinship needs no model: two that
//! measure nearly the same move together under every flip. Two statistics are compared with their own flips: the median
//! effect, and the share of the specifications that lie beyond the null in one direction, each by its own flips.

use std::collections::BTreeMap;

use rand::RngExt;
use rayon::prelude::*;

use super::{
    Seed,
    flips::{EveryUnits, Groups, Pairs, Units},
    permutation::{EXACT_FLIPS, MONTE_CARLO, Orders, arrangements, grouped, smallest_sign_p, walk},
    reach::out_of_reach,
};

/// The joint p values of a curve, and the flips behind them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Joint {
    /// Two-sided p of the median effect.
    pub median: f64,
    /// p of the share of specifications beyond the null in one direction.
    pub share: f64,
    /// The share that was observed.
    pub beyond: f64,
    /// All that there are when `exact`, else drawn.
    pub flips: u64,
    /// Whether every flip was walked.
    pub exact: bool,
    /// Units that can be flipped.
    pub units: usize,
}

/// Why a curve has no joint p.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoJointP {
    /// There is nothing to flip.
    #[error("no specification has units to flip")]
    Nothing,
    /// The units of specifications are of different sorts.
    #[error("units of different sorts have no flip in common")]
    Mixed,
    /// Even the flip with the largest effect is too likely.
    #[error("{}", out_of_reach(*alpha, &format!(" by flipping {units} units (smallest p {smallest:.3})")))]
    OutOfReach {
        /// Level of the test.
        alpha: f64,
        /// Units that can be flipped.
        units: usize,
        /// The smallest p that flips can give.
        smallest: f64,
    },
}

/// p of the curve from the same flips of units in every specification. Units are those of any specification; one that
/// lacks a unit is left alone by its flip.
pub fn joint(specifications: &[&Units], alpha: f64, seed: Seed) -> Result<Joint, NoJointP> {
    let Some(first) = specifications.first() else { return Err(NoJointP::Nothing) };
    if specifications.iter().any(|units| !units.alike(first)) {
        return Err(NoJointP::Mixed);
    }
    let (mut signs, mut every, mut pairs, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for units in specifications {
        match units {
            Units::Signs { deviations, .. } => signs.push(&deviations[..]),
            Units::Every(own) => every.push(own),
            Units::Pairs(own) => pairs.push(&own[..]),
            Units::Groups(own) => groups.push(own),
        }
    }
    match first {
        Units::Signs { .. } => by_signs(&signs, alpha, seed),
        Units::Every(_) => by_models(&every, alpha, seed),
        Units::Pairs(_) => by_pairing(&pairs, alpha, seed),
        Units::Groups(_) => by_groups(&groups, alpha, seed),
    }
}

/// Of a claim about every model: each one's joint p, from flips of its own units. Where in the first specification all lie on the
/// claim's side the largest is that of "some model does not"; else the smallest of those that do not, after Bonferroni over the
/// models, is that of "every one does".
fn by_models(specifications: &[&EveryUnits], alpha: f64, seed: Seed) -> Result<Joint, NoJointP> {
    let Some(first) = specifications.first() else { return Err(NoJointP::Nothing) };
    let sign = if first.side == "above" { 1.0 } else { -1.0 };
    let against: Vec<&(String, Vec<(String, f64)>)> = first
        .models
        .iter()
        .filter(|(_, units)| sign * units.iter().map(|(_, d)| d).sum::<f64>() <= 0.0)
        .collect();
    let asked = if against.is_empty() { first.models.iter().collect() } else { against.clone() };
    let of_one = |(model, _): &&(String, Vec<(String, f64)>)| {
        let own = specifications.iter().filter_map(|s| s.models.iter().find(|(id, _)| id == model));
        let own: Vec<&[(String, f64)]> = own.map(|(_, units)| &units[..]).collect();
        by_signs(&own, alpha, seed.derive(model))
    };
    let found: Vec<Result<Joint, NoJointP>> = asked.par_iter().map(of_one).collect();
    if against.is_empty() {
        // One model that cannot tell leaves the claim open.
        let all: Vec<Joint> = found.into_iter().collect::<Result<_, _>>()?;
        let deciding = *all.iter().max_by(|a, b| a.median.total_cmp(&b.median)).ok_or(NoJointP::Nothing)?;
        let share = all.iter().map(|j| j.share).fold(deciding.share, f64::max);
        return Ok(Joint { share, ..deciding });
    }
    let models = first.models.len() as f64;
    let mut why = NoJointP::Nothing;
    let mut told = Vec::new();
    for one in found {
        match one {
            Ok(joint) => told.push(joint),
            Err(error) => why = error,
        }
    }
    let deciding = *told.iter().min_by(|a, b| a.median.total_cmp(&b.median)).ok_or(why)?;
    let share = told.iter().map(|j| j.share).fold(deciding.share, f64::min);
    Ok(Joint { median: (models * deciding.median).min(1.0), share: (models * share).min(1.0), ..deciding })
}

/// How many flips are worked on at a time: their signs stay in the cache of a core.
const AT_A_TIME: usize = 512;

fn by_signs(specifications: &[&[(String, f64)]], alpha: f64, seed: Seed) -> Result<Joint, NoJointP> {
    let names = index(specifications.iter().flat_map(|s| s.iter().map(|(unit, _)| unit)));
    let units = names.len();
    reachable(smallest_sign_p(units).max(1.0 / (MONTE_CARLO as f64 + 1.0)), alpha, units)?;
    let exact = units <= EXACT_FLIPS;
    let flips = if exact { 1_usize << units } else { MONTE_CARLO as usize + 1 };
    // Flip 0 is none: what was observed.
    let mut rng = seed.rng();
    let turned: Vec<f64> = (0..flips)
        .flat_map(|flip| (0..units).map(move |unit| (flip, unit)))
        .map(|(flip, unit)| match exact {
            true => flip >> unit & 1 == 1,
            false => flip > 0 && rng.random::<bool>(),
        })
        .map(|minus| if minus { -1.0 } else { 1.0 })
        .collect();
    let of: Vec<Vec<(usize, f64)>> = specifications
        .iter()
        .map(|deviations| deviations.iter().map(|(unit, d)| (names[unit.as_str()], *d)).collect())
        .collect();
    let mut effects = vec![vec![0.0; flips]; specifications.len()];
    let mut by_unit = vec![[0.0; AT_A_TIME]; units];
    for (block, signs) in turned.chunks(AT_A_TIME * units).enumerate() {
        for (flip, signs) in signs.chunks_exact(units).enumerate() {
            signs.iter().zip(&mut by_unit).for_each(|(sign, unit)| unit[flip] = *sign);
        }
        let start = block * AT_A_TIME;
        let end = flips.min(start + AT_A_TIME);
        for (effects, of) in effects.iter_mut().zip(&of) {
            for (unit, deviation) in of {
                let of_flips = effects[start..end].iter_mut().zip(&by_unit[*unit]);
                of_flips.for_each(|(effect, sign)| *effect += sign * deviation);
            }
        }
    }
    for (effects, of) in effects.iter_mut().zip(&of) {
        effects.iter_mut().for_each(|effect| *effect /= of.len() as f64);
    }
    compared(effects, alpha, exact, units)
}

/// Orders of all units within groups, row after row, the identity first: all of them, and then `true`, or drawn.
fn orders(groups: &[Vec<usize>], units: usize, seed: Seed) -> (Vec<u32>, bool) {
    let mut orders: Vec<u32> = Vec::new();
    let exact = arrangements(groups).is_some();
    if exact {
        let mut order: Vec<usize> = (0..units).collect();
        walk(groups, 0, &mut order, &mut |o| orders.extend(o.iter().map(|&i| i as u32)));
    } else {
        orders.extend(0..units as u32);
        Orders::draw(groups, MONTE_CARLO as usize, seed).rows().for_each(|row| orders.extend_from_slice(row));
    }
    (orders, exact)
}

fn by_groups(specifications: &[&Groups], alpha: f64, seed: Seed) -> Result<Joint, NoJointP> {
    let names = index(specifications.iter().flat_map(|s| &s.units));
    let units = names.len();
    let (orders, exact) = orders(&[(0..units).collect()], units, seed);
    let effects = specifications.par_iter().map(|own| {
        let members: Vec<usize> = own.units.iter().map(|unit| names[unit.as_str()]).collect();
        let place = places(&members, units);
        let mut sums = Vec::new();
        let effect = |order: &[u32]| own.effect(|i| within(&place, order, members[i]), &mut sums);
        orders.chunks_exact(units).map(effect).collect()
    });
    compared(effects.collect(), alpha, exact, units)
}

fn by_pairing(specifications: &[&[Pairs]], alpha: f64, seed: Seed) -> Result<Joint, NoJointP> {
    let all = || specifications.iter().flat_map(|s| s.iter());
    let names = index(all().flat_map(|p| &p.units));
    let units = names.len();
    let mut blocks = vec![""; units];
    for pairs in all() {
        for (unit, block) in pairs.units.iter().zip(pairs.blocks.iter().flatten()) {
            blocks[names[unit.as_str()]] = block;
        }
    }
    let labels = index(blocks.iter().copied());
    let groups = grouped(&blocks.iter().map(|b| labels[b]).collect::<Vec<_>>());
    // The reversed order is as far from the null as the observed one.
    let smallest =
        arrangements(&groups).map_or(1.0 / (MONTE_CARLO as f64 + 1.0), |all| (2.0 / all as f64).min(1.0));
    reachable(smallest, alpha, units)?;
    let (orders, exact) = orders(&groups, units, seed);
    let flips = orders.len() / units.max(1);
    // Specifications of the same units share what these make of the orders, one set of units after the other.
    let mut of_members = BTreeMap::<Vec<usize>, Vec<(usize, Vec<&Pairs>)>>::new();
    for (specification, pairs) in specifications.iter().enumerate() {
        let mut alike = BTreeMap::<Vec<usize>, Vec<&Pairs>>::new();
        for one in *pairs {
            alike.entry(one.units.iter().map(|u| names[u.as_str()]).collect()).or_default().push(one);
        }
        for (members, pairs) in alike {
            of_members.entry(members).or_default().push((specification, pairs));
        }
    }
    let mut effects = vec![vec![0.0; flips]; specifications.len()];
    for (members, parts) in of_members {
        let given = narrowed(&members, units, &orders);
        let found: Vec<(usize, Vec<f64>)> = parts
            .into_par_iter()
            .map(|(specification, pairs)| (specification, rearranged(&pairs, &given)))
            .collect();
        for (specification, sums) in found {
            effects[specification].iter_mut().zip(sums).for_each(|(effect, sum)| *effect += sum);
        }
    }
    for (effects, pairs) in effects.iter_mut().zip(specifications) {
        effects.iter_mut().for_each(|effect| *effect /= pairs.len() as f64);
    }
    compared(effects, alpha, exact, units)
}

/// Which member's y each member gets, member by member all orders: a row of them stays in the cache.
fn narrowed(members: &[usize], units: usize, orders: &[u32]) -> Vec<Vec<u32>> {
    let place = places(members, units);
    let of =
        |&unit: &usize| orders.chunks_exact(units).map(|order| within(&place, order, unit) as u32).collect();
    members.par_iter().map(of).collect()
}

/// By unit, which member it is.
fn places(members: &[usize], units: usize) -> Vec<Option<usize>> {
    let mut place = vec![None; units];
    members.iter().enumerate().for_each(|(i, &unit)| place[unit] = Some(i));
    place
}

/// The sum of the correlations of groups of the same members under every order; `given` from [`narrowed`].
fn rearranged(pairs: &[&Pairs], given: &[Vec<u32>]) -> Vec<f64> {
    let n = given.len();
    let mut sums = vec![0.0; given.first().map_or(0, Vec::len)];
    // What unit i contributes when it is given unit j's y, summed over the groups.
    let mut gain = vec![0.0; n];
    for (i, given) in given.iter().enumerate() {
        gain.fill(0.0);
        for one in pairs {
            let x = one.x[i];
            gain.iter_mut().zip(&one.y).for_each(|(g, y)| *g += x * y);
        }
        sums.iter_mut().zip(given).for_each(|(sum, &j)| *sum += gain[j as usize]);
    }
    sums
}

/// The order of all units as one of these: whoever is not among them is stepped over. Every order of these units is as
/// likely as any other, and most pairings stay those of the whole.
fn within(place: &[Option<usize>], order: &[u32], unit: usize) -> usize {
    let mut next = order[unit] as usize;
    loop {
        // The walk along a cycle comes back to `unit`, which has a place.
        match place[next] {
            Some(at) => return at,
            None => next = order[next] as usize,
        }
    }
}

fn reachable(smallest: f64, alpha: f64, units: usize) -> Result<(), NoJointP> {
    if smallest <= alpha { Ok(()) } else { Err(NoJointP::OutOfReach { alpha, units, smallest }) }
}

fn index<'a, S: AsRef<str> + ?Sized + 'a>(names: impl Iterator<Item = &'a S>) -> BTreeMap<&'a str, usize> {
    let sorted: std::collections::BTreeSet<&str> = names.map(AsRef::as_ref).collect();
    sorted.into_iter().enumerate().map(|(i, name)| (name, i)).collect()
}

/// `effects[s][f]` is the effect of specification s under flip f, minus the null; flip 0 is none. An error where even the
/// flips with the largest median are too many, as with ties or few in a group.
fn compared(effects: Vec<Vec<f64>>, alpha: f64, exact: bool, units: usize) -> Result<Joint, NoJointP> {
    let limits: Vec<f64> = effects.iter().map(|e| limit(e, alpha)).collect();
    let flips = effects.first().map_or(0, Vec::len);
    let mut medians = Vec::with_capacity(flips);
    let mut shares = Vec::with_capacity(flips);
    let mut column = vec![0.0; effects.len()];
    for flip in 0..flips {
        let (mut above, mut below) = (0_usize, 0_usize);
        for ((slot, effect), limit) in column.iter_mut().zip(&effects).zip(&limits) {
            *slot = effect[flip];
            above += usize::from(*slot >= *limit);
            below += usize::from(-*slot >= *limit);
        }
        shares.push(above.max(below) as f64 / effects.len() as f64);
        medians.push(median(&mut column).abs());
    }
    // Drawn flips have the observed one beside them: (b+1)/(m+1).
    let p = |statistic: &[f64]| {
        let observed = statistic[0] - 1e-12 * statistic[0].abs() - 1e-300;
        statistic.iter().filter(|&&s| s >= observed).count() as f64 / statistic.len() as f64
    };
    let largest = medians.iter().copied().fold(0.0, f64::max);
    let most = medians.iter().filter(|&&m| m >= largest * (1.0 - 1e-12)).count();
    reachable(most as f64 / flips as f64, alpha, units)?;
    Ok(Joint {
        median: p(&medians),
        share: p(&shares),
        beyond: shares[0],
        flips: if exact { flips as u64 } else { MONTE_CARLO },
        exact,
        units,
    })
}

/// The smallest |effect| that at most a share alpha of the flips reach; infinite if even the largest is reached too often.
fn limit(effects: &[f64], alpha: f64) -> f64 {
    let mut sizes: Vec<f64> = effects.iter().map(|e| e.abs()).collect();
    sizes.sort_unstable_by(|a, b| b.total_cmp(a));
    let most = (alpha * sizes.len() as f64 + 1e-9).floor() as usize;
    let tied = |a: f64, b: f64| a - b <= 1e-12 * a;
    let mut last = most;
    while last > 0 && last < sizes.len() && tied(sizes[last - 1], sizes[last]) {
        last -= 1;
    }
    // A hair lower: flips that give the same effect differ in its last bits.
    if last == 0 { f64::INFINITY } else { sizes[last - 1] * (1.0 - 1e-12) }
}

/// The middle value, or the mean of the two; reorders.
fn median(values: &mut [f64]) -> f64 {
    let (odd, half) = (values.len() % 2 == 1, values.len() / 2);
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    match below.iter().copied().reduce(f64::max) {
        Some(lower) if !odd => (lower + *upper) / 2.0,
        _ => *upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_all_is_an_order_of_some() {
        // 0 -> 2 -> 1 -> 0, 3 -> 3; without 2 it is 0 -> 1 -> 0.
        let place = [Some(0), Some(1), None, Some(2)];
        let order = [2, 0, 1, 3];
        assert_eq!([0, 1, 3].map(|unit| within(&place, &order, unit)), [1, 0, 2]);
    }

    #[test]
    fn a_limit_is_reached_by_no_more_than_alpha() {
        let effects: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((limit(&effects, 0.05) - 96.0).abs() < 1e-9);
        let tied: Vec<f64> = (1..=100).map(|i| f64::from(i.min(96))).collect();
        assert!((limit(&tied, 0.05) - 96.0).abs() < 1e-9, "exactly five of a hundred reach it");
        let tied: Vec<f64> = (1..=100).map(|i| f64::from(i.min(95))).collect();
        assert_eq!(limit(&tied, 0.05), f64::INFINITY);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 8.0]), 3.0);
        assert_eq!(median(&mut [5.0]), 5.0);
    }
}
