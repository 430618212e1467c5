//! Forest plot of one prediction: a line per estimate with its interval, published and measured told apart by shape.

use maud::html;

use super::book::{Book, slug};
use super::plate::{Csv, Plate, exact};
use super::prediction::spoken;
use super::words;
use crate::report::extent::{self, Whisker};
use crate::report::svg::{Anchor, BODY, Frame, Grid, Scale, Shape, Svg, fitted, text_width};
use crate::report::text::{estimate, evidence_phrase, own_unit, protocols};
use crate::report::view::Pair;
use number::evidence::Evidence;
use number::protocol::Protocol;
use study::judge::outcome::Estimate;

const WIDTH: f64 = 860.0;
const TOP: f64 = 8.0;
const ROW: f64 = 20.0;
const NUMBERS: f64 = 230.0;

struct Line<'a> {
    evidence: Evidence,
    found: &'a Estimate,
}

/// `None` without an estimate that could be drawn.
pub(super) fn plate(book: &mut Book<'_>, pair: &Pair<'_>) -> Option<Plate> {
    let unit =
        pair.sides().map(|side| side.primary.unit.as_str()).find(|unit| !unit.is_empty()).unwrap_or("");
    let mut lines: Vec<Line<'_>> = Vec::new();
    for label in pair.labels() {
        for side in pair.sides().filter(|side| side.primary.unit == unit) {
            let usable = side.primary.estimates.iter().filter(|e| {
                e.label == label && own_unit(label, unit).is_none() && e.value.is_some_and(f64::is_finite)
            });
            lines.extend(usable.map(|found| Line { evidence: side.evidence, found }));
        }
    }
    if lines.is_empty() {
        return None;
    }
    let name = book.unique(&format!("forest-{}", slug(pair.id)));
    let units: u64 = lines.iter().map(|line| line.found.n).max().unwrap_or(0);
    let mut how = Vec::new();
    for side in pair.sides() {
        let text = protocols(&side.primary);
        how.push((evidence_phrase(side.evidence), words::protocols(book, &side.primary.protocols), text));
    }
    let csv = Csv::new(
        &["label", "evidence", "protocol", "unit", "value", "low", "high", "p", "n"],
        lines.iter().map(|line| {
            let side = pair.sides().find(|side| side.evidence == line.evidence);
            let used: &[Protocol] = side.map_or(&[], |side| &side.primary.protocols);
            let used: Vec<String> = used.iter().map(Protocol::to_string).collect();
            [
                line.found.label.clone(),
                line.evidence.to_string(),
                used.join(" "),
                unit.to_string(),
                exact(line.found.value),
                exact(line.found.low),
                exact(line.found.high),
                exact(line.found.p),
                line.found.n.to_string(),
            ]
        }),
    );
    let listed: Vec<String> = lines
        .iter()
        .take(40)
        .map(|line| format!("{} {}", evidence_phrase(line.evidence), spoken(line.found)))
        .collect();
    Some(Plate {
        title: format!("{}: every estimate with its interval", pair.id),
        description: format!("{} estimates in {unit}. {}.", lines.len(), listed.join("; ")),
        svg: draw(&lines, unit),
        legend: html! {
            span.key.pub { "● published rows" } " " span.key.mea { "■ measured here" }
            ". An arrow: the interval goes on beyond the axis."
        },
        how: html! {
            p {
                "Estimates of the primary protocol, in " (unit) ", up to " (units) " units each (the last column of the data). "
                @for (at, (side, links, _)) in how.iter().enumerate() {
                    @if at > 0 { "; " } (side) ": " (links)
                }
                ". Intervals and tests: " a href="#statistics" { "statistics" } "."
            }
        },
        csv,
        name,
    })
}

fn draw(lines: &[Line<'_>], unit: &str) -> Svg {
    let widest = lines.iter().map(|line| text_width(&line.found.label, BODY)).fold(60.0, f64::max).min(240.0);
    let bottom = TOP + ROW * lines.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 42.0);
    let frame = Frame { left: widest + 16.0, right: WIDTH - NUMBERS, top: TOP, bottom };
    let nothing = extent::nothing(unit);
    let whiskers: Vec<Whisker> = lines.iter().map(|line| extent::whisker(line.found)).collect();
    let scale = extent::forest_scale(&whiskers, nothing, frame.left, frame.right);
    frame.horizontal(&mut svg, &Grid { scale: &scale, label: unit, reference: nothing, ticks: 7 });
    for (at, line) in lines.iter().enumerate() {
        let y = TOP + ROW * (at as f64 + 0.5);
        if at == 0 || lines[at - 1].found.label != line.found.label {
            let label = fitted(&line.found.label, BODY, widest);
            svg.text("body", (0.0, y), Anchor::Start, &label);
            svg.line("row", (0.0, y - ROW / 2.0), (WIDTH, y - ROW / 2.0));
        }
        let (class, shape) = match line.evidence {
            Evidence::Published => ("pub", Shape::Circle),
            Evidence::Measured => ("mea", Shape::Square),
        };
        interval(&mut svg, class, line.found, &scale, &frame, y);
        let value = line.found.value.unwrap_or(f64::NAN);
        svg.mark(class, shape, (scale.at(value), y), 4.6, &spoken(line.found));
        svg.text(&format!("small {class}"), (WIDTH, y), Anchor::End, &estimate(line.found));
    }
    svg
}

/// An arrow stands where the interval leaves the axis.
fn interval(svg: &mut Svg, class: &str, found: &Estimate, scale: &Scale, frame: &Frame, y: f64) {
    let (Some(low), Some(high)) = (found.low, found.high) else { return };
    if low.is_nan() || high.is_nan() {
        return;
    }
    let end = |value: f64| {
        if value.is_finite() {
            scale.at(value)
        } else if value > 0.0 {
            frame.right
        } else {
            frame.left
        }
    };
    let (from, to) = (end(low), end(high));
    svg.line(&format!("stem {class}"), (from, y), (to, y));
    if !scale.holds(low) {
        svg.polygon(
            &format!("fill {class}"),
            &[(from - 5.0, y), (from + 3.0, y - 4.0), (from + 3.0, y + 4.0)],
        );
    }
    if !scale.holds(high) {
        svg.polygon(&format!("fill {class}"), &[(to + 5.0, y), (to - 3.0, y - 4.0), (to - 3.0, y + 4.0)]);
    }
}
