//! Specification curve: effects sorted, with intervals, above a matrix of the choices behind each.

use maud::{Markup, html};

use super::book::{Book, slug};
use super::plate::{Csv, Plate, exact};
use super::table::{column, table};
use super::{hypothesis, words};
use crate::report::extent::{self, Whisker};
use crate::report::svg::{Anchor, Frame, Grid, HEAD_HEIGHT, SMALL, Shape, Svg, fitted, short};
use crate::report::text::{capital, evidence_phrase, number, optional};
use number::protocol::Protocol;
use study::judge::outcome::{Curve, HypothesisOutcome, Kinship, Specification, Verdict};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 200.0;
const TOP: f64 = 10.0;
const EFFECTS: f64 = 210.0;
const ROW: f64 = 15.0;
/// More would lie on top of one another.
const DRAWN: usize = 240;

pub(super) fn section(book: &mut Book<'_>, hypothesis: &HypothesisOutcome, curve: &Curve) -> Markup {
    let outcome = hypothesis
        .predictions
        .iter()
        .find(|outcome| outcome.id == curve.prediction && outcome.evidence == curve.evidence);
    let primary: &[Protocol] = outcome.map_or(&[], |outcome| &outcome.primary.protocols);
    let plate = plate(book, curve, primary).map(|plate| plate.render(book));
    let deciding: Vec<Markup> = curve
        .deciding
        .iter()
        .map(|choice| {
            html! {
                td { (choice.dimension) }
                td { (choice.from) }
                td { (choice.to) }
                td { (relation(choice.relation)) }
                td { (words::verdict(choice.verdict)) }
            }
        })
        .collect();
    let columns = ["choice", "from", "to", "the new specification", "makes the verdict"].map(column);
    html! {
        h3 { "Every way of measuring it, " (evidence_phrase(curve.evidence)) }
        @if let Some(plate) = plate { (plate) } @else { p { "No specification gives an effect." } }
        (hypothesis::joint(curve.joint_p_median, curve.joint_p_share, curve.agreement, curve.flips))
        @if deciding.is_empty() {
            p { "No single choice changes the verdict of the primary specification." }
        } @else {
            (table("Choices that change the verdict by themselves", false, &columns, &deciding))
        }
        @if !curve.notes.is_empty() {
            ul.notes { @for note in &curve.notes { li { (note) } } }
        }
    }
}

fn relation(kinship: Kinship) -> &'static str {
    match kinship {
        Kinship::Primary => "primary",
        Kinship::Equivalent => "equivalent",
        Kinship::DifferentEstimand => "another estimand",
    }
}

/// Specifications with an effect, smallest first.
fn sorted(curve: &Curve) -> Vec<(&Specification, f64)> {
    let mut all: Vec<(&Specification, f64)> = curve
        .specifications
        .iter()
        .filter_map(|spec| Some((spec, spec.effect.filter(|effect| effect.is_finite())?)))
        .collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all
}

/// Evenly by rank, and the primary one always.
fn thinned<'a>(all: &[(&'a Specification, f64)]) -> Vec<(&'a Specification, f64)> {
    let kept = |at: usize| {
        let stride = all.len() as f64 / DRAWN as f64;
        all.len() <= DRAWN || (at as f64 / stride).floor() != ((at as f64 - 1.0) / stride).floor()
    };
    let chosen =
        all.iter().enumerate().filter(|(at, (spec, _))| kept(*at) || spec.relation == Kinship::Primary);
    chosen.map(|(_, spec)| *spec).collect()
}

