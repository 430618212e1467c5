//! Cohere, Command R and R+ (`transformers/models/cohere/modeling_cohere.py`): LayerNorm without bias, one norm before both
//! of two parallel branches, rotary positions on neighbouring components, gated MLP, scaled logits, tied head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder, Norm, NormKind, Norms, QkNorm, QkWeights, Residual},
        config::{activation, default, or_default, typed},
        rope::{RopeDefaults, RopeKeys},
        sizes::{Sizes, positive},
    },
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "cohere";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    layer_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    #[serde(default = "default_logit_scale")]
    logit_scale: f64,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default, deserialize_with = "or_default")]
    use_qk_norm: bool,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_logit_scale() -> f64 {
    0.0625
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let heads = c.sizes.attention(FAMILY)?;
    let logit_scale = positive(FAMILY, "logit_scale", c.logit_scale)? as f32;
    let norm = Norm::new(NormKind::LayerWithoutBias, FAMILY, "layer_norm_eps", c.layer_norm_eps)?;
    let defaults = RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings);
    let rope =
        c.rope.resolve(FAMILY, RopeDefaults { theta: 500_000.0, pairs: Pairs::Neighbours, ..defaults })?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let qk_norm = QkNorm::new(["q_norm", "k_norm"], QkWeights::ByHead);
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        residual: Residual::Parallel,
        norms: Norms::shared("input_layernorm"),
        qk_norm: Some(qk_norm).filter(|_| c.use_qk_norm),
        biases: Biases::attention(c.attention_bias),
        logit_scale: Some(logit_scale),
        ..llama
    }))
}
