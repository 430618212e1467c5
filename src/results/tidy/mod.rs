//! The results for other tools: tidy tables with a manual of every column, and a research object that says what made them.
//!
//! `columns` describes every table once; `manual` (for people), `package` (Frictionless Data Package) and `crates`
//! (RO-Crate) are written from it. `verdicts` turns outcomes into rows, `read` gives tables back as text.

mod claims;
mod columns;
mod crates;
mod manual;
mod package;
mod read;
mod verdicts;

pub use claims::{claims, printed_statistics};
pub use columns::{Column, Format, TABLES, Table, Type, table};
pub use crates::{Entity, Made, RESEARCH_OBJECT, files_of, research_object};
pub use manual::manual;
pub use package::package;
pub use read::{Condition, ReadError, text};
pub use verdicts::{estimates, predictions, specifications, statistics};
