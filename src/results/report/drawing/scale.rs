//! Axes: from numbers to positions, with round ticks.

use crate::report::document::number;

/// A linear or logarithmic axis from `from` to `to` units of length.
pub(in crate::report) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// Covers all values with a margin. Values that the axis cannot show (not finite; not positive on a logarithmic
    /// axis) are left out; without any, the axis runs around 1 or from -1 to 1.
    pub(in crate::report) fn covering(
        values: impl IntoIterator<Item = f64>,
        logarithmic: bool,
        from: f64,
        to: f64,
    ) -> Scale {
        let shown = values.into_iter().filter(|x| x.is_finite() && (!logarithmic || *x > 0.0));
        let shown: Vec<f64> = shown.map(|x| if logarithmic { x.log10() } else { x }).collect();
        let low = shown.iter().copied().reduce(f64::min).unwrap_or(-1.0);
        let high = shown.iter().copied().reduce(f64::max).unwrap_or(1.0);
        let margin = if high > low { 0.05 * (high - low) } else { (0.1 * low.abs()).max(0.05) };
        Scale { low: low - margin, high: high + margin, logarithmic, from, to }
    }

    /// Position of a value; outside the axis it is clamped to the nearer end.
    pub(in crate::report) fn at(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + part * (self.to - self.from)
    }

    /// Whether the value lies on the axis.
    pub(in crate::report) fn holds(&self, value: f64) -> bool {
        let value = if self.logarithmic { value.log10() } else { value };
        value >= self.low && value <= self.high
    }

    /// About `wanted` round values with their labels.
    pub(in crate::report) fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let values = if self.logarithmic { self.decades(wanted) } else { steps(self.low, self.high, wanted) };
        values.into_iter().map(|value| (value, tick_label(value))).collect()
    }

    /// The sparsest of 1, 1-2-5, 1-1.5-2-3-4-5-7 per decade that gives enough ticks; powers of ten thinned if too many.
    fn decades(&self, wanted: usize) -> Vec<f64> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let some = |mantissas: &[f64], stride: i32| -> Vec<f64> {
            (first..=last)
                .filter(|power| power.rem_euclid(stride) == 0)
                .flat_map(|power| mantissas.iter().map(move |m| m * 10f64.powi(power)))
                .filter(|value| value.log10() >= self.low && value.log10() <= self.high)
                .collect()
        };
        let choices: [&[f64]; 4] =
            [&[1.0], &[1.0, 3.0], &[1.0, 2.0, 5.0], &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0]];
        let enough = choices.iter().map(|m| some(m, 1)).find(|ticks| 2 * ticks.len() > wanted);
        let ticks = enough.unwrap_or_else(|| steps(10f64.powf(self.low), 10f64.powf(self.high), wanted));
        let decades = usize::try_from(last - first).unwrap_or(0);
        if ticks.len() > 2 * wanted { some(&[1.0], (decades / wanted + 1) as i32) } else { ticks }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn steps(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let rough = (high - low) / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    // Adding 0 turns -0 into 0.
    (first..=last).map(|at| at as f64 * step + 0.0).collect()
}

fn tick_label(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        return format!("{value:.0e}");
    }
    let text = number((value * 1e6).round() / 1e6).in_figure();
    if text.contains('.') && !text.contains('e') {
        return text.trim_end_matches('0').trim_end_matches('.').to_string();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_few_and_on_the_axis() {
        for (values, log) in [
            ([0.4777, 1.5332], true),
            ([0.1, 1e6], true),
            ([-0.3, 0.8], false),
            ([3.0, 3.0], false),
            ([1e-9, 1e9], true),
        ] {
            let scale = Scale::covering(values, log, 0.0, 100.0);
            let ticks = scale.ticks(6);
            assert!((2..=13).contains(&ticks.len()), "{values:?}: {ticks:?}");
            assert!(ticks.iter().all(|(value, _)| scale.holds(*value)), "{values:?}: {ticks:?}");
        }
    }

    #[test]
    fn an_axis_without_values_still_exists() {
        for log in [false, true] {
            let scale = Scale::covering([f64::NAN, f64::INFINITY], log, 0.0, 100.0);
            assert!(scale.at(1.0).is_finite() && !scale.ticks(5).is_empty());
        }
    }

    #[test]
    fn labels_carry_no_trailing_zeros() {
        assert_eq!(
            [tick_label(0.5), tick_label(20.0), tick_label(1e6), tick_label(0.0)],
            ["0.5", "20", "1e6", "0"]
        );
        assert_eq!([tick_label(150.0), tick_label(0.30000000000000004)], ["150", "0.3"]);
    }
}
