//! The LLaMA-3.1 case: three gains of one model, what made them differ, and the picture of both.

use maud::{Markup, html};

use super::book::Book;
use super::plate::{Csv, Plate, exact};
use super::table::{column, table};
use super::words;
use crate::report::prose;
use crate::report::svg::{Anchor, BODY, Frame, Grid, SMALL, Scale, Shape, Svg, fitted};
use crate::report::text::{number, percent};
use study::llama::LlamaCase;
use study::llama::{CaseRow, Split};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 330.0;
const TOP: f64 = 34.0;
const ROW: f64 = 46.0;

pub(super) fn section(book: &mut Book<'_>, case: &LlamaCase) -> Markup {
    let rows: Vec<Markup> = case.rows.iter().chain([&case.last_token]).map(|row| line(book, row)).collect();
    let steps: Vec<Markup> =
        prose::case_splits(case).iter().flat_map(|(chain, split)| steps(book, chain, split)).collect();
    let plate = picture(book, case).render(book);
    html! {
        h2 #llama-case-section { "One model, two verdicts: the LLaMA-3.1 case" }
        @if let Some(opening) = prose::case_opening(case) { p { (words::inline(&opening)) } }
        (plate)
        @if let Some(split) = prose::case_split(case) { p { (words::inline(&split)) } }
        p { (words::inline(&prose::case_last_token(case))) }
        details {
            summary { "The rows and the chain in numbers" }
            (table(
                "Published last-block gains of the case, each with its protocol",
                false,
                &["source", "prompt", "gain (ratio of norms)", "protocol", "dtype", "remarks of the source"].map(column),
                &rows,
            ))
            (table(
                "Steps from one gain to the other",
                false,
                &["chain", "step", "ln of the ratio", "part of the whole", "from protocol", "to protocol"].map(column),
                &steps,
            ))
        }
    }
}

fn line(book: &mut Book<'_>, row: &CaseRow) -> Markup {
    let protocol = row.gain.protocol.as_slice();
    html! {
        td { (row.gain.source) }
        td { (row.prompt) }
        td.num { (words::number(book, &number(row.gain.value), protocol)) }
        td { (words::protocols(book, protocol)) }
        td { (row.gain.dtype) }
        td { (row.gain.definition) }
    }
}

/// Only the method step changes the protocol; the chain's ends show it.
fn steps(book: &mut Book<'_>, chain: &str, split: &Split) -> Vec<Markup> {
    let ends = [&split.from, &split.to].map(|gain| words::protocols(book, gain.protocol.as_slice()));
    let cells = split.steps.iter().map(|step| {
        html! {
            td { (chain) }
            td { (step.changes) }
            td.num { (number(step.log_ratio)) }
            td.num { (percent(step.share)) }
            td { (ends[0]) }
            td { (if step.changes == "method" { &ends[1] } else { &ends[0] }) }
        }
    });
    cells.collect()
}

fn picture(book: &mut Book<'_>, case: &LlamaCase) -> Plate {
    let rows: Vec<&CaseRow> = case.rows.iter().chain([&case.last_token]).collect();
    let bottom = TOP + ROW * rows.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 118.0);
    let values = rows.iter().map(|row| row.gain.value).chain([1.0, 0.4, 1.8]);
    let frame = Frame { left: LEFT, right: WIDTH - 60.0, top: TOP, bottom };
    let scale = Scale::covering(values, true, frame.left, frame.right);
    let label = "last-block gain, ratio of norms (logarithmic)";
    frame.horizontal(&mut svg, &Grid { scale: &scale, label, reference: Some(1.0), ticks: 8 });
    let one = scale.at(1.0);
    svg.text("small", (one - 8.0, TOP - 12.0), Anchor::End, "shrinks");
    svg.text("small", (one + 8.0, TOP - 12.0), Anchor::Start, "expands");
    for (at, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (at as f64 + 0.5);
        let prompt = match row.gain.prompt {
            Some(_) => format!("“{}”", row.prompt),
            None => row.prompt.clone(),
        };
        svg.text("body", (0.0, y - 9.0), Anchor::Start, &fitted(&prompt, BODY, LEFT - 24.0));
        let how = format!("{}, {}", prose::row_protocol(row), row.gain.dtype);
        svg.text("small", (0.0, y + 9.0), Anchor::Start, &fitted(&how, SMALL, LEFT - 24.0));
        // The last-token row is no part of the chain.
        let class = if at < case.rows.len() { "pub" } else { "grey" };
        let x = scale.at(row.gain.value);
        svg.line(&format!("stem {class}"), (one, y), (x, y));
        svg.mark(class, Shape::Circle, (x, y), 6.0, &format!("{prompt}: {} ({how})", number(row.gain.value)));
        let (side, anchor) = if row.gain.value < 1.0 { (-13.0, Anchor::End) } else { (13.0, Anchor::Start) };
        svg.text(&format!("value {class}"), (x + side, y), anchor, &number(row.gain.value));
    }
    bar(&mut svg, case, &scale, bottom + 58.0);
    let list: Vec<String> = rows
        .iter()
        .map(|row| format!("{} on {} under {}", number(row.gain.value), row.prompt, prose::row_protocol(row)))
        .collect();
    let protocols: Vec<_> = rows.iter().filter_map(|row| row.gain.protocol).collect();
    let csv = Csv::new(
        &["source", "prompt", "protocol", "dtype", "gain", "definition"],
        rows.iter().map(|row| {
            [
                row.gain.source.clone(),
                row.prompt.clone(),
                prose::row_protocol(row),
                row.gain.dtype.clone(),
                exact(Some(row.gain.value)),
                row.gain.definition.clone(),
            ]
        }),
    );
    Plate {
        name: book.unique("llama-case"),
        title: format!("{}: the same block shrinks or expands, by protocol", case.model),
        description: format!("Published last-block gains: {}.", list.join("; ")),
        svg,
        legend: html! {
            "Protocol and dtype of the run stand below each prompt; the grey row is no part of the chain. On a logarithmic axis \
             the lengths of the bar below are parts of the logarithm of the factor."
        },
        how: html! {
            p {
                "Metric " a href="#metric-last-gain" { "last-gain" } ", one published row each (the grey one is the mean of its \
                 prompts), under " (words::protocols(book, &protocols)) ". The bar splits ln(to/from) along the chain of rows that \
                 change one thing each."
            }
        },
        csv,
    }
}

fn bar(svg: &mut Svg, case: &LlamaCase, scale: &Scale, top: f64) {
    let split = &case.split;
    svg.text("head", (0.0, top + 7.0), Anchor::Start, "What made the difference");
    let whole = format!("factor {}", number(split.log_ratio.exp()));
    svg.text("small", (0.0, top + 26.0), Anchor::Start, &whole);
    let mut from = split.from.value;
    for (step, class) in split.steps.iter().zip(["grey", "mea"]) {
        let to = from * step.log_ratio.exp();
        let (start, end) = (scale.at(from), scale.at(to));
        svg.rectangle(&format!("fill {class}"), (start, top), (end - 1.5, top + 20.0));
        let label = format!("{} {}", step.changes, percent(step.share));
        svg.text(&format!("value {class}"), ((start + end) / 2.0, top + 36.0), Anchor::Middle, &label);
        from = to;
    }
}
