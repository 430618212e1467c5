//! Permutation p values: exact when the arrangements can be walked, else Monte Carlo with p = (b+1)/(m+1)
//! (Phipson and Smyth 2010). All are two-sided: how often |statistic| is at least the observed one.

use std::sync::Arc;

use rand::{RngExt, rngs::ChaCha12Rng};

use super::{
    Seed,
    correlation::{Method, raw, residuals},
    describe::centred,
};
use number::metric::Paired;

/// Rearrangements drawn where not all can be walked.
pub const MONTE_CARLO: u64 = 10_000;
/// Most arrangements that are walked one by one: 8!.
const EXACT_ARRANGEMENTS: u64 = 40_320;
/// Most units whose sign flips are walked: 2^16.
pub(super) const EXACT_FLIPS: usize = 16;

/// p of a (partial) correlation: one side is rearranged, within `blocks` (a label per unit) if given, so that labels
/// that differ between blocks, e.g. categories, cannot make the correlation. `None` where there is no correlation.
pub fn correlation_p<'a, K: Ord + Clone>(
    pair: &Paired<K>,
    method: Method,
    blocks: Option<&[usize]>,
    draw: impl Into<Draw<'a>>,
) -> Option<f64> {
    correlation_ps(&[pair], method, blocks, draw).pop().flatten()
}

/// [`correlation_p`] of each of several pairs of as many units in the same blocks, all by the same rearrangements: one walk
/// through these serves four pairs.
pub fn correlation_ps<'a, K: Ord + Clone>(
    pairs: &[&Paired<K>],
    method: Method,
    blocks: Option<&[usize]>,
    draw: impl Into<Draw<'a>>,
) -> Vec<Option<f64>> {
    // Controls are taken out first: what is rearranged are residuals. A pair without a correlation keeps its place as `None`.
    let sides: Vec<Option<(Vec<f64>, Vec<f64>)>> = pairs
        .iter()
        .map(|pair| {
            let (x, y) = residuals(pair, method);
            raw(&x, &y)?;
            Some((centred(&x), centred(&y)))
        })
        .collect();
    let n = pairs.first().map_or(0, |pair| pair.len());
    let groups = match blocks {
        Some(labels) => grouped(labels),
        None => vec![(0..n).collect()],
    };
    let there: Vec<&(Vec<f64>, Vec<f64>)> = sides.iter().flatten().collect();
    let found = rearranged_ps(
        &groups,
        n,
        draw,
        there.chunks(LANES).map(|few| {
            let x = interleaved(n, &few.iter().map(|(x, _)| &x[..]).collect::<Vec<_>>());
            let y = interleaved(n, &few.iter().map(|(_, y)| &y[..]).collect::<Vec<_>>());
            // Rearranging changes neither variance, so the sum of products orders arrangements as the correlation does.
            (few.len(), move |order: &[u32]| products(&x, order, &y).map(f64::abs))
        }),
    );
    let mut found = found.into_iter();
    sides.iter().map(|sides| sides.as_ref().and_then(|_| found.next())).collect()
}

/// Tests that go through the rearrangements side by side.
pub(super) const LANES: usize = 4;

/// Unit by unit what each of up to [`LANES`] lists holds there, 0 where there is no such list.
pub(super) fn interleaved(n: usize, lists: &[&[f64]]) -> Vec<[f64; LANES]> {
    let at = |i: usize| std::array::from_fn(|lane| lists.get(lane).map_or(0.0, |list| list[i]));
    (0..n).map(at).collect()
}

/// Sums of x\[order\[i\]\] y\[i\], two of each side by side, so that an addition need not wait for the one before it.
fn products(x: &[[f64; LANES]], order: &[u32], y: &[[f64; LANES]]) -> [f64; LANES] {
    let mut sums = [[0.0; LANES]; 2];
    let add = |sum: &mut [f64; LANES], from: u32, y: &[f64; LANES]| {
        let x = &x[from as usize];
        for lane in 0..LANES {
            sum[lane] += x[lane] * y[lane];
        }
    };
    let (orders, ys) = (order.chunks_exact(2), y.chunks_exact(2));
    for (&from, y) in orders.remainder().iter().zip(ys.remainder()) {
        add(&mut sums[0], from, y);
    }
    for (order, y) in orders.zip(ys) {
        add(&mut sums[0], order[0], &y[0]);
        add(&mut sums[1], order[1], &y[1]);
    }
    std::array::from_fn(|lane| sums[0][lane] + sums[1][lane])
}

