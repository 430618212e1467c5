//! The job graph: what is to be done, under which key, and why it is stale.
//!
//! A job's output is named by the hash of everything that decides it (`keys.rs`), so whether it has to run is one
//! look-up, and why is a comparison of fields. Nothing here reads files or runs anything.

mod graph;
mod job;
pub mod keys;
mod print;
mod why;

pub use graph::{GraphError, JobGraph, State};
pub use job::{Decided, Job, JobKind};
pub use print::{Count, Plan, Planned, WithWhy};
pub use why::Why;

use base::hash::{Fields, Key};

/// What is already known, as the store answers it.
pub trait Known {
    /// The output of this key exists.
    fn has(&self, key: &Key) -> bool;
    /// What decided the latest recorded output of a slot.
    fn last_fields(&self, slot: &str) -> Option<Fields>;
    /// The output of this key existed and was damaged or lost.
    fn quarantined(&self, key: &Key) -> bool;
}
