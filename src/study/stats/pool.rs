//! Random-effects pooling: one effect from several models, which are few, differ, and run on the same prompts.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{
    crossed::{Sampled, crossed},
    describe::Interval,
};

/// A pooled effect (DerSimonian and Laird 1986) with Student's interval on k-1 degrees of freedom or fewer (Hartung and Knapp
/// 2001): the normal one takes the spread between models as known, and is far too narrow with the few models there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    /// The pooled effect.
    pub effect: f64,
    /// Never below the one that takes the weights as known (Röver, Knapp and Friede 2015), nor below the one that takes no sample
    /// as shared.
    pub standard_error: f64,
    /// The 1-alpha interval of the effect.
    pub interval: Interval,
    /// Two-sided, Student's t.
    pub p: f64,
    /// Degrees of freedom of interval and p.
    pub freedom: f64,
    /// Variance between models.
    pub tau_squared: f64,
    /// The part of the effect's variance that more models on the same samples would not take away.
    pub shared: f64,
    /// Cochran's Q.
    pub q: f64,
}

/// Pools effects, e.g. Fisher z. `None` of fewer than two, or with a variance that is no more than rounding of the effect: one
/// model says nothing about the spread between models.
///
/// Units and samples are crossed: the variance of the pool is that of units, by how they differ, and the covariance of units over
/// the samples that they share, which no number of units takes away.
pub fn random_effects<K: Ord>(effects: &[Sampled<K>], alpha: f64) -> Option<Pooled> {
    // What rounding leaves of equal units is no variance: it would weigh one model above all others, and give a p of 1e-110.
    let none = |one: &Sampled<K>| one.variance.is_nan() || one.variance <= (1e-6 * one.effect).powi(2);
    if effects.len() < 2 || effects.iter().any(none) {
        return None;
    }
    let weighted = |tau: f64| {
        let weights: Vec<f64> = effects.iter().map(|one| 1.0 / (one.variance + tau)).collect();
        let total: f64 = weights.iter().sum();
        let mean = effects.iter().zip(&weights).map(|(one, w)| one.effect * w).sum::<f64>() / total;
        (mean, weights, total)
    };
    let (fixed, weights, total) = weighted(0.0);
    let q: f64 = effects.iter().zip(&weights).map(|(one, w)| w * (one.effect - fixed).powi(2)).sum();
    let scale = total - weights.iter().map(|w| w * w).sum::<f64>() / total;
    let excess = q - (effects.len() - 1) as f64;
    let tau_squared = if scale > 0.0 { (excess / scale).max(0.0) } else { 0.0 };
    let (effect, weights, total) = weighted(tau_squared);
    let of_units = (effects.len() - 1) as f64;
    let spread = effects.iter().zip(&weights).map(|(one, w)| w * (one.effect - effect).powi(2)).sum::<f64>()
        / of_units;
    let variance = spread.max(1.0) / total;
    let crossed = crossed(effects.iter().zip(weights.iter().map(|w| w / total)));
    let freedom = crossed.freedom(of_units, variance);
    let standard_error = (variance + crossed.shared).sqrt();
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let reach = t.inverse_cdf(1.0 - alpha / 2.0) * standard_error;
    Some(Pooled {
        effect,
        standard_error,
        interval: Interval { low: effect - reach, high: effect + reach },
        p: 2.0 * t.sf((effect / standard_error).abs()),
        freedom,
        tau_squared,
        shared: crossed.shared,
        q,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(effects: &[f64]) -> Vec<Sampled<u8>> {
        effects.iter().map(|&effect| Sampled::alone(effect, 0.01)).collect()
    }

    #[test]
    fn disagreeing_models_widen_the_interval() {
        let agree = random_effects(&alone(&[0.5, 0.5, 0.5]), 0.05).unwrap();
        let differ = random_effects(&alone(&[0.0, 0.5, 1.0]), 0.05).unwrap();
        assert_eq!(agree.tau_squared, 0.0);
        assert!((agree.effect - differ.effect).abs() < 1e-12);
        assert!(
            differ.interval.high - differ.interval.low > 2.0 * (agree.interval.high - agree.interval.low)
        );
        assert_eq!(random_effects(&alone(&[]), 0.05), None);
        assert_eq!(random_effects(&alone(&[0.5]), 0.05), None, "one model has no spread between models");
    }

    #[test]
    fn two_models_leave_almost_everything_open() {
        // The normal interval would be 0.5 ± 0.14.
        let two = random_effects(&alone(&[0.5, 0.5]), 0.05).unwrap();
        assert!(two.interval.low < -0.3 && two.interval.high > 1.3, "{two:?}");
        assert!(two.p > 0.05, "{two:?}");
    }

    /// Prompts of which each lies so far from 0 in every model.
    fn on(prompts: impl Iterator<Item = (u8, f64)>) -> Sampled<u8> {
        Sampled::mean(prompts).unwrap()
    }

    #[test]
    fn more_models_on_the_same_prompts_do_not_take_away_what_the_prompts_have_in_common() {
        let values = [0.9, -0.4, 0.3, 1.2, -0.8, 0.5, 0.1, -0.6];
        let model = |m: usize, first: u8| {
            let own = move |p: usize| 0.05 * ((m * 31 + p * 17) as f64).sin();
            on(values.iter().enumerate().map(move |(p, v)| (first + p as u8, v + own(p))))
        };
        let one = model(0, 0);
        let same: Vec<_> = (0..30).map(|m| model(m, 0)).collect();
        let pooled = random_effects(&same, 0.05).unwrap();
        assert!(
            (pooled.shared / one.variance - 1.0).abs() < 0.1,
            "thirty models are not thirty samples: {pooled:?}"
        );
        assert!((6.9..8.0).contains(&pooled.freedom), "eight prompts have seven degrees: {pooled:?}");
        let other: Vec<_> = (0..30).map(|m| model(m, 8 * m as u8)).collect();
        let apart = random_effects(&other, 0.05).unwrap();
        assert_eq!((apart.shared, apart.freedom), (0.0, 29.0));
    }
}