/// p of the mean of paired differences (or of values minus the null) by flipping the sign of whole units.
pub fn sign_flip_p(values: &[f64], seed: Seed) -> Option<f64> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let observed = values.iter().sum::<f64>().abs();
    // Sums of the same values in another order differ in the last bits: flips that tie with the observed one must count.
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

/// The smallest two-sided p a correlation can reach whose units are rearranged within blocks (a label per unit) only.
pub fn smallest_correlation_p_within(blocks: &[usize]) -> f64 {
    match arrangements(&grouped(blocks)) {
        Some(all) => (2.0 / all as f64).min(1.0),
        None => 1.0 / (MONTE_CARLO as f64 + 1.0),
    }
}

/// The smallest two-sided p a sign test (or exact sign flips) of n units can reach: 2/2^n.
pub fn smallest_sign_p(units: usize) -> f64 {
    (2.0 * 0.5_f64.powi(units.min(1100) as i32)).min(1.0)
}

/// The source of random rearrangements: a seed of its own, or orders that several tests share.
#[derive(Clone, Copy)]
pub enum Draw<'a> {
    /// Own orders, drawn from this seed.
    Seed(Seed),
    /// Orders within these groups of positions, which several tests share.
    Shared(&'a dyn Fn(&[Vec<usize>]) -> Arc<Orders>),
}

impl From<Seed> for Draw<'_> {
    fn from(seed: Seed) -> Self {
        Draw::Seed(seed)
    }
}

/// Random orders of 0..n within groups, row after row. Tests of as many units may share them: each p is
/// as valid as with orders of its own, and drawing them is the dearest part.
pub struct Orders {
    rows: Vec<u32>,
    n: usize,
}

impl Orders {
    /// `count` of them. Positions that no group holds stay where they are.
    pub fn draw(groups: &[Vec<usize>], count: usize, seed: Seed) -> Orders {
        let n = groups.iter().flatten().max().map_or(0, |last| last + 1);
        let mut order: Vec<usize> = (0..n).collect();
        let mut rng = seed.rng();
        let mut rows = Vec::with_capacity(n * count);
        for _ in 0..count {
            groups.iter().for_each(|group| shuffle(&mut order, group, &mut rng));
            rows.extend(order.iter().map(|&i| i as u32));
        }
        Orders { rows, n }
    }

    /// The orders, each a list of positions.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.rows.chunks_exact(self.n.max(1))
    }
}

/// Share of rearrangements of 0..n, within groups, whose statistic is at least that of the identity.
pub(super) fn rearranged_p<'a>(
    groups: &[Vec<usize>],
    n: usize,
    draw: impl Into<Draw<'a>>,
    statistic: &mut dyn FnMut(&[usize]) -> f64,
) -> f64 {
    let mut order: Vec<usize> = (0..n).collect();
    let observed = statistic(&order);
    // Rearrangements that tie with the observed order may differ from it in the last bits and must count.
    let threshold = observed - 1e-11 * observed.abs() - 1e-300;
    if let Some(all) = arrangements(groups) {
        let mut extreme = 0_u64;
        walk(groups, 0, &mut order, &mut |o| extreme += u64::from(statistic(o) >= threshold));
        return extreme as f64 / all as f64;
    }
    let (mut extreme, mut drawn) = (0_u64, MONTE_CARLO);
    match draw.into() {
        Draw::Seed(seed) => {
            let mut rng = seed.rng();
            for _ in 0..MONTE_CARLO {
                groups.iter().for_each(|group| shuffle(&mut order, group, &mut rng));
                extreme += u64::from(statistic(&order) >= threshold);
            }
        }
        Draw::Shared(orders) => {
            drawn = 0;
            for row in orders(groups).rows() {
                drawn += 1;
                // Positions after the last group's are in no row and stay where they are.
                order.iter_mut().zip(row).for_each(|(to, &from)| *to = from as usize);
                extreme += u64::from(statistic(&order) >= threshold);
            }
        }
    }
    (extreme as f64 + 1.0) / (drawn as f64 + 1.0)
}

