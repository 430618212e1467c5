//! Gemma (`transformers/models/gemma/modeling_gemma.py`): LLaMA with scaled embeddings, RMSNorm whose weight is the distance
//! from 1, heads of a width of their own, tied head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, Norm, NormKind},
    config::{activation, default, only, typed},
    rope::{RopeDefaults, RopeKeys},
    sizes::Sizes,
};

pub(super) const FAMILY: &str = "gemma";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e6")]
    rms_norm_eps: f64,
    #[serde(default = "default::gelu_tanh")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    if c.hidden_act == "gelu" {
        c.hidden_act = default::gelu_tanh(); // so the first releases call it
    }
    only(
        json,
        &[("hidden_activation", c.hidden_act.as_str().into()), ("use_bidirectional_attention", false.into())],
    )?;
    c.sizes.kv_heads_or(json, 16);
    c.sizes.head_dim.get_or_insert(256);
    let heads = c.sizes.attention(FAMILY)?;
    let norm = Norm::new(NormKind::RmsFromOne, FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let rope = c.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let embedding_scale = Some(c.sizes.root_of_width());
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder { embedding_scale, biases: Biases::attention(c.attention_bias), ..llama }))
}
