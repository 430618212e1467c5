//! One prediction: verdicts, specification curves, forest plot, estimates, statistics, other protocols, remarks.

use maud::{Markup, html};

use super::book::Book;
use super::table::{column, table};
use super::{curve, forest, words};
use crate::report::text::{
    MISSING, because, capital, estimate, evidence_phrase, named_numbers, own_unit, probability, statistic,
};
use crate::report::view::Pair;
use number::evidence::Evidence;
use study::judge::outcome::{Estimate, HypothesisOutcome, PredictionOutcome};

pub(super) fn section(
    book: &mut Book<'_>,
    hypothesis: &HypothesisOutcome,
    pair: &Pair<'_>,
    shared: &[(Evidence, &str)],
) -> Markup {
    let sides: Vec<&PredictionOutcome> = pair.sides().collect();
    let verdicts: Vec<Markup> = sides.iter().map(|side| verdict_row(book, side)).collect();
    let curves: Vec<Markup> = hypothesis
        .curves
        .iter()
        .filter(|curve| curve.prediction == pair.id)
        .map(|curve| curve::section(book, hypothesis, curve))
        .collect();
    let forest = forest::plate(book, pair).map(|plate| plate.render(book));
    let columns = ["evidence", "verdict", "protocol", "unit", "because"].map(column);
    html! {
        h2 { (pair.id) @if sides.iter().any(|side| !side.core) { " " span.tag { "beside the claim" } } }
        p { (pair.claim.trim()) }
        (table(&format!("Verdicts on {}", pair.id), false, &columns, &verdicts))
        @for curve in &curves { (curve) }
        @if let Some(forest) = forest { (forest) }
        (estimates(book, pair.id, &sides))
        (statistics(book, pair.id, &sides))
        (others(book, pair.id, &sides))
        (remarks(&sides, shared))
    }
}

fn verdict_row(book: &mut Book<'_>, side: &PredictionOutcome) -> Markup {
    html! {
        th scope="row" { (capital(side.evidence)) }
        td {
            (words::verdict(side.verdict))
            @if side.verdict != side.primary.verdict {
                div.minor { (side.primary.verdict) " under the primary protocol" }
            }
        }
        td { (words::protocols(book, &side.primary.protocols)) }
        td { (side.primary.unit) }
        td { (because(&side.primary)) }
    }
}

fn estimates(book: &mut Book<'_>, id: &str, sides: &[&PredictionOutcome]) -> Markup {
    let mut rows: Vec<Markup> = Vec::new();
    for side in sides {
        let judgement = &side.primary;
        for found in judgement.estimates.iter().filter(|e| e.value.is_some_and(|value| !value.is_nan())) {
            let unit = own_unit(&found.label, &judgement.unit).unwrap_or(&judgement.unit);
            rows.push(html! {
                th scope="row" { (words::model(book, &found.label)) }
                td data-k=(side.evidence) { (evidence_phrase(side.evidence)) }
                (numbers(book, found, judgement))
                td { (unit) }
            });
        }
    }
    let columns = ["estimate of", "evidence", "value [interval]", "p", "n", "unit"].map(column);
    let long = rows.len() > 12;
    let caption = format!("Estimates of {id} under the primary protocol");
    let tabular = table(&caption, long, &columns, &rows);
    html! {
        @if long { details { summary { (caption) " (" (rows.len()) ")" } (tabular) } } @else { (tabular) }
    }
}

fn numbers(book: &mut Book<'_>, found: &Estimate, judgement: &study::judge::outcome::Judgement) -> Markup {
    html! {
        td.num { (words::number(book, &estimate(found), &judgement.protocols)) }
        td.num { (probability(found.p)) }
        td.num { (found.n) }
    }
}

fn statistics(book: &mut Book<'_>, id: &str, sides: &[&PredictionOutcome]) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for statistic in sides.iter().flat_map(|side| &side.primary.statistics) {
        if statistic.value.is_some_and(|value| !value.is_nan()) && !names.contains(&statistic.name.as_str()) {
            names.push(&statistic.name);
        }
    }
    let mut rows: Vec<Markup> = Vec::new();
    for name in names {
        let mut cells: Vec<Markup> = Vec::new();
        for side in sides {
            let found = side.primary.statistics.iter().find(|s| s.name == name).and_then(|s| s.value);
            let text = statistic(found.filter(|value| !value.is_nan()));
            cells.push(words::number(book, &text, &side.primary.protocols));
        }
        rows.push(html! { th scope="row" { (name) } @for cell in &cells { td.num { (cell) } } });
    }
    let mut columns = vec![column("statistic")];
    columns.extend(sides.iter().map(|side| column(evidence_phrase(side.evidence))));
    table(&format!("Statistics of {id} under the primary protocol"), false, &columns, &rows)
}

fn others(book: &mut Book<'_>, id: &str, sides: &[&PredictionOutcome]) -> Markup {
    let mut rows: Vec<Markup> = Vec::new();
    for side in sides {
        for other in &side.others {
            rows.push(html! {
                td { (evidence_phrase(side.evidence)) }
                td { (words::protocols(book, &other.protocols)) }
                td { (words::verdict(other.verdict)) }
                td { (named_numbers(other)) }
                td { (because(other)) }
            });
        }
    }
    if rows.is_empty() {
        return html! {};
    }
    let columns = ["evidence", "protocol", "verdict", "statistics", "because"].map(column);
    html! {
        details {
            summary { "The same test under other protocols (" (rows.len()) ")" }
            (table(&format!("{id} under other protocols"), false, &columns, &rows))
        }
    }
}

fn remarks(sides: &[&PredictionOutcome], shared: &[(Evidence, &str)]) -> Markup {
    let mut items: Vec<(String, &str)> = Vec::new();
    for side in sides {
        let name = evidence_phrase(side.evidence);
        items.extend(side.primary.missing.iter().map(|what| (format!("Missing, {name}"), what.as_str())));
        let own = side.primary.notes.iter().filter(|note| !shared.contains(&(side.evidence, note.as_str())));
        items.extend(own.map(|note| (format!("Note, {name}"), note.as_str())));
    }
    let list = html! {
        ul.notes { @for (kind, text) in &items { li { b { (kind) ": " } (text) } } }
    };
    html! {
        @match items.len() {
            0 => {}
            1..=4 => { (list) }
            many => { details { summary { (many) " remarks" } (list) } }
        }
    }
}

/// `value [low, high]`, or a dash.
pub(super) fn spoken(found: &Estimate) -> String {
    match found.value {
        Some(value) if value.is_finite() => format!("{}: {}", found.label, estimate(found)),
        _ => format!("{}: {MISSING}", found.label),
    }
}
