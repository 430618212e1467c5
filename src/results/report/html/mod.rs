//! results/report/index.html: the whole report as one file that opens from disk, with the data of every figure beside it.
//!
//! Pages are sections; a small script shows the one that the address names. Without the script they follow one another.

mod analysis;
mod book;
mod case;
mod chart;
mod claims;
mod curve;
mod forest;
mod front;
mod hypothesis;
mod ladder;
mod layers;
mod methods;
mod models;
mod plate;
mod prediction;
mod shares;
mod table;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::Figure;
use super::svg::register_fonts;
use super::view::{View, is_released};
use book::Book;
use number::evidence::ModelInfo;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page and the tables of its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Html {
    pub page: String,
    /// File name below `data/` and contents, in the order of the page.
    pub data: Vec<(String, String)>,
}

/// Renders the view. The same view gives the same bytes.
pub fn html(view: &View) -> Html {
    register_fonts();
    let mut book = Book::new(view);
    let front = front::page(&mut book);
    let hypotheses: Vec<Markup> =
        view.hypotheses.iter().map(|hypothesis| hypothesis::page(&mut book, hypothesis)).collect();
    let figures = figures(&mut book, &view.figures);
    let analysis = analysis::page(&mut book);
    let claims = claims::page(&mut book);
    let models = models::pages(&mut book);
    // Last: it defines every protocol that the others named.
    let methods = methods::page(&mut book);
    let body = html! { (front) @for page in &hypotheses { (page) } (figures) (analysis) (claims) (models) (methods) };
    Html { page: document(&book, &body), data: book.data }
}

fn document(book: &Book<'_>, body: &Markup) -> String {
    let provenance = &book.view.provenance;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Nothing of the page may come from anywhere else.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "streamgauge " (provenance.program) };
                title { "What the residual stream says: " (provenance.experiment_title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (navigation(book))
                main #main tabindex="-1" { (body) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn navigation(book: &Book<'_>) -> Markup {
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
                        li { a href="#report" { "Report" } }
                        @if !book.view.figures.is_empty() { li { a href="#figures" { "Figures" } } }
                        @if book.view.has_analysis() { li { a href="#analysis" { "First token and spread" } } }
                        @if !book.view.claims.is_empty() { li { a href="#claims" { "Claims" } } }
                        li { a href="#models" { "Models" } }
                        li { a href="#methods" { "Methods" } }
                        li.whole { a href="#all" { "All on one page" } }
                    }
                    @if !book.view.hypotheses.is_empty() {
                        p.group { "Hypotheses" }
                        ol {
                            @for hypothesis in &book.view.hypotheses {
                                li {
                                    a href={ "#" (book.hypothesis(&hypothesis.id)) } {
                                        b { (hypothesis.id) } " " span { (hypothesis.title) }
                                    }
                                }
                            }
                        }
                    }
                    @let (released, others) = models::parted(book.view);
                    @if !released.is_empty() {
                        p.group { "Models" }
                        (links(book, &released))
                    }
                    @if !others.is_empty() {
                        details.fold {
                            summary { "Revisions and variants (" (others.len()) ")" }
                            (links(book, &others))
                        }
                    }
                }
            }
        }
    }
}

fn links(book: &Book<'_>, models: &[&ModelInfo]) -> Markup {
    html! {
        ol { @for model in models { li { a href={ "#" (book.model(&model.id)) } { (model.id) } } } }
    }
}

/// Figures of the re-tested research, published beside measured.
fn figures(book: &mut Book<'_>, figures: &[Figure]) -> Markup {
    if figures.is_empty() {
        return html! {};
    }
    let mut keys: Vec<&str> = Vec::new();
    for figure in figures {
        if !keys.contains(&figure.key) {
            keys.push(figure.key);
        }
    }
    html! {
        section.page #figures {
            h1 { "The research's figures, remade" }
            p.lead {
                "Each from published rows and, where there are any, from rows measured here. Both are drawn alike and never \
                 mixed; the models measured here may be small stand-ins, so compare shapes, not numbers."
                @if book.view.models.iter().any(|model| !is_released(model)) {
                    " Stages of a training and variants are left out; they have pages of their own."
                }
            }
            @for key in keys {
                @let both: Vec<&Figure> = figures.iter().filter(|figure| figure.key == key).collect();
                h2 { (both[0].title) }
                div.pair {
                    @for figure in both { (chart::figure(book, figure)) }
                }
            }
        }
    }
}
