//! Frames with axes: ticks, grid lines, labels and the null line.

use super::scale::Scale;
use super::sheet::{Anchor, Drawing};

/// The rectangle that marks are drawn in.
#[derive(Clone, Copy)]
pub(in crate::report) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// What an axis shows.
pub(in crate::report) struct Grid<'a> {
    pub scale: &'a Scale,
    pub label: &'a str,
    /// The null line: the value where there is no effect, drawn as a line of its own.
    pub reference: Option<f64>,
    /// About how many ticks.
    pub ticks: usize,
}

impl Frame {
    /// Grid lines and labels of a vertical axis at the left.
    pub(in crate::report) fn vertical(&self, drawing: &mut Drawing, grid: &Grid<'_>) {
        let ticks = grid.scale.ticks(grid.ticks);
        let across = |y: f64| vec![(self.left, y), (self.right, y)];
        drawing.lines("grid", ticks.iter().map(|(value, _)| across(grid.scale.at(*value))).collect());
        for (value, label) in ticks {
            drawing.text("small", (self.left - 7.0, grid.scale.at(value)), Anchor::End, &label);
        }
        if let Some(reference) = grid.reference.filter(|value| grid.scale.holds(*value)) {
            let y = grid.scale.at(reference);
            drawing.line("reference", (self.left, y), (self.right, y));
        }
        drawing.turned("small", (self.left - 52.0, (self.top + self.bottom) / 2.0), grid.label);
    }

    /// Grid lines and labels of a horizontal axis at the bottom.
    pub(in crate::report) fn horizontal(&self, drawing: &mut Drawing, grid: &Grid<'_>) {
        let ticks = grid.scale.ticks(grid.ticks);
        let along = |x: f64| vec![(x, self.top), (x, self.bottom)];
        drawing.lines("grid", ticks.iter().map(|(value, _)| along(grid.scale.at(*value))).collect());
        for (value, label) in ticks {
            drawing.text("small", (grid.scale.at(value), self.bottom + 13.0), Anchor::Middle, &label);
        }
        if let Some(reference) = grid.reference.filter(|value| grid.scale.holds(*value)) {
            let x = grid.scale.at(reference);
            drawing.line("reference", (x, self.top), (x, self.bottom));
        }
        let middle = (self.left + self.right) / 2.0;
        drawing.text("small", (middle, self.bottom + 31.0), Anchor::Middle, grid.label);
    }

    /// Whole numbers from `first` to `last` along the bottom; returns where each lies.
    pub(in crate::report) fn counts(
        &self,
        drawing: &mut Drawing,
        first: usize,
        last: usize,
        label: &str,
    ) -> impl Fn(f64) -> f64 + use<> {
        let (left, width) = (self.left, self.right - self.left);
        let span = (last.saturating_sub(first)).max(1) as f64;
        let start = first as f64;
        let at = move |count: f64| left + width * (count - start + 0.25) / (span + 0.5);
        let strides = [1, 2, 4, 5, 8, 10, 16, 20, 40, 80];
        let count = last.saturating_sub(first);
        let stride = strides.into_iter().find(|stride| count / stride <= 10).unwrap_or(160);
        let ticks: Vec<usize> = (first..=last).filter(|tick| tick % stride == 0).collect();
        let mut lines = vec![vec![(self.left, self.bottom), (self.right, self.bottom)]];
        lines.extend(ticks.iter().map(|tick| {
            let x = at(*tick as f64);
            vec![(x, self.bottom), (x, self.bottom + 4.0)]
        }));
        drawing.lines("tick", lines);
        for tick in ticks {
            drawing.text("small", (at(tick as f64), self.bottom + 14.0), Anchor::Middle, &tick.to_string());
        }
        drawing.text("small", ((self.left + self.right) / 2.0, self.bottom + 31.0), Anchor::Middle, label);
        at
    }
}
