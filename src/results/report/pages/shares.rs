//! Stacked bars of the shares of a sum of squares.

use crate::report::document::{Csv, FigureBlock, Line, Sign, Span, exact, number, percent};
use crate::report::drawing::{Anchor, BODY, Drawing, SMALL, fitted, text_width};
use number::metric::Metric;
use number::protocol::Protocol;
use study::analysis::Spread;

use crate::report::text::capital;

const WIDTH: f64 = 860.0;
/// A line of words and a bar.
const ROW: f64 = 74.0;
const BAR: f64 = 34.0;
const COLOURS: usize = 8;

/// Names of all parts, in the order they first come.
pub(super) fn names(spreads: &[Spread]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for part in spreads.iter().flat_map(|spread| &spread.parts) {
        if !names.contains(&part.name.as_str()) {
            names.push(&part.name);
        }
    }
    names
}

/// What a bar is over, in words.
pub(super) fn head(spread: &Spread) -> String {
    let protocols = match &spread.protocols[..] {
        [one] => one.to_string(),
        all => format!("{} protocols", all.len()),
    };
    format!(
        "{}: {} ({protocols}), {} models, {} prompts; standard deviation {}",
        capital(spread.evidence),
        spread.over,
        spread.models,
        spread.prompts,
        number(spread.deviation).in_figure()
    )
}

pub(super) fn figure(spreads: &[Spread]) -> FigureBlock {
    let names = names(spreads);
    let mut protocols: Vec<Protocol> = spreads.iter().flat_map(|spread| spread.protocols.clone()).collect();
    protocols.sort();
    protocols.dedup();
    let mut metrics: Vec<Metric> = spreads.iter().map(|spread| spread.metric).collect();
    metrics.dedup();
    let entries = names.iter().enumerate().map(|(at, name)| Span::LegendEntry {
        class: format!("c{}", at % COLOURS),
        sign: Sign::Letter(letter(at)),
        name: (*name).to_string(),
    });
    FigureBlock {
        name: "spread-shares".into(),
        title: "Shares of the spread of the log gain".to_string(),
        description: description(spreads),
        drawing: draw(spreads, &names),
        legend: Line::joined(entries, " "),
        how: Line::from(
            "A share is a sum of squares over the total one, of the natural logarithm of the gain in a crossed \
             design without repetition; what prompts explain beyond their categories is theirs.",
        ),
        metrics,
        protocols,
        csv: Csv::new(
            &["evidence", "over", "models", "prompts", "part", "share"],
            spreads.iter().flat_map(|spread| {
                spread.parts.iter().map(move |part| {
                    [
                        spread.evidence.to_string(),
                        spread.over.clone(),
                        spread.models.to_string(),
                        spread.prompts.to_string(),
                        part.name.clone(),
                        exact(Some(part.share)),
                    ]
                })
            }),
        ),
        // The page has a table of all shares.
        described: false,
    }
}

fn description(spreads: &[Spread]) -> String {
    let bar = |spread: &Spread| {
        let parts: Vec<String> = spread
            .parts
            .iter()
            .map(|part| format!("{} {}", part.name, percent(part.share).in_figure()))
            .collect();
        format!("{}, {}: {}", capital(spread.evidence), spread.over, parts.join(", "))
    };
    spreads.iter().map(bar).collect::<Vec<_>>().join(". ")
}

/// Parts are told apart by letters too, since ten colours are too many.
fn letter(at: usize) -> String {
    u8::try_from(at)
        .ok()
        .filter(|at| *at < 26)
        .map_or_else(|| at.to_string(), |at| char::from(b'a' + at).to_string())
}

fn draw(spreads: &[Spread], names: &[&str]) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, ROW * spreads.len() as f64);
    for (at, spread) in spreads.iter().enumerate() {
        let top = ROW * at as f64;
        drawing.text("body", (0.0, top + 12.0), Anchor::Start, &fitted(&head(spread), BODY, WIDTH));
        let (upper, lower) = (top + 26.0, top + 26.0 + BAR);
        let mut left = 0.0;
        for part in &spread.parts {
            let place = names.iter().position(|name| *name == part.name).unwrap_or_default();
            // Rounding can leave a part a hair below 0.
            let right = left + WIDTH * part.share.clamp(0.0, 1.0);
            drawing.rectangle(&format!("share c{}", place % COLOURS), (left, upper), (right, lower));
            let short = letter(place);
            let long = format!("{short} {}", percent(part.share).in_figure());
            let words = [long, short].into_iter().find(|words| text_width(words, SMALL) + 4.0 < right - left);
            if let Some(words) = words {
                let middle = ((left + right) / 2.0, (upper + lower) / 2.0);
                drawing.text("inside", middle, Anchor::Middle, &words);
            }
            left = right;
        }
    }
    drawing
}
