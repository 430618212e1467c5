//! Specification curve: effects sorted, with intervals, above a matrix of the choices behind each.

use crate::report::document::{
    Block, Cell, Csv, Digits, FigureBlock, Line, Sign, Span, Table, code, column, count, exact, interval,
    line, number, optional, paragraph, percent, probability, protocol_links, row, slug,
};
use crate::report::drawing::extent::{self, Whisker};
use crate::report::drawing::{Anchor, Drawing, Frame, Grid, Point, SMALL, Shape, fitted};
use crate::report::text::{capital, evidence_phrase};
use number::protocol::Protocol;
use study::judge::outcome::{Curve, HypothesisOutcome, Kinship, Specification, Verdict};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 200.0;
const TOP: f64 = 10.0;
const EFFECTS: f64 = 210.0;
const ROW: f64 = 15.0;
/// Room for the name of a block of rows.
const HEAD_HEIGHT: f64 = 20.0;
/// More would lie on top of one another.
const DRAWN: usize = 100;
/// Specifications that the table beside the drawing lists; the data have all.
const LISTED: usize = 6;
/// Dimensions that make a protocol.
const PROTOCOL: [&str; 3] = ["reduction", "endpoint", "BOS"];

pub(super) fn section(hypothesis: &HypothesisOutcome, curve: &Curve) -> Vec<Block> {
    let outcome = hypothesis
        .predictions
        .iter()
        .find(|outcome| outcome.id == curve.prediction && outcome.evidence == curve.evidence);
    let primary: &[Protocol] = outcome.map_or(&[], |outcome| &outcome.primary.protocols);
    let heading = line!["Every way of measuring it, ", evidence_phrase(curve.evidence)];
    let mut blocks = vec![Block::subheading(heading), summary(curve, primary)];
    match figure(curve, primary) {
        Some(figure) => blocks.extend([Block::figure(figure), Block::folded(listing(curve))]),
        None => blocks.push(paragraph("No specification gives an effect.")),
    }
    blocks.push(Block::Facts(joint(curve, primary)));
    let columns = ["choice", "from", "to", "the new specification", "makes the verdict"].map(column);
    let deciding = curve.deciding.iter().map(|choice| {
        row![
            &choice.dimension,
            &choice.from,
            &choice.to,
            relation(choice.relation),
            Span::Verdict(choice.verdict)
        ]
    });
    blocks.push(match curve.deciding.is_empty() {
        true => paragraph("No single choice changes the verdict of the primary specification."),
        false => {
            Block::Table(Table::new("Choices that change the verdict by themselves", columns).with(deciding))
        }
    });
    if !curve.notes.is_empty() {
        blocks.push(Block::Notes(curve.notes.iter().map(Line::from).collect()));
    }
    blocks
}

fn summary(curve: &Curve, primary: &[Protocol]) -> Block {
    let pooled = curve.specifications.iter().filter(|s| s.relation != Kinship::DifferentEstimand).count();
    paragraph(line![
        "Of ",
        count(curve.specifications.len()),
        " specifications ",
        count(pooled),
        " are primary or equivalent, with a median effect (",
        &curve.effect,
        ") of ",
        optional(curve.median).under(primary),
        "."
    ])
}

