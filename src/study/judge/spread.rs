//! Whether numbers differ enough to decide anything.
//!
//! Of a sample without spread no interval, p or correlation is made, in no kind of test: a constant, prompts that all give one
//! number, or what rounding leaves of equal numbers would decide with certainty what nothing was learnt about. The look-up of a
//! quantity asks here, and so does every interval of a mean.

use super::{cells::ModelCells, digits::digits, hypothesis::Scale};

/// A sample of this many units or more must have as many different values; a smaller one all of its own.
pub(crate) const DISTINCT: usize = 3;

/// Numbers no further apart than this share of the largest are one number: what float32 forward passes agree to.
const ROUNDING: f64 = 1e-6;

/// Whether a sample has at least two units and enough different values.
pub(crate) fn has_spread(values: &[f64]) -> bool {
    values.len() > 1 && different(values).len() >= values.len().min(DISTINCT)
}

/// The first [`DISTINCT`] values that differ by more than rounding, ascending.
fn different(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut kept: Vec<f64> = Vec::new();
    for value in sorted {
        if kept.len() < DISTINCT && kept.last().is_none_or(|last| value - last > ROUNDING * largest) {
            kept.push(value);
        }
    }
    kept
}

/// What a sample without spread is, e.g. `vocabulary is 1408 in all 9 models`.
pub(crate) fn in_words(name: &str, values: &[f64], units: &str) -> String {
    let n = values.len();
    match &different(values)[..] {
        [] => format!("{name} has no value in any of the {units}"),
        [_] if n == 1 => format!("{name} is known of one of the {units} only"),
        [only] => format!("{name} is {} in all {n} {units}", digits(*only)),
        some => {
            let some: Vec<String> = some.iter().map(|v| digits(*v)).collect();
            format!("{name} has {} different values in {n} {units} ({})", some.len(), some.join(", "))
        }
    }
}

/// `x` less `y`, unit by unit; 0 where they differ by no more than rounding of a forward pass.
pub(crate) fn differences(x: &[f64], y: &[f64], scale: Scale) -> Vec<f64> {
    let rounding = |x: f64, y: f64| {
        let largest = x.abs().max(y.abs());
        ROUNDING
            * match scale {
                Scale::Linear | Scale::Sqrt => largest,
                // A relative error of the number is an absolute one of its logarithm.
                Scale::Log | Scale::AbsLog => 1.0,
                Scale::AbsMinusOne => 1.0 + largest,
            }
    };
    let less = |(&x, &y): (&f64, &f64)| if (x - y).abs() <= rounding(x, y) { 0.0 } else { x - y };
    x.iter().zip(y).map(less).collect()
}

impl ModelCells<'_> {
    /// Makes prompts that all give one number (or too few) one unit: they say what an aggregate would. Returns their numbers
    /// if it did.
    pub(crate) fn collapse(&mut self) -> Option<Vec<f64>> {
        let values = self.values();
        if self.prompts.len() < 2 || has_spread(&values) {
            return None;
        }
        self.aggregate = self.mean();
        self.prompts.clear();
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_few_values_and_rounding_have_no_spread() {
        assert!(has_spread(&[1.0, 2.0]) && has_spread(&[1.0, 2.0, 3.0, 3.0]));
        assert!(!has_spread(&[1.0]) && !has_spread(&[1.0, 1.0]) && !has_spread(&[1408.0; 9]));
        assert!(!has_spread(&[0.0, 1.0, 1.0, 0.0]), "two values are not three");
        let noise: Vec<f64> = (0..25).map(|i| 0.3 + f64::from(i) * 1e-9).collect();
        assert!(!has_spread(&noise));
        let drift: Vec<f64> = (0..25).map(|i| 0.3 + f64::from(i) * 1e-6).collect();
        assert!(has_spread(&drift), "small steps that add up are a spread");
    }

    #[test]
    fn what_has_no_spread_is_said_with_its_value() {
        assert_eq!(in_words("width", &[1408.0; 9], "models"), "width is 1408 in all 9 models");
        let two = [1e4, 5e5, 1e4, 5e5];
        assert_eq!(
            in_words("theta", &two, "models"),
            "theta has 2 different values in 4 models (10000, 500000)"
        );
    }

    #[test]
    fn a_difference_of_rounding_is_none() {
        assert_eq!(differences(&[1.0, 2.0], &[1.0 + 1e-8, 1.5], Scale::Linear), [0.0, 0.5]);
        assert_eq!(differences(&[1e-9], &[2e-9], Scale::Log), [0.0]);
        assert_eq!(differences(&[1e-9], &[2e-9], Scale::Linear), [-1e-9]);
    }
}
