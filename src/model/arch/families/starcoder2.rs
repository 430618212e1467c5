//! StarCoder2 (`transformers/models/starcoder2/modeling_starcoder2.py`): LLaMA with LayerNorm, an MLP without a gate and
//! biases everywhere; every block sees only a window, if the config has one.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, MlpLayers, Norm, NormKind},
    config::{activation, default, only, typed},
    rope::{RopeDefaults, RopeKeys},
    sizes::{Sizes, sizes},
};

pub(super) const FAMILY: &str = "starcoder2";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    norm_epsilon: f64,
    #[serde(default = "default::gelu_tanh")]
    hidden_act: String,
    sliding_window: Option<usize>,
    #[serde(default = "default::yes")]
    use_bias: bool,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    only(json, &[("mlp_type", "default".into()), ("norm_type", "layer_norm".into())])?;
    c.sizes.kv_heads_or(json, 2);
    let heads = c.sizes.attention(FAMILY)?;
    if let Some(window) = c.sliding_window {
        sizes(FAMILY, &[("sliding_window", window)])?;
    }
    let norm = Norm::new(NormKind::Layer, FAMILY, "norm_epsilon", c.norm_epsilon)?;
    let rope = c.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        biases: Biases::all(c.use_bias),
        mlp: MlpLayers::Plain(["c_fc", "c_proj"]),
        initializer_range: 0.018042,
        ..llama.with_window(c.sliding_window)
    }))
}
