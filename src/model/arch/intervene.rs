//! Changed models: another rotary base, no rotary scaling, weights as before training, a final norm that scales nothing.
//!
//! A rotary change is one of the config, made where this config keeps the number and checked by reading it back: the facts
//! must differ in that number alone. The others replace weights (`checkpoint::Made`).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{ArchError, Initial, Place, Recipe};
use crate::checkpoint::{Checkpoint, Made};
use number::facts::ModelFacts;

/// The keys that hold rotary parameters beside others, the winning one first.
const NESTED: [&str; 2] = ["rope_scaling", "rope_parameters"];

/// The config with its rotary base times `factor`. Where blocks of two kinds have two bases (gemma3), that of the blocks
/// that see all.
///
/// # Errors
/// A config that cannot be read, or has no rotary base that a config can change.
pub fn rope_theta_times(config: &Map<String, Json>, factor: f64) -> Result<Map<String, Json>, ArchError> {
    let before = Recipe::read(config)?.facts();
    let Some(theta) = before.rope_theta.map(|theta| theta * factor) else {
        return Err(no_rope(&before, "has no rotary positions"));
    };
    let wanted = ModelFacts { rope_theta: Some(theta), ..before.clone() };
    let in_stack = |wrapped| {
        let nested = NESTED.map(|key| {
            let mut changed = config.clone();
            let keys = stack(&mut changed, wrapped)?.get_mut(key).and_then(Json::as_object_mut);
            keys.filter(|keys| !keys.is_empty())?.insert("rope_theta".to_string(), theta.into());
            Some(changed)
        });
        let beside = ["rope_theta", "rotary_emb_base"].map(|key| {
            let mut changed = config.clone();
            stack(&mut changed, wrapped)?.insert(key.to_string(), theta.into());
            Some(changed)
        });
        nested.into_iter().chain(beside).flatten()
    };
    let says = |changed: &Map<String, Json>| Recipe::read(changed).is_ok_and(|r| r.facts() == wanted);
    let found = [false, true].into_iter().flat_map(in_stack).find(says);
    found.ok_or_else(|| no_rope(&before, "has a rotary base that its config does not set"))
}

/// The config with rotary positions as they were before any scaling.
///
/// # Errors
/// A config that cannot be read, or has no rotary scaling that a config can undo.
pub fn without_rope_scaling(config: &Map<String, Json>) -> Result<Map<String, Json>, ArchError> {
    let before = Recipe::read(config)?.facts();
    let Some(theta) = before.rope_theta else { return Err(no_rope(&before, "has no rotary positions")) };
    if before.rope_scaling.as_deref() == Some("default") {
        return Err(no_rope(&before, "has no rotary scaling to undo"));
    }
    let mut parameters = Map::new();
    parameters.insert("rope_type".to_string(), json!("default"));
    parameters.insert("rope_theta".to_string(), theta.into());
    let mut changed = config.clone();
    let wrapped = stack(&mut changed, true).is_some();
    let none = || no_rope(&before, "has a rotary scaling of its own kind");
    let keys = stack(&mut changed, wrapped).ok_or_else(none)?;
    let mut nested = NESTED.iter().filter_map(|key| keys.get(*key)?.as_object());
    if let Some(share) = nested.find_map(|keys| keys.get("partial_rotary_factor")) {
        parameters.insert("partial_rotary_factor".to_string(), share.clone());
    }
    keys.remove("rope_scaling");
    keys.insert("rope_parameters".to_string(), Json::Object(parameters));
    let after = Recipe::read(&changed)?.facts();
    // A scaling that follows the prompt had stretched the context.
    let wanted =
        ModelFacts { rope_scaling: Some("default".to_string()), context: after.context, ..before.clone() };
    if after == wanted { Ok(changed) } else { Err(none()) }
}

/// The config itself, or that of the text stack in it, if there is one.
fn stack(config: &mut Map<String, Json>, wrapped: bool) -> Option<&mut Map<String, Json>> {
    if wrapped { config.get_mut("text_config")?.as_object_mut() } else { Some(config) }
}

fn no_rope(facts: &ModelFacts, reason: &str) -> ArchError {
    let family = facts.family.as_deref().unwrap_or("this");
    ArchError::Intervention { reason: format!("a model of family {family} {reason}") }
}

impl Recipe {
    /// Weights as `transformers` initialises them (`_init_weights` of `modeling_utils.py`, with the exceptions of the
    /// families): matrices and embeddings from N(0, `initializer_range`²), norms neutral, biases 0. The embedding of a
    /// padding token is drawn like the others.
    ///
    /// # Errors
    /// A deviation that is none, a weight of which the rule is not known.
    pub fn initial(&self, checkpoint: &Checkpoint, seed: u64) -> Result<BTreeMap<String, Made>, ArchError> {
        let std = self.initial_deviation(checkpoint.config())?;
        let mut made = BTreeMap::new();
        for weight in self.weights(checkpoint) {
            let name = &weight.tensor;
            let rule = match self.arch.initial(name) {
                Some(rule) => rule,
                None if name.ends_with("bias") => Initial::Constant(0.0),
                None if is_norm(name) => Initial::Constant(self.neutral()),
                None if weight.shape.len() > 1 => Initial::Narrower(1.0),
                None => {
                    let reason = format!("how the reference initialises {name} is not known");
                    return Err(ArchError::Intervention { reason });
                }
            };
            let weight = match rule {
                Initial::Constant(value) => Made::constant(value),
                Initial::Narrower(share) => Made::normal(share * std, seed, name),
            };
            made.insert(name.clone(), weight);
        }
        Ok(made)
    }

    /// The weight of the final norm, such that it scales no component.
    pub fn neutral_final_norm(&self, checkpoint: &Checkpoint) -> BTreeMap<String, Made> {
        let uses = self.weights(checkpoint).into_iter().filter(|weight| weight.place == Place::FinalNorm);
        let scales = uses.filter(|weight| is_norm(&weight.tensor) && weight.tensor.ends_with("weight"));
        scales.map(|weight| (weight.tensor, Made::constant(self.neutral()))).collect()
    }

    /// The weight of a norm that scales nothing.
    fn neutral(&self) -> f32 {
        if self.arch.norms_from_one() { 0.0 } else { 1.0 }
    }

    fn initial_deviation(&self, config: &Map<String, Json>) -> Result<f64, ArchError> {
        let given = ["initializer_range", "init_std"]
            .iter()
            .find_map(|key| config.get(*key).filter(|v| !v.is_null()));
        let Some(given) = given else { return Ok(self.arch.initializer_range()) };
        given.as_f64().filter(|std| *std > 0.0 && std.is_finite()).ok_or_else(|| ArchError::Intervention {
            reason: format!("`initializer_range` is {given}; expected a positive number"),
        })
    }
}

/// Norms are named so in every family: `input_layernorm`, `q_norm`, `ln_f`.
fn is_norm(tensor: &str) -> bool {
    tensor.split('.').any(|part| part.contains("norm") || part.starts_with("ln_"))
}
