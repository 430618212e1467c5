//! Facts about a model, read from its own config (or, for published rows, from the tables that came with them).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a model is. Every field that a source does not state is `None`, never a guess.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelFacts {
    /// `model_type` of the config, e.g. `llama`, `gpt_neox`.
    pub family: Option<String>,
    /// `layernorm` or `rmsnorm`.
    pub norm: Option<String>,
    /// `gelu`, `swiglu`, `geglu`, `xielu`, `relu`.
    pub mlp: Option<String>,
    /// `sequential` or `parallel`.
    pub residual: Option<String>,
    /// L, number of blocks.
    pub blocks: Option<u32>,
    /// D, width of the residual stream.
    pub width: Option<u32>,
    /// Query heads.
    pub heads: Option<u32>,
    /// Key/value heads (equal to `heads` without grouping).
    pub kv_heads: Option<u32>,
    /// Width of one head.
    pub head_width: Option<u32>,
    /// Inner width of the MLP.
    pub mlp_width: Option<u32>,
    /// Rows of the unembedding.
    pub vocabulary: Option<u32>,
    /// Longest position the config allows, tokens.
    pub context: Option<u32>,
    /// `rotary`, `partial-rotary`, `learned`, `sinusoidal`, `alibi`, or `none` where heads pass unturned.
    pub positions: Option<String>,
    /// Base of the rotary angles.
    pub rope_theta: Option<f64>,
    /// `default`, `llama3`, …
    pub rope_scaling: Option<String>,
    /// Whether embedding and unembedding are one matrix.
    pub tied: Option<bool>,
    /// Number of parameters in the file (or as published).
    pub parameters: Option<u64>,
    /// dtype of the weights in the file: that of most of them.
    pub dtype: Option<String>,
    /// Bits that a weight takes in the file, with its share of its block's scales, where weights are quantised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_weight: Option<f64>,
    /// `original`, `revision` (a checkpoint along a training) or `variant` (another model of the list, changed: by an
    /// intervention, a control, or weights stored in fewer bits).
    pub kind: Option<String>,
    /// Id of the model this one was tuned or changed from.
    pub base: Option<String>,
    /// What was done to `base`: `instruct`, `rope-theta x10`, `random init`, `q4_1`, …
    pub change: Option<String>,
    /// Id of the model whose training this is a stage of: a revision's final model, and the final model's own.
    pub series: Option<String>,
    /// Training step of that stage.
    pub step: Option<f64>,
    /// The lineage that the model is of, where a source states it: models of one lineage are one unit of inference, though none
    /// of them is the `base` of another one, e.g. two versions that one maker trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
}

/// The kind of a model that is neither a stage of a training nor a variant of another one.
pub const ORIGINAL: &str = "original";

impl ModelFacts {
    /// Whether the model is neither a stage of a training nor a variant of another one, as far as is known.
    pub fn is_original(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == ORIGINAL)
    }
}

/// How the names of weights in fewer bits begin: GGUF's types, where a digit follows, and the formats of safetensors. That every
/// form that is read is among them is a test of checkpoints.
const TYPES: [&str; 3] = ["q", "iq", "tq"];
const FORMATS: [&str; 17] = [
    "mxfp4",
    "mxfp6",
    "nvfp4",
    "fp8",
    "fp4",
    "nf4",
    "int8",
    "int4",
    "int-",
    "llm.int8",
    "auto-round",
    "gptq",
    "awq",
    "mlx",
    "compressed-tensors",
    "bitsandbytes",
    "modelopt",
];

/// Whether a `change` names such weights, e.g. `q4_1`: the model is its `base` rounded, and no model of its own.
pub fn is_quantisation(change: &str) -> bool {
    let change = change.to_ascii_lowercase();
    let digit_follows = |start: &str| {
        change.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    TYPES.iter().any(|start| digit_follows(start)) || FORMATS.iter().any(|start| change.starts_with(*start))
}

#[cfg(test)]
mod tests {
    use super::is_quantisation;

    #[test]
    fn names_of_rounded_weights_are_told_from_other_changes() {
        for name in ["q4_1", "Q8_0", "q4_k_m", "iq2_xxs", "tq1_0", "gptq-4bit", "fp8", "mxfp4"] {
            assert!(is_quantisation(name), "{name}");
        }
        for name in ["instruct", "rope-theta x10", "random init", "qa-tuned", "quiet"] {
            assert!(!is_quantisation(name), "{name}");
        }
    }
}
