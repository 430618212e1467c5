//! The research that the shipped experiment re-tests: its published tables (`tables`), the claims of its note (`claims`),
//! and the one model for which it published two last-block gains (`llama`).
//!
//! An experiment that names no folder of published tables carries none of it.

pub mod claims;
pub mod llama;
mod retest;
mod tables;

pub use retest::{Retest, retest};
pub use tables::{Claim, EvidenceError, STATISTICS, Stated, import, printed_claims, printed_statistics};
