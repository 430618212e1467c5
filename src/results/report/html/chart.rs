//! Figures read off evidence rows: lines along layers, points, and strips by category.

use maud::{Markup, PreEscaped, html};

use super::book::{Book, metric_anchor};
use super::plate::{Csv, Plate, exact};
use super::words;
use crate::report::figures::{Figure, Form, Mark, Series};
use crate::report::svg::{Anchor, Frame, Grid, SMALL, Scale, Shape, Svg, fitted, short};
use crate::report::text::{evidence_phrase, number};

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 350.0;
/// Colours of the style sheet; shapes go through their own cycle, so no two of the first 24 series look alike.
const COLOURS: usize = 8;

/// With more marks than these a figure names series, not marks, to who points at them: its data name every mark.
const NAMED: usize = 120;

/// Where a mark of the n-th series lies along x.
type Place = Box<dyn Fn(&Mark, usize) -> f64>;

pub(super) fn figure(book: &mut Book<'_>, figure: &Figure) -> Markup {
    let units: usize = figure.marks().map(|mark| mark.n).sum();
    let protocols = words::protocols(book, &figure.protocols);
    let how = html! {
        p { (figure.how) }
        p {
            "Metrics: "
            @for (at, metric) in figure.metrics.iter().enumerate() {
                @if at > 0 { ", " }
                a href={ "#" (metric_anchor(metric.as_str())) } { (metric) }
            }
            ". Protocols: " (protocols) ". "
            (units) " values drawn from " (figure.rows) " rows of " (figure.sources.join(", ")) "."
        }
    };
    let plate = Plate {
        name: book.unique(&figure.name()),
        title: format!("{}, {}", figure.title, evidence_phrase(figure.evidence)),
        description: description(figure),
        svg: draw(figure),
        legend: legend(figure),
        how,
        csv: csv(figure),
    };
    plate.render(book)
}

fn description(figure: &Figure) -> String {
    let line = |series: &Series| {
        let low = series.marks.iter().map(|mark| mark.y).fold(f64::INFINITY, f64::min);
        let high = series.marks.iter().map(|mark| mark.y).fold(f64::NEG_INFINITY, f64::max);
        format!("{}: {} values from {} to {}", series.name, series.marks.len(), number(low), number(high))
    };
    let lines: Vec<String> = figure.series.iter().map(line).collect();
    format!("{} against {}. {}.", figure.y.label, figure.x.label, lines.join("; "))
}

fn style(at: usize) -> (String, Shape) {
    // Six shapes and eight colours meet again only after 24 series.
    (format!("c{}", at % COLOURS), Shape::ALL[at % Shape::ALL.len()])
}

fn legend(figure: &Figure) -> Markup {
    let swatches: Vec<(String, &str)> = figure
        .series
        .iter()
        .enumerate()
        .map(|(at, series)| {
            let (class, shape) = style(at);
            let mut svg = Svg::new(14.0, 12.0);
            svg.mark(&class, shape, (7.0, 6.0), 4.2, "");
            (svg.swatch(), series.name.as_str())
        })
        .collect();
    html! {
        span.legend {
            @for (swatch, name) in &swatches { span.entry { (PreEscaped(swatch)) (name) } " " }
        }
    }
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

fn draw(figure: &Figure) -> Svg {
    let mut svg = Svg::new(WIDTH, HEIGHT);
    let frame = Frame { left: 66.0, right: WIDTH - 12.0, top: 12.0, bottom: HEIGHT - 46.0 };
    let ys = figure
        .marks()
        .flat_map(|mark| [mark.y].into_iter().chain(mark.range.into_iter().flat_map(|(a, b)| [a, b])));
    let y = Scale::covering(ys.chain(figure.reference), figure.y.logarithmic, frame.bottom, frame.top);
    let grid = Grid { scale: &y, label: figure.y.label, reference: figure.reference, ticks: 6 };
    frame.vertical(&mut svg, &grid);
    let place: Place = match &figure.form {
        Form::Lines => {
            let layer = |mark: &Mark| mark.x.max(0.0) as usize;
            let first = figure.marks().map(layer).min().unwrap_or(0);
            let last = figure.marks().map(layer).max().unwrap_or(0);
            let at = frame.counts(&mut svg, first, last, figure.x.label);
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
            frame.horizontal(&mut svg, &grid);
            Box::new(move |mark, _| x.at(mark.x))
        }
        Form::Strip(names) => strip(&mut svg, &frame, names, figure.series.len(), figure.x.label),
    };
    let named = figure.marks().count() <= NAMED;
    for (at, series) in figure.series.iter().enumerate() {
        let (class, shape) = style(at);
        if matches!(figure.form, Form::Lines | Form::Joined) {
            let points: Vec<(f64, f64)> =
                series.marks.iter().map(|mark| (place(mark, at), y.at(mark.y))).collect();
            svg.polyline(&format!("curve {class}"), &points);
        }
        let radius = if figure.form == Form::Lines { 2.6 } else { 3.8 };
        if !named {
            let stems = series.marks.iter().filter_map(|mark| Some((place(mark, at), mark.range?)));
            let stems: Vec<String> = stems
                .map(|(x, (low, high))| format!("M{} {}V{}", short(x), short(y.at(low)), short(y.at(high))))
                .collect();
            if !stems.is_empty() {
                svg.path(&format!("stem thin {class}"), &stems.concat());
            }
            let points: Vec<(f64, f64)> =
                series.marks.iter().map(|mark| (place(mark, at), y.at(mark.y))).collect();
            svg.marks(&class, shape, &points, radius, &series.name);
            continue;
        }
        for mark in &series.marks {
            let x = place(mark, at);
            let mut says = format!("{}, {}: {}", series.name, mark.label, number(mark.y));
            if let Some((low, high)) = mark.range {
                svg.line(&format!("stem thin {class}"), (x, y.at(low)), (x, y.at(high)));
                says += &format!(" ({} to {}, {} rows)", number(low), number(high), mark.n);
            }
            svg.mark(&class, shape, (x, y.at(mark.y)), radius, &says);
        }
    }
    svg
}

/// A band for each category; within it the series stand side by side.
fn strip(svg: &mut Svg, frame: &Frame, names: &[String], series: usize, label: &str) -> Place {
    let width = (frame.right - frame.left) / names.len().max(1) as f64;
    for (at, name) in names.iter().enumerate() {
        let left = frame.left + width * at as f64;
        if at % 2 == 1 {
            svg.rectangle("band", (left, frame.top), (left + width, frame.bottom));
        }
        let name = fitted(name, SMALL, width - 4.0);
        svg.text("small", (left + width / 2.0, frame.bottom + 13.0), Anchor::Middle, &name);
    }
    svg.text("small", ((frame.left + frame.right) / 2.0, frame.bottom + 31.0), Anchor::Middle, label);
    let (left, step) = (frame.left, width / (series + 1) as f64);
    Box::new(move |mark, at| left + width * mark.x + step * (at + 1) as f64)
}
