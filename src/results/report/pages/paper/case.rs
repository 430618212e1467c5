//! The LLaMA-3.1 case: gains of one model, what made them differ, and the drawing of both.

use std::collections::BTreeSet;

use crate::report::document::{
    Block, Csv, FigureBlock, Line, MISSING, Picture, PicturePart, Span, Table, code, column, exact, line,
    link, number, paragraph, percent, protocol_links, row, strong,
};
use crate::report::drawing::{Anchor, BODY, Drawing, Frame, Grid, SMALL, Scale, Shape, fitted};
use crate::report::pages::context::RenderContext;
use number::evidence::Evidence;
use number::metric::Metric;
use number::protocol::Protocol;
use study::judge::outcome::{PredictionOutcome, Verdict};
use study::published::llama::{CaseRow, LlamaCase};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 330.0;
const TOP: f64 = 34.0;
const ROW: f64 = 46.0;

/// The verdict that the split of the two gains is of. Without one the case is told without a split.
struct Judged<'a> {
    /// Address of the hypothesis.
    to: &'a str,
    /// Id of the prediction.
    prediction: &'a str,
    verdict: Verdict,
    /// The part of the log ratio that is method.
    method_share: f64,
    log_ratio: f64,
}

/// The published prediction about the part of the method that is judged from the rows of the case.
fn judged<'a>(context: &'a RenderContext<'_>, case: &LlamaCase) -> Option<Judged<'a>> {
    let share = case.split.steps.last()?.share;
    let all = context.view.hypotheses.iter().flat_map(|h| h.predictions.iter().map(move |one| (h, one)));
    let mut published = all.filter(|(_, one)| one.evidence == Evidence::Published);
    published.find_map(|(hypothesis, one)| {
        let method_share = statistic(one, "method-share")?;
        let log_ratio = statistic(one, "log-ratio")?;
        let same = (method_share - share).abs() < 1e-9 && (log_ratio - case.split.log_ratio).abs() < 1e-9;
        same.then(|| Judged {
            to: context.hypothesis(&hypothesis.id),
            prediction: &one.id,
            verdict: one.verdict,
            method_share,
            log_ratio,
        })
    })
}

fn statistic(one: &PredictionOutcome, name: &str) -> Option<f64> {
    one.primary.statistics.iter().find(|statistic| statistic.name == name)?.value
}

pub(in crate::report::pages) fn section(context: &RenderContext<'_>, case: &LlamaCase) -> Vec<Block> {
    let judged = judged(context, case);
    let mut blocks =
        vec![Block::section("llama-case-section", "One model, two verdicts: the LLaMA-3.1 case")];
    blocks.extend(opening(case).map(paragraph));
    blocks.push(Block::Picture(picture(case, judged.as_ref())));
    blocks.push(Block::figure(figure(case, judged.as_ref())));
    blocks.extend(judged.as_ref().map(|judged| paragraph(split(case, judged))));
    blocks.push(paragraph(last_token(case)));
    let mut tables = vec![Block::Table(rows(case))];
    tables.extend(judged.is_some().then(|| Block::Table(steps(case))));
    blocks.push(Block::Fold { summary: "The rows in numbers".into(), blocks: tables });
    blocks
}

fn protocol(row: &CaseRow) -> &[Protocol] {
    row.gain.protocol.as_slice()
}

fn gain(row: &CaseRow) -> Span {
    number(row.gain.value).under(protocol(row))
}

fn protocol_name(row: &CaseRow) -> String {
    row.gain.protocol.map_or_else(|| MISSING.to_string(), |protocol| protocol.to_string())
}

/// All gains of the case: those of the chain, and the one that is no part of it.
fn all_rows(case: &LlamaCase) -> impl Iterator<Item = &CaseRow> {
    case.rows.iter().chain([&case.last_token])
}

/// What was published about the model of the case; `None` for a case without rows.
fn opening(case: &LlamaCase) -> Option<Line> {
    let (first, last) = case.rows.first().zip(case.rows.last())?;
    Some(line![
        "Earlier work published that the last block of ",
        code(&case.model),
        " shrinks the stream, with a gain of ",
        gain(first),
        ", and that it expands it, with a gain of ",
        gain(last),
        ", and put the difference down to the prompts. Its own rows, with the protocol of each written beside it:"
    ])
}

