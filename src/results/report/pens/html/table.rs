//! Tables that scroll in their own frame; the script of the page makes them sort and filter. Numbers under the protocol that
//! heads their row, or that all numbers of the table are under, need no link of their own: the head or the caption has it.

use maud::{Markup, html};

use super::spans::{line, names};
use crate::report::document::{Basis, Cell, Line, Placement, Span, Table};
use number::protocol::Protocol;

/// Protocols that a caption names.
const MOST: usize = 4;

pub(super) fn table(table: &Table) -> Markup {
    if table.rows.is_empty() {
        return html! {};
    }
    let shared = shared(table);
    html! {
        div.tabular.stacked[table.stacked] data-filter[table.filter] {
            div.scroll tabindex="0" role="group" aria-label=(table.caption) {
                table {
                    caption {
                        (table.caption)
                        @match &shared {
                            Some(Basis::Under(protocols)) => { " · under " (names(protocols)) },
                            Some(_) => { " · " (names(&[])) },
                            None => {},
                        }
                    }
                    thead {
                        tr {
                            @for column in &table.columns {
                                th scope="col" data-pick[column.pick] { (line(&column.head)) }
                            }
                        }
                    }
                    tbody { @for row in &table.rows { tr { @for one in row { (cell(one, head(row), shared.as_ref())) } } } }
                }
            }
        }
    }
}

/// What all numbers of a table were computed under that nothing in their rows names; `None` where they differ, or are so many that
/// nobody would read them.
fn shared(table: &Table) -> Option<Basis> {
    let Placement { heads, cells } = Placement::of(table);
    let mut all = heads.into_iter().chain(cells.into_iter().flatten()).flatten();
    let first = all.next()?;
    let few = !matches!(&first, Basis::Under(protocols) if protocols.len() > MOST);
    (few && all.all(|basis| basis == first)).then_some(first)
}

/// The protocols that head a row.
fn head(row: &[Cell]) -> &[Protocol] {
    match row.iter().find(|cell| cell.heads_row).map(|cell| cell.line.0.as_slice()) {
        Some([Span::Protocols(protocols)]) => protocols,
        _ => &[],
    }
}

/// A line of a cell, whose numbers under `head` or `shared` are text.
fn under(head: &[Protocol], shared: Option<&Basis>, whole: &Line) -> Markup {
    let is_said = |basis: &Basis| {
        let by_head = matches!(basis, Basis::Under(protocols) if !head.is_empty() && protocols == head);
        by_head || Some(basis) == shared
    };
    let plain = |span: &Span| match span {
        Span::Number { text, basis } if is_said(basis) => Span::Text(text.clone()),
        other => other.clone(),
    };
    line(&Line(whole.0.iter().map(plain).collect()))
}

fn cell(cell: &Cell, head: &[Protocol], shared: Option<&Basis>) -> Markup {
    let (id, key) = (cell.id.as_deref(), cell.key.as_deref());
    let class = cell.is_number().then_some("num");
    let content = html! {
        (under(head, shared, &cell.line))
        @if !cell.items.is_empty() {
            ul.deviations { @for item in &cell.items { li { (line(item)) } } }
        }
        @if !cell.minor.is_empty() { div.minor { (line(&cell.minor)) } }
    };
    html! {
        @if cell.heads_row {
            th scope="row" id=[id] data-k=[key] { (content) }
        } @else {
            td class=[class] id=[id] data-k=[key] { (content) }
        }
    }
}
