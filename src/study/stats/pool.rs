//! Random-effects pooling: one effect from several models, which are few and differ.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::describe::Interval;

/// A pooled effect (DerSimonian and Laird 1986) with Student's interval on k-1 degrees of freedom (Hartung and Knapp
/// 2001): the normal one takes the spread between models as known, and is far too narrow with the few models there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    /// The pooled effect.
    pub effect: f64,
    /// Never below the one that takes the weights as known (Röver, Knapp and Friede 2015).
    pub standard_error: f64,
    /// The 1-alpha interval of the effect.
    pub interval: Interval,
    /// Two-sided, Student's t on k-1 degrees of freedom.
    pub p: f64,
    /// Variance between models.
    pub tau_squared: f64,
    /// Cochran's Q.
    pub q: f64,
}

/// Pools (effect, variance) pairs, e.g. Fisher z with 1/(n-3). `None` of fewer than two, or with a variance that is no more
/// than rounding of the effect: one model says nothing about the spread between models.
pub fn random_effects(effects: &[(f64, f64)], alpha: f64) -> Option<Pooled> {
    // What rounding leaves of equal units is no variance: it would weigh one model above all others, and give a p of 1e-110.
    let none = |&(effect, variance): &(f64, f64)| variance.is_nan() || variance <= (1e-6 * effect).powi(2);
    if effects.len() < 2 || effects.iter().any(none) {
        return None;
    }
    let weighted = |tau: f64| {
        let weights: Vec<f64> = effects.iter().map(|(_, v)| 1.0 / (v + tau)).collect();
        let total: f64 = weights.iter().sum();
        let mean = effects.iter().zip(&weights).map(|((e, _), w)| e * w).sum::<f64>() / total;
        (mean, weights, total)
    };
    let (fixed, weights, total) = weighted(0.0);
    let q: f64 = effects.iter().zip(&weights).map(|((e, _), w)| w * (e - fixed).powi(2)).sum();
    let scale = total - weights.iter().map(|w| w * w).sum::<f64>() / total;
    let excess = q - (effects.len() - 1) as f64;
    let tau_squared = if scale > 0.0 { (excess / scale).max(0.0) } else { 0.0 };
    let (effect, weights, total) = weighted(tau_squared);
    let freedom = (effects.len() - 1) as f64;
    let spread =
        effects.iter().zip(&weights).map(|((e, _), w)| w * (e - effect).powi(2)).sum::<f64>() / freedom;
    let standard_error = (spread.max(1.0) / total).sqrt();
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let reach = t.inverse_cdf(1.0 - alpha / 2.0) * standard_error;
    Some(Pooled {
        effect,
        standard_error,
        interval: Interval { low: effect - reach, high: effect + reach },
        p: 2.0 * t.sf((effect / standard_error).abs()),
        tau_squared,
        q,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disagreeing_models_widen_the_interval() {
        let agree = random_effects(&[(0.5, 0.01), (0.5, 0.01), (0.5, 0.01)], 0.05).unwrap();
        let differ = random_effects(&[(0.0, 0.01), (0.5, 0.01), (1.0, 0.01)], 0.05).unwrap();
        assert_eq!(agree.tau_squared, 0.0);
        assert!((agree.effect - differ.effect).abs() < 1e-12);
        assert!(
            differ.interval.high - differ.interval.low > 2.0 * (agree.interval.high - agree.interval.low)
        );
        assert_eq!(random_effects(&[], 0.05), None);
        assert_eq!(random_effects(&[(0.5, 0.01)], 0.05), None, "one model has no spread between models");
    }

    #[test]
    fn two_models_leave_almost_everything_open() {
        // The normal interval would be 0.5 ± 0.14.
        let two = random_effects(&[(0.5, 0.01), (0.5, 0.01)], 0.05).unwrap();
        assert!(two.interval.low < -0.3 && two.interval.high > 1.3, "{two:?}");
        assert!(two.p > 0.05, "{two:?}");
    }
}