/// What all equivalent specifications say together.
fn joint(curve: &Curve, primary: &[Protocol]) -> Vec<(Line, Vec<Line>)> {
    let mut facts = Vec::new();
    if let Some(agreement) = curve.agreement {
        let name = "Equivalent specifications that agree with the primary";
        facts.push((Line::from(name), vec![Line::from(percent(agreement).counted())]));
    }
    for (name, p) in [
        (Line::from("Joint p of the median effect"), curve.joint_p_median),
        (
            line!["Joint p of the share beyond the null value, ", number(curve.null).counted()],
            curve.joint_p_share,
        ),
    ] {
        facts.push((name, vec![Line::from(probability(p).under(primary))]));
    }
    if curve.flips > 0 {
        facts.push((Line::from("Flips behind the joint p"), vec![Line::from(count(curve.flips))]));
    }
    facts
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

fn figure(curve: &Curve, primary: &[Protocol]) -> Option<FigureBlock> {
    let all = sorted(curve);
    let drawn = thinned(&all);
    let (first, last) = (all.first()?.1, all.last()?.1);
    let units = curve.specifications.iter().map(|spec| spec.n);
    let (fewest, most) = (units.clone().min().unwrap_or(0), units.max().unwrap_or(0));
    let kin = |kinship| curve.specifications.iter().filter(|spec| spec.relation == kinship).count();
    let without = curve.specifications.len() - all.len();
    let at_primary = all.iter().find(|(spec, _)| spec.relation == Kinship::Primary);
    let says = format!(
        "{} specifications of {}, effects from {} to {}, median of the equivalent ones {}; primary {}. {} equivalent, {} of \
         another estimand.",
        curve.specifications.len(),
        curve.effect,
        number(first).in_figure(),
        number(last).in_figure(),
        optional(curve.median).in_figure(),
        at_primary.map_or_else(|| "without an effect".to_string(), |(_, e)| number(*e).in_figure()),
        kin(Kinship::Equivalent),
        kin(Kinship::DifferentEstimand),
    );
    let mut legend = line![entry(Kinship::Primary), " ", entry(Kinship::Equivalent), " "];
    legend.push(entry(Kinship::DifferentEstimand));
    legend.push(" Bars are intervals; below, a dot for each choice behind the effect above it");
    if drawn.len() < all.len() {
        let of = format!("; {} of {} drawn, evenly by rank (the data have all)", drawn.len(), all.len());
        legend.push(of);
    }
    if without > 0 {
        legend.push(format!("; {without} more have no effect to show"));
    }
    legend.push(".");
    Some(FigureBlock {
        name: format!("curve-{}-{}", slug(&curve.prediction), curve.evidence),
        title: format!(
            "{} over every specification, {}",
            curve.prediction,
            capital(curve.evidence).to_lowercase()
        ),
        description: says,
        drawing: draw(curve, &drawn),
        legend,
        how: line![format!(
            "Effect: {}; its null value is {}. The primary specification is measured under the protocols named here. Units behind a \
             specification: {fewest} to {most}.",
            curve.effect,
            number(curve.null).in_figure()
        )],
        metrics: Vec::new(),
        protocols: primary.to_vec(),
        csv: csv(curve),
        described: false,
    })
}

/// The lowest and the highest, and the primary one wherever it lies.
fn listing(curve: &Curve) -> Table {
    let all = curve.specifications.len();
    let others: Vec<&str> =
        dimensions(curve).into_iter().map(|(name, _)| name).filter(|name| !PROTOCOL.contains(name)).collect();
    let mut columns = vec![column("protocol")];
    columns.extend(others.iter().map(|name| column(*name)));
    columns.extend(["relation", "effect", "p", "n", "verdict"].map(column));
    let listed = |at: usize, spec: &Specification| {
        at < LISTED / 2 || at + LISTED / 2 >= all || spec.relation == Kinship::Primary
    };
    let rows =
        curve.specifications.iter().enumerate().filter(|(at, spec)| listed(*at, spec)).map(|(_, spec)| {
            let of = |name: &str| {
                spec.choices.iter().find(|c| c.dimension == name).map_or("", |choice| choice.value.as_str())
            };
            let parts: Vec<&str> =
                PROTOCOL.iter().map(|name| of(name)).filter(|part| !part.is_empty()).collect();
            // Some quantities leave a part of the protocol open: then the row says what there is.
            let protocol: Option<Protocol> = parts.join("/").parse().ok();
            let name = match protocol {
                _ if parts.is_empty() => protocol_links(&[]),
                Some(protocol) => protocol_links(&[protocol]),
                None => code(parts.join("/")),
            };
            let placed = |digits: Digits| match protocol {
                _ if parts.is_empty() => digits.of_weights(),
                Some(protocol) => digits.under(&[protocol]),
                None => digits.said_by_row(),
            };
            let mut row = vec![Cell::head(name)];
            row.extend(others.iter().map(|name| Cell::new(of(name))));
            row.extend(row![
                relation(spec.relation),
                placed(interval(spec.effect, spec.low, spec.high)),
                placed(probability(spec.p)),
                count(spec.n),
                Span::Verdict(spec.verdict)
            ]);
            row
        });
    let listed: Vec<Vec<Cell>> = rows.collect();
    let caption = match listed.len() < all {
        true => format!(
            "{} of {all} specifications: the lowest and highest effects, and the primary",
            listed.len()
        ),
        false => format!("All {all} specifications, by effect"),
    };
    Table::new(caption, columns).with(listed)
}

fn entry(kinship: Kinship) -> Span {
    let (class, shape) = look(kinship);
    Span::LegendEntry { class: class.into(), sign: Sign::Mark(shape), name: relation(kinship).into() }
}

fn look(kinship: Kinship) -> (&'static str, Shape) {
    match kinship {
        Kinship::Primary => ("primary", Shape::Diamond),
        Kinship::Equivalent => ("equivalent", Shape::Circle),
        Kinship::DifferentEstimand => ("other", Shape::Open),
    }
}

fn csv(curve: &Curve) -> Csv {
    let dimensions = dimensions(curve);
    let mut header: Vec<&str> = ["relation", "verdict", "effect", "low", "high", "p", "n"].to_vec();
    header.extend(dimensions.iter().map(|(name, _)| *name));
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
    Csv::new(&header, rows)
}

/// Each dimension with its values, in the order they first come.
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

/// A line of the matrix: its label, and the places of the specifications that have it.
type MatrixLine = (String, Vec<usize>);

fn draw(curve: &Curve, drawn: &[(&Specification, f64)]) -> Drawing {
    let matrix = matrix(curve, drawn);
    let lines: usize = matrix.iter().map(|(_, lines)| lines.len()).sum();
    let top = TOP + EFFECTS + 14.0;
    let bottom = top + ROW * lines as f64 + HEAD_HEIGHT * matrix.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 6.0);
    let frame = Frame { left: LEFT, right: WIDTH - 6.0, top: TOP, bottom: TOP + EFFECTS };
    let step = ((frame.right - frame.left) / drawn.len() as f64).min(30.0);
    let x = |at: usize| frame.left + step * (at as f64 + 0.5);
    if let Some(at) = drawn.iter().position(|(spec, _)| spec.relation == Kinship::Primary) {
        drawing.line("guide", (x(at), TOP), (x(at), bottom));
    }
    effects(&mut drawing, curve, drawn, &frame, &x, step);
    let mut rows = Vec::new();
    let mut y = top;
    for (_, lines) in &matrix {
        y += HEAD_HEIGHT;
        rows.extend((0..lines.len()).map(|at| y + ROW * (at as f64 + 0.5)));
        y += ROW * lines.len() as f64;
    }
    drawing.lines("row", rows.iter().map(|y| vec![(LEFT, *y), (frame.right, *y)]).collect());
    y = top;
    for (head, lines) in &matrix {
        let head = fitted(head, SMALL, LEFT - 12.0);
        drawing.text("head", (0.0, y + HEAD_HEIGHT / 2.0), Anchor::Start, &head);
        y += HEAD_HEIGHT;
        for (label, at) in lines {
            let middle = y + ROW / 2.0;
            let label = fitted(label, SMALL, LEFT - 20.0);
            drawing.text("small", (10.0, middle), Anchor::Start, &label);
            dots(&mut drawing, at, &x, middle, step);
            y += ROW;
        }
    }
    drawing
}

