//! Blocks: what a page consists of, from top to bottom.

use super::figure::{FigureBlock, Picture};
use super::line::{Line, Span, line};
use super::table::Table;

/// How much a paragraph matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Role {
    /// The one sentence of the whole report.
    Headline,
    /// What a page is about.
    Lead,
    /// Running text.
    Text,
    /// An explanation for those who want it.
    Minor,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) enum Block {
    /// A heading within a page.
    Heading {
        /// 2 below the page's title, 3 below that.
        level: u8,
        /// Its address, where something leads there.
        id: Option<&'static str>,
        /// Its words.
        line: Line,
    },
    /// A paragraph.
    Paragraph {
        /// How much it matters.
        role: Role,
        /// Its words.
        line: Line,
    },
    /// A list of remarks.
    Notes(Vec<Line>),
    /// Names with what is known of them, each one line or more.
    Facts(Vec<(Line, Vec<Line>)>),
    /// A table.
    Table(Table),
    /// Figures that belong side by side; often one alone.
    Figures(Vec<FigureBlock>),
    /// A picture file, for forms that do not draw figures in place.
    Picture(Picture),
    /// Blocks that most readers skip.
    Fold {
        /// What is inside.
        summary: Line,
        /// The blocks.
        blocks: Vec<Block>,
    },
    /// How published conclusions fare, in three lists.
    Fates(Fates),
    /// Lines of a unified diff.
    Diff(Vec<String>),
}

/// How published conclusions fare on one kind of evidence.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Fates {
    /// Heading and members of each list; one without members is not written.
    pub lists: Vec<(&'static str, Vec<Fate>)>,
}

/// How one published conclusion fares.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Fate {
    /// Address of the hypothesis.
    pub to: String,
    /// Id of the hypothesis.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What was found instead, and which choice decides; empty where the conclusion survives.
    pub why: Line,
}

impl Block {
    /// A heading below the page's title.
    pub(in crate::report) fn heading(line: impl Into<Line>) -> Block {
        Block::Heading { level: 2, id: None, line: line.into() }
    }

    /// A heading with an address.
    pub(in crate::report) fn section(id: &'static str, line: impl Into<Line>) -> Block {
        Block::Heading { level: 2, id: Some(id), line: line.into() }
    }

    /// A heading below [`Block::heading`].
    pub(in crate::report) fn subheading(line: impl Into<Line>) -> Block {
        Block::Heading { level: 3, id: None, line: line.into() }
    }

    /// Running text that matters more or less than usual.
    pub(in crate::report) fn text(role: Role, line: impl Into<Line>) -> Block {
        Block::Paragraph { role, line: line.into() }
    }

    /// One figure.
    pub(in crate::report) fn figure(figure: FigureBlock) -> Block {
        Block::Figures(vec![figure])
    }

    /// A table behind a line that says how many rows it has.
    pub(in crate::report) fn folded(table: Table) -> Block {
        let summary = line![&table.caption, " (", super::count(table.rows.len()), ")"];
        Block::Fold { summary, blocks: vec![Block::Table(table)] }
    }
}

/// Running text.
pub(in crate::report) fn paragraph(line: impl Into<Line>) -> Block {
    Block::text(Role::Text, line)
}

/// An aside within a line.
pub(in crate::report) fn minor(line: impl Into<Line>) -> Span {
    Span::Minor(line.into())
}

/// A list of remarks that folds when it is long; none where there are none.
pub(in crate::report) fn remarks(items: Vec<Line>) -> Option<Block> {
    match items.len() {
        0 => None,
        1..=4 => Some(Block::Notes(items)),
        many => Some(Block::Fold {
            summary: line![super::count(many), " remarks"],
            blocks: vec![Block::Notes(items)],
        }),
    }
}
