//! The report: one view model, rendered as Markdown with SVG and PNG plots and as a table for the terminal.
//!
//! It opens with the LLaMA-3.1 case, because that is why the instrument exists: two numbers called "gain" that no
//! protocol told apart. After it every number stands beside the protocol that produced it.

mod extent;
mod figures;
mod html;
mod markdown;
mod plot;
mod prose;
mod svg;
mod terminal;
mod text;
mod view;

pub use figures::{Axis, Figure, Form, Mark, Series, seed_figures, training_figures};
pub use html::{Html, html};
pub use markdown::markdown;
pub use plot::{PlotError, plots};
pub use terminal::terminal;
pub use view::{Band, LayerProfile, MetricDefinition, Provenance, View};
