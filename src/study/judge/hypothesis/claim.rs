//! The hypothesis file: a claim with falsifiable predictions, each with a test and a decision rule.
//!
//! The vocabulary is meant to hold every kind of prediction of H1–H18 without Rust per hypothesis: a
//! *quantity* says which numbers, a *test* reduces them to named statistics, a *rule* turns statistics into a verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::models::ModelFilter;
use super::multiverse::{Multiverse, Relation};
use super::needs::Needs;
use super::rule::{Condition, Rule, Stands};
use crate::judge::kinds::Test;
use crate::judge::verdict::Verdict;
use number::evidence::Evidence;
use number::protocol::Protocol;

/// `experiments/hypotheses/H*.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hypothesis {
    /// Version of this file format: 1.
    pub schema: u32,
    /// E.g. `H13`.
    pub id: String,
    /// The claim in a few words.
    pub title: String,
    /// The claim in one sentence.
    pub statement: String,
    /// Where the claim comes from.
    pub origin: String,
    /// The published verdict, in words.
    pub published_verdict: String,
    /// The published conclusion in the words of verdicts; none where nothing definite was concluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_conclusion: Option<Verdict>,
    /// Whether the data were seen before the file was written.
    pub status: Status,
    /// Models the predictions speak of.
    pub models: ModelFilter,
    /// Prompt set ids, for what is observed here (published rows keep their own prompts).
    pub prompts: Vec<String>,
    /// Primary protocol.
    pub protocol: Protocol,
    /// Other defensible protocols. `equivalent` ones estimate the same thing: a different verdict there makes the
    /// hypothesis fragile. `different-estimand` ones are shown beside it.
    #[serde(default)]
    pub also: Vec<OtherProtocol>,
    /// Along which dimensions the claim is judged over again; all unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiverse: Option<Multiverse>,
    /// Whether the claim needs all of its core predictions, or any one of them.
    #[serde(default, skip_serializing_if = "Stands::is_all")]
    pub stands: Stands,
    /// Level of the tests; intervals are 1 - alpha.
    #[serde(default = "default_alpha")]
    pub alpha: f64,
    /// The predictions, by which the claim stands or falls.
    #[serde(rename = "prediction")]
    pub predictions: Vec<Prediction>,
}

fn default_alpha() -> f64 {
    0.05
}

/// Whether the data were seen before the file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// They were: the verdict re-analyses them.
    ReAnalysis,
    /// They were not.
    Prospective,
    /// It is still being written: it is judged, and never registered.
    Draft,
}

impl Status {
    /// The word of hypothesis files.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::ReAnalysis => "re-analysis",
            Status::Prospective => "prospective",
            Status::Draft => "draft",
        }
    }
}

/// A further protocol and how it relates to the primary one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtherProtocol {
    /// The protocol.
    pub protocol: Protocol,
    /// Whether it estimates the same thing.
    pub relation: Relation,
}

/// One falsifiable prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prediction {
    /// E.g. `H13a`.
    pub id: String,
    /// The prediction in one sentence.
    pub claim: String,
    /// Whether the hypothesis stands or falls with it, see `stands`. The others are shown beside it and decide nothing.
    #[serde(default = "yes")]
    pub core: bool,
    /// Kinds of evidence that it is judged on, each by itself; every kind unless said.
    #[serde(default = "every_kind")]
    pub evidence: Vec<Evidence>,
    /// A further filter: models must pass this one and the hypothesis's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<ModelFilter>,
    /// Fewer units than this make the prediction untestable.
    #[serde(default)]
    pub needs: Needs,
    /// What was found in print, as bounds on the statistics of this test: where the opposite would give the same verdict, the published
    /// conclusion survives only if these hold here too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published_finding: Vec<Condition>,
    /// How numbers become statistics.
    pub test: Test,
    /// How statistics become a verdict.
    pub rule: Rule,
}

fn yes() -> bool {
    true
}

fn every_kind() -> Vec<Evidence> {
    Evidence::ALL.to_vec()
}
