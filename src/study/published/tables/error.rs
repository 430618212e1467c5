//! What can be wrong with published tables.

use std::path::{Path, PathBuf};

/// Why published evidence cannot be imported or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A table is not there or not readable.
    #[error("{}: cannot be read: {source}; published tables belong in data/published", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    /// A line is no CSV, or has another number of cells than the header.
    #[error("{}: not a well-formed CSV table: {source}", file.display())]
    Csv { file: PathBuf, source: csv::Error },
    /// The header lacks a column.
    #[error("{}: column {column:?} is missing; found {found}", file.display())]
    Column { file: PathBuf, column: String, found: String },
    /// A cell has a value that its column does not allow.
    #[error("{}:{line}: column {column}: found {found:?}, expected {expected}", file.display())]
    Cell { file: PathBuf, line: u64, column: String, found: String, expected: String },
    /// A row that was published is not there.
    #[error(
        "no published row of source {source_name}, model {model}, prompt {prompt:?} under {protocol}; {hint}"
    )]
    NoRow { source_name: String, model: String, prompt: String, protocol: String, hint: &'static str },
}

impl EvidenceError {
    /// The file and the line, where there is one.
    pub fn place(&self) -> (Option<&Path>, Option<u64>) {
        match self {
            EvidenceError::Read { file, .. } | EvidenceError::Column { file, .. } => (Some(file), None),
            EvidenceError::Csv { file, source } => (Some(file), source.position().map(csv::Position::line)),
            EvidenceError::Cell { file, line, .. } => (Some(file), Some(*line)),
            EvidenceError::NoRow { .. } => (None, None),
        }
    }
}
