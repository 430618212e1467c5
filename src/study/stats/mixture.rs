//! Two Gaussians against one, compared by BIC: whether a sample is better described as two groups.

use super::describe::{centred, dot, spread};

/// A component narrower than this share of the whole deviation is no group: it sits on a few close values, and the
/// likelihood of narrowing it has no bound (Day 1969).
const NARROWEST: f64 = 0.1;
const ITERATIONS: usize = 2_000;
/// The log likelihood is climbed until a step gains less.
const CONVERGED: f64 = 1e-9;
/// Starting splits: at this many quantiles.
const STARTS: usize = 19;
/// Fewer values than two Gaussians have parameters cannot tell them from one.
const FEWEST: usize = 6;

/// BIC of one Gaussian less that of a mixture of two with variances of their own: positive favours two, and above 10
/// strongly (Kass and Raftery 1995). Maximum likelihood by EM from splits at 19 quantiles, each component's deviation at
/// least a tenth of the whole. `None` with fewer than six values, or without spread.
pub fn mixture_bic(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let variance = spread(values).filter(|_| values.len() >= FEWEST)? / n;
    // In units of the deviation one Gaussian is standard.
    let mut z: Vec<f64> = centred(values).iter().map(|v| v / variance.sqrt()).collect();
    z.sort_by(f64::total_cmp);
    let one = -0.5 * n * ((2.0 * std::f64::consts::PI).ln() + 1.0);
    let mut splits: Vec<usize> =
        (1..=STARTS).map(|s| (s * z.len() / (STARTS + 1)).clamp(2, z.len() - 2)).collect();
    splits.dedup();
    let two = splits.iter().filter_map(|&split| climbed(&z, split)).fold(one, f64::max);
    // 2 parameters against 5.
    Some(2.0 * (two - one) - 3.0 * n.ln())
}

#[derive(Clone, Copy)]
struct Component {
    weight: f64,
    mean: f64,
    deviation: f64,
}

impl Component {
    fn log_density(&self, z: f64) -> f64 {
        let standard = (z - self.mean) / self.deviation;
        self.weight.ln()
            - self.deviation.ln()
            - 0.5 * (standard * standard + (2.0 * std::f64::consts::PI).ln())
    }

    fn fitted(z: &[f64], shares: &[f64]) -> Component {
        let total: f64 = shares.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mean = dot(z, shares) / total;
        let variance = z.iter().zip(shares).map(|(z, s)| s * (z - mean).powi(2)).sum::<f64>() / total;
        Component { weight: total / z.len() as f64, mean, deviation: variance.sqrt().max(NARROWEST) }
    }
}

/// The log likelihood EM reaches from the first `split` values against the rest.
fn climbed(z: &[f64], split: usize) -> Option<f64> {
    let mut shares: Vec<f64> = (0..z.len()).map(|i| f64::from(u8::from(i < split))).collect();
    let mut reached = f64::NEG_INFINITY;
    for _ in 0..ITERATIONS {
        let others: Vec<f64> = shares.iter().map(|s| 1.0 - s).collect();
        let (a, b) = (Component::fitted(z, &shares), Component::fitted(z, &others));
        let mut likelihood = 0.0;
        for (share, &z) in shares.iter_mut().zip(z) {
            let (la, lb) = (a.log_density(z), b.log_density(z));
            let top = la.max(lb);
            let both = top + ((la - top).exp() + (lb - top).exp()).ln();
            likelihood += both;
            *share = (la - both).exp();
        }
        let gained = likelihood - reached;
        reached = likelihood;
        if gained < CONVERGED {
            break;
        }
    }
    reached.is_finite().then_some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_far_groups_are_two_and_one_is_one() {
        let group = |at: f64| (0..10).map(move |i| at + 0.1 * f64::from(i));
        let two: Vec<f64> = group(0.0).chain(group(50.0)).collect();
        assert!(mixture_bic(&two).unwrap() > 10.0);
        let one: Vec<f64> = group(0.0).collect();
        assert!(mixture_bic(&one).unwrap() < 0.0);
        assert_eq!(mixture_bic(&[1.0; 9]), None);
        assert_eq!(mixture_bic(&[1.0, 2.0]), None);
    }
}
