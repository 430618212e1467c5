//! Figures read off evidence rows: lines along layers, points, and strips by category.

use crate::report::document::{Csv, FigureBlock, Line, Sign, Span, exact, line, number};
use crate::report::drawing::{Anchor, Drawing, Frame, Grid, Point, SMALL, Scale, Shape, fitted, text_width};
use crate::report::figures::{Figure, Form, Mark, Series};
use crate::report::text::evidence_phrase;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 350.0;
/// Colours of the style sheet; shapes go through their own cycle, so no two of the first 24 series look alike.
const COLOURS: usize = 8;

/// With more marks than these a figure names series, not marks, to who points at them: its data name every mark.
const NAMED: usize = 120;

/// More marks than these are small and let those below them shine through.
const CROWDED: usize = 600;

/// Room for the name of a category that runs upwards.
const UPWARDS: f64 = 120.0;

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
        described: true,
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
    let (left, right, bottom) = (66.0, WIDTH - 12.0, HEIGHT - 46.0);
    let bands = match &figure.form {
        Form::Strip(names) => Some(Bands::of(names, right - left)),
        _ => None,
    };
    let mut drawing = Drawing::new(WIDTH, HEIGHT + bands.as_ref().map_or(0.0, Bands::room));
    let frame = Frame { left, right, top: 12.0, bottom };
    // Below the lines of the grid.
    if let Some(bands) = &bands {
        bands.draw(&mut drawing, &frame, figure.x.label);
    }
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
        Form::Strip(names) => {
            let width = (right - left) / names.len().max(1) as f64;
            let step = width / (figure.series.len() + 1) as f64;
            // Within a band the series stand side by side.
            Box::new(move |mark, at| left + width * mark.x + step * (at + 1) as f64)
        }
    };
    let crowded = figure.marks().count() > CROWDED;
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
        let radius = match figure.form {
            Form::Lines => 2.6,
            _ if crowded => 1.9,
            _ => 3.8,
        };
        if !named {
            let stems = series.marks.iter().filter_map(stem).collect();
            drawing.lines(&format!("stem thin {class}"), stems);
            let points = series.marks.iter().map(point).collect();
            let class = if crowded { format!("{class} many") } else { class };
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

/// A band for each category, with its name below: across, or upwards where one name is too wide for its band.
struct Bands {
    names: Vec<String>,
    width: f64,
    upwards: bool,
}

impl Bands {
    fn of(names: &[String], room: f64) -> Bands {
        let width = room / names.len().max(1) as f64;
        let upwards = names.iter().any(|name| text_width(name, SMALL) > width - 4.0);
        let names = match upwards {
            true => names.iter().map(|name| fitted(name, SMALL, UPWARDS)).collect(),
            false => names.to_vec(),
        };
        Bands { names, width, upwards }
    }

    /// How much higher than others the drawing is.
    fn room(&self) -> f64 {
        if self.upwards { self.longest() } else { 0.0 }
    }

    fn longest(&self) -> f64 {
        self.names.iter().map(|name| text_width(name, SMALL)).fold(0.0, f64::max)
    }

    fn draw(&self, drawing: &mut Drawing, frame: &Frame, label: &str) {
        for (at, name) in self.names.iter().enumerate() {
            let left = frame.left + self.width * at as f64;
            if at % 2 == 1 {
                drawing.rectangle("band", (left, frame.top), (left + self.width, frame.bottom));
            }
            let middle = left + self.width / 2.0;
            match self.upwards {
                true => {
                    let half = text_width(name, SMALL) / 2.0;
                    drawing.turned("small", (middle, frame.bottom + 8.0 + half), name);
                }
                false => drawing.text("small", (middle, frame.bottom + 13.0), Anchor::Middle, name),
            }
        }
        let below = frame.bottom + 31.0 + self.room();
        drawing.text("small", ((frame.left + frame.right) / 2.0, below), Anchor::Middle, label);
    }
}
