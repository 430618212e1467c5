//! Bootstrap intervals of a mean with prompts as units.

use std::sync::Arc;

use rand::RngExt;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{
    Seed,
    describe::{Interval, mean, quantile, standard_deviation},
};

/// Resamples behind a published interval.
pub const RESAMPLES: usize = 9_999;
/// What is left of a resample's squares around its own mean, at least, if it is to have a spread. Of one unit drawn n times
/// rounding leaves 1e-16, whose t would be of the order of 1e8, or nothing, as the last digits of the unit fall.
const SPREAD: f64 = 1e-10;
/// With fewer units than this most resamples repeat themselves, and Student's t is the honest interval.
const FEWEST_FOR_BOOTSTRAP: usize = 5;

/// The 1-alpha interval of the mean used by every verdict: bootstrap-t, or Student's t with fewer than five units.
/// `None` with fewer than two.
pub fn mean_interval(values: &[f64], alpha: f64, seed: Seed) -> Option<Interval> {
    Some(MeanIntervals::new(values, &|n| Arc::new(Resamples::draw(n, RESAMPLES, seed)))?.at(alpha))
}

/// Intervals of one mean at any level, from one set of resamples.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanIntervals {
    mean: f64,
    standard_error: f64,
    spread: Spread,
}

#[derive(Clone, Debug, PartialEq)]
enum Spread {
    /// All values are equal.
    None,
    /// Too few to resample: degrees of freedom of Student's t.
    Student(f64),
    /// Studentised resampled means, ascending.
    Resampled(Vec<f64>),
}

impl MeanIntervals {
    /// `None` with fewer than two values. `resamples` is asked for n units where there are enough to resample; means of as
    /// many units may share them, each interval is as valid as with its own.
    pub fn new(values: &[f64], resamples: &dyn Fn(usize) -> Arc<Resamples>) -> Option<MeanIntervals> {
        let (mean, standard_error) = (mean(values)?, standard_error(values)?);
        let spread = match values.len() {
            n if n < FEWEST_FOR_BOOTSTRAP => Spread::Student((n - 1) as f64),
            _ if standard_error <= 1e-15 * mean.abs() => Spread::None,
            n => Spread::Resampled(resamples(n).studentised(values, mean)),
        };
        Some(MeanIntervals { mean, standard_error, spread })
    }

    /// The 1-alpha interval.
    pub fn at(&self, alpha: f64) -> Interval {
        let around = |below: f64, above: f64| Interval {
            low: self.mean - above * self.standard_error,
            high: self.mean - below * self.standard_error,
        };
        match &self.spread {
            Spread::None => around(0.0, 0.0),
            Spread::Student(freedom) => {
                let t = StudentsT::new(0.0, 1.0, *freedom)
                    .map_or(f64::INFINITY, |t| t.inverse_cdf(1.0 - alpha / 2.0));
                around(-t, t)
            }
            Spread::Resampled(t) => around(of_sorted(t, alpha / 2.0), of_sorted(t, 1.0 - alpha / 2.0)),
        }
    }
}

impl MeanIntervals {
    /// Two-sided p of a mean of `null`: the level at which the interval just reaches it, so that p is below alpha where the
    /// 1-alpha interval excludes it. Of resamples (b+1)/(m+1) on the side of the null, twice.
    pub fn p(&self, null: f64) -> f64 {
        if self.standard_error <= 1e-15 * self.mean.abs() {
            return f64::from(u8::from(self.mean == null));
        }
        let t = (self.mean - null) / self.standard_error;
        match &self.spread {
            Spread::None => f64::from(u8::from(self.mean == null)),
            Spread::Student(freedom) => {
                StudentsT::new(0.0, 1.0, *freedom).map_or(1.0, |of| (2.0 * of.sf(t.abs())).min(1.0))
            }
            Spread::Resampled(all) => {
                let beyond = if t > 0.0 {
                    all.len() - all.partition_point(|other| *other < t)
                } else {
                    all.partition_point(|other| *other <= t)
                };
                (2.0 * (beyond + 1) as f64 / (all.len() + 1) as f64).min(1.0)
            }
        }
    }

    /// The mean itself.
    pub fn mean(&self) -> f64 {
        self.mean
    }
}

/// Which units each resample of n units holds, row after row.
pub struct Resamples {
    rows: Vec<u32>,
    n: usize,
}

impl Resamples {
    /// `count` resamples of n units, 4 bytes each unit.
    pub fn draw(n: usize, count: usize, seed: Seed) -> Resamples {
        let mut rng = seed.rng();
        Resamples { rows: (0..count * n).map(|_| rng.random_range(0..n) as u32).collect(), n }
    }

    /// (mean* - mean)/se* of every resample that has a spread, ascending. `values` are n.
    fn studentised(&self, values: &[f64], mean: f64) -> Vec<f64> {
        // Around the mean, so that the sum of squares loses no digits to it.
        let around: Vec<[f64; 2]> = values.iter().map(|v| v - mean).map(|d| [d, d * d]).collect();
        let n = self.n as f64;
        let mut t: Vec<f64> = self
            .rows
            .chunks_exact(self.n.max(1))
            .filter_map(|row| {
                let [sum, squares] = sums(row, &around);
                let left = squares - sum * sum / n;
                let se = (left / (n - 1.0) / n).max(0.0).sqrt();
                (se > 1e-12 * mean.abs() && left > SPREAD * squares).then(|| sum / n / se)
            })
            .collect();
        t.sort_unstable_by(f64::total_cmp);
        t
    }
}

