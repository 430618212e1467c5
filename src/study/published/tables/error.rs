//! What can be wrong with published tables.

use std::path::{Path, PathBuf};

/// Why published evidence cannot be imported or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A table is not there or not readable.
    #[error("{}: cannot be read: {source}; published tables belong in data/published", file.display())]
    Read {
        /// The table.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is no CSV, or has another number of cells than the header.
    #[error("{}: not a well-formed CSV table: {source}", file.display())]
    Csv {
        /// The table.
        file: PathBuf,
        /// What is wrong with it as CSV.
        source: csv::Error,
    },
    /// The header lacks a column.
    #[error("{}: column {column:?} is missing; found {found}", file.display())]
    Column {
        /// The table.
        file: PathBuf,
        /// Name of the missing column.
        column: String,
        /// Names of the columns there are.
        found: String,
    },
    /// A cell has a value that its column does not allow.
    #[error("{}:{line}: column {column}: found {found:?}, expected {expected}", file.display())]
    Cell {
        /// The table.
        file: PathBuf,
        /// Line in the file, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// Text of the cell.
        found: String,
        /// What a cell of this column may hold.
        expected: String,
    },
    /// A row that was published is not there.
    #[error(
        "no published row of source {source_name}, model {model}, prompt {prompt:?} under {protocol}; {hint}"
    )]
    NoRow {
        /// The source asked for.
        source_name: String,
        /// The model asked for.
        model: String,
        /// The prompt asked for.
        prompt: String,
        /// The protocol asked for.
        protocol: String,
        /// What to do about it.
        hint: &'static str,
    },
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
