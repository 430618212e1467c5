//! How claims fare: each claim beside what its rows give.

use serde::{Deserialize, Serialize};

use crate::config::Report;
use crate::published::tables::EvidenceError;
use base::named_enum;

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
    /// In the unit of the claim.
    Number(f64),
    /// A verdict, a rule, a range or a name.
    Words(String),
}

/// One claim beside what the rows behind it give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimOutcome {
    /// Id of the claim, or of the statistic in recipes.toml.
    pub id: String,
    /// Section of the research note; for a statistic where it was stated.
    pub section: String,
    /// The claim in the note's words.
    pub text: String,
    /// As the claim names them.
    pub models: Vec<String>,
    /// Of a statistic of statistics.csv: what it is about, in its file's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// What the note states.
    pub printed: Answer,
    /// Of both values; empty where the claim gives none.
    pub unit: String,
    /// How far the recomputed number may be off to print alike; `None` for words.
    pub tolerance: Option<f64>,
    /// `None` where the outcome is `no data`.
    pub recomputed: Option<Answer>,
    /// Whether both agree within the tolerance.
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
    /// Why the printed value is another, in words; empty where it is not, or where the other columns say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub differs: String,
    /// What is missing, or what else the rows say.
    pub note: String,
}

/// Why claims cannot be recomputed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// Mistakes in a TOML file, each with its place.
    #[error("{0}")]
    Toml(Report),
    /// A table is wrong or lacks a row.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl std::fmt::Display for Answer {
    /// Whole numbers as they are, others with four significant digits, words as they are.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&shown(self))
    }
}

/// Whole numbers as they are, others with four significant digits, words as they are.
pub(super) fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Words(words) => words.clone(),
        Answer::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Answer::Number(number) if (1e-4..1e6).contains(&number.abs()) => {
            let decimals = (3.0 - number.abs().log10().floor()).max(0.0) as usize;
            format!("{number:.decimals$}")
        }
        Answer::Number(number) => format!("{number:.3e}"),
    }
}
