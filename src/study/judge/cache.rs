//! Resamples that judgements share, and cached results keyed by their input numbers.
//!
//! Seeds come from the experiment's seed and the number of units, never from the order of work, so that what is remembered
//! and what is computed anew are the same to the last bit, on any number of threads.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::stats::{self, Draw, Interval, MeanIntervals, Method, Orders, RESAMPLES, Resamples, Seed};
use number::metric::Paired;

/// Units drawn that are kept at most, 4 bytes each.
const MOST_DRAWN: usize = 128 << 20;
/// Draws behind each interval and p of a simulated world.
const COARSE: usize = 999;

/// Shared resamples and cached statistics of all hypotheses of an experiment.
pub struct StatisticsCache {
    pub(super) seed: Seed,
    /// Resamples behind an interval.
    behind_interval: usize,
    /// Rearrangements behind a p.
    behind_p: usize,
    resamples: Mutex<BTreeMap<usize, Arc<Resamples>>>,
    orders: Mutex<BTreeMap<Vec<Vec<usize>>, Arc<Orders>>>,
    dips: Mutex<BTreeMap<usize, Arc<Vec<f64>>>>,
    // Looked up, never walked.
    means: Mutex<BTreeMap<Digest, Option<[Interval; 2]>>>,
    against: Mutex<BTreeMap<Digest, Option<MeanAgainst>>>,
    chances: Mutex<BTreeMap<Digest, Option<f64>>>,
}

type Digest = [u8; 32];

/// Values, the label of each, and its block where units change places within blocks only.
pub(crate) type Labelled<'a> = (&'a [f64], &'a [usize], Option<&'a [usize]>);

/// A mean against a null, as one of several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MeanAgainst {
    /// The 1-alpha interval.
    pub alone: Interval,
    /// The 1-2alpha interval.
    pub narrow: Interval,
    /// The interval at alpha over the number of means, so that all hold at once.
    pub among: Interval,
    /// Two-sided p of the null.
    pub p: f64,
}

impl StatisticsCache {
    /// An empty cache; `seed` is that of the experiment.
    pub fn new(seed: u64) -> StatisticsCache {
        StatisticsCache::with(seed, RESAMPLES, stats::MONTE_CARLO as usize)
    }

    /// A cache for worlds of which only the share of verdicts is read: intervals and p are coarser, and cost a tenth.
    pub(super) fn coarse(seed: u64) -> StatisticsCache {
        StatisticsCache::with(seed, COARSE, COARSE)
    }

    fn with(seed: u64, behind_interval: usize, behind_p: usize) -> StatisticsCache {
        StatisticsCache {
            seed: Seed(seed),
            behind_interval,
            behind_p,
            resamples: Mutex::default(),
            orders: Mutex::default(),
            dips: Mutex::default(),
            means: Mutex::default(),
            against: Mutex::default(),
            chances: Mutex::default(),
        }
    }

    /// The intervals of a mean at alpha and at 2 alpha, as [`stats::mean_interval`] gives them.
    pub(crate) fn means(&self, values: &[f64], alpha: f64) -> Option<[Interval; 2]> {
        let key = digest("mean", &[values, &[alpha]], &[]);
        remembered(&self.means, key, || {
            let intervals = MeanIntervals::new(values, &|n| self.resamples(n))?;
            Some([alpha, 2.0 * alpha].map(|alpha| intervals.at(alpha)))
        })
    }

    /// What is known of a mean that is one of `among`: its intervals at alpha and at alpha over `among`, and its p of `null`.
    pub(crate) fn mean_against(
        &self,
        values: &[f64],
        alpha: f64,
        null: f64,
        among: usize,
    ) -> Option<MeanAgainst> {
        let level = alpha / among.max(1) as f64;
        let key = digest("mean against", &[values, &[alpha, null, level]], &[]);
        remembered(&self.against, key, || {
            let found = MeanIntervals::new(values, &|n| self.resamples(n))?;
            let [alone, narrow, among] = [alpha, 2.0 * alpha, level].map(|level| found.at(level));
            Some(MeanAgainst { alone, narrow, among, p: found.p(null) })
        })
    }

    /// [`stats::correlation_p`] of each pair, within its blocks.
    pub(crate) fn correlation_ps(
        &self,
        pairs: &[(&Paired<&str>, Option<&[usize]>)],
        method: Method,
    ) -> Vec<Option<f64>> {
        let what = if method == Method::Spearman { "spearman" } else { "pearson" };
        let keys = pairs.iter().map(|(pair, blocks)| {
            let mut sides = vec![pair.x(), pair.y()];
            sides.extend(pair.controls().iter().map(Vec::as_slice));
            digest(what, &sides, blocks.unwrap_or(&[]))
        });
        let alike = |i: usize| (pairs[i].0.len(), pairs[i].1);
        self.chances(keys.collect(), alike, |these| {
            let few: Vec<&Paired<&str>> = these.iter().map(|&i| pairs[i].0).collect();
            let blocks = these.first().and_then(|&i| pairs[i].1);
            stats::correlation_ps(&few, method, blocks, Draw::Shared(&|groups| self.orders(groups)))
        })
    }

