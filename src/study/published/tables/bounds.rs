//! What the numbers of a column can be: a table with a number outside of it is wrong, whether the number is imported or not.

/// Which numbers a column can hold. An empty cell was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounds {
    /// A whole number from 1 on: blocks, heads, prompts.
    Count,
    /// A whole number from 0 on: a layer, a place in a list.
    Index,
    /// A ratio of norms: above 0, and no more than float32 can hold.
    Ratio,
    /// A norm, a base of angles: likewise.
    Positive,
    /// A spread, a tolerance, the smallest of some norms: likewise, or 0.
    NotNegative,
    /// A probability.
    Share,
    /// An entropy over a vocabulary of at most 2^32 tokens, nats.
    Nats,
    /// A correlation.
    Correlation,
}

/// Columns that hold numbers, each with its bounds.
pub(super) type Numbers = &'static [(&'static str, Bounds)];

impl Bounds {
    /// Whether a cell can be a number of this column.
    pub(super) fn hold(self, text: &str) -> bool {
        let whole = |least: u64| text.parse::<u64>().is_ok_and(|number| number >= least);
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let inside = |low: f64, high: f64| number.is_some_and(|number| low <= number && number <= high);
        let largest = f64::from(f32::MAX);
        match self {
            Bounds::Count => whole(1),
            Bounds::Index => whole(0),
            Bounds::Ratio | Bounds::Positive => inside(f64::MIN_POSITIVE, largest),
            Bounds::NotNegative => inside(0.0, largest),
            Bounds::Share => inside(0.0, 1.0),
            Bounds::Nats => inside(0.0, 32.0 * std::f64::consts::LN_2),
            Bounds::Correlation => inside(-1.0, 1.0),
        }
    }

    /// What is expected, in words.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Bounds::Count => "a whole number from 1 on",
            Bounds::Index => "a whole number that is not negative",
            Bounds::Ratio => "a finite number that is a ratio of norms, above 0 and within float32",
            Bounds::Positive => "a finite number above 0, within float32",
            Bounds::NotNegative => "a finite number that is not negative, within float32",
            Bounds::Share => "a finite number from 0 to 1",
            Bounds::Nats => "a finite number of nats from 0 to 22.2",
            Bounds::Correlation => "a finite number from -1 to 1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_measurement_can_give_is_outside_and_what_one_can_is_inside() {
        for (bounds, inside, outside) in [
            (Bounds::Count, ["1", "48"], ["0", "-1", "1.5", "many", "99999999999999999999"]),
            (Bounds::Index, ["0", "36"], ["-1", "0.5", "last", "1e3", "+-1"]),
            (Bounds::Ratio, ["0.06", "328.9"], ["0", "-1", "1e308", "0.21x", "NaN"]),
            (Bounds::Positive, ["1e-30", "188747.4"], ["0", "-0.5", "1e308", "inf", "NaN"]),
            (Bounds::NotNegative, ["0", "5.5"], ["-1e-9", "1e39", "-inf", "nan", "x"]),
            (Bounds::Share, ["0", "1"], ["-1", "1e308", "1.0001", "nan", "50%"]),
            (Bounds::Nats, ["0.0006", "22.18"], ["-0.1", "23", "1e308", "inf", "low"]),
            (Bounds::Correlation, ["-1", "0.49"], ["-1.01", "2", "1e308", "nan", "r"]),
        ] {
            assert!(inside.iter().all(|text| bounds.hold(text)), "{bounds:?}");
            let held: Vec<&str> = outside.into_iter().filter(|text| bounds.hold(text)).collect();
            assert!(held.is_empty(), "{bounds:?} holds {held:?}");
        }
    }
}