/// By dimension, then by value, which of the drawn specifications have it; the verdict comes last. A dimension that never
/// changes is left out.
fn matrix(curve: &Curve, drawn: &[(&Specification, f64)]) -> Vec<(String, Vec<MatrixLine>)> {
    let places = |holds: &dyn Fn(&Specification) -> bool| -> Vec<usize> {
        drawn.iter().enumerate().filter(|(_, (spec, _))| holds(spec)).map(|(at, _)| at).collect()
    };
    let changing = dimensions(curve).into_iter().filter(|(_, values)| values.len() > 1);
    let mut matrix: Vec<(String, Vec<MatrixLine>)> = changing
        .map(|(name, values)| {
            let lines = values.iter().map(|value| {
                let chosen = |spec: &Specification| {
                    spec.choices.iter().any(|choice| choice.dimension == name && choice.value == *value)
                };
                (value.to_string(), places(&chosen))
            });
            (name.to_string(), lines.collect())
        })
        .collect();
    let verdicts = Verdict::ALL
        .iter()
        .map(|verdict| (verdict.to_string(), places(&|spec| spec.verdict == *verdict)))
        .filter(|(_, places)| !places.is_empty());
    matrix.push(("verdict".to_string(), verdicts.collect()));
    matrix
}

/// A round dot at each place; dots that touch become a bar.
fn dots(drawing: &mut Drawing, at: &[usize], x: &dyn Fn(usize) -> f64, y: f64, step: f64) {
    let mut lines: Vec<Vec<Point>> = Vec::new();
    let mut from = 0;
    while from < at.len() {
        let mut to = from;
        while step < 4.0 && to + 1 < at.len() && at[to + 1] == at[to] + 1 {
            to += 1;
        }
        lines.push(vec![(x(at[from]), y), (x(at[to]), y)]);
        from = to + 1;
    }
    drawing.lines(if step < 4.0 { "dots thin" } else { "dots" }, lines);
}

fn effects(
    drawing: &mut Drawing,
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
    frame.vertical(drawing, &Grid { scale: &scale, label: &label, reference: Some(curve.null), ticks: 6 });
    let radius = (step * 0.42).clamp(1.8, 4.6);
    // The primary one is drawn on top.
    for kinship in [Kinship::DifferentEstimand, Kinship::Equivalent, Kinship::Primary] {
        let (class, shape) = look(kinship);
        let radius = if kinship == Kinship::Primary { radius.max(5.0) } else { radius };
        let (mut bars, mut places) = (Vec::new(), Vec::new());
        for (at, (spec, effect)) in drawn.iter().enumerate().filter(|(_, (spec, _))| spec.relation == kinship)
        {
            if let (Some(low), Some(high)) = (spec.low, spec.high) {
                // An open end reaches to the edge.
                let end = |value: f64| if value.is_nan() { scale.at(*effect) } else { scale.at(value) };
                bars.push(vec![(x(at), end(low)), (x(at), end(high))]);
            }
            places.push((x(at), scale.at(*effect)));
        }
        drawing.lines(&format!("bars {class}"), bars);
        match shape {
            // The round end of a line without length: a third of the text of a circle.
            Shape::Circle => {
                let lines = places.into_iter().map(|place| vec![place, place]).collect();
                drawing.strokes(&format!("rounds {class}"), 2.0 * radius, lines);
            }
            _ => drawing.marks(class, shape, places, radius, ""),
        }
    }
}
