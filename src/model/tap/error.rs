//! Why a file cannot be tapped: what was searched for, where the search stopped, and what to do next.

use std::path::PathBuf;

use super::place::Place;
use super::read::ReadError;

/// Why a file cannot be tapped.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    #[error("{}: {source}; give the .onnx file of a decoder", file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("{}: expected an ONNX model, but {reason}; give the .onnx file of a decoder", file.display())]
    NotOnnx { file: PathBuf, reason: ReadError },
    #[error("{}: no logits: {reason}; export the decoder with an output named \"logits\"", file.display())]
    NoLogits { file: PathBuf, reason: String },
    #[error(
        "{}: searched from output {output:?} back for the unembedding or a norm of the residual stream, stopped at \
         {place}; {next}", file.display()
    )]
    NoHead { file: PathBuf, output: String, place: Place, next: String },
    #[error(
        "{}: searched from {end} back for residual additions, an operand and a branch that reads it through a norm and \
         a product with weights, and found {found}; stopped at {place}; {next}", file.display()
    )]
    NoStream { file: PathBuf, end: Place, found: String, place: Place, next: String },
    #[error("{}: {reason}; blocks cannot be numbered, so nothing was written", file.display())]
    NoBlocks { file: PathBuf, reason: String },
    #[error(
        "{}: has a value named {name:?} already, so it is tapped; run it as it is, or give the file as it was before",
        file.display()
    )]
    Tapped { file: PathBuf, name: String },
    #[error("--taps {pattern:?} matches none of the taps found: {found}")]
    NoMatch { pattern: String, found: String },
    #[error("{}: is {what}; write the tapped model to another file", file.display())]
    Itself { file: PathBuf, what: &'static str },
    #[error("{}: expected the model's weights, found no such file; put it there, beside the model", file.display())]
    Lost { file: PathBuf },
    #[error(
        "{}: the model's weights lie in {file:?}{}, which a tapped model needs beside itself; write it into {}, or \
         link or copy the data there first (ln, not ln -s)",
        target.display(), more_files(*more), beside.display()
    )]
    External { target: PathBuf, file: String, more: usize, beside: PathBuf },
    #[error("{}: cannot write: {reason}", target.display())]
    Write { target: PathBuf, reason: String },
}

fn more_files(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more files") }
}
