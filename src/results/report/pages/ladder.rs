//! Frobenius gains along ladders of prompt lengths, one small panel per model: observed beside predicted.

use super::context::RenderContext;
use crate::report::document::{
    Cell, Csv, Digits, FigureBlock, Line, MISSING, Sign, Span, Table, column, exact, line, number, percent,
    row, statistic,
};
use crate::report::drawing::{Anchor, BODY, Drawing, Frame, Grid, Point, Scale, Shape, fitted};
use crate::report::text::capital;
use number::evidence::{Evidence, ModelInfo};
use number::metric::Metric;
use study::analysis::{Rung, Sink, ladders};

const WIDTH: f64 = 860.0;
const COLUMNS: usize = 3;
const PANEL: f64 = 196.0;

/// Models that are neither stages nor variants are drawn (all, where none is one); the data have every model. `None` where no model has a ladder.
pub(super) fn figure(models: &[ModelInfo], evidence: Evidence, sinks: &[&Sink]) -> Option<FigureBlock> {
    let with: Vec<&Sink> = sinks.iter().copied().filter(|sink| !sink.rungs.is_empty()).collect();
    let protocol = with.first()?.protocol;
    let is_original =
        |sink: &Sink| models.iter().any(|model| model.id == sink.model && model.facts.is_original());
    let mut drawn: Vec<&Sink> = with.iter().copied().filter(|sink| is_original(sink)).collect();
    if drawn.is_empty() {
        drawn.clone_from(&with);
    }
    let entry = |class: &str, shape, name: &str| Span::LegendEntry {
        class: class.into(),
        sign: Sign::Mark(shape),
        name: name.into(),
    };
    let mut legend = line![
        entry("c0", Shape::Circle, "observed"),
        " ",
        entry("c1", Shape::Open, "predicted from other prompts"),
        " The level line is a gain of 1; an upright line is the length at which the prediction crosses it."
    ];
    if drawn.len() < with.len() {
        legend.push(format!(" Without stages of a training and variants; the data have all {}.", with.len()));
    }
    Some(FigureBlock {
        name: format!("ladder-{evidence}"),
        title: format!(
            "{}: gain of the last block over the length of the prompt, observed and predicted",
            capital(evidence)
        ),
        description: description(&drawn),
        drawing: draw(&drawn),
        legend,
        how: Line::from(
            "Predicted: the square root of (B² + (n-1) r²) after the last block over the same before it, B and r \
             being root mean squares over the prompts outside the ladders (how many, the table says). A line joins the \
             observed gains of one text. Both axes are logarithmic; every panel has its own gains and all share the lengths.",
        ),
        metrics: vec![Metric::LastGain, Metric::ResidualNorm],
        protocols: vec![protocol],
        csv: csv(&with),
        // The table of the ladder follows it.
        described: false,
    })
}

/// The ladders in numbers, a row for each model and text.
pub(super) fn table(context: &RenderContext<'_>, evidence: Evidence, sinks: &[&Sink]) -> Table {
    let columns = ["model", "ladder", "tokens of its rungs", "observed gains", "predicted gains"].map(column);
    let texts =
        sinks.iter().flat_map(|sink| ladders(&sink.rungs).into_iter().map(move |rungs| (sink, rungs)));
    let rows = texts.map(|(sink, rungs)| {
        let list = |of: fn(&Rung) -> f64| {
            Digits::joined(rungs.iter().map(|rung| number(of(rung))), ", ").under(&[sink.protocol])
        };
        let tokens = rungs.iter().map(|rung| statistic(Some(rung.tokens)));
        row![
            Cell::head(context.model_link(&sink.model)),
            rungs[0].ladder.clone(),
            Digits::joined(tokens, ", ").counted(),
            list(|rung| rung.observed),
            list(|rung| rung.predicted)
        ]
    });
    Table::new(format!("{}: the ladders in numbers", capital(evidence)), columns).with(rows)
}

fn csv(sinks: &[&Sink]) -> Csv {
    let rows = sinks.iter().flat_map(|sink| {
        sink.rungs.iter().map(move |rung| {
            [
                sink.model.clone(),
                rung.ladder.clone(),
                rung.prompt.clone(),
                exact(Some(rung.tokens)),
                exact(Some(rung.observed)),
                exact(Some(rung.predicted)),
            ]
        })
    });
    Csv::new(&["model", "ladder", "prompt", "tokens", "observed gain", "predicted gain"], rows)
}

fn description(sinks: &[&Sink]) -> String {
    let line = |sink: &&Sink| {
        let ends = |of: fn(&Rung) -> f64| {
            let of = |rung: Option<&Rung>| rung.map_or_else(String::new, |rung| number(of(rung)).in_figure());
            format!("{} to {}", of(sink.rungs.first()), of(sink.rungs.last()))
        };
        let side = sink.right_side.map_or_else(|| MISSING.to_string(), |share| percent(share).in_figure());
        let (observed, predicted) = (ends(|rung| rung.observed), ends(|rung| rung.predicted));
        format!(
            "{}: observed {observed}, predicted {predicted}, {side} on the predicted side of 1",
            sink.model
        )
    };
    let lines: Vec<String> = sinks.iter().map(line).collect();
    format!("From the shortest prompt to the longest. {}.", lines.join("; "))
}

fn draw(sinks: &[&Sink]) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, PANEL * sinks.len().div_ceil(COLUMNS) as f64);
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
        drawing.text("head", (frame.left, top + 11.0), Anchor::Start, &name);
        let gains = sink.rungs.iter().flat_map(|rung| [rung.observed, rung.predicted]);
        let y = Scale::covering(gains.chain([1.0]), true, frame.bottom, frame.top);
        let x = Scale::covering(tokens(), true, frame.left, frame.right);
        let label = if at % COLUMNS == 0 { "gain, ratio" } else { "" };
        frame.vertical(&mut drawing, &Grid { scale: &y, label, reference: Some(1.0), ticks: 4 });
        let across = Grid { scale: &x, label: "tokens", reference: sink.crossing.tokens, ticks: 4 };
        frame.horizontal(&mut drawing, &across);
        let place = |rung: &Rung, gain: f64| (x.at(rung.tokens), y.at(gain));
        let line: Vec<Point> = sink.rungs.iter().map(|rung| place(rung, rung.predicted)).collect();
        drawing.polyline("curve c1", &line);
        for rungs in ladders(&sink.rungs) {
            let line: Vec<Point> = rungs.iter().map(|rung| place(rung, rung.observed)).collect();
            drawing.polyline("curve c0", &line);
        }
        for rung in &sink.rungs {
            let [tokens, observed, predicted] =
                [rung.tokens, rung.observed, rung.predicted].map(|value| number(value).in_figure());
            let says = format!("{tokens} tokens: observed {observed}, predicted {predicted}");
            drawing.mark("c1", Shape::Open, place(rung, rung.predicted), 3.2, &says);
            drawing.mark("c0", Shape::Circle, place(rung, rung.observed), 3.2, &says);
        }
    }
    drawing
}
