//! One hypothesis as a forest plot: a panel per prediction, a line per estimate, published and measured in two colours.

use super::Picture;
use super::canvas::{
    Align, BAND, BODY, GREY, HEAD, INK, MEASURED, PALE, PUBLISHED, SMALL, Surface, TITLE, Type, fitted,
    text_width, wrapped,
};
use super::scale::Scale;
use crate::report::extent::{self, Whisker};
use crate::report::text::{self, evidence_phrase, protocols};
use crate::report::view::Pair;
use number::evidence::Evidence;
use study::judge::outcome::{Estimate, HypothesisOutcome, PredictionOutcome};

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 22.0;
const TOP: f64 = 76.0;
const LINE: f64 = 19.0;
const ROW: f64 = 21.0;
const AXIS: f64 = 52.0;
const GAP: f64 = 22.0;
const NUMBERS: f64 = 270.0;
/// Wider label columns leave too little room for the axis.
const LABELS: f64 = 250.0;

pub(super) struct ForestPlot<'a> {
    title: String,
    panels: Vec<Panel<'a>>,
}

struct Panel<'a> {
    id: &'a str,
    claim: Vec<String>,
    /// Verdict, protocol and unit of each kind of evidence.
    sides: Vec<(Evidence, String)>,
    rows: Vec<(&'a str, Evidence, &'a Estimate)>,
    unit: String,
}

impl<'a> ForestPlot<'a> {
    pub(super) fn new(hypothesis: &'a HypothesisOutcome) -> ForestPlot<'a> {
        let title = format!("{}: {}", hypothesis.id, hypothesis.title);
        ForestPlot { title, panels: Pair::all(hypothesis).iter().map(Panel::new).collect() }
    }
}

impl Picture for ForestPlot<'_> {
    fn size(&self) -> (u32, u32) {
        let panels: f64 = self.panels.iter().map(|panel| panel.height() + GAP).sum();
        (WIDTH as u32, (TOP + panels).ceil() as u32)
    }

    fn draw(&self, canvas: &dyn Surface) {
        canvas.text((MARGIN, 28.0), &fitted(&self.title, TITLE, WIDTH - 2.0 * MARGIN), TITLE, Align::Left);
        let mut x = MARGIN;
        for evidence in Evidence::ALL {
            mark(canvas, (x + 6.0, 54.0), *evidence);
            canvas.text(
                (x + 18.0, 54.0),
                evidence_phrase(*evidence),
                BODY.in_color(color(*evidence)),
                Align::Left,
            );
            x += 40.0 + text_width(evidence_phrase(*evidence), BODY);
        }
        canvas.text((x, 54.0), "estimate with its interval", SMALL, Align::Left);
        let mut y = TOP;
        for panel in &self.panels {
            panel.draw(canvas, y);
            y += panel.height() + GAP;
        }
    }
}

