//! The pages of the report. Each is built once, from the view; a new page is a file here and its line in the list.

mod analysis;
mod calibration;
mod context;
mod corrected;
mod curve;
mod fates;
mod forest;
mod front;
mod hypothesis;
mod ladder;
mod layers;
mod lead;
mod marks;
mod methods;
mod models;
mod opening;
mod paper;
mod prediction;
mod prompts;
mod prose;
mod rates;
mod shares;
mod wiring;

pub use paper::published_figures;

use super::document::{Document, Page};
use super::drawing::register_fonts;
use super::view::View;
use context::RenderContext;

/// Builds the pages of one kind; none where the experiment has nothing for them.
type Build = fn(&RenderContext<'_>) -> Vec<Page>;

/// In the order of the report. The methods come last: they define every protocol that the pages before them name.
const PAGES: &[Build] = &[
    front::pages,
    hypothesis::pages,
    paper::figures::pages,
    calibration::pages,
    analysis::pages,
    paper::claims::pages,
    paper::statistics::pages,
    layers::pages,
    models::pages,
    wiring::pages,
    prompts::pages,
    methods::pages,
];

/// The report of a view. The same view gives the same document.
pub(in crate::report) fn document(view: &View) -> Document {
    register_fonts();
    let mut context = RenderContext::new(view);
    for build in PAGES {
        let pages = build(&context);
        context.pages.extend(pages);
    }
    let provenance = &view.provenance;
    Document::new(&provenance.experiment_title, &provenance.program, context.pages)
}
