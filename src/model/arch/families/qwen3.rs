//! Qwen3 (`transformers/models/qwen3/modeling_qwen3.py`): LLaMA with norms on every query and key head, of a width of their
//! own; upper blocks see only a window where the config turns it on.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, Norm, QkNorm, QkWeights},
    config::{activation, default, typed},
    kinds::{sliding, windows},
    rope::{RopeDefaults, RopeKeys},
    sizes::Sizes,
};

pub(super) const FAMILY: &str = "qwen3";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e6")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default = "default::window")]
    sliding_window: Option<usize>,
    #[serde(default = "default_full_layers")]
    max_window_layers: usize,
    layer_types: Option<Vec<String>>,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

/// Number of blocks that see everything, before the first with a window.
fn default_full_layers() -> usize {
    28
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    c.sizes.kv_heads_or(json, 32);
    c.sizes.head_dim.get_or_insert(128);
    let heads = c.sizes.attention(FAMILY)?;
    let window = c.sliding_window.filter(|_| c.use_sliding_window);
    let (layers, types) = (c.sizes.num_hidden_layers, c.layer_types.as_deref());
    let slides = sliding(FAMILY, layers, types, |layer| window.is_some() && layer >= c.max_window_layers)?;
    let windows = windows(FAMILY, &slides, window)?;
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let rope = c.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared)),
        biases: Biases::attention(c.attention_bias),
        ..llama.with_windows(&windows)
    }))
}