impl<'a> Panel<'a> {
    fn new(pair: &Pair<'a>) -> Panel<'a> {
        let claim = wrapped(pair.claim, BODY, WIDTH - 2.0 * MARGIN - indent(pair.id));
        let sides = pair.sides().map(|side| (side.evidence, side_line(side))).collect();
        let mut rows = Vec::new();
        for label in pair.labels() {
            for side in pair.sides() {
                let found = side
                    .primary
                    .estimates
                    .iter()
                    .filter(|e| e.label == label && e.value.is_some_and(f64::is_finite));
                rows.extend(found.map(|e| (label, side.evidence, e)));
            }
        }
        let unit = pair.sides().map(|side| side.primary.unit.clone()).find(|unit| !unit.is_empty());
        Panel { id: pair.id, claim, sides, rows, unit: unit.unwrap_or_default() }
    }

    fn head_height(&self) -> f64 {
        LINE * (self.claim.len().max(1) + self.sides.len()) as f64 + 14.0
    }

    fn height(&self) -> f64 {
        let body = if self.rows.is_empty() { ROW } else { ROW * self.rows.len() as f64 + AXIS };
        self.head_height() + body
    }

    fn draw(&self, canvas: &dyn Surface, top: f64) {
        canvas.line(&[(MARGIN, top), (WIDTH - MARGIN, top)], GREY, 1.0);
        let mut y = top + 16.0;
        canvas.text((MARGIN, y), self.id, HEAD, Align::Left);
        for (at, line) in self.claim.iter().enumerate() {
            canvas.text((MARGIN + indent(self.id), y + LINE * at as f64), line, BODY, Align::Left);
        }
        y += LINE * self.claim.len().max(1) as f64;
        for (evidence, line) in &self.sides {
            let look = Type { color: color(*evidence), ..SMALL };
            canvas.text((MARGIN, y), &fitted(line, look, WIDTH - 2.0 * MARGIN), look, Align::Left);
            y += LINE;
        }
        let top = top + self.head_height();
        if self.rows.is_empty() {
            canvas.text((MARGIN, top + ROW / 2.0), "no estimate", SMALL, Align::Left);
            return;
        }
        self.rows(canvas, top);
    }

    fn rows(&self, canvas: &dyn Surface, top: f64) {
        let widest = self.rows.iter().map(|row| text_width(row.0, BODY)).fold(60.0, f64::max).min(LABELS);
        let (left, right) = (MARGIN + widest + 24.0, WIDTH - MARGIN - NUMBERS);
        let bottom = top + ROW * self.rows.len() as f64;
        let reference = extent::nothing(&self.unit);
        let scale = self.scale(left, right, reference);
        let mut label = "";
        let mut shaded = false;
        for (at, (name, _, _)) in self.rows.iter().enumerate() {
            let y = top + ROW * at as f64;
            if *name != label {
                (label, shaded) = (name, !shaded);
            }
            if shaded {
                canvas.rectangle((MARGIN - 6.0, y), (WIDTH - MARGIN + 6.0, y + ROW), BAND, 1.0);
            }
        }
        for (value, text) in scale.ticks(9) {
            let x = scale.at(value);
            canvas.line(&[(x, top), (x, bottom + 4.0)], PALE, 1.0);
            canvas.text((x, bottom + 14.0), &text, SMALL, Align::Centre);
        }
        canvas.text(((left + right) / 2.0, bottom + 34.0), &self.unit, SMALL, Align::Centre);
        if let Some(x) = reference.map(|value| scale.at(value)) {
            canvas.line(&[(x, top), (x, bottom)], INK, 1.0);
        }
        let mut label = "";
        for (at, (name, evidence, estimate)) in self.rows.iter().enumerate() {
            let y = top + ROW * (at as f64 + 0.5);
            if *name != label {
                label = name;
                canvas.text((MARGIN, y), &fitted(name, BODY, LABELS), BODY, Align::Left);
            }
            // A number in another unit has no place on this axis.
            let unit = text::own_unit(name, &self.unit);
            if unit.is_none() {
                whisker(canvas, &scale, y, *evidence, estimate);
            }
            let unit = unit.map_or_else(String::new, |unit| format!(" {unit}"));
            let text = format!("{}{unit}   n {}", text::estimate(estimate), estimate.n);
            let look = Type { color: color(*evidence), ..SMALL };
            canvas.text((WIDTH - MARGIN, y), &fitted(&text, look, NUMBERS - 20.0), look, Align::Right);
        }
    }

    fn scale(&self, left: f64, right: f64, nothing: Option<f64>) -> Scale {
        // A number in another unit has no place on the axis.
        let on_axis = self.rows.iter().filter(|row| text::own_unit(row.0, &self.unit).is_none());
        let whiskers: Vec<Whisker> = on_axis.map(|row| extent::whisker(row.2)).collect();
        extent::forest_scale(&whiskers, nothing, left, right)
    }
}

fn indent(id: &str) -> f64 {
    text_width(id, HEAD) + 10.0
}

/// Interval, then the point on top of it. An end beyond the axis becomes an arrow.
fn whisker(canvas: &dyn Surface, scale: &Scale, y: f64, evidence: Evidence, estimate: &Estimate) {
    let color = color(evidence);
    let ends = [estimate.low, estimate.high].map(|end| end.filter(|x| !x.is_nan()));
    if let [Some(low), Some(high)] = ends {
        let (from, to) = (scale.at(low), scale.at(high));
        canvas.line(&[(from, y), (to, y)], color, 2.0);
        for (end, x, inward) in [(low, from, 6.0), (high, to, -6.0)] {
            if scale.holds(end) {
                canvas.line(&[(x, y - 4.0), (x, y + 4.0)], color, 2.0);
            } else {
                canvas.polygon(&[(x, y), (x + inward, y - 5.0), (x + inward, y + 5.0)], color, 1.0);
            }
        }
    }
    if let Some(value) = estimate.value.filter(|x| x.is_finite()) {
        mark(canvas, (scale.at(value), y), evidence);
    }
}

/// Published: a diamond; measured: a disc.
fn mark(canvas: &dyn Surface, (x, y): (f64, f64), evidence: Evidence) {
    let color = color(evidence);
    match evidence {
        Evidence::Published => {
            let points = [(x - 6.5, y), (x, y - 6.5), (x + 6.5, y), (x, y + 6.5)];
            canvas.polygon(&points, color, 1.0);
        }
        Evidence::Measured => canvas.circle((x, y), 5.0, color),
    }
}

fn color(evidence: Evidence) -> plotters::style::RGBColor {
    match evidence {
        Evidence::Published => PUBLISHED,
        Evidence::Measured => MEASURED,
    }
}

fn side_line(side: &PredictionOutcome) -> String {
    let head = format!("{}: {}", evidence_phrase(side.evidence), side.verdict);
    match side.primary.missing.first() {
        Some(missing) => format!("{head}: {missing}"),
        None => format!("{head}, {} under {}", side.primary.unit, protocols(&side.primary)),
    }
}
