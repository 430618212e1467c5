//! The LLaMA-3.1 case: published gains on one logarithmic axis, and the split as a bar on the same axis.

use super::Picture;
use super::canvas::{
    Align, BAND, BODY, GREY, HEAD, INK, MEASURED, PALE, PUBLISHED, SMALL, Surface, TITLE, fitted, text_width,
};
use super::scale::Scale;
use crate::report::text::{number, percent};
use study::{llama::CaseRow, llama::LlamaCase};

const WIDTH: f64 = 940.0;
const LEFT: f64 = 400.0;
const RIGHT: f64 = WIDTH - 40.0;
const TOP: f64 = 96.0;
const ROW: f64 = 46.0;
const BAR: f64 = 116.0;

pub(super) struct CasePlot<'a> {
    case: &'a LlamaCase,
    rows: Vec<&'a CaseRow>,
    scale: Scale,
}

impl<'a> CasePlot<'a> {
    pub(super) fn new(case: &'a LlamaCase) -> CasePlot<'a> {
        let rows: Vec<&CaseRow> = case.rows.iter().chain([&case.last_token]).collect();
        let values = rows.iter().map(|row| row.gain.value).chain([1.0, 0.4, 1.8]);
        CasePlot { case, scale: Scale::covering(values, true, LEFT, RIGHT), rows }
    }

    fn bottom(&self) -> f64 {
        TOP + ROW * self.rows.len() as f64
    }

    fn axis(&self, canvas: &dyn Surface) {
        let (top, bottom) = (TOP - 6.0, self.bottom() + 6.0);
        for (value, label) in self.scale.ticks(8) {
            let x = self.scale.at(value);
            canvas.line(&[(x, top), (x, bottom)], PALE, 1.0);
            canvas.text((x, bottom + 12.0), &label, SMALL, Align::Centre);
        }
        let one = self.scale.at(1.0);
        canvas.line(&[(one, top - 10.0), (one, bottom)], INK, 1.5);
        canvas.text((one - 8.0, top - 10.0), "shrinks", SMALL, Align::Right);
        canvas.text((one + 8.0, top - 10.0), "expands", SMALL, Align::Left);
        let middle = (LEFT + RIGHT) / 2.0;
        canvas.text(
            (middle, bottom + 32.0),
            "last-block gain, ratio of norms (logarithmic)",
            SMALL,
            Align::Centre,
        );
    }

    fn row(&self, canvas: &dyn Surface, at: usize, row: &CaseRow) {
        let y = TOP + ROW * (at as f64 + 0.5);
        if at.is_multiple_of(2) {
            canvas.rectangle((12.0, y - ROW / 2.0), (LEFT - 6.0, y + ROW / 2.0), BAND, 1.0);
        }
        let room = LEFT - 40.0;
        let prompt =
            if row.gain.prompt.is_some() { format!("“{}”", row.prompt) } else { row.prompt.clone() };
        canvas.text((22.0, y - 9.0), &fitted(&prompt, BODY, room), BODY, Align::Left);
        let protocol = row.gain.protocol.map_or_else(String::new, |p| p.to_string());
        let how = format!("{protocol}, {}", row.gain.dtype);
        canvas.text((22.0, y + 10.0), &fitted(&how, SMALL, room), SMALL, Align::Left);
        // The last-token row is no part of the chain.
        let color = if at < self.case.rows.len() { PUBLISHED } else { GREY };
        let x = self.scale.at(row.gain.value);
        canvas.line(&[(self.scale.at(1.0), y), (x, y)], color, 2.0);
        canvas.circle((x, y), 6.0, color);
        let label = HEAD.in_color(color);
        let value = number(row.gain.value);
        let outside = if row.gain.value < 1.0 { x - 12.0 } else { x + 12.0 };
        let fits = row.gain.value < 1.0 || outside + text_width(&value, label) < WIDTH - 4.0;
        match (row.gain.value < 1.0, fits) {
            (true, _) => canvas.text((outside, y), &value, label, Align::Right),
            (false, true) => canvas.text((outside, y), &value, label, Align::Left),
            (false, false) => canvas.text((x, y - 14.0), &value, label, Align::Right),
        }
    }

    /// On a logarithmic axis the length of each part is its part of the whole.
    fn split(&self, canvas: &dyn Surface) {
        let top = self.bottom() + 58.0;
        let split = &self.case.split;
        canvas.text((22.0, top + 9.0), "What made the difference", HEAD, Align::Left);
        let whole = format!("factor {}; lengths are parts of its logarithm", number(split.log_ratio.exp()));
        canvas.text((22.0, top + 28.0), &whole, SMALL, Align::Left);
        let mut from = split.from.value;
        for (step, color) in split.steps.iter().zip([GREY, MEASURED]) {
            let to = from * step.log_ratio.exp();
            let (start, end) = (self.scale.at(from), self.scale.at(to));
            canvas.rectangle((start, top), (end - 1.0, top + 22.0), color, 1.0);
            let middle = (start + end) / 2.0;
            let label = format!("{} {}", step.changes, percent(step.share));
            canvas.text((middle, top + 36.0), &label, HEAD.in_color(color), Align::Centre);
            from = to;
        }
    }
}

impl Picture for CasePlot<'_> {
    fn size(&self) -> (u32, u32) {
        (WIDTH as u32, (self.bottom() + BAR) as u32)
    }

    fn draw(&self, canvas: &dyn Surface) {
        let title = format!("{}: the same block shrinks or expands, by protocol", self.case.model);
        canvas.text((22.0, 28.0), &title, TITLE, Align::Left);
        canvas.text(
            (22.0, 52.0),
            "published rows, protocol and dtype of the run below each prompt",
            SMALL,
            Align::Left,
        );
        for at in 0..self.rows.len() {
            if at.is_multiple_of(2) {
                let y = TOP + ROW * at as f64;
                canvas.rectangle((LEFT - 6.0, y), (WIDTH - 12.0, y + ROW), BAND, 1.0);
            }
        }
        self.axis(canvas);
        for (at, row) in self.rows.iter().enumerate() {
            self.row(canvas, at, row);
        }
        self.split(canvas);
    }
}
