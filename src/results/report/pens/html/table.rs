//! Tables that scroll in their own frame; the script of the page makes them sort and filter. Numbers under the protocol that
//! heads their row need no link of their own: the head has it.

use maud::{Markup, html};

use super::spans::line;
use crate::report::document::{Basis, Cell, Line, Span, Table};
use number::protocol::Protocol;

pub(super) fn table(table: &Table) -> Markup {
    if table.rows.is_empty() {
        return html! {};
    }
    html! {
        div.tabular data-filter[table.filter] {
            div.scroll tabindex="0" role="group" aria-label=(table.caption) {
                table {
                    caption { (table.caption) }
                    thead {
                        tr {
                            @for column in &table.columns {
                                th scope="col" data-pick[column.pick] { (line(&column.head)) }
                            }
                        }
                    }
                    tbody { @for row in &table.rows { tr { @for one in row { (cell(one, head(row))) } } } }
                }
            }
        }
    }
}

/// The protocols that head a row.
fn head(row: &[Cell]) -> &[Protocol] {
    match row.iter().find(|cell| cell.heads_row).map(|cell| cell.line.0.as_slice()) {
        Some([Span::Protocols(protocols)]) => protocols,
        _ => &[],
    }
}

/// A line of a cell, whose numbers under `head` are text.
fn under(head: &[Protocol], whole: &Line) -> Markup {
    let plain = |span: &Span| match span {
        Span::Number { text, basis: Basis::Under(protocols) } if !head.is_empty() && protocols == head => {
            Span::Text(text.clone())
        }
        other => other.clone(),
    };
    line(&Line(whole.0.iter().map(plain).collect()))
}

fn cell(cell: &Cell, head: &[Protocol]) -> Markup {
    let (id, key) = (cell.id.as_deref(), cell.key.as_deref());
    let class = cell.is_number().then_some("num");
    let content = html! {
        (under(head, &cell.line))
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
