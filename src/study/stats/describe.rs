//! Means, ranks, quantiles: what the other statistics are made of.

pub use number::mean::mean;

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The standard deviation with n-1 in the denominator; `None` of fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let m = mean(values).filter(|_| values.len() > 1)?;
    Some((values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt())
}

/// The standard deviation with n in the denominator (NumPy's default); `None` of no values.
pub fn population_deviation(values: &[f64]) -> Option<f64> {
    let m = mean(values)?;
    Some((values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
}

/// Ranks from 1; ties get the average of the ranks they cover.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        for &i in tied {
            ranks[i] = below as f64 + (tied.len() + 1) as f64 / 2.0;
        }
        below += tied.len();
    }
    ranks
}

/// The q-quantile by linear interpolation (NumPy's default, type 7); `None` of no values.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

/// Values minus their mean.
pub(super) fn centred(values: &[f64]) -> Vec<f64> {
    let m = mean(values).unwrap_or(0.0);
    values.iter().map(|v| v - m).collect()
}

/// Sum of squares around the mean; `None` where it is no number, or no more than rounding errors of equal values.
pub(super) fn spread(values: &[f64]) -> Option<f64> {
    let around = centred(values);
    Some(dot(&around, &around)).filter(|&squares| squares > 1e-24 * dot(values, values))
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_average_of_their_ranks() {
        assert_eq!(average_ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(average_ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        assert_eq!(quantile(&[4.0, 1.0, 2.0, 3.0], 0.5), Some(2.5));
        assert_eq!(quantile(&[1.0, 2.0], 0.25), Some(1.25));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