/// [`rearranged_p`] of many statistics, up to [`LANES`] of them (as many as each says) computed together.
pub(super) fn rearranged_ps<'a, S: Fn(&[u32]) -> [f64; LANES]>(
    groups: &[Vec<usize>],
    n: usize,
    draw: impl Into<Draw<'a>>,
    statistics: impl Iterator<Item = (usize, S)>,
) -> Vec<f64> {
    let identity: Vec<u32> = (0..n as u32).collect();
    let mut orders: Option<Arc<Orders>> = None;
    let draw = draw.into();
    let mut found = Vec::new();
    for (lanes, statistic) in statistics {
        let threshold = statistic(&identity).map(|observed| observed - 1e-11 * observed.abs() - 1e-300);
        let mut extreme = [0_u64; LANES];
        let mut count = |order: &[u32]| {
            let reached = statistic(order);
            for lane in 0..LANES {
                extreme[lane] += u64::from(reached[lane] >= threshold[lane]);
            }
        };
        if let Some(all) = arrangements(groups) {
            let mut order: Vec<usize> = (0..n).collect();
            let mut row = identity.clone();
            walk(groups, 0, &mut order, &mut |o| {
                row.iter_mut().zip(o).for_each(|(to, &from)| *to = from as u32);
                count(&row);
            });
            found.extend(extreme.iter().take(lanes).map(|&e| e as f64 / all as f64));
            continue;
        }
        let orders = orders.get_or_insert_with(|| match draw {
            Draw::Seed(seed) => Arc::new(Orders::draw(groups, MONTE_CARLO as usize, seed)),
            Draw::Shared(orders) => orders(groups),
        });
        // A row serves as it is: every unit is in some group, so that the row has a place for each.
        orders.rows().for_each(&mut count);
        let drawn = orders.rows().count() as f64;
        found.extend(extreme.iter().take(lanes).map(|&e| (e as f64 + 1.0) / (drawn + 1.0)));
    }
    found
}

/// The number of arrangements within groups, if few enough to walk.
pub(super) fn arrangements(groups: &[Vec<usize>]) -> Option<u64> {
    let all = groups.iter().try_fold(1_u64, |all, g| all.checked_mul(factorial(g.len() as u64)?));
    all.filter(|&a| a <= EXACT_ARRANGEMENTS)
}

/// Positions by label, in order of labels.
pub(super) fn grouped(labels: &[usize]) -> Vec<Vec<usize>> {
    let mut groups = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (i, &label) in labels.iter().enumerate() {
        groups.entry(label).or_default().push(i);
    }
    groups.into_values().collect()
}

/// Visits every arrangement of group `at`'s positions, for each of those every arrangement of the following groups.
pub(super) fn walk(groups: &[Vec<usize>], at: usize, order: &mut [usize], visit: &mut dyn FnMut(&[usize])) {
    fn inner(
        groups: &[Vec<usize>],
        at: usize,
        from: usize,
        order: &mut [usize],
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
        walk(&groups, 0, &mut [0, 1, 2, 3, 4], &mut |o| assert!(seen.insert(o.to_vec())));
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
    fn shared_orders_of_a_seed_give_the_p_of_that_seed() {
        let groups = [(0..12).collect::<Vec<usize>>()];
        let orders = Arc::new(Orders::draw(&groups, MONTE_CARLO as usize, Seed(5)));
        let mut statistic = |order: &[usize]| order.iter().enumerate().map(|(a, b)| (a * b) as f64).sum();
        let own = rearranged_p(&groups, 12, Seed(5), &mut statistic);
        let shared = rearranged_p(&groups, 12, Draw::Shared(&|_| Arc::clone(&orders)), &mut statistic);
        assert_eq!(own, shared);
    }

    #[test]
    fn a_block_of_one_cannot_move() {
        let p = rearranged_p(&[vec![0], vec![1]], 2, Seed(1), &mut |o| o[0] as f64);
        assert_eq!(p, 1.0);
    }
}
