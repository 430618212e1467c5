//! A figure with what belongs to it: caption, how it was computed, its data to take away.

use maud::{Markup, PreEscaped, html};

use super::book::Book;
use crate::report::svg::Svg;

/// Bytes of CSV that stand in the page; larger tables are only linked as files, so that the page stays light.
const INLINE: usize = 1024;

/// A figure before it is put into the page.
pub(super) struct Plate {
    /// Stem of the data file, and the address of the figure. Unique by [`Book::unique`].
    pub name: String,
    pub title: String,
    /// What a reader who cannot see it should know.
    pub description: String,
    pub svg: Svg,
    /// What the signs mean.
    pub legend: Markup,
    /// Protocol, metric, number of units, rows behind it.
    pub how: Markup,
    pub csv: Csv,
}

/// A table as CSV. Numbers are written so that reading them back gives the same bits.
pub(super) struct Csv {
    text: String,
    rows: usize,
}

impl Csv {
    pub(super) fn new<R>(header: &[&str], rows: impl IntoIterator<Item = R>) -> Csv
    where
        R: IntoIterator<Item = String>,
    {
        let header = header.iter().map(|name| name.to_string());
        Csv::with(header.collect(), rows)
    }

    pub(super) fn with<R>(header: Vec<String>, rows: impl IntoIterator<Item = R>) -> Csv
    where
        R: IntoIterator<Item = String>,
    {
        let mut csv = Csv { text: line(header), rows: 0 };
        for row in rows {
            csv.text += &line(row);
            csv.rows += 1;
        }
        csv
    }
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\n"
}

/// RFC 4180.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_string()
    }
}

/// A number of a CSV cell; empty where there is none.
pub(super) fn exact(value: Option<f64>) -> String {
    value.filter(|value| !value.is_nan()).map_or_else(String::new, |value| value.to_string())
}

impl Plate {
    pub(super) fn render(self, book: &mut Book<'_>) -> Markup {
        let Plate { name, title, description, svg, legend, how, csv } = self;
        let file = format!("{name}.csv");
        let link = if csv.text.len() <= INLINE {
            format!("data:text/csv;charset=utf-8,{}", percent_encoded(&csv.text))
        } else {
            format!("data/{file}")
        };
        let drawing = svg.finish(&name, &title, &description);
        let page = html! {
            figure id=(name) {
                div.scroll tabindex="0" role="group" aria-label=(title) { (PreEscaped(drawing)) }
                figcaption {
                    p { b { (title) ". " } (legend) }
                    details {
                        summary { "How computed" }
                        (how)
                    }
                    a.csv href=(link) download=(file) { "Data (CSV, " (csv.rows) " rows)" }
                }
            }
        };
        book.data.push((file, csv.text));
        page
    }
}

/// Everything but letters, digits and signs that may stand in a URI.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b','
            | b'/'
            | b':'
            | b';' => {
                out.push(char::from(byte));
            }
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_cells_whatever_is_in_them() {
        let csv = Csv::new(&["a", "b"], [["x,\"y\"\n".to_string(), exact(Some(0.1 + 0.2))]]);
        assert_eq!(csv.text, "a,b\n\"x,\"\"y\"\"\n\",0.30000000000000004\n");
        assert_eq!([exact(None), exact(Some(f64::NAN))], ["", ""]);
    }

    #[test]
    fn data_links_hold_no_sign_that_would_end_them() {
        assert_eq!(percent_encoded("a b\n\"<#%é"), "a%20b%0A%22%3C%23%25%C3%A9");
    }
}
