//! Figures read off evidence rows: lines along layers, points, and strips by category.

use crate::report::document::{Csv, FigureBlock, Instead, Line, Sign, Span, exact, line, number};
use crate::report::drawing::{Anchor, Drawing, Frame, Grid, Point, SMALL, Scale, Shape, fitted};
use crate::report::figures::{Figure, Form, Mark, Series};
use crate::report::text::evidence_phrase;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 350.0;
/// Colours of the style sheet; shapes go through their own cycle, so no two of the first 24 series look alike.
const COLOURS: usize = 8;

/// With more marks than these a figure names series, not marks, to who points at them: its data name every mark.
const NAMED: usize = 120;

/// Where a mark of the n-th series lies along x.
type Place = Box<dyn Fn(&Mark, usize) -> f64>;

pub(super) fn figure(figure: &Figure) -> FigureBlock {
    let values: usize = figure.marks().map(|mark| mark.n).sum();
    let entries = figure.series.iter().enumerate().map(|(at, series)| {
        let (class, shape) = style(at);
        Span::LegendEntry { class, sign: Sign::Mark(shape), name: series.name.clone() }
    });
    FigureBlock {
        name: figure.name(),
        title: format!("{}, {}", figure.title, evidence_phrase(figure.evidence)),
        description: description(figure),
        drawing: draw(figure),
        legend: Line::joined(entries, " "),
        how: line![
            figure.how,
            format!(" {values} values drawn from {} rows of {}.", figure.rows, figure.sources.join(", "))
        ],
        metrics: figure.metrics.clone(),
        protocols: figure.protocols.clone(),
        csv: csv(figure),
        instead: Instead::Description,
    }
}

fn description(figure: &Figure) -> String {
    let line = |series: &Series| {
        let low = series.marks.iter().map(|mark| mark.y).fold(f64::INFINITY, f64::min);
        let high = series.marks.iter().map(|mark| mark.y).fold(f64::NEG_INFINITY, f64::max);
        let [low, high] = [low, high].map(|value| number(value).in_figure());
        format!("{}: {} values from {low} to {high}", series.name, series.marks.len())
    };
    let lines: Vec<String> = figure.series.iter().map(line).collect();
    format!("{} against {}. {}.", figure.y.label, figure.x.label, lines.join("; "))
}

fn style(at: usize) -> (String, Shape) {
    // Six shapes and eight colours meet again only after 24 series.
    (format!("c{}", at % COLOURS), Shape::ALL[at % Shape::ALL.len()])
}

fn csv(figure: &Figure) -> Csv {
    let rows = figure.series.iter().flat_map(|series| {
        series.marks.iter().map(move |mark| {
            let x = match &figure.form {
                Form::Strip(names) => names.get(mark.x as usize).cloned().unwrap_or_default(),
                _ => exact(Some(mark.x)),
            };
            let range = mark.range.unzip();
            [
                series.name.clone(),
                mark.label.clone(),
                x,
                exact(Some(mark.y)),
                exact(range.0),
                exact(range.1),
                mark.n.to_string(),
            ]
        })
    });
    let header = ["series", "label", figure.x.label, figure.y.label, "smallest", "largest", "rows behind it"];
    Csv::new(&header, rows)
}

fn draw(figure: &Figure) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let frame = Frame { left: 66.0, right: WIDTH - 12.0, top: 12.0, bottom: HEIGHT - 46.0 };
    let ys = figure
        .marks()
        .flat_map(|mark| [mark.y].into_iter().chain(mark.range.into_iter().flat_map(|(a, b)| [a, b])));
    let y = Scale::covering(ys.chain(figure.reference), figure.y.logarithmic, frame.bottom, frame.top);
    let grid = Grid { scale: &y, label: figure.y.label, reference: figure.reference, ticks: 6 };
    frame.vertical(&mut drawing, &grid);
    let place: Place = match &figure.form {
        Form::Lines => {
            let layer = |mark: &Mark| mark.x.max(0.0) as usize;
            let first = figure.marks().map(layer).min().unwrap_or(0);
            let last = figure.marks().map(layer).max().unwrap_or(0);
            let at = frame.counts(&mut drawing, first, last, figure.x.label);
            Box::new(move |mark, _| at(mark.x))
        }
        Form::Points | Form::Joined => {
            let x = Scale::covering(
                figure.marks().map(|mark| mark.x),
                figure.x.logarithmic,
                frame.left,
                frame.right,
            );
            let grid = Grid { scale: &x, label: figure.x.label, reference: None, ticks: 6 };
            frame.horizontal(&mut drawing, &grid);
            Box::new(move |mark, _| x.at(mark.x))
        }
        Form::Strip(names) => strip(&mut drawing, &frame, names, figure.series.len(), figure.x.label),
    };
    let named = figure.marks().count() <= NAMED;
    for (at, series) in figure.series.iter().enumerate() {
        let (class, shape) = style(at);
        let point = |mark: &Mark| -> Point { (place(mark, at), y.at(mark.y)) };
        let stem = |mark: &Mark| -> Option<Vec<Point>> {
            let (low, high) = mark.range?;
            Some(vec![(place(mark, at), y.at(low)), (place(mark, at), y.at(high))])
        };
        if matches!(figure.form, Form::Lines | Form::Joined) {
            let points: Vec<Point> = series.marks.iter().map(point).collect();
            drawing.polyline(&format!("curve {class}"), &points);
        }
        let radius = if figure.form == Form::Lines { 2.6 } else { 3.8 };
        if !named {
            let stems = series.marks.iter().filter_map(stem).collect();
            drawing.lines(&format!("stem thin {class}"), stems);
            let points = series.marks.iter().map(point).collect();
            drawing.marks(&class, shape, points, radius, &series.name);
            continue;
        }
        for mark in &series.marks {
            let mut says = format!("{}, {}: {}", series.name, mark.label, number(mark.y).in_figure());
            if let (Some(stem), Some((low, high))) = (stem(mark), mark.range) {
                drawing.lines(&format!("stem thin {class}"), vec![stem]);
                let [low, high] = [low, high].map(|value| number(value).in_figure());
                says += &format!(" ({low} to {high}, {} rows)", mark.n);
            }
            drawing.mark(&class, shape, point(mark), radius, &says);
        }
    }
    drawing
}

/// A band for each category; within it the series stand side by side.
fn strip(drawing: &mut Drawing, frame: &Frame, names: &[String], series: usize, label: &str) -> Place {
    let width = (frame.right - frame.left) / names.len().max(1) as f64;
    for (at, name) in names.iter().enumerate() {
        let left = frame.left + width * at as f64;
        if at % 2 == 1 {
            drawing.rectangle("band", (left, frame.top), (left + width, frame.bottom));
        }
        let name = fitted(name, SMALL, width - 4.0);
        drawing.text("small", (left + width / 2.0, frame.bottom + 13.0), Anchor::Middle, &name);
    }
    drawing.text("small", ((frame.left + frame.right) / 2.0, frame.bottom + 31.0), Anchor::Middle, label);
    let (left, step) = (frame.left, width / (series + 1) as f64);
    Box::new(move |mark, at| left + width * mark.x + step * (at + 1) as f64)
}
