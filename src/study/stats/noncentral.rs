//! The noncentral t distribution: the sampling distribution of a standardised mean.

use statrs::{
    distribution::{ChiSquared, ContinuousCDF, StudentsT},
    function::{beta::beta_reg, gamma::ln_gamma},
};

use super::{describe::Interval, normal::upper_tail};

/// Above this the error of the mean is nothing beside that of the deviation.
const LARGE: f64 = 1000.0;

/// The 1-alpha interval of the noncentrality that makes `t` an ordinary value: its ends put t at the upper and lower
/// alpha/2 point (Steiger and Fouladi 1997).
pub(super) fn noncentrality(t: f64, df: f64, alpha: f64) -> Option<Interval> {
    if !(t.is_finite() && df > 0.0 && 0.0 < alpha && alpha < 1.0) {
        return None;
    }
    if t < 0.0 {
        let mirrored = noncentrality(-t, df, alpha)?;
        return Some(Interval { low: -mirrored.high, high: -mirrored.low });
    }
    if t > LARGE {
        let chi = ChiSquared::new(df).ok()?;
        let at = |q: f64| t * (chi.inverse_cdf(q) / df).sqrt();
        return Some(Interval { low: at(alpha / 2.0), high: at(1.0 - alpha / 2.0) });
    }
    let reach = (1.0 + t * t / (2.0 * df)).sqrt();
    let solve = |target: f64| {
        // The distribution function falls as the noncentrality grows.
        let (mut low, mut high) = (t - reach, t + reach);
        while noncentral_t_cdf(t, df, low) < target {
            low -= reach;
        }
        while noncentral_t_cdf(t, df, high) > target {
            high += reach;
        }
        while high - low > 1e-12 * (1.0 + t) {
            let middle = 0.5 * (low + high);
            if noncentral_t_cdf(t, df, middle) > target {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    };
    Some(Interval { low: solve(1.0 - alpha / 2.0), high: solve(alpha / 2.0) })
}

/// P(T ≤ t) with noncentrality `delta`: the Poisson mixture of Lenth (1989, AS 243), summed around its largest term, so that
/// large noncentralities do not underflow (Benton and Krishnamoorthy 2003).
fn noncentral_t_cdf(t: f64, df: f64, delta: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - noncentral_t_cdf(-t, df, -delta);
    }
    if delta == 0.0 {
        return StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |central| central.cdf(t));
    }
    let x = t * t / (df + t * t);
    let rate = delta * delta / 2.0;
    // Poisson terms ten deviations from the mode are below 1e-20.
    let width = 10.0 * rate.sqrt() + 30.0;
    let (first, last) = ((rate - width).max(0.0) as u64, (rate + width) as u64);
    let sum: f64 = (first..=last)
        .map(|j| {
            let j = j as f64;
            let weight = |gamma: f64| (j * rate.ln() - rate - ln_gamma(gamma)).exp();
            weight(j + 1.0) * beta_reg(j + 0.5, df / 2.0, x)
                + delta / std::f64::consts::SQRT_2 * weight(j + 1.5) * beta_reg(j + 1.0, df / 2.0, x)
        })
        .sum();
    upper_tail(delta) + 0.5 * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_noncentrality_it_is_student_s_and_the_series_meets_it() {
        for t in [-2.0, 0.0, 0.3, 5.0] {
            let (at, beside) = (noncentral_t_cdf(t, 7.0, 0.0), noncentral_t_cdf(t, 7.0, 1e-9));
            assert!((at - beside).abs() < 1e-8, "{t}: {at} {beside}");
        }
    }

    #[test]
    fn beyond_the_series_the_interval_goes_on() {
        let (below, above) =
            (noncentrality(999.0, 24.0, 0.05).unwrap(), noncentrality(1001.0, 24.0, 0.05).unwrap());
        assert!((below.low / 999.0 - above.low / 1001.0).abs() < 1e-4, "{below:?} {above:?}");
        assert!((below.high / 999.0 - above.high / 1001.0).abs() < 1e-4, "{below:?} {above:?}");
    }
}
