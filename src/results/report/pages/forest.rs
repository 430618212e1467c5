//! Forest plot of one prediction: a line per estimate with its interval, published and measured told apart by shape.

use crate::report::document::{
    Csv, FigureBlock, Line, MISSING, Picture, PicturePart, STATISTICS, Sign, Span, estimate, exact, line,
    link, slug,
};
use crate::report::drawing::extent::{self, Whisker};
use crate::report::drawing::{Anchor, BODY, Drawing, Frame, Grid, Scale, Shape, fitted, text_width};
use crate::report::text::{evidence_phrase, own_unit, protocol_names};
use crate::report::view::{Pair, plot_name};
use number::evidence::Evidence;
use number::protocol::Protocol;
use study::judge::outcome::{Estimate, HypothesisOutcome, PredictionOutcome};

const WIDTH: f64 = 860.0;
const TOP: f64 = 8.0;
const ROW: f64 = 20.0;
const NUMBERS: f64 = 260.0;
/// Estimates that the description reads out.
const DESCRIBED: usize = 12;

struct Row<'a> {
    evidence: Evidence,
    found: &'a Estimate,
}

/// `None` without an estimate that could be drawn.
pub(super) fn figure(pair: &Pair<'_>) -> Option<FigureBlock> {
    let (unit, rows) = rows(pair);
    if rows.is_empty() {
        return None;
    }
    let protocols_on = |evidence: Evidence| -> &[Protocol] {
        let side = pair.sides().find(|side| side.evidence == evidence);
        side.map_or(&[], |side| &side.primary.protocols)
    };
    let csv = Csv::new(
        &["label", "evidence", "protocol", "unit", "value", "low", "high", "p", "n"],
        rows.iter().map(|row| {
            let used: Vec<String> = protocols_on(row.evidence).iter().map(Protocol::to_string).collect();
            [
                row.found.label.clone(),
                row.evidence.to_string(),
                used.join(" "),
                unit.to_string(),
                exact(row.found.value),
                exact(row.found.low),
                exact(row.found.high),
                exact(row.found.p),
                row.found.n.to_string(),
            ]
        }),
    );
    let listed: Vec<String> = rows
        .iter()
        .take(DESCRIBED)
        .map(|row| format!("{} {}", evidence_phrase(row.evidence), spoken(row.found)))
        .collect();
    let mut protocols: Vec<Protocol> =
        pair.sides().flat_map(|side| side.primary.protocols.iter().copied()).collect();
    protocols.sort();
    protocols.dedup();
    let more = match rows.len().saturating_sub(DESCRIBED) {
        0 => String::new(),
        more => format!("; and {more} more, in the table"),
    };
    let units: u64 = rows.iter().map(|row| row.found.n).max().unwrap_or(0);
    Some(FigureBlock {
        name: format!("forest-{}", slug(pair.id)),
        title: format!("{}: every estimate with its interval", pair.id),
        description: format!("{} estimates in {unit}. {}{more}.", rows.len(), listed.join("; ")),
        drawing: draw(&rows, unit),
        legend: line![legend(), " An arrow: the interval goes on beyond the axis."],
        how: line![
            format!(
                "Estimates of the primary protocol, in {unit}, up to {units} units each (the last column of the data). \
                 Intervals and tests: "
            ),
            link(STATISTICS, "statistics"),
            "."
        ],
        metrics: Vec::new(),
        protocols,
        csv,
        // The page has a table of all estimates.
        described: false,
    })
}

/// All predictions of a hypothesis as one picture.
pub(super) fn picture(hypothesis: &HypothesisOutcome, pairs: &[Pair<'_>]) -> Picture {
    let parts = pairs.iter().map(|pair| {
        let (unit, rows) = rows(pair);
        PicturePart {
            name: pair.id.to_string(),
            claim: pair.claim.to_string(),
            remarks: pair.sides().map(|side| (class(side.evidence), remark(side))).collect(),
            drawing: (!rows.is_empty()).then(|| draw(&rows, unit)),
        }
    });
    Picture {
        name: plot_name(&hypothesis.id),
        says: format!("Estimates of {} with intervals, by kind of evidence", hypothesis.id),
        title: format!("{}: {}", hypothesis.id, hypothesis.title),
        legend: line![legend(), " estimate with its interval"],
        parts: parts.collect(),
    }
}

fn remark(side: &PredictionOutcome) -> String {
    let head = format!("{}: {}", evidence_phrase(side.evidence), side.verdict);
    match side.primary.missing.first() {
        Some(missing) => format!("{head}: {missing}"),
        None => format!("{head}, {} under {}", side.primary.unit, protocol_names(&side.primary.protocols)),
    }
}

/// Unit of the axis, and the estimates that have a place on it.
fn rows<'a>(pair: &Pair<'a>) -> (&'a str, Vec<Row<'a>>) {
    let unit =
        pair.sides().map(|side| side.primary.unit.as_str()).find(|unit| !unit.is_empty()).unwrap_or("");
    let mut rows = Vec::new();
    for label in pair.labels() {
        for side in pair.sides().filter(|side| side.primary.unit == unit) {
            let usable = side.primary.estimates.iter().filter(|e| {
                e.label == label && own_unit(label, unit).is_none() && e.value.is_some_and(f64::is_finite)
            });
            rows.extend(usable.map(|found| Row { evidence: side.evidence, found }));
        }
    }
    (unit, rows)
}