fn plate(book: &mut Book<'_>, curve: &Curve, primary: &[Protocol]) -> Option<Plate> {
    let all = sorted(curve);
    let drawn = thinned(&all);
    let (first, last) = (all.first()?.1, all.last()?.1);
    let units = curve.specifications.iter().map(|spec| spec.n);
    let (fewest, most) = (units.clone().min().unwrap_or(0), units.max().unwrap_or(0));
    let count = |kinship| curve.specifications.iter().filter(|spec| spec.relation == kinship).count();
    let without = curve.specifications.len() - all.len();
    let at_primary = all.iter().find(|(spec, _)| spec.relation == Kinship::Primary);
    let says = format!(
        "{} specifications of {}, effects from {} to {}, median of the equivalent ones {}; primary {}. {} equivalent, {} of \
         another estimand.",
        curve.specifications.len(),
        curve.effect,
        number(first),
        number(last),
        optional(curve.median),
        at_primary.map_or_else(|| "without an effect".to_string(), |(_, effect)| number(*effect)),
        count(Kinship::Equivalent),
        count(Kinship::DifferentEstimand),
    );
    let name = format!("curve-{}-{}", slug(&curve.prediction), curve.evidence);
    Some(Plate {
        name: book.unique(&name),
        title: format!(
            "{} over every specification, {}",
            curve.prediction,
            capital(curve.evidence).to_lowercase()
        ),
        description: says,
        svg: draw(curve, &drawn),
        legend: html! {
            span.key.primary { "◆ primary" } " " span.key.equivalent { "● equivalent" } " "
            span.key.other { "▽ another estimand" } ". Bars are intervals; below, a dot for each choice behind the effect above it"
            @if drawn.len() < all.len() { "; " (drawn.len()) " of " (all.len()) " drawn, evenly by rank (the data have all)" }
            @if without > 0 { "; " (without) " more have no effect to show" }
            "."
        },
        how: html! {
            p {
                "Effect: " (curve.effect) "; nothing happens at " (number(curve.null)) ". The primary specification is measured under "
                (words::protocols(book, primary)) "; each other one changes the choices marked. Units behind a specification: "
                (fewest) " to " (most) ". Sorted by effect (Simonsohn, Simmons and Nelson 2020)."
            }
        },
        csv: csv(curve),
    })
}

fn csv(curve: &Curve) -> Csv {
    let dimensions = dimensions(curve);
    let mut header: Vec<String> =
        ["relation", "verdict", "effect", "low", "high", "p", "n"].map(str::to_string).to_vec();
    header.extend(dimensions.iter().map(|(name, _)| name.to_string()));
    let rows = curve.specifications.iter().map(|spec| {
        let mut row = vec![
            spec.relation.to_string(),
            spec.verdict.to_string(),
            exact(spec.effect),
            exact(spec.low),
            exact(spec.high),
            exact(spec.p),
            spec.n.to_string(),
        ];
        row.extend(dimensions.iter().map(|(name, _)| {
            let found = spec.choices.iter().find(|choice| choice.dimension == *name);
            found.map_or_else(String::new, |choice| choice.value.clone())
        }));
        row
    });
    Csv::with(header, rows)
}

/// Each dimension with its values, in the order they first come; a dimension that never changes is no row of the figure.
fn dimensions(curve: &Curve) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for choice in curve.specifications.iter().flat_map(|spec| &spec.choices) {
        let at = found.iter().position(|(name, _)| *name == choice.dimension).unwrap_or_else(|| {
            found.push((&choice.dimension, Vec::new()));
            found.len() - 1
        });
        if !found[at].1.contains(&choice.value.as_str()) {
            found[at].1.push(&choice.value);
        }
    }
    found
}

fn draw(curve: &Curve, drawn: &[(&Specification, f64)]) -> Svg {
    let rows: Vec<(&str, Vec<&str>)> =
        dimensions(curve).into_iter().filter(|(_, values)| values.len() > 1).collect();
    let verdicts: Vec<Verdict> = Verdict::ALL
        .iter()
        .copied()
        .filter(|verdict| drawn.iter().any(|(spec, _)| spec.verdict == *verdict))
        .collect();
    let lines: usize = rows.iter().map(|(_, values)| values.len()).sum::<usize>() + verdicts.len();
    let heads = rows.len() + 1;
    let top = TOP + EFFECTS + 14.0;
    let mut svg = Svg::new(WIDTH, top + ROW * lines as f64 + HEAD_HEIGHT * heads as f64 + 6.0);
    let frame = Frame { left: LEFT, right: WIDTH - 6.0, top: TOP, bottom: TOP + EFFECTS };
    let step = ((frame.right - frame.left) / drawn.len() as f64).min(30.0);
    let x = |at: usize| frame.left + step * (at as f64 + 0.5);
    if let Some(at) = drawn.iter().position(|(spec, _)| spec.relation == Kinship::Primary) {
        let bottom = top + ROW * lines as f64 + HEAD_HEIGHT * heads as f64;
        svg.line("guide", (x(at), TOP), (x(at), bottom));
    }
    effects(&mut svg, curve, drawn, &frame, &x, step);
    let mut y = top;
    let mut block = |svg: &mut Svg, head: &str, lines: &[(String, Vec<usize>)]| {
        svg.text("head", (0.0, y + HEAD_HEIGHT / 2.0), Anchor::Start, &fitted(head, SMALL, LEFT - 12.0));
        y += HEAD_HEIGHT;
        for (label, at) in lines {
            svg.line("row", (LEFT, y + ROW / 2.0), (frame.right, y + ROW / 2.0));
            svg.text("small", (10.0, y + ROW / 2.0), Anchor::Start, &fitted(label, SMALL, LEFT - 20.0));
            dots(svg, at, &x, y + ROW / 2.0, step);
            y += ROW;
        }
    };
    let places = |holds: &dyn Fn(&Specification) -> bool| -> Vec<usize> {
        drawn.iter().enumerate().filter(|(_, (spec, _))| holds(spec)).map(|(at, _)| at).collect()
    };
    for (name, values) in &rows {
        let lines: Vec<(String, Vec<usize>)> = values
            .iter()
            .map(|value| {
                let chosen = |spec: &Specification| {
                    spec.choices.iter().any(|choice| choice.dimension == *name && choice.value == *value)
                };
                (value.to_string(), places(&chosen))
            })
            .collect();
        block(&mut svg, name, &lines);
    }
    let found: Vec<(String, Vec<usize>)> = verdicts
        .iter()
        .map(|verdict| (verdict.to_string(), places(&|spec| spec.verdict == *verdict)))
        .collect();
    block(&mut svg, "verdict", &found);
    svg
}

