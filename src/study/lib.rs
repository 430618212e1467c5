//! Hypotheses (`config`), verdicts (`judge`, `stats`), published numbers (`published`, `claims`, `analysis`, `llama`), and what was said first (`registration`).

pub mod analysis;
pub mod claims;
pub mod config;
pub mod judge;
pub mod llama;
pub mod published;
pub mod registration;
pub mod stats;
