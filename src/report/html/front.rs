//! First page: how many published conclusions survive, the verdicts, the LLaMA case.

use maud::{Markup, html};

use super::book::Book;
use super::table::{choice, column, table};
use super::{case, words};
use crate::evidence::Evidence;
use crate::protocol::Protocol;
use crate::report::prose;
use crate::report::summary::{Fate, Summary};
use crate::report::text::{MISSING, probability};

pub(super) fn page(book: &mut Book<'_>) -> Markup {
    let view = book.view;
    let verdicts = verdicts(book);
    let case = view.llama.as_ref().map(|case| case::section(book, case));
    html! {
        section.page #report {
            p.kicker { "Experiment " code { (view.provenance.experiment) } }
            h1 { (view.provenance.experiment_title) }
            (headline(book))
            (verdicts)
            @if let Some(case) = case { (case) }
        }
    }
}

fn headline(book: &Book<'_>) -> Markup {
    let published = Summary::of(&book.view.hypotheses, Evidence::Published);
    let measured = Summary::of(&book.view.hypotheses, Evidence::Measured);
    let all = book.view.hypotheses.len();
    let concluded = published.concluded().max(measured.concluded());
    if concluded == 0 {
        return html! {
            p.lead {
                "Each number below leads to the protocol that produced it. " em { "Published" } " numbers come from tables of \
                 earlier work, " em { "measured" } " ones from checkpoints observed here; the two are never pooled."
            }
        };
    }
    html! {
        p.headline {
            "For " strong { (published.survives.len()) " of " (concluded) }
            " hypotheses the published conclusion survives re-judging on the rows it was drawn from"
            @if !measured.survives.is_empty() || !measured.falls.is_empty() {
                "; on the " (book.view.models.len()) " models measured here for " strong { (measured.survives.len()) }
            }
            "."
            @if concluded < all {
                " On the other " (all - concluded) " of the " (all) " nothing definite was concluded."
            }
        }
        div.fates {
            (list(book, "Survives", &published.survives))
            (list(book, "Falls", &published.falls))
            (list(book, "Cannot be tested on published rows", &published.untested))
        }
        @if !measured.falls.is_empty() {
            details {
                summary { "What falls on the models measured here" }
                div.fates { (list(book, "Falls", &measured.falls)) }
            }
        }
    }
}

fn list(book: &Book<'_>, title: &str, fates: &[Fate<'_>]) -> Markup {
    if fates.is_empty() {
        return html! {};
    }
    html! {
        div {
            h2 { (title) " " span.count { (fates.len()) } }
            ul {
                @for fate in fates {
                    li {
                        a href={ "#" (book.hypothesis(&fate.hypothesis.id)) } { b { (fate.hypothesis.id) } " " (fate.hypothesis.title) }
                        div.minor {
                            "said " (fate.said) ", found " (fate.found)
                            @if let [first, more @ ..] = fate.killers.as_slice() {
                                ": " (first)
                                @if !more.is_empty() { "; and " (more.len()) " more" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn verdicts(book: &mut Book<'_>) -> Markup {
    let view = book.view;
    if view.hypotheses.is_empty() {
        return html! { p { "This experiment judges no hypothesis." } };
    }
    let family = !view.family.is_empty();
    let mut rows: Vec<Markup> = Vec::new();
    for hypothesis in &view.hypotheses {
        let mut used: Vec<Protocol> = Vec::new();
        for protocol in hypothesis.predictions.iter().flat_map(|p| &p.primary.protocols) {
            if !used.contains(protocol) {
                used.push(*protocol);
            }
        }
        let holm = |evidence| {
            let member = view.family.iter().find(|m| m.hypothesis == hypothesis.id && m.evidence == evidence);
            member.map_or_else(|| MISSING.to_string(), |member| probability(member.holm))
        };
        let registration = view.registrations.iter().find(|(id, _)| *id == hypothesis.id);
        let exploratory = registration.is_some_and(|(_, registration)| registration.exploratory);
        let address = book.hypothesis(&hypothesis.id).to_string();
        let key = |evidence| words::overall_key(hypothesis, evidence);
        rows.push(html! {
            th scope="row" { a href={ "#" (address) } { (hypothesis.id) } }
            td { a href={ "#" (address) } { (hypothesis.title) } @if exploratory { " " span.tag { "exploratory" } } }
            td { (hypothesis.published_verdict) }
            td data-k=(key(Evidence::Published)) { (words::overall(hypothesis, Evidence::Published)) }
            td data-k=(key(Evidence::Measured)) { (words::overall(hypothesis, Evidence::Measured)) }
            @if family {
                td.num { (holm(Evidence::Published)) }
                td.num { (holm(Evidence::Measured)) }
            }
            td { (words::protocols(book, &used)) }
        });
    }
    let mut columns = vec![
        column("id"),
        column("claim"),
        column("it was said"),
        choice("published rows"),
        choice("measured here"),
    ];
    if family {
        columns.extend([column("p (Holm), published"), column("p (Holm), measured")]);
    }
    columns.push(column("primary protocols"));
    html! {
        h2 #verdicts { "Verdicts" }
        (table("Verdict on every hypothesis", true, &columns, &rows))
        p.minor { (words::inline(prose::VERDICTS)) }
    }
}
