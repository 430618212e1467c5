//! Methods: what is observed, every protocol that a number of the report names, every metric, verdicts, statistics,
//! provenance.

use maud::{Markup, html};

use super::book::{Book, metric_anchor, protocol_anchor};
use super::table::{column, table};
use super::words;
use crate::report::prose;
use crate::report::text::{bos, endpoint, reduction};
use number::protocol::{Bos, Endpoint, Reduction};

pub(super) fn page(book: &mut Book<'_>) -> Markup {
    html! {
        section.page #methods {
            h1 { "Methods" }
            p.lead { (words::inline(prose::LAYOUT)) }
            (protocols(book))
            (metrics(book))
            h2 #verdict-words { "Verdicts" }
            p { (words::inline(prose::VERDICTS)) }
            h2 #statistics { "Statistics" }
            p { (words::inline(prose::STATISTICS)) }
            (provenance(book))
        }
    }
}

fn protocols(book: &Book<'_>) -> Markup {
    let row = |address: &str, name: &str, means: &str| {
        html! {
            th scope="row" id=(address) { (name) }
            td { (means) }
        }
    };
    let mut used: Vec<Markup> = book
        .protocols
        .iter()
        .map(|protocol| row(&protocol_anchor(protocol), &protocol.to_string(), &words::definition(protocol)))
        .collect();
    used.push(row(
        "p-none",
        "of the weights",
        "a property of the checkpoint: no token enters it, so it has no protocol",
    ));
    let word = |kind: &str, name: &str, means: &str| {
        html! { td { (kind) } th scope="row" { code { (name) } } td { (means) } }
    };
    let reductions = Reduction::ALL.iter().map(|r| word("token reduction", r.as_str(), reduction(*r)));
    let endpoints = Endpoint::ALL.iter().map(|e| word("endpoint of the last gain", e.as_str(), endpoint(*e)));
    let policies = Bos::ALL.iter().map(|b| word("BOS", b.as_str(), bos(*b)));
    let parts: Vec<Markup> = reductions.chain(endpoints).chain(policies).collect();
    html! {
        h2 #protocols { "Protocols" }
        p { "Every protocol that a number of this report was computed under. Each number leads here." }
        (table("Protocols in use", true, &["protocol", "means"].map(column), &used))
        h3 { "Their parts" }
        (table("Parts of a protocol", false, &["part", "word", "means"].map(column), &parts))
    }
}

fn metrics(book: &Book<'_>) -> Markup {
    let rows: Vec<Markup> = book
        .view
        .metrics
        .iter()
        .map(|metric| {
            html! {
                th scope="row" id=(metric_anchor(&metric.name)) { code { (metric.name) } }
                td { (metric.unit) }
                td { (metric.definition) }
            }
        })
        .collect();
    html! {
        h2 #metrics { "Metrics" }
        (table("Every metric with its unit and definition", true, &["metric", "unit", "means"].map(column), &rows))
    }
}

fn provenance(book: &Book<'_>) -> Markup {
    let from = &book.view.provenance;
    let jobs: Vec<String> = from.jobs.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let rows: Vec<Markup> = book
        .view
        .hypotheses
        .iter()
        .map(|hypothesis| {
            html! {
                th scope="row" { a href={ "#" (book.hypothesis(&hypothesis.id)) } { (hypothesis.id) } }
                td { (hypothesis.status) }
                td { code.hash { (hypothesis.hash) } }
            }
        })
        .collect();
    html! {
        h2 #provenance { "Provenance" }
        ul {
            li { "streamgauge " (from.program) ", experiment " code { (from.experiment) } }
            li {
                @match &from.runtime {
                    Some(version) => { "measured with ONNX Runtime " (version) ", float32" }
                    None => { "nothing was measured, so no runtime was loaded" }
                }
            }
            li { (words::inline(prose::PUBLISHED_TABLES)) }
            @if !jobs.is_empty() { li { "jobs of the experiment: " (jobs.join(", ")) } }
        }
        (table("Hypotheses and the hash of their meaning", false, &["hypothesis", "status", "hash"].map(column), &rows))
    }
}