fn legend() -> Line {
    let entry = |evidence: Evidence| Span::LegendEntry {
        class: class(evidence).to_string(),
        sign: Sign::Mark(shape(evidence)),
        name: evidence_phrase(evidence).to_string(),
    };
    Line::joined(Evidence::ALL.iter().copied().map(entry), " ")
}

fn class(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "pub",
        Evidence::Measured => "mea",
        Evidence::Rehearsal => "reh",
    }
}

fn shape(evidence: Evidence) -> Shape {
    match evidence {
        Evidence::Published => Shape::Diamond,
        Evidence::Measured => Shape::Circle,
        Evidence::Rehearsal => Shape::Open,
    }
}

/// `label: value [low, high]`, or a dash.
fn spoken(found: &Estimate) -> String {
    match found.value {
        Some(value) if value.is_finite() => format!("{}: {}", found.label, estimate(found).in_figure()),
        _ => format!("{}: {MISSING}", found.label),
    }
}

fn draw(rows: &[Row<'_>], unit: &str) -> Drawing {
    let widest = rows.iter().map(|row| text_width(&row.found.label, BODY)).fold(60.0, f64::max).min(240.0);
    let bottom = TOP + ROW * rows.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 42.0);
    let frame = Frame { left: widest + 30.0, right: WIDTH - NUMBERS, top: TOP, bottom };
    let null = extent::null_value(unit);
    let whiskers: Vec<Whisker> = rows.iter().map(|row| extent::whisker(row.found)).collect();
    let scale = extent::forest_scale(&whiskers, null, frame.left, frame.right);
    let mut shaded = false;
    for (at, row) in rows.iter().enumerate() {
        if at == 0 || rows[at - 1].found.label != row.found.label {
            shaded = !shaded;
        }
        let top = TOP + ROW * at as f64;
        if shaded {
            drawing.rectangle("band", (0.0, top), (WIDTH, top + ROW));
        }
    }
    frame.horizontal(&mut drawing, &Grid { scale: &scale, label: unit, reference: null, ticks: 7 });
    for (at, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (at as f64 + 0.5);
        if at == 0 || rows[at - 1].found.label != row.found.label {
            let label = fitted(&row.found.label, BODY, widest);
            drawing.text("body", (4.0, y), Anchor::Start, &label);
        }
        let class = class(row.evidence);
        interval(&mut drawing, class, row.found, &scale, &frame, y);
        let value = row.found.value.unwrap_or(f64::NAN);
        // What it is of and what it is stand in its row.
        drawing.mark(class, shape(row.evidence), (scale.at(value), y), 4.6, "");
        let numbers = format!("{}, n {}", estimate(row.found).in_figure(), row.found.n);
        drawing.text(&format!("small {class}"), (WIDTH - 4.0, y), Anchor::End, &numbers);
    }
    drawing
}

/// A line between the ends; an arrow stands where it leaves the axis.
fn interval(drawing: &mut Drawing, class: &str, found: &Estimate, scale: &Scale, frame: &Frame, y: f64) {
    let (Some(low), Some(high)) = (found.low, found.high) else { return };
    if low.is_nan() || high.is_nan() {
        return;
    }
    let place = |value: f64| match value {
        _ if value.is_finite() => scale.at(value),
        _ if value > 0.0 => frame.right,
        _ => frame.left,
    };
    let stem = format!("stem {class}");
    drawing.line(&stem, (place(low), y), (place(high), y));
    for (end, outward) in [(low, -1.0), (high, 1.0)] {
        let x = place(end);
        if scale.holds(end) {
            drawing.line(&stem, (x, y - 3.5), (x, y + 3.5));
        } else {
            let inner = x - 3.0 * outward;
            let arrow = [(x + 5.0 * outward, y), (inner, y - 4.0), (inner, y + 4.0)];
            drawing.polygon(&format!("fill {class}"), &arrow);
        }
    }
}
