//! Mistral (`transformers/models/mistral/modeling_mistral.py`): LLaMA without biases; every block sees only a window, if
//! the config has one.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, Norm},
    config::{activation, default, only, typed},
    rope::{RopeDefaults, RopeKeys},
    sizes::{Sizes, sizes},
};

pub(super) const FAMILY: &str = "mistral";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e6")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    #[serde(default = "default::window")]
    sliding_window: Option<usize>,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    c.sizes.kv_heads_or(json, 8);
    let heads = c.sizes.attention(FAMILY)?;
    if let Some(window) = c.sliding_window {
        sizes(FAMILY, &[("sliding_window", window)])?;
    }
    // The reference has no key for single blocks; `layer_types` that say otherwise are of another family (ministral).
    let everywhere = if c.sliding_window.is_some() { "sliding_attention" } else { "full_attention" };
    only(json, &[("layer_types", vec![everywhere; c.sizes.num_hidden_layers].into())])?;
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let rope = c.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(llama.with_window(c.sliding_window)))
}
