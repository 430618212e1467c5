//! A figure with its caption, how it was computed, and its data to take away.

use maud::{Markup, PreEscaped, html};

use super::spans::{line, names};
use crate::report::document::{FigureBlock, metric_address};
use crate::report::drawing::inline;

/// Bytes of CSV that stand in the page; larger tables are only linked as files, so that the page stays light.
const INLINE: usize = 1024;

pub(super) fn figure(figure: &FigureBlock) -> Markup {
    let FigureBlock { name, title, description, csv, .. } = figure;
    let file = format!("{name}.csv");
    let link = if csv.text.len() <= INLINE {
        format!("data:text/csv;charset=utf-8,{}", percent_encoded(&csv.text))
    } else {
        format!("data/{file}")
    };
    let drawing = inline(&figure.drawing, name, title, description);
    html! {
        figure id=(name) {
            div.scroll tabindex="0" role="group" aria-label=(title) { (PreEscaped(drawing)) }
            figcaption {
                p { b { (title) ". " } span.legend { (line(&figure.legend)) } }
                details {
                    summary { "How computed" }
                    p { (line(&figure.how)) }
                    p {
                        @if !figure.metrics.is_empty() {
                            @let last = figure.metrics.len() - 1;
                            "Metrics: "
                            @for (at, metric) in figure.metrics.iter().enumerate() {
                                a href={ "#" (metric_address(metric.as_str())) } { (metric) }
                                @if at < last { ", " } @else { ". " }
                            }
                        }
                        "Protocols: " (names(&figure.protocols)) "."
                    }
                }
                a.csv href=(link) download=(file) { "Data (CSV, " (csv.rows) " rows)" }
            }
        }
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
    fn data_links_hold_no_sign_that_would_end_them() {
        assert_eq!(percent_encoded("a b\n\"<#%é"), "a%20b%0A%22%3C%23%25%C3%A9");
    }
}
