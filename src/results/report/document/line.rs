//! Lines of text as spans. What a reader must not lose (the protocol of a number, the address of a link) is a part of the
//! span, so that every form can show it in its own way.

use base::hash::Key;
use number::protocol::Protocol;
use study::judge::outcome::Verdict;
use study::published::claims::Outcome;

use super::digits::MISSING;
use crate::report::drawing::Shape;

/// What a number was computed under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::report) enum Basis {
    /// These protocols, at least one.
    Under(Vec<Protocol>),
    /// A property of the checkpoint: no token enters it.
    Weights,
    /// A count of things of the report, a share of such a count, or a constant.
    Count,
    /// What other cells of its row say.
    Row,
}

impl Basis {
    /// The protocols of a judgement; without one its numbers are properties of the weights.
    pub(in crate::report) fn of(protocols: &[Protocol]) -> Basis {
        if protocols.is_empty() { Basis::Weights } else { Basis::Under(protocols.to_vec()) }
    }
}

/// The sign of a legend's entry.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) enum Sign {
    /// The mark that the drawing uses.
    Mark(Shape),
    /// The letter that the drawing writes into an area.
    Letter(String),
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) enum Span {
    /// Plain words.
    Text(String),
    /// A name as a file or a command writes it.
    Code(String),
    /// What matters most in its line.
    Strong(Line),
    /// A word that is stressed or defined.
    Emphasis(Line),
    /// An aside.
    Minor(Line),
    /// A short label, e.g. `exploratory`.
    Tag(&'static str),
    /// A content hash, shown shortened.
    Hash(Key),
    /// A formatted number and what it was computed under. Made by [`super::Digits`] only.
    Number {
        /// As it is printed.
        text: String,
        /// What it was computed under.
        basis: Basis,
    },
    /// Names of protocols; an empty list stands for a property of the weights.
    Protocols(Vec<Protocol>),
    /// How a claim was judged.
    Verdict(Verdict),
    /// Whether a printed number was found again.
    Outcome(Outcome),
    /// Words that lead to another place of the report.
    Link {
        /// The id of that place.
        to: String,
        /// The words.
        line: Line,
    },
    /// An entry of a legend.
    LegendEntry {
        /// The class of the drawing's marks, which decides their colour.
        class: String,
        /// The sign that the marks have.
        sign: Sign,
        /// What they stand for.
        name: String,
    },
}

/// Spans that follow one another.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Line(pub Vec<Span>);

impl Line {
    /// Adds a part at the end.
    pub(in crate::report) fn push(&mut self, part: impl Into<Line>) {
        self.0.extend(part.into().0);
    }

    pub(in crate::report) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parts with `between` between them.
    pub(in crate::report) fn joined<L: Into<Line>>(
        parts: impl IntoIterator<Item = L>,
        between: &str,
    ) -> Line {
        let mut line = Line::default();
        for part in parts {
            if !line.is_empty() {
                line.push(between);
            }
            line.push(part);
        }
        line
    }

    /// The words alone.
    pub(in crate::report) fn plain(&self) -> String {
        self.0.iter().map(Span::plain).collect()
    }
}

impl Span {
    /// The words alone.
    pub(in crate::report) fn plain(&self) -> String {
        match self {
            Span::Text(text) | Span::Code(text) | Span::Number { text, .. } => text.clone(),
            Span::Strong(line) | Span::Emphasis(line) | Span::Minor(line) | Span::Link { line, .. } => {
                line.plain()
            }
            Span::Tag(tag) => format!("({tag})"),
            Span::Hash(key) => key.short().to_string(),
            Span::Protocols(protocols) if protocols.is_empty() => "of the weights".to_string(),
            Span::Protocols(protocols) => {
                protocols.iter().map(Protocol::to_string).collect::<Vec<_>>().join(", ")
            }
            Span::Verdict(verdict) => verdict.to_string(),
            Span::Outcome(outcome) => outcome.to_string(),
            Span::LegendEntry { sign, name, .. } => format!("{} {name}", sign.plain()),
        }
    }
}

impl Sign {
    /// The sign as a character.
    pub(in crate::report) fn plain(&self) -> &str {
        match self {
            Sign::Mark(shape) => shape.character(),
            Sign::Letter(letter) => letter,
        }
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Line {
        if text.is_empty() { Line::default() } else { Line(vec![Span::Text(text.to_string())]) }
    }
}

impl From<&String> for Line {
    fn from(text: &String) -> Line {
        Line::from(text.as_str())
    }
}

impl From<String> for Line {
    fn from(text: String) -> Line {
        Line::from(text.as_str())
    }
}

impl From<Span> for Line {
    fn from(span: Span) -> Line {
        Line(vec![span])
    }
}

impl From<Option<Line>> for Line {
    fn from(line: Option<Line>) -> Line {
        line.unwrap_or_default()
    }
}

/// A line of its parts: words, spans, other lines.
macro_rules! line {
    ($($part:expr),* $(,)?) => {{
        let mut line = $crate::report::document::Line::default();
        $( line.push($part); )*
        line
    }};
}
pub(in crate::report) use line;

pub(in crate::report) fn strong(line: impl Into<Line>) -> Span {
    Span::Strong(line.into())
}

pub(in crate::report) fn emphasis(line: impl Into<Line>) -> Span {
    Span::Emphasis(line.into())
}

pub(in crate::report) fn code(text: impl ToString) -> Span {
    Span::Code(text.to_string())
}

pub(in crate::report) fn link(to: impl Into<String>, line: impl Into<Line>) -> Span {
    Span::Link { to: to.into(), line: line.into() }
}

/// The names of protocols, each leading to its definition.
pub(in crate::report) fn protocol_links(protocols: &[Protocol]) -> Span {
    Span::Protocols(protocols.to_vec())
}

/// Prose with `code`, **strong** and *emphasis*. A sign without its twin stays what it is.
pub(in crate::report) fn prose(text: &str) -> Line {
    let mut rest = text;
    let mut line = Line::default();
    while let Some(at) = rest.find(['`', '*']) {
        let sign = if rest[at..].starts_with("**") { "**" } else { &rest[at..=at] };
        let inside = &rest[at + sign.len()..];
        let Some(end) = inside.find(sign).filter(|end| *end > 0) else { break };
        let (before, within) = (&rest[..at], &inside[..end]);
        line.push(before);
        line.push(match sign {
            "`" => code(within),
            "**" => strong(within),
            _ => emphasis(within),
        });
        rest = &inside[end + sign.len()..];
    }
    line.push(rest);
    line
}

/// Words, or a dash where there are none.
pub(in crate::report) fn or_dash(text: Option<&str>) -> Line {
    Line::from(text.filter(|text| !text.is_empty()).unwrap_or(MISSING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_keeps_its_emphasis_and_nothing_else() {
        let text = |text: &str| Span::Text(text.into());
        assert_eq!(
            prose("a `b<c` and **d** or *e* 2 * 3 <i>").0,
            [
                text("a "),
                code("b<c"),
                text(" and "),
                strong("d"),
                text(" or "),
                emphasis("e"),
                text(" 2 * 3 <i>")
            ]
        );
    }
}
