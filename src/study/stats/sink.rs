//! The sink model of a Frobenius norm: one token carries B, each of the others r, so F² = B² + (n-1) r².

use super::describe::{centred, dot, mean};
use number::metric::Paired;

/// Least-squares fit of F² on n-1 at one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SinkFit {
    /// B², the intercept (negative where the model does not hold).
    pub sink_squared: f64,
    /// r², the slope.
    pub token_squared: f64,
    /// Share of the variance of F² that the fit explains.
    pub r_squared: f64,
    /// Prompts behind the fit.
    pub units: usize,
}

/// Fits x = tokens n and y = Frobenius norms F. `None` with fewer than three units or a single length.
pub fn sink_fit<K: Ord + Clone>(tokens_and_norms: &Paired<K>) -> Option<SinkFit> {
    let others: Vec<f64> = tokens_and_norms.x().iter().map(|n| n - 1.0).collect();
    let squares: Vec<f64> = tokens_and_norms.y().iter().map(|f| f * f).collect();
    let (dx, dy) = (centred(&others), centred(&squares));
    let (sxx, syy) = (dot(&dx, &dx), dot(&dy, &dy));
    if others.len() < 3 || sxx <= 0.0 || syy <= 0.0 {
        return None;
    }
    let token_squared = dot(&dx, &dy) / sxx;
    let sink_squared = mean(&squares)? - token_squared * mean(&others)?;
    let left: f64 =
        others.iter().zip(&squares).map(|(x, y)| (y - sink_squared - token_squared * x).powi(2)).sum();
    Some(SinkFit { sink_squared, token_squared, r_squared: 1.0 - left / syy, units: others.len() })
}

/// The norm the fit predicts for a prompt of n tokens; `None` where the square would be negative.
pub fn sink_norm(fit: &SinkFit, tokens: f64) -> Option<f64> {
    Some(fit.sink_squared + (tokens - 1.0) * fit.token_squared).filter(|&s| s >= 0.0).map(f64::sqrt)
}

/// The Frobenius gain from `below` to `above` that the fits predict for a prompt of n tokens; `None` where a square would be negative.
pub fn sink_gain(below: &SinkFit, above: &SinkFit, tokens: f64) -> Option<f64> {
    Some(sink_norm(above, tokens)? / sink_norm(below, tokens)?)
}

/// The prompt length at which the predicted Frobenius gain from `below` to `above` crosses 1; `None` where it never does
/// for n ≥ 1.
pub fn crossing_tokens(below: &SinkFit, above: &SinkFit) -> Option<f64> {
    let others = (below.sink_squared - above.sink_squared) / (above.token_squared - below.token_squared);
    Some(1.0 + others).filter(|n| n.is_finite() && *n >= 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(sink_squared: f64, token_squared: f64) -> SinkFit {
        SinkFit { sink_squared, token_squared, r_squared: 1.0, units: 5 }
    }

    #[test]
    fn the_gain_is_one_at_the_crossing() {
        let (below, above) = (fit(492.9 * 492.9, 58.1 * 58.1), fit(163.7 * 163.7, 85.9 * 85.9));
        let n = crossing_tokens(&below, &above).unwrap();
        assert!((50.0..60.0).contains(&n), "{n}");
        assert!((sink_norm(&above, n).unwrap() / sink_norm(&below, n).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(crossing_tokens(&fit(1.0, 1.0), &fit(2.0, 2.0)), None);
    }
}
