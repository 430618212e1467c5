//! Errors of tapping. Messages say what was searched for, where the search stopped, and what to do next.

use std::path::PathBuf;

use super::place::Place;
use super::read::ReadError;

/// A file that cannot be tapped.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// A file that cannot be read.
    #[error("{}: {source}; give the .onnx file of a decoder", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file that is no ONNX model.
    #[error("{}: expected an ONNX model, but {reason}; give the .onnx file of a decoder", file.display())]
    NotOnnx {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: ReadError,
    },
    /// A model none of whose outputs, or several, can be the logits.
    #[error("{}: no logits: {reason}; export the decoder with an output named \"logits\"", file.display())]
    NoLogits {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// An output from which no unembedding and no norm was found.
    #[error(
        "{}: searched from output {output:?} back for the unembedding or a norm of the residual stream, stopped at \
         {place}; {next}", file.display()
    )]
    NoHead {
        /// The file.
        file: PathBuf,
        /// The graph output where the search began.
        output: String,
        /// Where the search stopped.
        place: Place,
        /// What to do next.
        next: String,
    },
    /// A search that ended before the whole stream was found.
    #[error(
        "{}: searched from {end} back for residual additions, an operand and a branch that reads it through a norm and \
         a product with weights, and found {found}; stopped at {place}; {next}", file.display()
    )]
    NoStream {
        /// The file.
        file: PathBuf,
        /// Where the stream ends.
        end: Place,
        /// What was found until then.
        found: String,
        /// Where the search stopped.
        place: Place,
        /// What to do next.
        next: String,
    },
    /// Additions to the stream that make no blocks.
    #[error("{}: {reason}; blocks cannot be numbered, so nothing was written", file.display())]
    NoBlocks {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A model that has taps already.
    #[error(
        "{}: has a value named {name:?} already, so it is tapped; run it as it is, or give the file as it was before",
        file.display()
    )]
    Tapped {
        /// The file.
        file: PathBuf,
        /// The name that is taken.
        name: String,
    },
    /// A pattern that matches no tap.
    #[error("--taps {pattern:?} matches none of the taps found: {found}")]
    NoMatch {
        /// As given to `--taps`.
        pattern: String,
        /// Names of the taps that were found.
        found: String,
    },
    /// A target that is the model or a file of its weights.
    #[error("{}: is {what}; write the tapped model to another file", file.display())]
    Itself {
        /// The file.
        file: PathBuf,
        /// Which file of the model it is.
        what: &'static str,
    },
    /// A file of the model's weights that is not there.
    #[error("{}: expected the model's weights, found no such file; put it there, beside the model", file.display())]
    Lost {
        /// The file.
        file: PathBuf,
    },
    /// A target whose folder lacks the files of the model's weights.
    #[error(
        "{}: the model's weights lie in {file:?}{}, which a tapped model needs beside itself; write it into {}, or \
         link or copy the data there first (ln, not ln -s)",
        target.display(), more_files(*more), beside.display()
    )]
    External {
        /// The file to be written.
        target: PathBuf,
        /// The first file that is absent.
        file: String,
        /// How many other files are absent too.
        more: usize,
        /// The folder of the model.
        beside: PathBuf,
    },
    /// A target that cannot be written.
    #[error("{}: cannot write: {reason}", target.display())]
    Write {
        /// The file to be written.
        target: PathBuf,
        /// Why.
        reason: String,
    },
}

fn more_files(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more files") }
}
