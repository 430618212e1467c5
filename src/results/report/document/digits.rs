//! Numbers as the report writes them. Formatting gives [`Digits`], which no line takes: only with what the number was
//! computed under they become a span.

use std::fmt::Display;

use number::protocol::Protocol;
use study::judge::outcome::Estimate;

use super::line::{Basis, Span};

/// Stands for a number that does not exist.
pub(in crate::report) const MISSING: &str = "–";

/// A formatted number, or several that belong together, before it is said what they were computed under.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub(in crate::report) struct Digits(String);

impl Digits {
    /// A value in the words of its source, e.g. as it was printed.
    pub(in crate::report) fn quoted(text: String) -> Digits {
        Digits(text)
    }

    /// `low to high`, `before → after`, or a list: the parts with `between` between them.
    pub(in crate::report) fn joined(parts: impl IntoIterator<Item = Digits>, between: &str) -> Digits {
        let parts: Vec<String> = parts.into_iter().map(|part| part.0).collect();
        if parts.is_empty() { Digits(MISSING.to_string()) } else { Digits(parts.join(between)) }
    }

    /// The span of a number computed under these protocols; without one it is a property of the weights.
    pub(in crate::report) fn under(self, protocols: &[Protocol]) -> Span {
        self.on(Basis::of(protocols))
    }

    /// The span of a property of the checkpoint.
    pub(in crate::report) fn of_weights(self) -> Span {
        self.on(Basis::Weights)
    }

    /// The span of a count, of a share of one, or of a constant that was set and not measured.
    pub(in crate::report) fn counted(self) -> Span {
        self.on(Basis::Count)
    }

    /// The span of a number whose row says in words what it was computed under, where that is no whole protocol.
    pub(in crate::report) fn said_by_row(self) -> Span {
        self.on(Basis::Row)
    }

    /// The text alone, for a drawing or its description: their figure names the protocols of all its numbers.
    pub(in crate::report) fn in_figure(self) -> String {
        self.0
    }

    fn on(self, basis: Basis) -> Span {
        if self.0 == MISSING { Span::Text(self.0) } else { Span::Number { text: self.0, basis } }
    }
}

/// A count of things of the report.
pub(in crate::report) fn count(things: impl Display) -> Span {
    Digits(things.to_string()).counted()
}

/// Four decimals below 10, about four significant digits above.
pub(in crate::report) fn number(value: f64) -> Digits {
    let size = value.abs();
    Digits(match size {
        _ if value.is_nan() => MISSING.to_string(),
        _ if value == f64::INFINITY => "∞".to_string(),
        _ if value == f64::NEG_INFINITY => "-∞".to_string(),
        0.0 => "0".to_string(),
        _ if !(5e-5..1e7).contains(&size) => format!("{value:.2e}"),
        _ if size >= 1000.0 => format!("{value:.0}"),
        _ if size >= 100.0 => format!("{value:.1}"),
        _ if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    })
}

pub(in crate::report) fn optional(value: Option<f64>) -> Digits {
    value.map_or_else(|| Digits(MISSING.to_string()), number)
}

/// A statistic: counts without decimals.
pub(in crate::report) fn statistic(value: Option<f64>) -> Digits {
    match value {
        Some(count) if count.abs() < 1e7 && count.fract() == 0.0 => Digits(format!("{:.0}", count + 0.0)),
        other => optional(other),
    }
}

/// `value [low, high]`; the interval is left out where there is none.
pub(in crate::report) fn interval(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Digits {
    let value = optional(value);
    match (low, high) {
        (None, None) => value,
        (low, high) => Digits(format!("{} [{}, {}]", value.0, optional(low).0, optional(high).0)),
    }
}

/// An estimate with its interval.
pub(in crate::report) fn estimate(estimate: &Estimate) -> Digits {
    interval(estimate.value, estimate.low, estimate.high)
}

/// A p-value.
pub(in crate::report) fn probability(p: Option<f64>) -> Digits {
    Digits(match p {
        Some(p) if p < 1e-4 => "<0.0001".to_string(),
        Some(p) if p.is_finite() => format!("{p:.4}"),
        _ => MISSING.to_string(),
    })
}

/// A share as percent.
pub(in crate::report) fn percent(share: f64) -> Digits {
    Digits(if share.is_finite() { format!("{:.1} %", share * 100.0) } else { MISSING.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_numbers_are_dashes_and_sizes_stay_readable() {
        let text = |digits: Digits| digits.in_figure();
        assert_eq!([number(f64::NAN), optional(None), probability(Some(f64::NAN))].map(text), [MISSING; 3]);
        assert_eq!([0.47767, 17212.09, -39.31].map(number).map(text), ["0.4777", "17212", "-39.31"]);
        assert_eq!([1e-7, 6.8e9, 0.0].map(number).map(text), ["1.00e-7", "6.80e9", "0"]);
        assert_eq!([Some(4.0), Some(-0.0), Some(0.5)].map(statistic).map(text), ["4", "0", "0.5000"]);
        assert_eq!(text(probability(Some(1e-9))), "<0.0001");
    }

    #[test]
    fn an_interval_with_one_open_end_is_still_printed() {
        assert_eq!(interval(Some(1.0), Some(0.5), None).in_figure(), "1.0000 [0.5000, –]");
    }

    #[test]
    fn a_number_that_does_not_exist_needs_no_protocol() {
        assert_eq!(optional(None).under(&[]), Span::Text(MISSING.into()));
    }
}
