//! Layer profiles: norm of the residual stream by layer, the first token apart from the others, one panel per model.

use super::Picture;
use super::canvas::{Align, BODY, GREY, HEAD, PALE, SMALL, Surface, TEAL, TITLE, VIOLET, fitted, text_width};
use super::scale::Scale;
use crate::report::view::{Band, LayerProfile};

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 22.0;
const TOP: f64 = 84.0;
const PANEL: f64 = 270.0;
const FIRST: plotters::style::RGBColor = VIOLET;
const REST: plotters::style::RGBColor = TEAL;

pub(super) struct ProfilePlot<'a> {
    profiles: &'a [LayerProfile],
    columns: usize,
}

impl<'a> ProfilePlot<'a> {
    pub(super) fn new(profiles: &'a [LayerProfile]) -> ProfilePlot<'a> {
        ProfilePlot { profiles, columns: profiles.len().clamp(1, 2) }
    }
}

impl Picture for ProfilePlot<'_> {
    fn size(&self) -> (u32, u32) {
        let rows = self.profiles.len().div_ceil(self.columns);
        (WIDTH as u32, (TOP + PANEL * rows as f64 + 8.0) as u32)
    }

    fn draw(&self, canvas: &dyn Surface) {
        canvas.text((MARGIN, 28.0), "Norm of the residual stream by layer", TITLE, Align::Left);
        let rest =
            self.profiles.first().map_or(String::new(), |p| format!("all other tokens ({})", p.protocol));
        let mut x = MARGIN;
        for (text, color) in [("first token alone", FIRST), (rest.as_str(), REST)] {
            canvas.line(&[(x, 56.0), (x + 24.0, 56.0)], color, 3.0);
            canvas.text((x + 32.0, 56.0), text, BODY.in_color(color), Align::Left);
            x += 60.0 + text_width(text, BODY);
        }
        canvas.text((x, 56.0), "line: geometric mean of prompts, band: range", SMALL, Align::Left);
        let width = (WIDTH - 2.0 * MARGIN) / self.columns as f64;
        for (at, profile) in self.profiles.iter().enumerate() {
            let corner =
                (MARGIN + width * (at % self.columns) as f64, TOP + PANEL * (at / self.columns) as f64);
            panel(canvas, profile, corner, width);
        }
    }
}

fn panel(canvas: &dyn Surface, profile: &LayerProfile, (x, y): (f64, f64), width: f64) {
    let title = format!("{}, {} prompts", profile.model, profile.prompts);
    canvas.text((x + 60.0, y + 12.0), &fitted(&title, HEAD, width - 80.0), HEAD, Align::Left);
    let (left, right, top, bottom) = (x + 60.0, x + width - 18.0, y + 28.0, y + PANEL - 52.0);
    let layers = profile.first.len().max(profile.rest.len());
    let all = profile.first.iter().chain(&profile.rest).flatten().flat_map(|band| [band.low, band.high]);
    let norms = Scale::covering(all, true, bottom, top);
    for (value, label) in norms.ticks(5) {
        let tick = norms.at(value);
        canvas.line(&[(left, tick), (right, tick)], PALE, 1.0);
        canvas.text((left - 8.0, tick), &label, SMALL, Align::Right);
    }
    let last = layers.saturating_sub(1).max(1);
    let place = |layer: usize| left + (right - left) * (layer as f64 + 0.25) / (last as f64 + 0.5);
    // Whole layers only, at most about ten labels.
    let stride = [1, 2, 4, 5, 8, 10, 16, 20, 40, 80].into_iter().find(|s| last / s <= 10).unwrap_or(160);
    for layer in (0..layers).step_by(stride) {
        canvas.line(&[(place(layer), bottom), (place(layer), bottom + 4.0)], GREY, 1.0);
        canvas.text((place(layer), bottom + 14.0), &layer.to_string(), SMALL, Align::Centre);
    }
    canvas.line(&[(left, top), (left, bottom), (right, bottom)], GREY, 1.0);
    canvas.text(
        ((left + right) / 2.0, bottom + 32.0),
        "layer (0: embedding, l: output of block l-1)",
        SMALL,
        Align::Centre,
    );
    canvas.turned((x + 8.0, (top + bottom) / 2.0), "L2 norm", SMALL);
    for (bands, color) in [(&profile.rest, REST), (&profile.first, FIRST)] {
        for run in runs(bands) {
            curve(canvas, &norms, &place, &run, color);
        }
    }
}

/// Stretches of layers without a gap.
fn runs(bands: &[Option<Band>]) -> Vec<Vec<(usize, Band)>> {
    let mut runs: Vec<Vec<(usize, Band)>> = vec![Vec::new()];
    for (layer, band) in bands.iter().enumerate() {
        match (band, runs.last_mut()) {
            (Some(band), Some(run)) => run.push((layer, *band)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn curve(
    canvas: &dyn Surface,
    norms: &Scale,
    place: &dyn Fn(usize) -> f64,
    run: &[(usize, Band)],
    color: plotters::style::RGBColor,
) {
    let upper = run.iter().map(|(layer, band)| (place(*layer), norms.at(band.high)));
    let lower = run.iter().rev().map(|(layer, band)| (place(*layer), norms.at(band.low)));
    canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), color, 0.18);
    let middle: Vec<(f64, f64)> =
        run.iter().map(|(layer, band)| (place(*layer), norms.at(band.middle))).collect();
    canvas.line(&middle, color, 2.5);
    // With many layers the dots would hide the line.
    if run.len() <= 40 {
        for point in &middle {
            canvas.circle(*point, 3.0, color);
        }
    }
}
