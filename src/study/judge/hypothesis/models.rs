//! Which models a hypothesis, a prediction or a quantity is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which models: all conditions that are given must hold. An empty filter takes every model there is but revisions and variants. Revisions
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
    /// Name of the fact, e.g. `norm`.
    pub fact: String,
    /// The fact has this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<FactValue>,
    /// The fact is a number of at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The fact is a number of at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

/// A value that a fact can have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FactValue {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A word, e.g. `rmsnorm`.
    Text(String),
}
