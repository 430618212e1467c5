//! Everything that is recomputed of the published research.

use std::path::Path;

use super::claims::{ClaimOutcome, ClaimsError, reproduce, reproduce_statistics};
use super::llama::{LlamaCase, llama_case};
use number::index::EvidenceIndex;

/// What the research printed beside what its own tables give.
#[derive(Clone, Debug, PartialEq)]
pub struct Retest {
    /// Every claim of the research note, in the order of claims.csv, then the statistics of recipes.toml.
    pub claims: Vec<ClaimOutcome>,
    /// Every statistic of statistics.csv, in its order.
    pub statistics: Vec<ClaimOutcome>,
    /// The model for which two last-block gains were published.
    pub llama: LlamaCase,
}

/// Recomputes what was printed. `folder` holds the tables from which the rows of `index` were imported.
///
/// # Errors
/// A table that lacks a row which was published is damaged; so is a claim without a recipe.
pub fn retest(folder: &Path, index: &EvidenceIndex<'_>) -> Result<Retest, ClaimsError> {
    Ok(Retest {
        claims: reproduce(folder, index)?,
        statistics: reproduce_statistics(folder, index)?,
        llama: llama_case(index)?,
    })
}
