//! Every printed claim beside what the rows behind it give, and what it really measures.

use maud::{Markup, html};

use super::book::Book;
use super::table::{choice, column, table};
use super::words;
use crate::report::text::{MISSING, number};
use number::protocol::Protocol;
use study::claims::{Answer, ClaimOutcome, Outcome};

pub(super) fn page(book: &mut Book<'_>) -> Markup {
    let claims = &book.view.claims;
    if claims.is_empty() {
        return html! {};
    }
    let rows: Vec<Markup> = claims.iter().map(|claim| row(book, claim)).collect();
    let count = |outcome: Outcome| claims.iter().filter(|claim| claim.outcome == outcome).count();
    let deviating = claims.iter().filter(|claim| !claim.deviations.is_empty()).count();
    let sentences = claims.iter().filter(|claim| claim.id.starts_with('C')).count();
    let columns = [
        column("id"),
        column("claim"),
        column("printed"),
        column("recomputed"),
        column("protocols"),
        choice("outcome"),
        column("what it really measures"),
        column("rows"),
    ];
    html! {
        section.page #claims {
            h1 { "What was printed, recomputed" }
            p.lead {
                "Of " (claims.len()) " printed numbers and words (" (sentences) " of the note, C; "
                (claims.len() - sentences) " statistics published beside it, S), "
                strong { (count(Outcome::Reproduces)) } " reproduce from the rows behind them, "
                strong { (count(Outcome::Differs)) } " differ, and for "
                strong { (count(Outcome::NoData)) } " nothing was published to recompute them from. "
                @if deviating > 0 {
                    "For " (deviating) " the number is not what its sentence says; how, stands beside it."
                }
            }
            (table("Every printed claim beside its recomputed value", true, &columns, &rows))
        }
    }
}

fn row(book: &mut Book<'_>, claim: &ClaimOutcome) -> Markup {
    let protocols: Vec<Protocol> = claim.protocols.iter().filter_map(|text| text.parse().ok()).collect();
    let recomputed =
        claim.recomputed.as_ref().map_or_else(|| MISSING.to_string(), |value| said(value, &claim.unit));
    html! {
        th scope="row" { (claim.id) }
        td {
            (claim.text)
            div.minor {
                (claim.section)
                @if !claim.models.is_empty() { " · " (claim.models.join(", ")) }
            }
        }
        td.num { (said(&claim.printed, &claim.unit)) }
        td.num { (words::number(book, &recomputed, &protocols)) }
        td { @if !protocols.is_empty() { (words::protocols(book, &protocols)) } @else { (MISSING) } }
        td data-k=(claim.outcome) { span class={ "outcome " (class(claim.outcome)) } { (claim.outcome) } }
        td {
            (claim.measures)
            @if !claim.deviations.is_empty() {
                ul.deviations { @for deviation in &claim.deviations { li { (deviation) } } }
            }
            @if !claim.note.is_empty() { div.minor { (claim.note) } }
        }
        td.num { (claim.rows) }
    }
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reproduces => "reproduces",
        Outcome::Differs => "differs",
        Outcome::NoData => "nodata",
    }
}

/// The value with its unit.
fn said(answer: &Answer, unit: &str) -> String {
    let value = match answer {
        Answer::Number(value) => shortest(*value),
        Answer::Words(words) => words.clone(),
    };
    if unit.is_empty() { value } else { format!("{value} {unit}") }
}

/// Printed values have few digits already; recomputed ones are rounded as everywhere.
fn shortest(value: f64) -> String {
    let exact = value.to_string();
    if exact.len() <= 7 { exact } else { number(value) }
}
