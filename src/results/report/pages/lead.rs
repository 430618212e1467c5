//! The hypotheses that the opening page tells first: what each claims, what is found under which protocol, and the picture.

use super::context::RenderContext;
use crate::report::document::{
    Block, Csv, Digits, FigureBlock, Line, Picture, PicturePart, Span, code, count, exact, line, link,
    number, paragraph, slug,
};
use crate::report::drawing::{Anchor, BODY, Drawing, Frame, Grid, SMALL, Scale, Shape, fitted};
use crate::report::lead::{Lead, Reading};
use crate::report::text::{because, capital};
use number::evidence::Evidence;
use number::protocol::Protocol;
use study::judge::outcome::{Estimate, HypothesisOutcome, PredictionOutcome, Verdict};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 34.0;
const ROW: f64 = 46.0;
/// Prompts do not hide one another: each lies at one of so many heights.
const LANES: usize = 7;

pub(super) fn sections(context: &RenderContext<'_>) -> Vec<Block> {
    let told = context.view.leads.iter().filter_map(|lead| {
        let outcome = context.view.hypotheses.iter().find(|one| one.id == lead.hypothesis)?;
        Some(section(context, lead, outcome))
    });
    told.flatten().collect()
}

fn section(context: &RenderContext<'_>, lead: &Lead, outcome: &HypothesisOutcome) -> Vec<Block> {
    let address = context.hypothesis(&outcome.id);
    let mut blocks = vec![
        Block::heading(line![link(address, &outcome.id), ": ", &outcome.title]),
        paragraph(outcome.statement.trim()),
    ];
    for &evidence in Evidence::ALL {
        let asked: Vec<&PredictionOutcome> =
            outcome.predictions.iter().filter(|one| one.evidence == evidence).collect();
        let overall = outcome.verdicts.iter().find(|(of, _)| *of == evidence).map(|(_, verdict)| *verdict);
        let (Some(verdict), false) = (overall, asked.is_empty()) else { continue };
        blocks.push(paragraph(line![capital(evidence), ": ", Span::Verdict(verdict), "."]));
        let found = asked.iter().map(|prediction| {
            let read: Vec<&Reading> = lead
                .readings
                .iter()
                .filter(|one| one.evidence == evidence && one.prediction == prediction.id)
                .collect();
            said(prediction, &read)
        });
        blocks.push(Block::Notes(found.collect()));
    }
    blocks.extend(units(&lead.readings).map(paragraph));
    if let Some(figure) = figure(lead, outcome) {
        blocks.push(Block::Picture(Picture {
            name: figure.name.clone(),
            says: figure.title.clone(),
            title: figure.title.clone(),
            legend: Line::from(
                "a dot is a prompt, the large mark their geometric mean, the bar its interval",
            ),
            parts: vec![PicturePart {
                name: String::new(),
                claim: String::new(),
                remarks: Vec::new(),
                drawing: Some(figure.drawing.clone()),
            }],
        }));
        blocks.push(Block::figure(figure));
    }
    blocks
}

/// What one prediction claims and what is found: a mean with its interval, and on how many prompts it is above one.
fn said(prediction: &PredictionOutcome, read: &[&Reading]) -> Line {
    let mut line = line![prediction.claim.trim(), " ", Span::Verdict(prediction.verdict)];
    if read.is_empty() {
        line.push(line![": ", because(&prediction.primary)]);
    }
    for (at, one) in read.iter().enumerate() {
        let [value, low, high] = mean(one, prediction);
        let gain = number(value).under(&[one.protocol]);
        let interval = Digits::joined([low, high].map(number), " to ").under(&[one.protocol]);
        line.push(if at == 0 { ": " } else { "; " });
        line.push(line![
            one.model.as_str(),
            " has ",
            gain,
            " (",
            interval,
            "), above 1 on ",
            count(one.above_one()),
            " of ",
            count(one.values.len()),
            " prompts"
        ]);
    }
    line
}

/// What the interval is over, and what it does not say; `None` where nothing is drawn.
fn units(readings: &[Reading]) -> Option<Line> {
    let first = readings.first()?;
    readings.iter().all(|one| one.model == first.model).then(|| {
        line![
            "One model, ",
            code(&first.model),
            ": under each protocol an interval over its prompts decides, and nothing follows for other models."
        ]
    })
}

/// Geometric mean over prompts with the interval that the verdict rests on.
fn mean(reading: &Reading, prediction: &PredictionOutcome) -> [f64; 3] {
    let of = |estimate: &&Estimate| estimate.label == reading.model;
    let estimate = prediction.primary.estimates.iter().find(of);
    let logarithmic = prediction.primary.unit.starts_with("log");
    let end = |value: Option<f64>| {
        let value = value.unwrap_or(f64::NAN);
        if logarithmic { value.exp() } else { value }
    };
    estimate.map_or([f64::NAN; 3], |found| [end(found.value), end(found.low), end(found.high)])
}

