//! results/report/index.html: the whole report as one file that opens from disk, with the data of every figure beside it.
//!
//! Pages are sections; a small script shows the one that the address names. Without the script they follow one another.

mod blocks;
mod figure;
mod spans;
mod table;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::document::{Document, Group, Page};
use base::terminal::visible;
use spans::line;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page and the tables of its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Html {
    /// The file `index.html`.
    pub page: String,
    /// File name below `data/` and contents, in the order of the page.
    pub data: Vec<(String, String)>,
}

/// Writes the document. The same document gives the same bytes.
pub(in crate::report) fn html(document: &Document) -> Html {
    let figures = document.pages.iter().flat_map(Page::figures);
    let data = figures.map(|figure| (format!("{}.csv", figure.name), figure.csv.text.clone()));
    Html { page: visible(&whole(document).into_string()).into_owned(), data: data.collect() }
}

fn whole(document: &Document) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Nothing of the page may come from anywhere else.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "streamgauge " (document.program) };
                title { (document.title) ": " (document.experiment) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (navigation(document))
                main #main tabindex="-1" { @for page in &document.pages { (section(page)) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn section(page: &Page) -> Markup {
    html! {
        section.page id=(page.id) {
            @if !page.kicker.is_empty() { p.kicker { (line(&page.kicker)) } }
            h1 { (line(&page.title)) }
            (blocks::all(&page.blocks))
        }
    }
}

fn navigation(document: &Document) -> Markup {
    let of =
        |group: Group| -> Vec<&Page> { document.pages.iter().filter(|page| page.group == group).collect() };
    let [report, hypotheses, models, variants] =
        [Group::Report, Group::Hypotheses, Group::Models, Group::Variants].map(of);
    html! {
        header.side {
            div.brand {
                a href="#report" { strong { "streamgauge" } }
                // The script turns it into a button: without it, it could do nothing.
                span #theme {}
            }
            details.menu open {
                summary { "Contents" }
                nav aria-label="Pages of the report" {
                    ul {
                        @for page in report { (entry(page)) }
                        li.whole { a href="#all" { "All on one page" } }
                    }
                    @if !hypotheses.is_empty() {
                        p.group { "Hypotheses" }
                        ol { @for page in hypotheses { (entry(page)) } }
                    }
                    @if !models.is_empty() {
                        p.group { "Models" }
                        ol { @for page in models { (entry(page)) } }
                    }
                    @if !variants.is_empty() {
                        details.fold {
                            summary { "Revisions and variants (" (variants.len()) ")" }
                            ol { @for page in variants { (entry(page)) } }
                        }
                    }
                }
            }
        }
    }
}

fn entry(page: &Page) -> Markup {
    let (short, long) = &page.label;
    html! {
        li {
            a href={ "#" (page.id) } {
                @if long.is_empty() { (short) } @else { b { (short) } " " span { (long) } }
            }
        }
    }
}
