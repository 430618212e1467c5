//! How many units a prediction needs to be testable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many units a prediction needs; with fewer it is untestable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Needs {
    /// Lineages of models: a base with its tunes, quantisations, stages and variants is one.
    pub models: u32,
    /// Families of models.
    #[serde(skip_serializing_if = "is_zero")]
    pub families: u32,
    /// Prompts of each model.
    pub prompts: u32,
    /// Lineages of models in each of two groups.
    #[serde(skip_serializing_if = "is_zero")]
    pub per_group: u32,
    /// Lineages with models that are set beside the one they were changed from.
    #[serde(skip_serializing_if = "is_zero")]
    pub pairs: u32,
    /// Trainings with several revisions.
    #[serde(skip_serializing_if = "is_zero")]
    pub series: u32,
    /// Revisions of each training.
    #[serde(skip_serializing_if = "is_zero")]
    pub revisions: u32,
}

// Serde asks with a reference. What is not written does not enter the hash of older files.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
