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
    /// `rotary`, `partial-rotary`, `learned`, `alibi`, or `none` where heads pass unturned.
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
    /// `released`, `revision` (a checkpoint along a training) or `variant` (a model changed here: an intervention or a
    /// control).
    pub kind: Option<String>,
    /// Id of the model this one was tuned or changed from.
    pub base: Option<String>,
    /// What was done to `base`: `instruct`, `rope-theta x10`, `random init`, …
    pub change: Option<String>,
    /// Id of the model whose training this is a stage of: a revision's final model, and the final model's own.
    pub series: Option<String>,
    /// Training step of that stage.
    pub step: Option<f64>,
}
