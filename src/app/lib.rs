//! The program: plan, store, pipeline and command line.

pub mod cli;
pub mod pipeline;
pub mod plan;
pub mod store;
