//! A page of what the numbers say beyond single claims: the first token, whose spread it is, replication.

use maud::{Markup, html};

use super::book::Book;
use super::table::{column, table};
use super::{ladder, shares, words};
use crate::report::prose;
use crate::report::text::{MISSING, number, percent};
use study::analysis::{Replication, Sink, Spread};

pub(super) fn page(book: &mut Book<'_>) -> Markup {
    if !book.view.has_analysis() {
        return html! {};
    }
    let analysis = &book.view.analysis;
    let sinks = sinks(book, &analysis.sinks);
    let spreads = spreads(book, &analysis.spreads);
    let replications = replications(book, &analysis.replications);
    html! {
        section.page #analysis {
            h1 { "First token and spread" }
            p.lead { "What the rows measured here say beyond single claims. No verdict rests on it." }
            (sinks)
            (spreads)
            (replications)
        }
    }
}

fn sinks(book: &mut Book<'_>, sinks: &[Sink]) -> Markup {
    let Some(first) = sinks.first() else { return html! {} };
    let protocol = words::protocols(book, &[first.protocol]);
    let figure = ladder::plate(book, sinks).map(|plate| plate.render(book));
    let rows: Vec<Markup> = sinks.iter().map(|sink| sink_row(book, sink)).collect();
    let columns = [
        "model",
        "prompts",
        "first token's norm B, before → after",
        "another token's norm r, before → after",
        "predicted gain is 1 at (tokens)",
        "rungs",
        "on the predicted side of 1",
        "R² of log gain",
    ];
    html! {
        h2 #first-token { "The first token's part in a Frobenius gain" }
        p { (words::inline(prose::SINK)) " All here is under " (protocol) "." }
        @if let Some(findings) = prose::sink_findings(sinks, &book.view.models) { p { (words::inline(&findings)) } }
        @if let Some(figure) = figure { (figure) }
        (table("Norms around the last block and what they predict for the ladder", true, &columns.map(column), &rows))
    }
}

fn sink_row(book: &mut Book<'_>, sink: &Sink) -> Markup {
    let arrow = |[before, after]: [f64; 2]| format!("{} → {}", number(before), number(after));
    let share = |value: Option<f64>| value.map_or_else(|| MISSING.to_string(), percent);
    let crossing = sink.crossing.map_or_else(|| "never".to_string(), number);
    let fit = sink.r_squared.map_or_else(|| MISSING.to_string(), number);
    let mut linked = |text: String| words::number(book, &text, &[sink.protocol]);
    let numbers = [
        linked(arrow(sink.first)),
        linked(arrow(sink.other)),
        linked(crossing),
        html! { (sink.rungs.len()) },
        linked(share(sink.right_side)),
        linked(fit),
    ];
    html! {
        th scope="row" { (words::model(book, &sink.model)) }
        td.num { (sink.prompts) }
        @for number in &numbers { td.num { (number) } }
    }
}

fn spreads(book: &mut Book<'_>, spreads: &[Spread]) -> Markup {
    if spreads.is_empty() {
        return html! {};
    }
    let figure = shares::plate(book, spreads).render(book);
    let names = shares::names(spreads);
    let rows: Vec<Markup> = names
        .iter()
        .map(|name| {
            let cells: Vec<Markup> = spreads
                .iter()
                .map(|spread| {
                    let part = spread.parts.iter().find(|part| part.name == *name);
                    let text = part.map_or_else(|| MISSING.to_string(), |part| percent(part.share));
                    words::number(book, &text, &spread.protocols)
                })
                .collect();
            html! { th scope="row" { (name) } @for cell in &cells { td.num { (cell) } } }
        })
        .collect();
    let mut columns = vec![column("share of the sum of squares")];
    columns.extend(spreads.iter().map(|spread| column(shares::head(spread))));
    html! {
        h2 #spread { "Whose spread is it" }
        p { (words::inline(prose::SPREAD)) }
        (figure)
        (table("Shares of the sum of squares of the log gain", false, &columns, &rows))
    }
}

fn replications(book: &mut Book<'_>, replications: &[Replication]) -> Markup {
    if replications.is_empty() {
        // Only where something was published could it have come back.
        let published = !book.view.claims.is_empty();
        return html! { @if published { h2 #replication { "Published means and ours" } p { (prose::NO_REPLICATION) } } };
    }
    let rows: Vec<Markup> = replications.iter().map(|one| replication(book, one)).collect();
    let columns = [
        "model",
        "published by",
        "protocol",
        "prompts",
        "published",
        "ours",
        "interval for ours",
        "replicates",
    ];
    html! {
        h2 #replication { "Published means and ours" }
        p { (words::inline(prose::REPLICATION)) }
        (table("Published geometric means beside ours", false, &columns.map(column), &rows))
    }
}

fn replication(book: &mut Book<'_>, one: &Replication) -> Markup {
    let interval = match (one.low, one.high) {
        (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
        _ => MISSING.to_string(),
    };
    let [published, measured, interval] = [number(one.published), number(one.measured), interval]
        .map(|text| words::number(book, &text, &[one.protocol]));
    html! {
        th scope="row" { (words::model(book, &one.model)) }
        td { (one.source) " (" (one.dtype) ")" }
        td { (words::protocols(book, &[one.protocol])) }
        td.num { (one.prompts) }
        td.num { (published) }
        td.num { (measured) }
        td.num { (interval) }
        td { @match one.replicates { Some(true) => "yes", Some(false) => "no", None => (MISSING) } }
    }
}
