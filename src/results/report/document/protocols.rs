//! Where a form without links names the protocols of numbers: a table in the heading of a column whose numbers share them,
//! or else beside each number; a line at its end, or beside each number. What the row or the line names anyway is not
//! named again.

use number::protocol::Protocol;

use super::line::{Basis, Line, Span};
use super::table::Table;

/// What has to be written beside the cells of a table.
pub(in crate::report) struct Placement {
    /// By column: what its heading must name.
    pub heads: Vec<Option<Basis>>,
    /// By row and column: what its cell must name.
    pub cells: Vec<Vec<Option<Basis>>>,
}

impl Placement {
    /// For every number of the table its place.
    pub(in crate::report) fn of(table: &Table) -> Placement {
        let mut cells: Vec<Vec<Option<Basis>>> = table
            .rows
            .iter()
            .map(|row| {
                let mut named = Vec::new();
                row.iter().for_each(|cell| names(&cell.line, &mut named));
                row.iter().map(|cell| unnamed(&cell.line, &named).into_iter().next()).collect()
            })
            .collect();
        // A heading speaks for all numbers of its column: also for those whose rows name what they were computed under.
        let heads = (0..table.columns.len()).map(|at| {
            let mut own =
                table.rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| unnamed(&cell.line, &[]));
            let first = own.next()?;
            let missing = cells.iter().any(|row| row.get(at).is_some_and(Option::is_some));
            (missing && own.all(|basis| basis == first)).then_some(first)
        });
        let heads: Vec<Option<Basis>> = heads.collect();
        for row in &mut cells {
            for (cell, head) in row.iter_mut().zip(&heads) {
                if head.is_some() {
                    *cell = None;
                }
            }
        }
        Placement { heads, cells }
    }
}

/// What has to be written beside the numbers of a line of running text: at its end, if that is one thing.
pub(in crate::report) fn beside(line: &Line) -> Vec<Basis> {
    let mut named = Vec::new();
    names(line, &mut named);
    unnamed(line, &named)
}

/// Protocols that a line names.
fn names(line: &Line, named: &mut Vec<Basis>) {
    for span in &line.0 {
        match span {
            Span::Protocols(protocols) => named.push(Basis::of(protocols)),
            Span::Strong(line) | Span::Emphasis(line) | Span::Minor(line) | Span::Link { line, .. } => {
                names(line, named);
            }
            _ => {}
        }
    }
}

/// What numbers of a line were computed under and nothing names, each once.
fn unnamed(line: &Line, named: &[Basis]) -> Vec<Basis> {
    let mut found = Vec::new();
    for span in &line.0 {
        let all = match span {
            Span::Number { basis, .. } if !is_named(basis, named) => {
                vec![basis.clone()]
            }
            Span::Strong(line) | Span::Emphasis(line) | Span::Minor(line) | Span::Link { line, .. } => {
                unnamed(line, named)
            }
            _ => Vec::new(),
        };
        for basis in all {
            if !found.contains(&basis) {
                found.push(basis);
            }
        }
    }
    found
}

fn is_named(basis: &Basis, named: &[Basis]) -> bool {
    let all: Vec<&Protocol> = named
        .iter()
        .flat_map(|basis| match basis {
            Basis::Under(protocols) => protocols.as_slice(),
            Basis::Weights | Basis::Count | Basis::Row => &[],
        })
        .collect();
    match basis {
        Basis::Under(protocols) => protocols.iter().all(|protocol| all.contains(&protocol)),
        Basis::Weights => named.contains(&Basis::Weights),
        Basis::Count | Basis::Row => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, column, line, number, protocol_links, row};
    use super::*;
    use number::protocol::{Bos, Endpoint, Reduction};

    const LAST: Protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);
    const MEAN: Protocol = Protocol::new(Reduction::Mean, Endpoint::LastBlock, Bos::Auto);

    fn table(rows: Vec<Vec<Cell>>) -> Table {
        Table::new("t", ["a", "b"].map(column)).with(rows)
    }

    #[test]
    fn a_column_that_shares_its_protocol_names_it_once_and_others_in_every_cell() {
        let of = |protocol| number(1.5).under(&[protocol]);
        let placement = Placement::of(&table(vec![row![of(LAST), of(LAST)], row![of(LAST), of(MEAN)]]));
        assert_eq!(placement.heads, [Some(Basis::of(&[LAST])), None]);
        assert_eq!(placement.cells[1], [None, Some(Basis::of(&[MEAN]))]);
    }

    #[test]
    fn a_heading_names_nothing_that_does_not_hold_of_every_number_below_it() {
        let named = row![number(1.5).under(&[LAST]), protocol_links(&[LAST])];
        let placement = Placement::of(&table(vec![named, row![number(2.5).of_weights(), "–"]]));
        assert_eq!(placement.heads, [None, None]);
        assert_eq!(placement.cells[1], [Some(Basis::Weights), None]);
    }

    #[test]
    fn a_row_that_names_its_protocol_needs_no_other_word() {
        let placement =
            Placement::of(&table(vec![row![number(1.5).under(&[LAST]), protocol_links(&[LAST, MEAN])]]));
        assert_eq!((placement.heads, placement.cells), (vec![None, None], vec![vec![None, None]]));
        assert_eq!(beside(&line!["x ", number(2.0).of_weights()]), [Basis::Weights]);
    }
}