/// Every prompt under every protocol on one axis. `None` without a ratio to draw.
fn figure(lead: &Lead, outcome: &HypothesisOutcome) -> Option<FigureBlock> {
    let drawn: Vec<(&Reading, [f64; 3], Verdict)> = lead
        .readings
        .iter()
        .filter(|one| one.metric.describe().unit == "ratio" && !one.values.is_empty())
        .filter_map(|one| {
            let of = |p: &&PredictionOutcome| p.id == one.prediction && p.evidence == one.evidence;
            let prediction = outcome.predictions.iter().find(of)?;
            Some((one, mean(one, prediction), prediction.verdict))
        })
        .collect();
    if drawn.is_empty() {
        return None;
    }
    let mut protocols: Vec<Protocol> = drawn.iter().map(|(one, ..)| one.protocol).collect();
    protocols.sort();
    protocols.dedup();
    let mut metrics: Vec<_> = drawn.iter().map(|(one, ..)| one.metric).collect();
    metrics.sort();
    metrics.dedup();
    let list = drawn.iter().map(|(one, [value, ..], _)| {
        let (value, above, all) = (number(*value).in_figure(), one.above_one(), one.values.len());
        format!("{} under {}: {value}, above 1 on {above} of {all} prompts", one.model, one.protocol)
    });
    let csv = Csv::new(
        &["prediction", "evidence", "model", "protocol", "prompt", "value"],
        drawn.iter().flat_map(|(one, ..)| {
            one.values.iter().map(|(prompt, value)| {
                [
                    one.prediction.clone(),
                    one.evidence.to_string(),
                    one.model.clone(),
                    one.protocol.to_string(),
                    prompt.clone(),
                    exact(Some(*value)),
                ]
            })
        }),
    );
    Some(FigureBlock {
        name: format!("lead-{}", slug(&outcome.id)),
        title: format!("{}: the same forward passes under every protocol", outcome.id),
        description: format!("{}.", list.collect::<Vec<_>>().join("; ")),
        drawing: draw(&drawn),
        legend: Line::from(
            "A dot is a prompt, its height within a row says nothing. The large mark is their geometric mean, the bar its interval; \
             left of the line the block shrinks the stream, right of it it expands it.",
        ),
        how: Line::from(
            "Every row reads the same forward passes. The interval is the one that the verdict rests on, over prompts.",
        ),
        metrics,
        protocols,
        csv,
        described: false,
    })
}

fn draw(rows: &[(&Reading, [f64; 3], Verdict)]) -> Drawing {
    let bottom = TOP + ROW * rows.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 42.0);
    let values = rows.iter().flat_map(|(one, ..)| one.values.iter().map(|(_, value)| *value));
    let frame = Frame { left: LEFT, right: WIDTH - RIGHT, top: TOP, bottom };
    let scale = Scale::covering(values.chain([0.9, 1.1]), true, frame.left, frame.right);
    for at in (0..rows.len()).step_by(2) {
        let top = TOP + ROW * at as f64;
        drawing.rectangle("band", (0.0, top), (WIDTH, top + ROW));
    }
    let label = "ratio of norms (logarithmic)";
    frame.horizontal(&mut drawing, &Grid { scale: &scale, label, reference: Some(1.0), ticks: 8 });
    let one = scale.at(1.0);
    drawing.text("small", (one - 8.0, TOP - 12.0), Anchor::End, "shrinks");
    drawing.text("small", (one + 8.0, TOP - 12.0), Anchor::Start, "expands");
    for (at, (reading, [value, low, high], verdict)) in rows.iter().enumerate() {
        let y = TOP + ROW * (at as f64 + 0.5);
        let protocol = reading.protocol.to_string();
        drawing.text("body", (8.0, y - 9.0), Anchor::Start, &fitted(&protocol, BODY, LEFT - 24.0));
        let below = format!("{}: {verdict}", reading.prediction);
        drawing.text("small", (8.0, y + 9.0), Anchor::Start, &fitted(&below, SMALL, LEFT - 24.0));
        let dots = reading.values.iter().enumerate().map(|(place, (_, gain))| {
            let lane = (place % LANES) as f64 / (LANES - 1) as f64 - 0.5;
            (scale.at(*gain), y + lane * (ROW - 18.0))
        });
        let says = format!("{} prompts of {}", reading.values.len(), reading.model);
        drawing.marks("mark grey many", Shape::Circle, dots.collect(), 2.2, &says);
        let words = number(*value).in_figure();
        if low.is_finite() && high.is_finite() {
            drawing.line("stem mea", (scale.at(*low), y), (scale.at(*high), y));
        }
        if value.is_finite() {
            drawing.mark("mea", Shape::Diamond, (scale.at(*value), y), 6.0, &format!("{protocol}: {words}"));
        }
        drawing.text("value mea", (WIDTH - RIGHT + 14.0, y - 8.0), Anchor::Start, &words);
        let counted = format!("above 1: {} of {}", reading.above_one(), reading.values.len());
        drawing.text("small", (WIDTH - RIGHT + 14.0, y + 10.0), Anchor::Start, &counted);
    }
    drawing
}
