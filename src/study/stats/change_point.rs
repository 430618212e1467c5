//! One change of level along an order, e.g. of blocks.

use super::{
    Seed,
    describe::{centred, spread},
    permutation::rearranged_p,
};

/// The best split into two levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// The first value of the second level: `values[..index]` and `values[index..]`. The first of equally good ones.
    pub index: usize,
    /// Share of the sum of squares around the mean that two levels explain: 0 to 1.
    pub gain: f64,
    /// Over rearrangements, of a gain as large anywhere. It takes values without a change as exchangeable: along
    /// blocks, where neighbours resemble each other, a trend is a rejection too.
    pub p: f64,
}

/// Single split with the largest fall of the sum of squares. `None` with fewer than three values, or without spread.
pub fn change_point(values: &[f64], seed: Seed) -> Option<ChangePoint> {
    let n = values.len();
    let total = spread(values).filter(|_| n > 2)?;
    let around = centred(values);
    let everyone = vec![(0..n).collect()];
    let p = rearranged_p(&everyone, n, seed, &mut |order| best(order.iter().map(|&i| around[i]), n).1);
    let (index, fall) = best(around.iter().copied(), n);
    Some(ChangePoint { index, gain: (fall / total).min(1.0), p })
}

/// Index and fall of the best split of n values whose sum is zero: S²/k + S²/(n-k), S the sum of the first k.
fn best(values: impl Iterator<Item = f64>, n: usize) -> (usize, f64) {
    let mut sum = 0.0;
    let mut best = (1, f64::NEG_INFINITY);
    for (k, value) in (1..n).zip(values) {
        sum += value;
        let fall = sum * sum * (1.0 / k as f64 + 1.0 / (n - k) as f64);
        if fall > best.1 {
            best = (k, fall);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_levels_are_split_where_they_meet() {
        let found = change_point(&[1.0, 1.0, 1.0, 4.0, 4.0, 4.0, 4.0, 4.0], Seed(1)).unwrap();
        assert_eq!(found.index, 3);
        assert!((found.gain - 1.0).abs() < 1e-12);
        // Of the 56 ways to place three equal values, the first three and the last three are as good.
        assert!((found.p - 2.0 / 56.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn no_spread_has_no_change() {
        assert_eq!(change_point(&[0.1; 9], Seed(1)), None);
        assert_eq!(change_point(&[1.0, 2.0], Seed(1)), None);
    }
}
