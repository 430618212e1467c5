//! JSON Schemas of the four file kinds, made from the types: one source of truth for editors and for `check`.
//!
//! `experiments/schemas/` holds them; a test fails when those files are stale.

use std::sync::LazyLock;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use super::experiment::{Experiment, ModelList, PromptSet};
use super::kind::Kind;
use crate::judge::hypothesis::Hypothesis;
use number::facts::ModelFacts;

/// File name and schema of every kind, in the order of [`Kind::ALL`].
pub fn all() -> Vec<(String, &'static Value)> {
    Kind::ALL.iter().map(|kind| (format!("{kind}.schema.json"), of(*kind))).collect()
}

/// The schema files as committed: name and text, two-space indented with a final newline.
pub fn files() -> Vec<(String, String)> {
    all().into_iter().map(|(name, schema)| (name, format!("{schema:#}\n"))).collect()
}

/// Schema of one kind of file.
pub fn of(kind: Kind) -> &'static Value {
    static EXPERIMENT: LazyLock<Value> = LazyLock::new(schema::<Experiment>);
    static MODELS: LazyLock<Value> = LazyLock::new(schema::<ModelList>);
    static PROMPTS: LazyLock<Value> = LazyLock::new(schema::<PromptSet>);
    static HYPOTHESIS: LazyLock<Value> = LazyLock::new(schema::<Hypothesis>);
    match kind {
        Kind::Experiment => &EXPERIMENT,
        Kind::Models => &MODELS,
        Kind::Prompts => &PROMPTS,
        Kind::Hypothesis => &HYPOTHESIS,
    }
}

/// Facts a hypothesis may filter on, and whether each is text, number or boolean.
pub(super) fn facts() -> Vec<(String, FactType)> {
    let schema = schema::<ModelFacts>();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    properties
        .iter()
        .map(|(name, property)| {
            let types = property["type"].to_string();
            let kind = if types.contains("boolean") {
                FactType::Bool
            } else if types.contains("string") {
                FactType::Text
            } else {
                FactType::Number
            };
            (name.clone(), kind)
        })
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FactType {
    Bool,
    Number,
    Text,
}

fn schema<T: JsonSchema>() -> Value {
    SchemaGenerator::new(SchemaSettings::draft2020_12()).into_root_schema_for::<T>().to_value()
}
