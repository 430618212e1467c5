//! Regression: what a run shows, compared with a committed baseline, number by number and verdict by verdict.
//!
//! `run_numbers` holds everything a run showed under stable names, `compare` says what differs between two runs, `summary`
//! says it in a few lines, `baseline` keeps one run in a folder, `exchange` exchanges its files in one step,
//! `folder` takes a run from its results. Nothing here
//! runs a model or knows where numbers come from.

pub mod baseline;
mod compare;
mod exchange;
mod folder;
mod run_numbers;
mod summary;

pub use baseline::BaselineError;
pub use compare::{Comparison, NumberChange, TOLERANCE, WordChange, compare};
pub use folder::{FolderError, RUN_SCHEMA, RunFile, results};
pub use run_numbers::{Kind, Place, RunNumbers};
pub use summary::Section;
