//! The hypothesis file: a claim with falsifiable predictions, each with a test and a decision rule.
//!
//! The vocabulary is meant to hold every kind of prediction of H1–H18 without Rust per hypothesis: a
//! *quantity* says which numbers, a *test* reduces them to named statistics, a *rule* turns statistics into a verdict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::multiverse::Multiverse;
use crate::evidence::Evidence;
use crate::judge::outcome::Verdict;
use crate::metric::Metric;
use crate::protocol::Protocol;

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
    /// Level of the tests; intervals are 1 - alpha.
    #[serde(default = "default_alpha")]
    pub alpha: f64,
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

/// Which models: all conditions that are given must hold. An empty filter takes every model there is.
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
    /// Whether the hypothesis stands or falls with it. The others are shown beside it and decide nothing.
    #[serde(default = "yes")]
    pub core: bool,
    /// Evidence it is judged on; both unless said.
    #[serde(default = "both")]
    pub evidence: Vec<Evidence>,
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
    pub prompts: u32,
}

/// Which numbers: a metric under a protocol, possibly of selected rows only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quantity {
    pub metric: Metric,
    #[serde(default)]
    pub scale: Scale,
    /// Instead of the hypothesis's protocol. A test that compares quantities under different ones must set
    /// `across-protocols = true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    #[serde(default, skip_serializing_if = "Select::is_empty")]
    pub select: Select,
}

/// Keep only rows that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Select {
    pub source: Option<String>,
    pub model: Option<String>,
    pub prompt: Option<String>,
    pub layer: Option<u32>,
    /// Layer counted back from the last block's output (0 = L, 1 = L-1), for models of different depth.
    pub layers_before_last: Option<u32>,
    pub dtype: Option<String>,
    pub without_categories: Vec<String>,
}

impl Select {
    pub fn is_empty(&self) -> bool {
        *self == Select::default()
    }
}

/// Transformation of each number before the test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    #[default]
    Linear,
    /// Natural logarithm.
    Log,
    /// |natural logarithm|.
    AbsLog,
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

/// How numbers become statistics. The statistics each kind offers to rules are listed in `Test::statistics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Test {
    /// Per model: mean over prompts, bootstrap interval with prompts as units, sign test against `against`.
    MeanByModel {
        of: Quantity,
        #[serde(default)]
        against: f64,
    },
    /// Share of models whose mean lies above `above`: one-sided binomial p against `share`, Clopper–Pearson interval.
    ShareOfModels {
        of: Quantity,
        #[serde(default)]
        above: f64,
        #[serde(default = "half")]
        share: f64,
    },
    /// Rank or linear correlation of two quantities, optionally given others (partial) or centred by category.
    Correlation {
        x: Quantity,
        y: Quantity,
        method: Correlation,
        unit: Unit,
        #[serde(default)]
        given: Vec<Quantity>,
        #[serde(default)]
        within_category: bool,
        #[serde(default)]
        across_protocols: bool,
    },
    /// Per model: do categories differ (Kruskal–Wallis, permutation p, Holm over models)?
    Categories { of: Quantity },
    /// Per model: is this category's mean the lowest?
    LowestCategory { of: Quantity, category: String },
    /// One number over another.
    Ratio {
        numerator: Quantity,
        denominator: Quantity,
        #[serde(default)]
        across_protocols: bool,
    },
    /// Printed values against the numbers behind them.
    Reproduce { targets: Vec<Target> },
    /// Shapley split of log(b/a) into a prompt part and a method part, from the corner with b's prompt and a's method.
    LogRatioSplit {
        a: Quantity,
        b: Quantity,
        corner: Quantity,
        #[serde(default)]
        across_protocols: bool,
    },
    /// Fit F² = B² + (n-1) r² over prompts of n tokens at the last two layers; compare with the observed Frobenius gain.
    SinkFit {
        #[serde(default)]
        select: Select,
    },
    /// Two quantities that should be the same number, cell by cell.
    Identity {
        left: Quantity,
        right: Quantity,
        #[serde(default)]
        across_protocols: bool,
    },
    /// Share of models on different sides of `against` under two protocols.
    SignFlip {
        metric: Metric,
        protocols: Vec<Protocol>,
        #[serde(default = "one")]
        against: f64,
        #[serde(default)]
        across_protocols: bool,
    },
    /// Is y proportional to x? Cross-validated R² of a line through zero, an affine line, and ranks.
    Proportional {
        x: Quantity,
        y: Quantity,
        #[serde(default)]
        across_protocols: bool,
    },
}

fn half() -> f64 {
    0.5
}

fn one() -> f64 {
    1.0
}

/// A printed value and the row it claims to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Target {
    pub of: Quantity,
    pub printed: f64,
}

impl Test {
    /// Names of the statistics this kind of test offers to rules.
    pub fn statistics(&self) -> &'static [&'static str] {
        match self {
            Test::MeanByModel { .. } => &[
                "models",
                "models-above",
                "models-below",
                "share-above",
                "share-below",
                "smallest-low",
                "smallest-high",
                "equivalence-low",
                "equivalence-high",
            ],
            Test::ShareOfModels { .. } => &["share", "p", "low", "high", "models"],
            Test::Correlation { .. } => &[
                "rho",
                "p",
                "low",
                "high",
                "models",
                "share-positive-significant",
                "share-negative-significant",
            ],
            Test::Categories { .. } => &["share-significant", "models"],
            Test::LowestCategory { .. } => &["share", "models"],
            Test::Ratio { .. } => &["ratio"],
            Test::Reproduce { .. } => &["worst-relative-error"],
            Test::LogRatioSplit { .. } => {
                &["method-share", "method-share-low", "prompt-share", "log-ratio", "orders"]
            }
            Test::SinkFit { .. } => &["r2", "crossing-tokens"],
            Test::Identity { .. } => {
                &["worst-relative-error", "median-relative-error", "median-high", "cells"]
            }
            Test::SignFlip { .. } => &["share", "low", "high", "models"],
            Test::Proportional { .. } => &["linear-r2", "affine-r2", "rank-r2", "linear-minus-best"],
        }
    }
}

/// When a prediction is supported, contradicted or negligible: all conditions of a list must hold. What fits no
/// list is inconclusive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    pub supported: Vec<Condition>,
    #[serde(default)]
    pub contradicted: Vec<Condition>,
    #[serde(default)]
    pub negligible: Vec<Condition>,
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
