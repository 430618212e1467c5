//! The pens: each writes a document in one form. What a form cannot show (a drawing, a link) it says in words.

mod html;
mod markdown;
mod markup;
mod pictures;
mod terminal;

pub use html::Html;
pub(super) use html::html;
pub(super) use markdown::markdown;
pub use pictures::PlotError;
pub(super) use pictures::pictures;
pub use terminal::TextPage;
pub(super) use terminal::{pages as terminal_pages, summary as terminal_summary};
