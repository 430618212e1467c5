//! Tables that scroll in their own frame; the script of the page makes them sort and filter.

use maud::{Markup, html};

use super::spans::line;
use crate::report::document::{Cell, Table};

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
                    tbody { @for row in &table.rows { tr { @for one in row { (cell(one)) } } } }
                }
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    let (id, key) = (cell.id.as_deref(), cell.key.as_deref());
    let class = cell.is_number().then_some("num");
    let content = html! {
        (line(&cell.line))
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
