//! The report: a document built once from one view, and written as HTML, Markdown and for the terminal.
//!
//! `view` holds what is shown, `pages` build the document from it, `document` is what they build, `drawing` describes its figures,
//! `pens` write it. Every number of the document says what it was computed under.

mod document;
mod drawing;
mod figures;
mod lead;
mod pages;
mod pens;
mod profile;
mod text;
mod view;

pub use document::{Part, Said};
pub use figures::{Axis, Figure, Form, Mark, Series, training_figures};
pub use lead::{Lead, Reading};
pub use pages::published_figures;
pub use pens::{Html, PlotError, TextPage};
pub use profile::{Band, BranchWrites, LayerProfile};
pub use view::{BlockWiring, MetricDefinition, Prompts, Provenance, View, Weights};

/// The report of one view, in no form yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Report(document::Document);

impl Report {
    /// Builds every page. The same view gives the same report.
    pub fn of(view: &View) -> Report {
        Report(pages::document(view))
    }

    /// One page for browsers, and the data of its figures.
    pub fn html(&self) -> Html {
        pens::html(&self.0)
    }

    /// One text for readers of files.
    pub fn markdown(&self) -> String {
        pens::markdown(&self.0)
    }

    /// The opening page in short for a terminal of 100 columns, as a run ends with it. Ends with a line break.
    pub fn terminal(&self) -> String {
        pens::terminal_summary(&self.0)
    }

    /// Every page whole for a terminal of 100 columns, in the order of the report.
    pub fn terminal_pages(&self) -> Vec<TextPage> {
        pens::terminal_pages(&self.0)
    }

    /// What every form says, page by page, in plain words.
    pub fn says(&self) -> Vec<Said> {
        self.0.says()
    }

    /// Names and contents of the picture files that the Markdown text shows, SVG and PNG of each.
    pub fn pictures(&self) -> Result<Vec<(String, Vec<u8>)>, PlotError> {
        pens::pictures(&self.0)
    }
}