/// Four sums side by side, so that an addition need not wait for the one before it.
fn sums(row: &[u32], around: &[[f64; 2]]) -> [f64; 2] {
    let mut lanes = [[0.0; 2]; 4];
    let fours = row.chunks_exact(4);
    for (lane, &i) in lanes.iter_mut().zip(fours.remainder()) {
        let [d, square] = around[i as usize];
        *lane = [lane[0] + d, lane[1] + square];
    }
    for four in fours {
        for (lane, &i) in lanes.iter_mut().zip(four) {
            let [d, square] = around[i as usize];
            *lane = [lane[0] + d, lane[1] + square];
        }
    }
    lanes.iter().fold([0.0; 2], |all, lane| [all[0] + lane[0], all[1] + lane[1]])
}

/// [`quantile`] of values in ascending order; 0 of none.
fn of_sorted(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

/// Studentised bootstrap (Efron and Tibshirani 1993, chapter 12): quantiles of (mean* - mean)/se*, turned around.
/// Resamples without spread have no t and are left out.
pub fn bootstrap_t(values: &[f64], alpha: f64, resamples: usize, seed: Seed) -> Option<Interval> {
    let (m, se) = (mean(values)?, standard_error(values)?);
    if se <= 1e-15 * m.abs() {
        return Some(Interval { low: m, high: m });
    }
    let t = Resamples::draw(values.len(), resamples, seed).studentised(values, m);
    Some(MeanIntervals { mean: m, standard_error: se, spread: Spread::Resampled(t) }.at(alpha))
}

/// Quantiles of the resampled means. Too narrow with few units; kept for comparison with other tools.
pub fn bootstrap_percentile(values: &[f64], alpha: f64, resamples: usize, seed: Seed) -> Option<Interval> {
    let mut means = Vec::with_capacity(resamples);
    each_resample(values, resamples, seed, |sample| means.extend(mean(sample)));
    Some(Interval { low: quantile(&means, alpha / 2.0)?, high: quantile(&means, 1.0 - alpha / 2.0)? })
}

fn standard_error(values: &[f64]) -> Option<f64> {
    Some(standard_deviation(values)? / (values.len() as f64).sqrt())
}

fn each_resample(values: &[f64], resamples: usize, seed: Seed, mut visit: impl FnMut(&[f64])) {
    if values.is_empty() {
        return;
    }
    let mut rng = seed.rng();
    let mut sample = vec![0.0; values.len()];
    for _ in 0..resamples {
        for slot in &mut sample {
            *slot = values[rng.random_range(0..values.len())];
        }
        visit(&sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_has_no_interval_and_equal_units_have_a_point() {
        assert_eq!(mean_interval(&[1.0], 0.05, Seed(1)), None);
        assert_eq!(mean_interval(&[2.0; 6], 0.05, Seed(1)), Some(Interval { low: 2.0, high: 2.0 }));
    }

    #[test]
    fn p_of_a_mean_is_below_alpha_where_the_interval_excludes_the_null() {
        let draw = |n| Arc::new(Resamples::draw(n, RESAMPLES, Seed(2)));
        for values in [&[1.03, 2.51, 0.57, 3.11, 2.02, 1.49, 2.77, 0.91][..], &[1.0, 2.0, 4.0][..]] {
            let found = MeanIntervals::new(values, &draw).unwrap();
            for alpha in [0.01, 0.05, 0.2] {
                let Interval { low, high } = found.at(alpha);
                let hair = 0.02 * (high - low);
                assert!(found.p(low - hair) < alpha && found.p(high + hair) < alpha, "{alpha} {values:?}");
                assert!(found.p(low + hair) > alpha && found.p(high - hair) > alpha, "{alpha} {values:?}");
            }
        }
        let equal = MeanIntervals::new(&[2.0; 6], &draw).unwrap();
        assert_eq!((equal.p(2.0), equal.p(1.0)), (1.0, 0.0));
        let few = MeanIntervals::new(&[2.0; 3], &draw).unwrap();
        assert_eq!((few.p(2.0), few.p(1.0)), (1.0, 0.0));
    }

    #[test]
    fn last_digits_do_not_decide_which_resamples_have_a_spread() {
        let values = [0.9771, 1.0312, 0.8846, 1.1203, 0.9534];
        let resamples = Resamples::draw(values.len(), RESAMPLES, Seed(5));
        let drawn_from_one = resamples.rows.chunks(5).filter(|row| row.iter().all(|i| *i == row[0])).count();
        assert!(drawn_from_one > 5);
        for ulps in 0..50 {
            let values = values.map(|v: f64| f64::from_bits(v.to_bits() + ulps));
            let t = resamples.studentised(&values, mean(&values).unwrap());
            assert_eq!(t.len(), RESAMPLES - drawn_from_one, "{ulps}");
            assert!(t.iter().all(|t| t.abs() < 1e4), "{ulps}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let values = [1.03, 2.51, 0.57, 3.11, 2.02, 1.49, 2.77, 0.91, 1.87, 4.33];
        assert_eq!(mean_interval(&values, 0.05, Seed(3)), mean_interval(&values, 0.05, Seed(3)));
        assert_ne!(mean_interval(&values, 0.05, Seed(3)), mean_interval(&values, 0.05, Seed(4)));
    }
}
