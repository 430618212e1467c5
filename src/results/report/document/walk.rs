//! Walks over a document: every line, every figure, every picture.

use std::collections::BTreeSet;

use number::protocol::Protocol;

use super::block::Block;
use super::figure::{FigureBlock, Picture};
use super::line::{Basis, Line, Span};
use super::table::Table;
use super::whole::Page;

impl Page {
    /// Figures in the order of the page.
    pub(in crate::report) fn figures(&self) -> Vec<&FigureBlock> {
        let mut found = Vec::new();
        each(&self.blocks, &mut |block| {
            if let Block::Figures(figures) = block {
                found.extend(figures);
            }
        });
        found
    }

    /// Picture files in the order of the page.
    pub(in crate::report) fn pictures(&self) -> Vec<&Picture> {
        let mut found = Vec::new();
        each(&self.blocks, &mut |block| {
            if let Block::Picture(picture) = block {
                found.push(picture);
            }
        });
        found
    }

    /// Every protocol that a number of the page was computed under or that it names.
    pub(in crate::report) fn protocols(&self) -> BTreeSet<Protocol> {
        let mut found = BTreeSet::new();
        let mut lines: Vec<&Line> = vec![&self.kicker, &self.title];
        each(&self.blocks, &mut |block| lines.extend(own_lines(block)));
        for figure in self.figures() {
            found.extend(figure.protocols.iter().copied());
        }
        for line in lines {
            named_in(line, &mut found);
        }
        found
    }
}

/// Calls `visit` with every block, those within folds too.
fn each<'a>(blocks: &'a [Block], visit: &mut impl FnMut(&'a Block)) {
    for block in blocks {
        visit(block);
        if let Block::Fold { blocks, .. } = block {
            each(blocks, visit);
        }
    }
}

/// The lines of a block, without those of the blocks within it.
fn own_lines(block: &Block) -> Vec<&Line> {
    match block {
        Block::Heading { line, .. } | Block::Paragraph { line, .. } | Block::Fold { summary: line, .. } => {
            vec![line]
        }
        Block::Notes(lines) => lines.iter().collect(),
        Block::Facts(facts) => {
            facts.iter().flat_map(|(name, lines)| std::iter::once(name).chain(lines)).collect()
        }
        Block::Table(table) => table_lines(table),
        Block::Figures(figures) => figures.iter().flat_map(|f| [&f.legend, &f.how]).collect(),
        Block::Fates(fates) => fates.lists.iter().flat_map(|(_, list)| list).map(|fate| &fate.why).collect(),
        Block::Picture(_) | Block::Diff(_) => Vec::new(),
    }
}

fn table_lines(table: &Table) -> Vec<&Line> {
    let cells = table.rows.iter().flatten();
    let cells = cells.flat_map(|cell| [&cell.line, &cell.minor].into_iter().chain(&cell.items));
    table.columns.iter().map(|column| &column.head).chain(cells).collect()
}

fn named_in(line: &Line, found: &mut BTreeSet<Protocol>) {
    for span in &line.0 {
        match span {
            Span::Number { basis: Basis::Under(protocols), .. } | Span::Protocols(protocols) => {
                found.extend(protocols.iter().copied());
            }
            Span::Strong(line) | Span::Emphasis(line) | Span::Minor(line) | Span::Link { line, .. } => {
                named_in(line, found);
            }
            _ => {}
        }
    }
}