/// One path per line, a round dot at each place; dots that touch become a bar. From dot to dot only the way along x is
/// written, from rounded to rounded place, so that nothing drifts.
fn dots(svg: &mut Svg, at: &[usize], x: &dyn Fn(usize) -> f64, y: f64, step: f64) {
    let x = |place: usize| (x(place) * 10.0).round() / 10.0;
    let mut d = String::new();
    let mut from = 0;
    let mut pen = None;
    while from < at.len() {
        let mut to = from;
        while step < 4.0 && to + 1 < at.len() && at[to + 1] == at[to] + 1 {
            to += 1;
        }
        d += &match pen {
            None => format!("M{} {}", short(x(at[from])), short(y)),
            Some(pen) => format!("m{} 0", short(x(at[from]) - pen)),
        };
        d += &format!("h{}", short(x(at[to]) - x(at[from])));
        pen = Some(x(at[to]));
        from = to + 1;
    }
    let class = if step < 4.0 { "dots thin" } else { "dots" };
    if !d.is_empty() {
        svg.path(class, &d);
    }
}

fn effects(
    svg: &mut Svg,
    curve: &Curve,
    drawn: &[(&Specification, f64)],
    frame: &Frame,
    x: &dyn Fn(usize) -> f64,
    step: f64,
) {
    let whiskers: Vec<Whisker> =
        drawn.iter().map(|(spec, effect)| [spec.low, Some(*effect), spec.high]).collect();
    let scale = extent::curve_scale(&whiskers, curve.null, frame.bottom, frame.top);
    let label = fitted(&curve.effect, SMALL, EFFECTS - 24.0);
    frame.vertical(svg, &Grid { scale: &scale, label: &label, reference: Some(curve.null), ticks: 6 });
    let kinds = [
        (Kinship::DifferentEstimand, "other", Shape::Open),
        (Kinship::Equivalent, "equivalent", Shape::Circle),
        (Kinship::Primary, "primary", Shape::Diamond),
    ];
    let radius = (step * 0.42).clamp(1.8, 4.6);
    for (kinship, class, shape) in kinds {
        let radius = if kinship == Kinship::Primary { radius.max(5.0) } else { radius };
        let (mut bars, mut marks) = (String::new(), String::new());
        for (at, (spec, effect)) in drawn.iter().enumerate().filter(|(_, (spec, _))| spec.relation == kinship)
        {
            if let (Some(low), Some(high)) = (spec.low, spec.high) {
                // An open end reaches to the edge.
                let end = |value: f64| if value.is_nan() { scale.at(*effect) } else { scale.at(value) };
                bars += &format!("M{} {}V{}", short(x(at)), short(end(low)), short(end(high)));
            }
            let place = (x(at), scale.at(*effect));
            marks += &match shape {
                // The round end of a line without length: a third of the text of a circle.
                Shape::Circle => format!("M{} {}h0", short(place.0), short(place.1)),
                _ => shape.path(place, radius),
            };
        }
        if !bars.is_empty() {
            svg.path(&format!("bars {class}"), &bars);
        }
        match shape {
            _ if marks.is_empty() => {}
            Shape::Circle => svg.stroke(&format!("rounds {class}"), 2.0 * radius, &marks),
            _ => svg.path(&format!("{} {class}", shape.class()), &marks),
        }
    }
}
