//! Files of an experiment (`config`), verdicts on its hypotheses (`judge`, `stats`), what the numbers say beyond them
//! (`analysis`), the research that is re-tested (`published`), and what was said first (`registration`).

pub mod analysis;
pub mod config;
pub mod judge;
mod nesting;
pub mod published;
pub mod registration;
pub mod stats;
