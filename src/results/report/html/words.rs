//! Words and numbers as HTML: verdicts with a sign of their own, numbers that lead to their protocol.

use maud::{Markup, html};

use super::book::Book;
use crate::report::text::{MISSING, bos, endpoint, otherwise, reduction};
use number::evidence::Evidence;
use number::protocol::Protocol;
use study::judge::outcome::{HypothesisOutcome, Verdict};

/// Colour and sign come from the style sheet; the word is there for everyone.
pub(super) fn verdict(verdict: Verdict) -> Markup {
    html! { span class={ "verdict " (verdict) } { (verdict) } }
}

/// The verdict of a hypothesis, and the predictions that fare otherwise.
pub(super) fn overall(hypothesis: &HypothesisOutcome, evidence: Evidence) -> Markup {
    let Some((_, found)) = hypothesis.verdicts.iter().find(|(of, _)| *of == evidence) else {
        return html! { (MISSING) };
    };
    let others = otherwise(hypothesis, evidence, *found);
    html! {
        (verdict(*found))
        @if !others.is_empty() { div.minor { (others.join("; ")) } }
    }
}

/// The verdict as a key for filtering; empty without one.
pub(super) fn overall_key(hypothesis: &HypothesisOutcome, evidence: Evidence) -> String {
    let found = hypothesis.verdicts.iter().find(|(of, _)| *of == evidence);
    found.map_or_else(String::new, |(_, verdict)| verdict.to_string())
}

/// A number as text, leading to the definition of its protocol; a number of the weights leads to what that means.
pub(super) fn number(book: &mut Book<'_>, text: &str, protocols: &[Protocol]) -> Markup {
    if text == MISSING {
        return html! { (MISSING) };
    }
    match protocols {
        [] => html! { a.n href="#p-none" { (text) } },
        // The script makes the protocol a link leads to its tooltip; of several the names stand here.
        [only] => html! { a.n href={ "#" (book.protocol(only)) } { (text) } },
        [first, ..] => {
            let address = book.protocol(first);
            for protocol in protocols {
                book.protocol(protocol);
            }
            html! { a.n href={ "#" (address) } title=(names(protocols)) { (text) } }
        }
    }
}

fn names(protocols: &[Protocol]) -> String {
    protocols.iter().map(Protocol::to_string).collect::<Vec<_>>().join(", ")
}

/// Protocols as links to their definitions.
pub(super) fn protocols(book: &mut Book<'_>, protocols: &[Protocol]) -> Markup {
    if protocols.is_empty() {
        return html! { a href="#p-none" { "of the weights" } };
    }
    let links: Vec<(String, &Protocol)> =
        protocols.iter().map(|protocol| (book.protocol(protocol), protocol)).collect();
    html! {
        @for (at, (address, protocol)) in links.iter().enumerate() {
            @if at > 0 { ", " }
            a.p href={ "#" (address) } {
                // Narrow cells break it between its parts.
                (protocol.reduction) "/" wbr; (protocol.endpoint) "/" wbr; (protocol.bos)
            }
        }
    }
}

/// A measured model leads to its page.
pub(super) fn model(book: &Book<'_>, id: &str) -> Markup {
    html! {
        @if book.has_page(id) { a href={ "#" (book.model(id)) } { (id) } } @else { (id) }
    }
}

/// A protocol in words.
pub(super) fn definition(protocol: &Protocol) -> String {
    format!("{}; {}; {}", reduction(protocol.reduction), endpoint(protocol.endpoint), bos(protocol.bos))
}

/// `code`, **strong** and *emphasis* of the shared prose. A sign without its twin stays what it is.
pub(super) fn inline(text: &str) -> Markup {
    let mut rest = text;
    let mut parts: Vec<Markup> = Vec::new();
    while let Some(at) = rest.find(['`', '*']) {
        let sign = if rest[at..].starts_with("**") { "**" } else { &rest[at..=at] };
        let inside = &rest[at + sign.len()..];
        let Some(end) = inside.find(sign).filter(|end| *end > 0) else { break };
        let (before, within) = (&rest[..at], &inside[..end]);
        parts.push(match sign {
            "`" => html! { (before) code { (within) } },
            "**" => html! { (before) strong { (within) } },
            _ => html! { (before) em { (within) } },
        });
        rest = &inside[end + sign.len()..];
    }
    html! { @for part in &parts { (part) } (rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_keeps_its_emphasis_and_nothing_else() {
        let text = inline("a `b<c` and **d** or *e* 2 * 3 <i>").into_string();
        assert_eq!(text, "a <code>b&lt;c</code> and <strong>d</strong> or <em>e</em> 2 * 3 &lt;i&gt;");
    }
}