    /// [`stats::kruskal_permutation_p`] of each list of values with its labels, within its blocks.
    pub(crate) fn kruskal_ps(&self, lists: &[Labelled<'_>]) -> Vec<Option<f64>> {
        let keys = lists.iter().map(|(values, labels, blocks)| match blocks {
            None => digest("kruskal", &[values], labels),
            Some(blocks) => digest("kruskal within", &[values], &[*labels, *blocks].concat()),
        });
        self.chances(
            keys.collect(),
            |i| (lists[i].1, lists[i].2),
            |these| {
                let few: Vec<&[f64]> = these.iter().map(|&i| lists[i].0).collect();
                let (labels, blocks) = these.first().map_or((&[][..], None), |&i| (lists[i].1, lists[i].2));
                stats::kruskal_permutation_ps(
                    &few,
                    labels,
                    blocks,
                    Draw::Shared(&|groups| self.orders(groups)),
                )
            },
        )
    }

    /// The cached p of each key. Those that are not there are computed, and the ones that are `alike` (share their
    /// rearrangements) in one call.
    fn chances<A: Ord>(
        &self,
        keys: Vec<Digest>,
        alike: impl Fn(usize) -> A,
        compute: impl Fn(&[usize]) -> Vec<Option<f64>>,
    ) -> Vec<Option<f64>> {
        let mut found: Vec<Option<Option<f64>>> = {
            let kept = lock(&self.chances);
            keys.iter().map(|key| kept.get(key).copied()).collect()
        };
        let mut groups = BTreeMap::<A, Vec<usize>>::new();
        for i in (0..keys.len()).filter(|&i| found[i].is_none()) {
            groups.entry(alike(i)).or_default().push(i);
        }
        for these in groups.values() {
            let new = compute(these);
            let mut kept = lock(&self.chances);
            for (&i, p) in these.iter().zip(new) {
                kept.insert(keys[i], p);
                found[i] = Some(p);
            }
        }
        found.into_iter().map(Option::flatten).collect()
    }

    /// [`stats::dip_p`].
    pub(crate) fn dip_p(&self, values: &[f64]) -> Option<f64> {
        let n = values.len();
        let seed = self.seed.derive(&format!("dips of {n}"));
        let uniform = drawn(&self.dips, n, stats::MONTE_CARLO as usize, || stats::uniform_dips(n, seed));
        stats::dip_p_among(values, &uniform)
    }

    fn resamples(&self, n: usize) -> Arc<Resamples> {
        let seed = self.seed.derive(&format!("resamples of {n}"));
        let count = self.behind_interval;
        drawn(&self.resamples, n, n * count, || Resamples::draw(n, count, seed))
    }

    fn orders(&self, groups: &[Vec<usize>]) -> Arc<Orders> {
        let seed = self.seed.derive(&format!("orders of {groups:?}"));
        let count = self.behind_p;
        let units = groups.iter().map(Vec::len).sum::<usize>() * count;
        drawn(&self.orders, groups.to_vec(), units, || Orders::draw(groups, count, seed))
    }
}

/// The draws of a key, drawn where they are not cached. Two threads that want the same draws wait for one of them.
fn drawn<K: Ord, T>(
    kept: &Mutex<BTreeMap<K, Arc<T>>>,
    key: K,
    units: usize,
    draw: impl FnOnce() -> T,
) -> Arc<T> {
    let mut kept = lock(kept);
    if let Some(found) = kept.get(&key) {
        return Arc::clone(found);
    }
    let new = Arc::new(draw());
    // Draws of one table are about as large as each other.
    if (kept.len() + 1) * units > MOST_DRAWN {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&new));
    new
}

fn remembered<T: Copy>(kept: &Mutex<BTreeMap<Digest, T>>, key: Digest, compute: impl FnOnce() -> T) -> T {
    if let Some(found) = lock(kept).get(&key) {
        return *found;
    }
    let new = compute();
    lock(kept).insert(key, new);
    new
}

/// Locks a cache. One that a panicked thread left is whole, because entries are inserted complete.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn digest(what: &str, numbers: &[&[f64]], labels: &[usize]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 statistics cache v1");
    hasher.update(what.as_bytes());
    for list in numbers {
        hasher.update(&(list.len() as u64).to_le_bytes());
        let bytes: Vec<u8> = list.iter().flat_map(|x| x.to_le_bytes()).collect();
        hasher.update(&bytes);
    }
    let bytes: Vec<u8> = labels.iter().flat_map(|&l| (l as u64).to_le_bytes()).collect();
    hasher.update(&bytes);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_computed_anew() {
        let values: Vec<f64> = (0..30).map(|i| f64::from(i * i % 17)).collect();
        let cache = StatisticsCache::new(3);
        let first = cache.means(&values, 0.05);
        cache.means(&values[1..], 0.05);
        assert_eq!(first, cache.means(&values, 0.05));
        assert_eq!(first, StatisticsCache::new(3).means(&values, 0.05));
        assert_ne!(first, StatisticsCache::new(4).means(&values, 0.05));
        assert_ne!(first, cache.means(&values, 0.1));
        assert_eq!(
            first.unwrap()[1],
            cache.means(&values, 0.1).unwrap()[0],
            "2 alpha of one is alpha of the other"
        );
    }
}
