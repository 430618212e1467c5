//! The hypothesis file: a claim with falsifiable predictions, each with a test and a decision rule.
//!
//! The vocabulary is meant to hold every kind of prediction of H1–H18 without Rust per hypothesis: a
//! *quantity* says which numbers, a *test* reduces them to named statistics, a *rule* turns statistics into a verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::multiverse::Multiverse;
use crate::judge::outcome::Verdict;
use number::evidence::Evidence;
use number::protocol::Protocol;

pub use super::quantity::{Quantity, Scale, Select};
pub use crate::judge::test::Test;

/// `experiments/hypotheses/H*.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hypothesis {
    /// Version of this file format: 1.
    pub schema: u32,
    /// E.g. `H13`.
    pub id: String,
    pub title: String,
    /// The claim in one sentence.
    pub statement: String,
    /// Where the claim comes from.
    pub origin: String,
    /// What was published about it.
    pub published_verdict: String,
    /// The published conclusion in the words of verdicts; none where nothing definite was concluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_conclusion: Option<Verdict>,
    pub status: Status,
    /// Models the predictions speak of.
    pub models: ModelFilter,
    /// Prompt set ids, for measured evidence (published rows keep their own prompts).
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
    #[serde(rename = "prediction")]
    pub predictions: Vec<Prediction>,
}

fn default_alpha() -> f64 {
    0.05
}

/// How a claim follows from its core predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// "And": it stands with all of them, and any that is contradicted refutes it.
    #[default]
    All,
    /// "Or": it stands with any of them, and is refuted when all are contradicted.
    Any,
}

impl Stands {
    // Serde asks with a reference. What is not written does not enter the hash of older files.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn is_all(&self) -> bool {
        *self == Stands::All
    }
}

/// Whether the data were seen before the file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    ReAnalysis,
    Prospective,
}

/// A further protocol and how it relates to the primary one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtherProtocol {
    pub protocol: Protocol,
    pub relation: Relation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    Equivalent,
    DifferentEstimand,
}

/// Which models: all conditions that are given must hold. An empty filter takes every released model there is. Revisions
/// along a training and variants made here are taken where `ids` names them, a condition is on their kind, series, step
/// or change, or the kind of test is about them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ModelFilter {
    /// These ids (of the model list, or published names).
    pub ids: Vec<String>,
    /// Members of this profile of the model list (measured evidence only).
    pub profile: Option<String>,
    /// Facts that must equal these values, e.g. `norm = "rmsnorm"`.
    #[serde(rename = "where")]
    pub facts: Vec<FactCondition>,
}

/// One condition on a model fact (names: the fields of `ModelFacts`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FactCondition {
    pub fact: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<FactValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FactValue {
    Bool(bool),
    Number(f64),
    Text(String),
}

/// One falsifiable prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prediction {
    /// E.g. `H13a`.
    pub id: String,
    pub claim: String,
    /// Whether the hypothesis stands or falls with it, see `stands`. The others are shown beside it and decide nothing.
    #[serde(default = "yes")]
    pub core: bool,
    /// Evidence it is judged on; both unless said.
    #[serde(default = "both")]
    pub evidence: Vec<Evidence>,
    /// A further filter: models must pass this one and the hypothesis's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<ModelFilter>,
    /// Fewer units than this make the prediction untestable.
    #[serde(default)]
    pub needs: Needs,
    pub test: Test,
    pub rule: Rule,
}

fn yes() -> bool {
    true
}

fn both() -> Vec<Evidence> {
    Evidence::ALL.to_vec()
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Needs {
    pub models: u32,
    /// Of each model.
    pub prompts: u32,
    /// Models in each of two groups.
    #[serde(skip_serializing_if = "is_zero")]
    pub per_group: u32,
    /// Models set beside the one they were changed from.
    #[serde(skip_serializing_if = "is_zero")]
    pub pairs: u32,
    /// Trainings with several revisions.
    #[serde(skip_serializing_if = "is_zero")]
    pub series: u32,
    /// Of each training.
    #[serde(skip_serializing_if = "is_zero")]
    pub revisions: u32,
}

// Serde asks with a reference. What is not written does not enter the hash of older files.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The unit a correlation runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// One point per model: the mean over its prompts.
    Model,
    /// One point per prompt, within each model; models pooled by random-effects Fisher z.
    Prompt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Correlation {
    Spearman,
    Pearson,
}

/// When a prediction is supported, contradicted or negligible: all conditions of a list must hold, of `contradicted` any
/// one if it says so. What fits no list is inconclusive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    pub supported: Vec<Condition>,
    #[serde(default)]
    pub contradicted: Vec<Condition>,
    /// A claim of several parts falls with any of them.
    #[serde(default, skip_serializing_if = "Holds::is_all")]
    pub contradicted_when: Holds,
    #[serde(default)]
    pub negligible: Vec<Condition>,
}

/// How many of a list's conditions must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    #[default]
    All,
    Any,
}

impl Holds {
    // Serde asks with a reference. What is not written does not enter the hash of older files.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_all(&self) -> bool {
        *self == Holds::All
    }
}

/// The conditions that lead to a verdict, and how many of them must hold.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    pub verdict: Verdict,
    pub conditions: &'a [Condition],
    pub holds: Holds,
}

impl Rule {
    pub fn ways(&self) -> [Way<'_>; 3] {
        [
            Way { verdict: Verdict::Supported, conditions: &self.supported, holds: Holds::All },
            Way {
                verdict: Verdict::Contradicted,
                conditions: &self.contradicted,
                holds: self.contradicted_when,
            },
            Way { verdict: Verdict::Negligible, conditions: &self.negligible, holds: Holds::All },
        ]
    }
}

/// A bound on one statistic. Bounds given together must all hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Condition {
    pub statistic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}
