//! Checkpoints, families, graphs and walks: what is observed, against the reference.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod as_stored;
mod branches;
mod checkpoint;
mod device;
mod experts;
mod export;
mod files;
mod formulas;
mod gguf;
mod goldens;
mod headers;
mod parity;
mod pickled;
mod quantised;
mod rehearsed;
#[path = "../program/sandbox.rs"]
#[allow(dead_code, reason = "shared with tests/program, which uses all of it")]
mod sandbox;
mod spectra;
mod tap;
mod variants;
mod weigh;
