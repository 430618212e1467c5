//! What was printed, and what it is: every number and word of the research note, recomputed from the published rows.
//!
//! How a claim is recomputed is data: `recipes.toml` beside the tables. What it really measures follows from the rows the
//! recipe uses: their protocol, precision, prompts and definitions, which no claim can do without.

mod evaluate;
mod expression;
mod measured;
mod operation;
mod outcome;
mod recipes;
mod recompute;
mod selection;
mod statistic;

pub use outcome::{Answer, ClaimOutcome, ClaimsError, Outcome};
pub use recipes::FILE as RECIPES;
pub use recompute::reproduce;
