//! Lines of text for a terminal: wrapped at 100 columns, numbers with the protocols that they need.

use crate::report::document::{Basis, Line, Span, beside};
use number::protocol::Protocol;

pub(super) const WIDTH: usize = 100;

pub(super) fn named(basis: &Basis) -> String {
    match basis {
        Basis::Under(protocols) => protocol_names(protocols),
        Basis::Weights | Basis::Count | Basis::Row => protocol_names(&[]),
    }
}

pub(super) fn protocol_names(protocols: &[Protocol]) -> String {
    let names: Vec<String> = protocols.iter().map(Protocol::to_string).collect();
    if names.is_empty() { "of the weights".to_string() } else { names.join(", ") }
}

/// A line of running text, with the protocols that its numbers need.
pub(super) fn running(line: &Line) -> String {
    let bases = beside(line);
    match bases.as_slice() {
        [] => line.plain(),
        [only] => format!("{} [{}]", line.plain(), named(only)),
        _ => line.0.iter().map(each).collect(),
    }
}

fn each(span: &Span) -> String {
    match span {
        Span::Number { text, basis: basis @ (Basis::Under(_) | Basis::Weights) } => {
            format!("{text} ({})", named(basis))
        }
        Span::Strong(line) | Span::Emphasis(line) | Span::Minor(line) | Span::Link { line, .. } => {
            line.0.iter().map(each).collect()
        }
        other => other.plain(),
    }
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A heading over a line of its own length.
pub(super) fn underlined(text: &str, rule: char) -> String {
    let lines = wrapped(text, "");
    let longest = lines.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    format!("{lines}{}\n", rule.to_string().repeat(longest))
}

/// Lines of at most 100 characters, broken at spaces; all but the first begin with `indent`.
pub(super) fn wrapped(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    out += &lead;
    used += lead.len();
    let mut first = true;
    for word in text.split_whitespace() {
        let long = word.chars().count();
        if !first && used + 1 + long > WIDTH {
            out.push('\n');
            out += indent;
            used = indent.len();
        } else if !first {
            out.push(' ');
            used += 1;
        }
        out += word;
        used += long;
        first = false;
    }
    out + "\n"
}
