//! What was printed, and what it is: every number and word of the research note, recomputed from the published rows.
//!
//! How a claim is recomputed is data: `recipes.toml` beside the tables. What it really measures follows from the rows the
//! recipe uses: their protocol, precision, prompts and definitions, which no claim can do without.

mod evaluate;
mod expression;
mod measured;
mod operation;
mod recipes;
mod recompute;
mod selection;
mod statistic;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::Report;
use crate::{published, published::EvidenceError};
use base::named_enum;
use number::index::EvidenceIndex;

pub use recipes::FILE as RECIPES;

named_enum! {
    /// How a claim fares.
    Outcome, "outcome of a claim" {
        /// The recomputed value prints like the claim's, or says the same words.
        Reproduces = "reproduces",
        /// It does not.
        Differs = "differs",
        /// What it would take to recompute the claim was not published.
        NoData = "no data",
    }
}

/// A number, or words such as `YES`, `always`, `3/4`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Number(f64),
    Words(String),
}

/// One claim beside what the rows behind it give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimOutcome {
    pub id: String,
    /// Section of the research note; for a statistic where it was stated.
    pub section: String,
    pub text: String,
    /// As the claim names them.
    pub models: Vec<String>,
    pub printed: Answer,
    /// Of both values; empty where the claim gives none.
    pub unit: String,
    /// How far the recomputed number may be off to print alike; `None` for words.
    pub tolerance: Option<f64>,
    /// `None` where the outcome is `no data`.
    pub recomputed: Option<Answer>,
    pub outcome: Outcome,
    /// What the value is: read from the rows, then what the recipe adds.
    pub measures: String,
    /// Where the rows deviate from their metric's definition, in their source's words.
    pub definitions: Vec<String>,
    /// In a few words each, how that is not what the claim says, e.g. `post-norm numerator`.
    pub deviations: Vec<String>,
    /// Protocols of the rows, sorted; empty for facts and properties of the weights.
    pub protocols: Vec<String>,
    /// Number of distinct rows (and facts) behind the value.
    pub rows: usize,
    /// What is missing, or what else the rows say.
    pub note: String,
}

/// Why claims cannot be recomputed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// Mistakes in a TOML file, each with its place.
    #[error("{0}")]
    Toml(Report),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// Recomputes every claim of `folder`, from whose tables the rows of `index` were imported: claims.csv in its order, then the statistics of
/// recipes.toml.
///
/// # Errors
/// A claim without a recipe, a recipe without a claim, and every selection without rows.
pub fn reproduce(folder: &Path, index: &EvidenceIndex<'_>) -> Result<Vec<ClaimOutcome>, ClaimsError> {
    let claims = published::claims(folder)?;
    let recipes = recipes::Recipes::read(folder).map_err(ClaimsError::Toml)?;
    recompute::recompute(&claims, &recipes, index).map_err(ClaimsError::Toml)
}

impl std::fmt::Display for Answer {
    /// Whole numbers as they are, others with four significant digits, words as they are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&recompute::shown(self))
    }
}
