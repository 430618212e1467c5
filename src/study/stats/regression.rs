//! Cross-validated R² of a line through zero, an affine line and a line on ranks: whether y is proportional to x.

use super::describe::{average_ranks, centred, dot, mean};
use number::metric::Paired;

/// R² on held-out units: 1 - Σ(y-ŷ)²/Σ(y-ȳ)². Below 0 where the mean predicts better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossValidated {
    /// y = b·x.
    pub linear: f64,
    /// y = a + b·x.
    pub affine: f64,
    /// y = a + b·rank(x): any x-scale that keeps the order.
    pub rank: f64,
}

/// Most units that are left out one by one; more are split into ten folds (unit i in fold i mod 10).
const LEAVE_ONE_OUT: usize = 100;
const FOLDS: usize = 10;
/// Fewer leave too little to fit on.
const FEWEST: usize = 4;

/// `None` with fewer than four units or a constant side.
pub fn cross_validated<K: Ord + Clone>(pair: &Paired<K>) -> Option<CrossValidated> {
    let (x, y) = (pair.x(), pair.y());
    let (dx, dy) = (centred(x), centred(y));
    let total = dot(&dy, &dy);
    if x.len() < FEWEST || dot(&dx, &dx) <= 0.0 || total <= 0.0 {
        return None;
    }
    let folds = if x.len() <= LEAVE_ONE_OUT { x.len() } else { FOLDS };
    let mut missed = [0.0; 3];
    for fold in 0..folds {
        let train: Vec<usize> = (0..x.len()).filter(|i| i % folds != fold).collect();
        let (tx, ty): (Vec<f64>, Vec<f64>) = train.iter().map(|&i| (x[i], y[i])).unzip();
        let ranks = average_ranks(&tx);
        let slope = dot(&tx, &ty) / dot(&tx, &tx).max(f64::MIN_POSITIVE);
        let (affine, ranked) = (line(&tx, &ty), line(&ranks, &ty));
        let mut sorted: Vec<(f64, f64)> = tx.iter().copied().zip(ranks).collect();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for i in (fold..x.len()).step_by(folds) {
            let predictions =
                [slope * x[i], affine.0 + affine.1 * x[i], ranked.0 + ranked.1 * rank_among(x[i], &sorted)];
            for (sum, prediction) in missed.iter_mut().zip(predictions) {
                *sum += (y[i] - prediction).powi(2);
            }
        }
    }
    let [linear, affine, rank] = missed.map(|m| 1.0 - m / total);
    Some(CrossValidated { linear, affine, rank })
}

/// Intercept and slope; a constant x has slope 0.
fn line(x: &[f64], y: &[f64]) -> (f64, f64) {
    let dx = centred(x);
    let sxx = dot(&dx, &dx);
    let slope = if sxx > 0.0 { dot(&dx, &centred(y)) / sxx } else { 0.0 };
    (mean(y).unwrap_or(0.0) - slope * mean(x).unwrap_or(0.0), slope)
}

/// The rank of a held-out value among the training ones, ascending with their ranks: interpolated between neighbours, flat
/// beyond the ends.
fn rank_among(value: f64, sorted: &[(f64, f64)]) -> f64 {
    let below = sorted.partition_point(|(v, _)| *v <= value).checked_sub(1).map(|at| sorted[at]);
    let above = sorted.get(sorted.partition_point(|(v, _)| *v < value)).copied();
    match (below, above) {
        (Some((a, ra)), Some((b, rb))) if b > a => ra + (rb - ra) * (value - a) / (b - a),
        (Some((_, rank)), _) | (None, Some((_, rank))) => rank,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::metric::{Metric, Series};

    fn fit(points: impl Iterator<Item = (f64, f64)>) -> CrossValidated {
        let points: Vec<(f64, f64)> = points.collect();
        let side = |pick: fn(&(f64, f64)) -> f64| {
            Series::new(Metric::TokenCount, None, points.iter().map(pick).enumerate().collect())
        };
        cross_validated(&Paired::same_protocol(&side(|p| p.0), &side(|p| p.1)).unwrap()).unwrap()
    }

    #[test]
    fn proportional_data_are_told_from_shifted_and_from_monotone_ones() {
        let noise = |i: i32| f64::from(i * 37 % 11 - 5) * 0.01;
        let proportional = fit((1..20).map(|i| (f64::from(i), 2.0 * f64::from(i) + noise(i))));
        assert!(proportional.linear > 0.99 && proportional.linear > proportional.affine - 1e-3);
        let shifted = fit((1..20).map(|i| (f64::from(i), 50.0 - f64::from(i) + noise(i))));
        assert!(shifted.linear < 0.0 && shifted.affine > 0.99);
        let monotone = fit((1..20).map(|i| (f64::from(i).exp(), f64::from(i))));
        assert!(monotone.rank > 0.9 && monotone.affine < 0.5, "{monotone:?}");
    }
}