/// How much of the difference is method, as it was judged.
fn split(case: &LlamaCase, judged: &Judged<'_>) -> Line {
    let both: Vec<Protocol> = case.split.from.protocol.into_iter().chain(case.split.to.protocol).collect();
    line![
        "The two numbers differ by a factor of ",
        number(judged.log_ratio.exp()).under(&both),
        ", and along the chain that the rows allow ",
        strong(line![percent(judged.method_share).under(&both), " of its logarithm is method"]),
        " (",
        link(judged.to, judged.prediction),
        " is ",
        Span::Verdict(judged.verdict),
        "): the tokens are reduced another way, and the numerator is read after the final norm, so the larger number is no block \
         gain at all. No row of the second method exists for the first prompt, so there is no second chain, and an \
         interaction of prompt and method would sit in the method part."
    ]
}

fn last_token(case: &LlamaCase) -> Line {
    let row = &case.last_token;
    line![
        "On the last token alone the published gain of the same model is ",
        gain(row),
        " (",
        protocol_links(protocol(row)),
        format!(", arithmetic {}). ", row.prompt),
        "A Frobenius norm weighs tokens by their squares, so the token with the largest norm decides it."
    ]
}

fn rows(case: &LlamaCase) -> Table {
    let columns = ["source", "prompt", "gain (ratio of norms)", "protocol", "dtype", "remarks of the source"]
        .map(column);
    let rows = all_rows(case).map(|row| {
        row![
            row.gain.source.as_str(),
            &row.prompt,
            gain(row),
            protocol_links(protocol(row)),
            row.gain.dtype.as_str(),
            row.gain.definition.as_str()
        ]
    });
    Table::new("Published last-block gains of the case, each with its protocol", columns).with(rows)
}

/// Only the method step changes the protocol; the chain's ends show it.
fn steps(case: &LlamaCase) -> Table {
    let columns = ["chain", "step", "ln of the ratio", "part of the whole", "from protocol", "to protocol"];
    let mut rows = Vec::new();
    for (name, split) in
        [("first row of the table", &case.split), ("the value printed as 0.48", &case.split_with_dtype)]
    {
        let ends = [&split.from, &split.to].map(|gain| gain.protocol.as_slice());
        let start = number(split.from.value).under(ends[0]);
        rows.extend(split.steps.iter().map(|step| {
            let to = if step.changes == "method" { ends[1] } else { ends[0] };
            let both: Vec<Protocol> = ends[0].iter().chain(to).copied().collect();
            row![
                line!["from ", name, ", ", start.clone()],
                step.changes,
                number(step.log_ratio).under(&both),
                percent(step.share).under(&both),
                protocol_links(ends[0]),
                protocol_links(to)
            ]
        }));
    }
    Table::new("Steps from one gain to the other", columns.map(column)).with(rows)
}

fn title(case: &LlamaCase) -> String {
    format!("{}: the same block shrinks or expands, by protocol", case.model)
}

fn picture(case: &LlamaCase, judged: Option<&Judged<'_>>) -> Picture {
    Picture {
        name: "llama-case".into(),
        says: "Four published last-block gains of LLaMA-3.1-8B on a logarithmic axis".into(),
        title: title(case),
        legend: Line::from("published rows, protocol and dtype of the run below each prompt"),
        parts: vec![PicturePart {
            name: String::new(),
            claim: String::new(),
            remarks: Vec::new(),
            drawing: Some(draw(case, judged)),
        }],
    }
}

fn figure(case: &LlamaCase, judged: Option<&Judged<'_>>) -> FigureBlock {
    let list = all_rows(case).map(|row| {
        let value = number(row.gain.value).in_figure();
        format!("{value} on {} under {}", row.prompt, protocol_name(row))
    });
    let csv = Csv::new(
        &["source", "prompt", "protocol", "dtype", "gain", "definition"],
        all_rows(case).map(|row| {
            [
                row.gain.source.to_string(),
                row.prompt.clone(),
                protocol_name(row),
                row.gain.dtype.to_string(),
                exact(Some(row.gain.value)),
                row.gain.definition.to_string(),
            ]
        }),
    );
    FigureBlock {
        name: "llama-case".into(),
        title: title(case),
        description: format!("Published last-block gains: {}.", list.collect::<Vec<_>>().join("; ")),
        drawing: draw(case, judged),
        legend: Line::from(match judged {
            None => "Protocol and dtype of the run stand below each prompt.",
            Some(_) => {
                "Protocol and dtype of the run stand below each prompt; the grey row is no part of the chain. On a logarithmic axis \
                 the lengths of the bar below are parts of the logarithm of the factor."
            }
        }),
        how: Line::from(match judged {
            None => "One published row each (the grey one is the mean of its prompts).",
            Some(_) => {
                "One published row each (the grey one is the mean of its prompts). The bar splits ln(to/from) along the chain of rows \
                 that change one thing each."
            }
        }),
        metrics: vec![Metric::LastGain],
        protocols: all_rows(case)
            .filter_map(|row| row.gain.protocol)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        csv,
        // The picture file shows the same.
        described: false,
    }
}

