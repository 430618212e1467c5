//! The job graph: what is to be done, under which key, and why it is stale.
//!
//! A job's output is named by the hash of everything that decides it (`keys.rs`), so whether it has to run is one
//! look-up, and why is a comparison of fields. Nothing here reads files or runs anything.

mod graph;
mod job;
pub mod keys;
mod known;
mod print;
mod shard;
mod why;

pub use graph::{GraphError, JobGraph, State};
pub use job::{Evidence, Job, places_by_model};
pub use known::Known;
pub use print::{Count, Plan, PlannedJob, WithWhy};
pub use shard::{Piece, Shard, UnknownShard, cut};
pub use why::Why;
