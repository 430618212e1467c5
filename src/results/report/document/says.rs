//! What a document says, without form: what every form of the report must say, each in its own way.

use super::block::{Block, Fates};
use super::figure::FigureBlock;
use super::line::Line;
use super::table::{Cell, Table};
use super::whole::{Document, Page};
use number::protocol::Protocol;

/// What a page says.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Its address.
    pub page: String,
    /// Its title.
    pub title: String,
    /// What stands below the title, from top to bottom.
    pub parts: Vec<Part>,
}

/// A part of what a page says, in plain words.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A heading.
    Heading(String),
    /// Running text, an item of a list, or a fact.
    Words(String),
    /// A table that has rows.
    Table {
        /// What it shows.
        caption: String,
        /// Its headings and its rows, each a word or more by cell.
        rows: Vec<Vec<String>>,
    },
    /// What a figure shows: for forms that draw it, and for others where no table has it.
    Drawn(String),
    /// A picture file, for forms that do not draw in place.
    Picture(String),
}

impl Document {
    /// Every page, in the order of the report.
    pub(in crate::report) fn says(&self) -> Vec<Said> {
        self.pages.iter().map(page).collect()
    }
}

fn page(page: &Page) -> Said {
    let mut parts = Vec::new();
    if !page.kicker.is_empty() {
        parts.push(Part::Words(page.kicker.plain()));
    }
    page.blocks.iter().for_each(|one| block(one, &mut parts));
    Said { page: page.id.clone(), title: page.title.plain(), parts }
}

fn block(one: &Block, parts: &mut Vec<Part>) {
    let words = |line: &Line| Part::Words(line.plain());
    match one {
        Block::Heading { line, .. } => parts.push(Part::Heading(line.plain())),
        Block::Paragraph { line, .. } => parts.push(words(line)),
        Block::Notes(notes) => parts.extend(notes.iter().map(words)),
        Block::Facts(facts) => {
            parts.extend(
                facts.iter().flat_map(|(name, values)| std::iter::once(name).chain(values)).map(words),
            );
        }
        Block::Table(inner) => parts.extend(table(inner)),
        Block::Figures(figures) => figures.iter().for_each(|one| figure(one, parts)),
        Block::Picture(picture) => parts.push(Part::Picture(picture.says.clone())),
        Block::Fold { summary, blocks } => {
            parts.push(words(summary));
            blocks.iter().for_each(|one| block(one, parts));
        }
        Block::Fates(inner) => fates(inner, parts),
        Block::Diff(lines) => parts.extend(lines.iter().map(|line| Part::Words(line.clone()))),
    }
}

fn table(table: &Table) -> Option<Part> {
    let cell = |cell: &Cell| {
        let lines = std::iter::once(&cell.line).chain(&cell.items).chain([&cell.minor]);
        lines.map(Line::plain).collect::<Vec<_>>().join(" ")
    };
    let heads = table.columns.iter().map(|column| column.head.plain()).collect();
    let rows = table.rows.iter().map(|row| row.iter().map(cell).collect());
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    (!table.rows.is_empty()).then(|| Part::Table { caption: table.caption.clone(), rows })
}

fn figure(figure: &FigureBlock, parts: &mut Vec<Part>) {
    let metrics: Vec<String> = figure.metrics.iter().map(|metric| metric.to_string()).collect();
    let protocols: Vec<String> = figure.protocols.iter().map(Protocol::to_string).collect();
    let said = [
        figure.title.clone(),
        figure.how.plain(),
        metrics.join(", "),
        protocols.join(", "),
        figure.csv.rows.to_string(),
    ];
    parts.extend(said.map(Part::Words));
    parts.push(match figure.described {
        true => Part::Words(figure.description.clone()),
        false => Part::Drawn(figure.description.clone()),
    });
    parts.push(Part::Drawn(figure.legend.plain()));
}

fn fates(fates: &Fates, parts: &mut Vec<Part>) {
    for (title, members) in fates.lists.iter().filter(|(_, members)| !members.is_empty()) {
        parts.push(Part::Words(format!("{title} {}", members.len())));
        let one = members.iter().map(|one| format!("{} {} {}", one.id, one.title, one.why.plain()));
        parts.extend(one.map(Part::Words));
    }
}
