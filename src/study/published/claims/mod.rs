//! What was printed, and what it is: every number and word of the research note, and every statistic of the result files
//! behind it, recomputed from the published rows.
//!
//! How a claim is recomputed is data: `recipes.toml` and `statistics.toml` beside the tables. What it really measures follows from the rows the
//! recipe uses: their protocol, precision, prompts and definitions, which no claim can do without.

mod call;
mod evaluate;
mod expression;
mod file;
mod measured;
mod operation;
mod outcome;
mod recipes;
mod recompute;
mod selection;
mod statistic;

pub use outcome::{Answer, ClaimOutcome, ClaimsError, Outcome};
pub use recipes::FILE as RECIPES;
pub use recipes::OF_STATISTICS;
pub use recompute::{reproduce, reproduce_statistics};

/// Files beside the tables that say what was printed and how it is recomputed: no row of evidence comes from them.
pub const NO_EVIDENCE: [&str; 3] = [RECIPES, OF_STATISTICS, super::tables::STATISTICS];
