//! The checks of files.
//!
//! `shape` compares a file with its schema, and `repair` assumes what was meant so that the other checks can go on.
//! `experiment`, `models` and `hypothesis` read one file by itself; `references` compares files with each other.

mod bounds;
pub(super) mod branches;
mod common;
pub(super) mod experiment;
pub(super) mod hypothesis;
pub(super) mod models;
mod protocols;
pub(super) mod published_names;
mod quantities;
pub(super) mod references;
pub(super) mod repair;
mod rule;
pub(super) mod shape;
