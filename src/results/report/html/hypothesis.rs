//! The page of one hypothesis: claim, what was said, verdicts, registration, predictions.

use maud::{Markup, html};

use super::book::Book;
use super::table::{column, table};
use super::{chart, prediction, words};
use crate::report::text::{capital, evidence_phrase, optional, probability};
use crate::report::view::{Pair, shared_notes};
use number::evidence::Evidence;
use study::judge::outcome::HypothesisOutcome;

pub(super) fn page(book: &mut Book<'_>, hypothesis: &HypothesisOutcome) -> Markup {
    let address = book.hypothesis(&hypothesis.id).to_string();
    let pairs = Pair::all(hypothesis);
    let shared = shared_notes(&pairs);
    let predictions: Vec<Markup> =
        pairs.iter().map(|pair| prediction::section(book, hypothesis, pair, &shared)).collect();
    let training = training(book, hypothesis);
    html! {
        section.page id=(address) {
            p.kicker { "Hypothesis " (hypothesis.id) " · " (hypothesis.status) }
            h1 { (hypothesis.title) }
            p.lead { (hypothesis.statement.trim()) }
            dl.facts {
                dt { "It was said" }
                dd {
                    (hypothesis.published_verdict)
                    @if let Some(said) = hypothesis.published_conclusion {
                        " " span.minor { "(in the words used here: " (said) ")" }
                    }
                }
                @for evidence in Evidence::ALL {
                    dt { (capital(*evidence)) }
                    dd { (words::overall(hypothesis, *evidence)) }
                }
                dt { "Its file" }
                dd {
                    "its content has the hash " code title=(hypothesis.hash) { (hypothesis.hash.short()) } "; it "
                    (registration(book, hypothesis))
                }
            }
            (family(book, hypothesis))
            (listed(book, hypothesis))
            (training)
            @for prediction in &predictions { (prediction) }
            @if !shared.is_empty() {
                h2 { "Notes on several predictions" }
                ul.notes {
                    @for (evidence, note) in &shared { li { (capital(*evidence)) ": " (note) } }
                }
            }
        }
    }
}

fn registration(book: &Book<'_>, hypothesis: &HypothesisOutcome) -> Markup {
    let found = book.view.registrations.iter().find(|(id, _)| *id == hypothesis.id);
    let Some((_, registration)) = found else { return html! {} };
    html! {
        @match (&registration.registered, registration.exploratory) {
            (None, _) => { "is judged for the first time now" }
            (Some(_), false) => { "is as it was when first judged" }
            (Some(key), true) => {
                span.tag { "exploratory" } " changed since it was first judged as " code { (key.short()) }
            }
        }
        @for later in &registration.later { div { "registration " (later) } }
        @if !registration.diff.is_empty() {
            details open {
                summary { "What changed" }
                pre.diff tabindex="0" {
                    @for line in &registration.diff {
                        @match line.as_bytes().first() {
                            Some(b'+') => ins { (line) },
                            Some(b'-') => del { (line) },
                            _ => span { (line) },
                        }
                        "\n"
                    }
                }
            }
        }
    }
}

/// Gain and loss along the trainings at hand, where a prediction counts trainings, decided or not.
fn training(book: &mut Book<'_>, hypothesis: &HypothesisOutcome) -> Markup {
    let view = book.view;
    let statistics = hypothesis.predictions.iter().flat_map(|prediction| &prediction.primary.statistics);
    // What every test along trainings calls their number.
    if view.training.is_empty() || !statistics.into_iter().any(|statistic| statistic.name == "series") {
        return html! {};
    }
    html! {
        h2 { "Along the trainings measured here" }
        p {
            "What there is, drawn whether or not it suffices to decide: a prediction below says how many trainings and \
             stages it needs."
        }
        div.pair { @for figure in &view.training { (chart::figure(book, figure)) } }
    }
}

/// The p that enters the family of all hypotheses.
fn family(book: &Book<'_>, hypothesis: &HypothesisOutcome) -> Markup {
    let members = book.view.family.iter().filter(|member| member.hypothesis == hypothesis.id);
    let rows: Vec<Markup> = members
        .map(|member| {
            html! {
                td { (evidence_phrase(member.evidence)) }
                td { (member.prediction.as_deref().unwrap_or("–")) }
                td.num { (probability(member.p)) }
                td.num { (probability(member.holm)) }
                td { (member.note) }
            }
        })
        .collect();
    let columns = ["evidence", "prediction", "p", "p after Holm over the family", "note"].map(column);
    table("The p that enters the family of hypotheses", false, &columns, &rows)
}

/// The other p-values.
fn listed(book: &Book<'_>, hypothesis: &HypothesisOutcome) -> Markup {
    let own = book.view.listed.iter().filter(|listed| listed.hypothesis == hypothesis.id);
    let rows: Vec<Markup> = own
        .map(|listed| {
            html! {
                td { (evidence_phrase(listed.evidence)) }
                td { (listed.prediction) }
                td.num { (probability(Some(listed.p))) }
                td.num { (probability(Some(listed.adjusted))) }
            }
        })
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    let columns = ["evidence", "prediction", "p", "p after Benjamini and Hochberg"].map(column);
    table("Other p-values, an exploratory list over all hypotheses", false, &columns, &rows)
}

/// Named for curves: the p of all equivalent specifications together.
pub(super) fn joint(median: Option<f64>, share: Option<f64>, agreement: Option<f64>, flips: u64) -> Markup {
    html! {
        dl.facts.compact {
            @if let Some(agreement) = agreement {
                dt { "Equivalent specifications that agree with the primary" }
                dd { (crate::report::text::percent(agreement)) }
            }
            dt { "Joint p of the median effect" } dd { (probability(median)) }
            dt { "Joint p of the share beyond the null" } dd { (probability(share)) }
            @if flips > 0 { dt { "Flips behind the joint p" } dd { (optional(Some(flips as f64)).trim_end_matches(".0000")) } }
        }
    }
}
