//! What an axis of estimates covers: every value, the value of no effect, and intervals as far as they are not much
//! longer than that.

use super::scale::Scale;
use study::judge::outcome::Estimate;

/// An estimate as an axis sees it: the ends of its interval around its value.
pub(in crate::report) type Whisker = [Option<f64>; 3];

pub(in crate::report) fn whisker(estimate: &Estimate) -> Whisker {
    [estimate.low, estimate.value, estimate.high]
}

/// The axis of a forest plot; logarithmic where all numbers are positive and far apart.
pub(in crate::report) fn forest_scale(whiskers: &[Whisker], null: Option<f64>, from: f64, to: f64) -> Scale {
    let (values, ends) = covered(whiskers, null);
    let (low, high) = range(&values);
    let positive = values.iter().chain(&ends).all(|x| *x > 0.0);
    let logarithmic = positive && null != Some(0.0) && high > 20.0 * low;
    Scale::covering(values.into_iter().chain(ends), logarithmic, from, to)
}

/// The linear axis of a specification curve.
pub(in crate::report) fn curve_scale(whiskers: &[Whisker], null: f64, from: f64, to: f64) -> Scale {
    let (values, ends) = covered(whiskers, Some(null));
    Scale::covering(values.into_iter().chain(ends), false, from, to)
}

/// Values with the null value, and ends of intervals: an end widens the axis by at most 0.6 of the values' span or 1.2 usual
/// (median) intervals, whichever is more, so that one estimate without power does not flatten all others.
fn covered(whiskers: &[Whisker], null: Option<f64>) -> (Vec<f64>, Vec<f64>) {
    let finite = |x: &f64| x.is_finite();
    let values: Vec<f64> = whiskers.iter().filter_map(|w| w[1]).filter(finite).chain(null).collect();
    let (low, high) = range(&values);
    let mut widths: Vec<f64> = whiskers.iter().filter_map(|w| Some(w[2]? - w[0]?)).filter(finite).collect();
    widths.sort_by(f64::total_cmp);
    let usual = widths.get(widths.len() / 2).copied().unwrap_or(0.0);
    let room = (0.6 * (high - low)).max(1.2 * usual);
    let ends = whiskers.iter().flat_map(|w| [w[0], w[2]]).flatten().filter(finite);
    (values, ends.map(|end| end.clamp(low - room, high + room)).collect())
}

fn range(values: &[f64]) -> (f64, f64) {
    let of = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick).unwrap_or(0.0);
    (of(f64::min), of(f64::max))
}

/// The value of no effect: 0 for differences, logarithms and correlations, 1 for ratios, none for other numbers.
pub(in crate::report) fn null_value(unit: &str) -> Option<f64> {
    let has = |word: &str| unit.contains(word);
    match () {
        _ if has("log") || has("minus") || has("error") || has("rho") || has("correlation") || has("R2") => {
            Some(0.0)
        }
        _ if has("ratio") || has("gain") => Some(1.0),
        _ if has("Spearman") || has("Pearson") || unit == "r" => Some(0.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_much_longer_than_the_effect_stays_on_the_axis_when_it_is_the_usual_one() {
        let scale = forest_scale(&[[Some(-0.74), Some(0.04), Some(0.77)]], Some(0.0), 0.0, 100.0);
        assert!(scale.holds(-0.74) && scale.holds(0.77));
    }

    #[test]
    fn one_endless_interval_does_not_flatten_the_others() {
        let usual = [Some(0.9), Some(1.0), Some(1.1)];
        let scale = forest_scale(&[usual, usual, [Some(-1e6), Some(1.2), Some(1e6)]], Some(1.0), 0.0, 100.0);
        assert!(scale.at(1.2) - scale.at(1.0) > 10.0 && !scale.holds(1e6));
    }

    #[test]
    fn the_null_value_is_one_for_ratios_and_none_for_steps() {
        assert_eq!(
            ["ratio", "log ratio", "share of log ratio", "training step", "as printed"].map(null_value),
            [Some(1.0), Some(0.0), Some(0.0), None, None]
        );
    }
}
