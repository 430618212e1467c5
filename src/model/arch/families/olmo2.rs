//! OLMo 2 (`transformers/models/olmo2/modeling_olmo2.py`): LLaMA with RMSNorm on what a branch writes instead of what it
//! reads, and on the whole of q and of k.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, Norm, Norms, QkNorm, QkWeights},
    config::{activation, default, typed},
    rope::{RopeDefaults, RopeKeys},
    sizes::Sizes,
};

pub(super) const FAMILY: &str = "olmo2";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let heads = c.sizes.attention(FAMILY)?;
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let rope = c.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        norms: Norms::after("post_attention_layernorm", "post_feedforward_layernorm"),
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Whole)),
        biases: Biases::attention(c.attention_bias),
        ..llama
    }))
}
