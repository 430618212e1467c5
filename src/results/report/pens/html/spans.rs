//! Spans as HTML: verdicts with a sign of their own, numbers that lead to their protocol.

use maud::{Markup, PreEscaped, html};

use crate::report::document::{Basis, Line, Sign, Span, WEIGHTS, protocol_address};
use crate::report::drawing::{Drawing, swatch};
use number::protocol::Protocol;
use study::published::claims::Outcome;

pub(super) fn line(line: &Line) -> Markup {
    html! { @for part in &line.0 { (span(part)) } }
}

fn span(part: &Span) -> Markup {
    match part {
        Span::Text(text) => html! { (text) },
        Span::Code(text) if text.len() > 60 => html! { code.hash { (text) } },
        Span::Code(text) => html! { code { (text) } },
        Span::Strong(inner) => html! { strong { (line(inner)) } },
        Span::Emphasis(inner) => html! { em { (line(inner)) } },
        Span::Minor(inner) => html! { span.minor { (line(inner)) } },
        Span::Tag(tag) => html! { span.tag { (tag) } },
        Span::Hash(key) => html! { code title=(key) { (key.short()) } },
        Span::Number { text, basis } => number(text, basis),
        Span::Protocols(protocols) => names(protocols),
        // Colour and sign come from the style sheet; the word is there for everyone.
        Span::Verdict(verdict) => html! { span class={ "verdict " (verdict) } { (verdict) } },
        Span::Outcome(outcome) => html! { span class={ "outcome " (class(*outcome)) } { (outcome) } },
        Span::Link { to, line: words } => html! { a href={ "#" (to) } { (line(words)) } },
        Span::LegendEntry { class, sign, name } => match sign {
            Sign::Mark(shape) => {
                let mut drawing = Drawing::new(14.0, 12.0);
                drawing.mark(class, *shape, (7.0, 6.0), 4.2, "");
                html! { span.entry { (PreEscaped(swatch(&drawing))) (name) } }
            }
            Sign::Letter(letter) => html! { span class={ "entry " (class) } { b { (letter) } " " (name) } },
        },
    }
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reproduces => "reproduces",
        Outcome::Differs => "differs",
        Outcome::NoData => "nodata",
    }
}

/// A number leads to the definition of its protocol; a number of the weights leads to what that means. The style sheet knows it by
/// where it leads.
fn number(text: &str, basis: &Basis) -> Markup {
    let protocols = match basis {
        Basis::Count | Basis::Row => return html! { (text) },
        Basis::Weights => return html! { a href={ "#" (WEIGHTS) } { (text) } },
        Basis::Under(protocols) => protocols.as_slice(),
    };
    // The script makes the protocol a link leads to its tooltip; of several the names stand here.
    let all: Vec<String> = protocols.iter().map(Protocol::to_string).collect();
    html! {
        @match protocols {
            [] => (text),
            [only] => a href={ "#" (protocol_address(only)) } { (text) },
            [first, ..] => a href={ "#" (protocol_address(first)) } title=(all.join(", ")) { (text) },
        }
    }
}

/// Protocols as links to their definitions.
pub(super) fn names(protocols: &[Protocol]) -> Markup {
    if protocols.is_empty() {
        return html! { a.p href={ "#" (WEIGHTS) } { "of the weights" } };
    }
    html! {
        @for (at, protocol) in protocols.iter().enumerate() {
            @if at > 0 { ", " }
            a.p href={ "#" (protocol_address(protocol)) } {
                // Narrow cells break it between its parts.
                (protocol.reduction) "/" wbr; (protocol.endpoint) "/" wbr; (protocol.bos)
            }
        }
    }
}
