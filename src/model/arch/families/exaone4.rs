//! EXAONE 4 (`transformers/models/exaone4/modeling_exaone4.py`): LLaMA with norms on what branches write and on every query
//! and key head; in models with windows the blocks that see all see no positions.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, Norms, QkNorm, QkWeights},
    class::{Class, count},
};

pub(super) const FAMILY: &str = "exaone4";
const CLASS: Class = Class {
    epsilon: (Some("rms_norm_eps"), 1e-5),
    kv_heads: Some(32),
    attention_bias: None,
    mlp_bias: None,
    window: Some(4096),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    // Where the layers are listed, the pattern is a text.
    let listed = json.get("layer_types").is_some_and(|types| !types.is_null());
    let pattern = if listed { None } else { count(FAMILY, json, "sliding_window_pattern")? };
    let pattern = pattern.unwrap_or(4);
    let llama = CLASS.decoder(json)?;
    let windows = CLASS.windows(json, &llama, |layer| !(layer + 1).is_multiple_of(pattern))?;
    let hybrid = json.get("sliding_window").is_none_or(|window| !window.is_null());
    Ok(Box::new(Decoder {
        norms: Norms::after("post_attention_layernorm", "post_feedforward_layernorm"),
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared)),
        ..llama.with_windows(&windows).turning_where(|layer| !hybrid || windows[layer].is_some())
    }))
}