fn draw(case: &LlamaCase, judged: Option<&Judged<'_>>) -> Drawing {
    let rows: Vec<&CaseRow> = all_rows(case).collect();
    let bottom = TOP + ROW * rows.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + if judged.is_some() { 104.0 } else { 42.0 });
    let values = rows.iter().map(|row| row.gain.value).chain([1.0, 0.4, 1.8]);
    let frame = Frame { left: LEFT, right: WIDTH - 60.0, top: TOP, bottom };
    let scale = Scale::covering(values, true, frame.left, frame.right);
    for at in (0..rows.len()).step_by(2) {
        let top = TOP + ROW * at as f64;
        drawing.rectangle("band", (0.0, top), (WIDTH, top + ROW));
    }
    let label = "last-block gain, ratio of norms (logarithmic)";
    frame.horizontal(&mut drawing, &Grid { scale: &scale, label, reference: Some(1.0), ticks: 8 });
    let one = scale.at(1.0);
    drawing.text("small", (one - 8.0, TOP - 12.0), Anchor::End, "shrinks");
    drawing.text("small", (one + 8.0, TOP - 12.0), Anchor::Start, "expands");
    for (at, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (at as f64 + 0.5);
        let prompt = match row.gain.prompt {
            Some(_) => format!("“{}”", row.prompt),
            None => row.prompt.clone(),
        };
        drawing.text("body", (8.0, y - 9.0), Anchor::Start, &fitted(&prompt, BODY, LEFT - 24.0));
        let how = format!("{}, {}", protocol_name(row), row.gain.dtype);
        drawing.text("small", (8.0, y + 9.0), Anchor::Start, &fitted(&how, SMALL, LEFT - 24.0));
        // The last-token row is no part of the chain.
        let class = if at < case.rows.len() { "pub" } else { "grey" };
        let (x, value) = (scale.at(row.gain.value), number(row.gain.value).in_figure());
        drawing.line(&format!("stem {class}"), (one, y), (x, y));
        drawing.mark(class, Shape::Circle, (x, y), 6.0, &format!("{prompt}: {value} ({how})"));
        let (side, anchor) = if row.gain.value < 1.0 { (-13.0, Anchor::End) } else { (13.0, Anchor::Start) };
        drawing.text(&format!("value {class}"), (x + side, y), anchor, &value);
    }
    if judged.is_some() {
        bar(&mut drawing, case, &scale, bottom + 52.0);
    }
    drawing
}

/// On a logarithmic axis the length of each part is its part of the whole.
fn bar(drawing: &mut Drawing, case: &LlamaCase, scale: &Scale, top: f64) {
    let split = &case.split;
    drawing.text("head", (8.0, top + 7.0), Anchor::Start, "What made the difference");
    let factor = number(split.log_ratio.exp()).in_figure();
    let whole = format!("factor {factor}; lengths are parts of its logarithm");
    drawing.text("small", (8.0, top + 26.0), Anchor::Start, &whole);
    let mut from = split.from.value;
    for (step, class) in split.steps.iter().zip(["grey", "mea"]) {
        let to = from * step.log_ratio.exp();
        let (start, end) = (scale.at(from), scale.at(to));
        drawing.rectangle(&format!("fill {class}"), (start, top), (end - 1.5, top + 20.0));
        let label = format!("{} {}", step.changes, percent(step.share).in_figure());
        let middle = ((start + end) / 2.0, top + 36.0);
        drawing.text(&format!("value {class}"), middle, Anchor::Middle, &label);
        from = to;
    }
}
