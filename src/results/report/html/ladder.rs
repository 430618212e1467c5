//! Frobenius gains along a ladder of prompt lengths, one small panel per model: observed beside predicted.

use maud::html;

use super::book::{Book, metric_anchor};
use super::plate::{Csv, Plate, exact};
use super::words;
use crate::report::svg::{Anchor, BODY, Frame, Grid, Scale, Shape, Svg, fitted};
use crate::report::text::{number, percent};
use crate::report::view::is_released;
use number::metric::Metric;
use study::analysis::{Rung, Sink};

const WIDTH: f64 = 860.0;
const COLUMNS: usize = 3;
const PANEL: f64 = 196.0;

/// Released models are drawn (all, where none is one); the data have every model. `None` where no model has a ladder.
pub(super) fn plate(book: &mut Book<'_>, sinks: &[Sink]) -> Option<Plate> {
    let with: Vec<&Sink> = sinks.iter().filter(|sink| !sink.rungs.is_empty()).collect();
    let protocol = with.first()?.protocol;
    let models = &book.view.models;
    let released = |sink: &Sink| models.iter().any(|model| model.id == sink.model && is_released(model));
    let mut drawn: Vec<&Sink> = with.iter().copied().filter(|sink| released(sink)).collect();
    if drawn.is_empty() {
        drawn.clone_from(&with);
    }
    let protocol = words::protocols(book, &[protocol]);
    let metrics = [Metric::LastGain, Metric::ResidualNorm].map(|metric| metric.to_string());
    Some(Plate {
        name: book.unique("ladder"),
        title: "Gain of the last block over the length of the prompt, observed and predicted".to_string(),
        description: description(&drawn),
        svg: draw(&drawn),
        legend: html! {
            span.key.c0 { "● observed" } " " span.key.c1 { "▽ predicted from other prompts" }
            ". The level line is a gain of 1; an upright line is the length at which the prediction crosses it."
            @if drawn.len() < with.len() {
                " Released models only; the data have all " (with.len()) "."
            }
        },
        how: html! {
            p {
                "Metrics "
                @for (at, metric) in metrics.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href={ "#" (metric_anchor(metric)) } { (metric) }
                }
                ", measured here under " (protocol) ". Predicted: the square root of (B² + (n-1) r²) after the last block over the \
                 same before it, B and r being root mean squares over the prompts outside the ladder (how many, the table \
                 says). Both axes are logarithmic; every panel has its own gains and all share the lengths."
            }
        },
        csv: csv(&with),
    })
}

fn csv(sinks: &[&Sink]) -> Csv {
    let rows = sinks.iter().flat_map(|sink| {
        sink.rungs.iter().map(move |rung| {
            [
                sink.model.clone(),
                rung.prompt.clone(),
                exact(Some(rung.tokens)),
                exact(Some(rung.observed)),
                exact(Some(rung.predicted)),
            ]
        })
    });
    Csv::new(&["model", "prompt", "tokens", "observed gain", "predicted gain"], rows)
}

fn description(sinks: &[&Sink]) -> String {
    let line = |sink: &&Sink| {
        let ends = |of: fn(&Rung) -> f64| {
            let of = |rung: Option<&Rung>| rung.map_or_else(String::new, |rung| number(of(rung)));
            format!("{} to {}", of(sink.rungs.first()), of(sink.rungs.last()))
        };
        let side = sink.right_side.map_or_else(String::new, percent);
        let (observed, predicted) = (ends(|rung| rung.observed), ends(|rung| rung.predicted));
        format!(
            "{}: observed {observed}, predicted {predicted}, {side} on the predicted side of 1",
            sink.model
        )
    };
    let lines: Vec<String> = sinks.iter().map(line).collect();
    format!("From the shortest prompt to the longest. {}.", lines.join("; "))
}

fn draw(sinks: &[&Sink]) -> Svg {
    let mut svg = Svg::new(WIDTH, PANEL * sinks.len().div_ceil(COLUMNS) as f64);
    let width = WIDTH / COLUMNS as f64;
    let tokens = || sinks.iter().flat_map(|sink| &sink.rungs).map(|rung| rung.tokens);
    for (at, sink) in sinks.iter().enumerate() {
        let (left, top) = (width * (at % COLUMNS) as f64, PANEL * (at / COLUMNS) as f64);
        let frame = Frame {
            left: left + 58.0,
            right: left + width - 10.0,
            top: top + 24.0,
            bottom: top + PANEL - 44.0,
        };
        let name = fitted(&sink.model, BODY, frame.right - frame.left);
        svg.text("head", (frame.left, top + 11.0), Anchor::Start, &name);
        let gains = sink.rungs.iter().flat_map(|rung| [rung.observed, rung.predicted]);
        let y = Scale::covering(gains.chain([1.0]), true, frame.bottom, frame.top);
        let x = Scale::covering(tokens(), true, frame.left, frame.right);
        let label = if at % COLUMNS == 0 { "gain, ratio" } else { "" };
        frame.vertical(&mut svg, &Grid { scale: &y, label, reference: Some(1.0), ticks: 4 });
        let across = Grid { scale: &x, label: "tokens", reference: sink.crossing, ticks: 4 };
        frame.horizontal(&mut svg, &across);
        let place = |rung: &Rung, gain: f64| (x.at(rung.tokens), y.at(gain));
        let line: Vec<(f64, f64)> = sink.rungs.iter().map(|rung| place(rung, rung.predicted)).collect();
        svg.polyline("curve c1", &line);
        for rung in &sink.rungs {
            let [observed, predicted] = [rung.observed, rung.predicted].map(number);
            let says = format!("{} tokens: observed {observed}, predicted {predicted}", number(rung.tokens));
            svg.mark("c1", Shape::Open, place(rung, rung.predicted), 3.2, &says);
            svg.mark("c0", Shape::Circle, place(rung, rung.observed), 3.2, &says);
        }
    }
    svg
}
