//! Tables that scroll in their own frame; the script of the page makes them sort and filter.

use maud::{Markup, html};

/// A column: its heading, and whether a reader may pick rows by its cells' keys.
pub(super) struct Column {
    head: Markup,
    pick: bool,
}

pub(super) fn column(head: impl maud::Render) -> Column {
    Column { head: html! { (head) }, pick: false }
}

/// A column with few different values, by which rows can be picked.
pub(super) fn choice(head: impl maud::Render) -> Column {
    Column { head: html! { (head) }, pick: true }
}

/// `cells` are whole `td` or `th` elements.
pub(super) fn table(caption: &str, filter: bool, columns: &[Column], rows: &[Markup]) -> Markup {
    if rows.is_empty() {
        return html! {};
    }
    html! {
        div.tabular data-filter[filter] {
            div.scroll tabindex="0" role="group" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead {
                        tr {
                            @for column in columns {
                                th scope="col" data-pick[column.pick] { (column.head) }
                            }
                        }
                    }
                    tbody { @for row in rows { tr { (row) } } }
                }
            }
        }
    }
}
