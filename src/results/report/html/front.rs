//! First page: how many published conclusions survive, the verdicts, the LLaMA case.

use maud::{Markup, html};

use super::book::Book;
use super::table::{choice, column, table};
use super::{case, words};
use crate::report::prose;
use crate::report::text::{MISSING, probability};
use number::evidence::Evidence;
use study::judge::outcome::{HypothesisOutcome, Verdict};
use study::judge::summary::{Fallen, Survival, survival};

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
    let view = book.view;
    let [published, measured] =
        [Evidence::Published, Evidence::Measured].map(|evidence| survival(&view.hypotheses, evidence));
    let (concluded, all) = (published.concluded, view.hypotheses.len());
    if concluded == 0 {
        return html! {
            p.lead {
                "Each number below leads to the protocol that produced it. " em { "Published" } " numbers come from tables of \
                 earlier work, " em { "measured" } " ones from checkpoints observed here; the two are never pooled."
            }
        };
    }
    let counts = |survival: &Survival| {
        let (fallen, open) = (survival.fallen.len(), survival.open.len());
        html! { (fallen) @if fallen == 1 { " falls" } @else { " fall" } ", " (open) " left open" }
    };
    html! {
        p.headline {
            "For " strong { (published.survives.len()) " of " (concluded) }
            " hypotheses the published conclusion survives re-judging on the rows it was drawn from (" (counts(&published)) ")"
            @if !view.models.is_empty() {
                "; on what was measured here (" (prose::inventory(&view.models)) ") for " strong { (measured.survives.len()) }
                " (" (counts(&measured)) ")"
            }
            "."
            @if concluded < all {
                " On the other " (all - concluded) " of the " (all) " nothing definite was concluded."
            }
        }
        (fates(book, &published))
        @if !view.models.is_empty() {
            details {
                summary { "The same on what was measured here" }
                (fates(book, &measured))
            }
        }
    }
}

fn fates(book: &Book<'_>, survival: &Survival) -> Markup {
    let find = |id: &str| book.view.hypotheses.iter().find(|hypothesis| hypothesis.id == id);
    let survives = survival.survives.iter().filter_map(|id| Some((find(id)?, html! {})));
    let falls = survival.fallen.iter().filter_map(|fallen| Some((find(&fallen.hypothesis)?, fell(fallen))));
    let open = survival.open.iter().filter_map(|id| {
        let hypothesis = find(id)?;
        Some((hypothesis, left_open(hypothesis, survival.evidence)))
    });
    html! {
        div.fates {
            (list(book, "Survives", &survives.collect::<Vec<_>>()))
            (list(book, "Falls", &falls.collect::<Vec<_>>()))
            (list(book, "Left open", &open.collect::<Vec<_>>()))
        }
    }
}

fn fell(fallen: &Fallen) -> Markup {
    html! {
        "said " (fallen.said) ", found " (fallen.found)
        @if let [first, more @ ..] = fallen.choices.as_slice() {
            ": " (first)
            @if !more.is_empty() { "; and " (more.len()) " more" }
        }
    }
}

/// What was found instead, and what is missing where that is why.
fn left_open(hypothesis: &HypothesisOutcome, evidence: Evidence) -> Markup {
    let found = hypothesis.verdicts.iter().find(|(of, _)| *of == evidence).map(|(_, found)| *found);
    let core = hypothesis.predictions.iter().filter(|p| p.core && p.evidence == evidence);
    let missing = core.flat_map(|p| p.primary.missing.first()).next();
    html! {
        @match found { Some(found) => { "found " (found) }, None => { "not judged" } }
        @if let (Some(Verdict::Untestable), Some(missing)) = (found, missing) { ": " (missing) }
    }
}

fn list(book: &Book<'_>, title: &str, items: &[(&HypothesisOutcome, Markup)]) -> Markup {
    if items.is_empty() {
        return html! {};
    }
    html! {
        div {
            h2 { (title) " " span.count { (items.len()) } }
            ul {
                @for (hypothesis, why) in items {
                    li {
                        a href={ "#" (book.hypothesis(&hypothesis.id)) } { b { (hypothesis.id) } " " (hypothesis.title) }
                        div.minor { (why) }
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
        let mut holm = |evidence| {
            let member = view.family.iter().find(|m| m.hypothesis == hypothesis.id && m.evidence == evidence);
            let Some(member) = member else { return html! { (MISSING) } };
            let mut of = hypothesis.predictions.iter().filter(|p| p.evidence == evidence);
            let behind = of.find(|p| Some(&p.id) == member.prediction.as_ref());
            let protocols = behind.map_or(&[][..], |p| &p.primary.protocols);
            words::number(book, &probability(member.holm), protocols)
        };
        let (holm_published, holm_measured) = (holm(Evidence::Published), holm(Evidence::Measured));
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
                td.num { (holm_published) }
                td.num { (holm_measured) }
            }
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
    html! {
        h2 #verdicts { "Verdicts" }
        (table("Verdict on every hypothesis", true, &columns, &rows))
        p.minor { (words::inline(prose::VERDICTS)) }
    }
}
