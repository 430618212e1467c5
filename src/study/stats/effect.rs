//! Standardised mean differences: a difference in units of the spread.

use statrs::function::gamma::ln_gamma;

use super::{
    contrast::pooled_deviation,
    describe::{mean, standard_deviation},
    noncentral::noncentrality,
};

/// An effect size and its 1-alpha interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The effect size, in units of the spread.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// (mean(a) - mean(b)) over the deviation within the groups (Cohen 1988), two groups of different units. The interval is
/// exact for normal values. `None` with fewer than two in a group, or without spread.
pub fn cohen_d(a: &[f64], b: &[f64], alpha: f64) -> Option<Effect> {
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let (ma, mb) = (mean(a)?, mean(b)?);
    let deviation = pooled_deviation(a, b)?;
    standardised(ma - mb, deviation, ma.abs() + mb.abs(), (na * nb / (na + nb)).sqrt(), na + nb - 2.0, alpha)
}

/// The mean over the deviation of differences of the same units, taken from a [`Paired`](number::metric::Paired). The
/// interval is exact for normal differences. `None` with fewer than two, or without spread.
pub fn cohen_dz(differences: &[f64], alpha: f64) -> Option<Effect> {
    let (m, n) = (mean(differences)?, differences.len() as f64);
    standardised(m, standard_deviation(differences)?, m.abs(), n.sqrt(), n - 1.0, alpha)
}

/// Cohen's d without its bias in small groups (Hedges 1981, the exact factor). `None` as in [`cohen_d`].
pub fn hedges_g(a: &[f64], b: &[f64], alpha: f64) -> Option<Effect> {
    let d = cohen_d(a, b, alpha)?;
    let df = (a.len() + b.len() - 2) as f64;
    let factor = if df > 1.0 {
        (ln_gamma(df / 2.0) - ln_gamma((df - 1.0) / 2.0)).exp() / (df / 2.0).sqrt()
    } else {
        return None;
    };
    Some(Effect { value: factor * d.value, low: factor * d.low, high: factor * d.high })
}

/// `root`: what turns the effect into its t.
fn standardised(estimate: f64, deviation: f64, size: f64, root: f64, df: f64, alpha: f64) -> Option<Effect> {
    if deviation <= 1e-15 * size || deviation <= 0.0 {
        return None;
    }
    let value = estimate / deviation;
    let interval = noncentrality(value * root, df, alpha)?;
    Some(Effect { value, low: interval.low / root, high: interval.high / root })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_the_groups_round_turns_the_effect_round() {
        let (a, b) = ([1.0, 2.0, 4.0, 3.0], [2.5, 3.5, 6.0]);
        let (there, back) = (hedges_g(&a, &b, 0.05).unwrap(), hedges_g(&b, &a, 0.05).unwrap());
        assert!((there.value + back.value).abs() < 1e-12 && (there.low + back.high).abs() < 1e-9);
        assert!(there.value.abs() < cohen_d(&a, &b, 0.05).unwrap().value.abs());
    }

    #[test]
    fn no_spread_has_no_unit() {
        assert_eq!(cohen_d(&[1.0, 1.0], &[2.0, 2.0], 0.05), None);
        assert_eq!(cohen_dz(&[0.1; 5], 0.05), None);
    }
}
