//! Phi-1, 1.5 and 2 (`transformers/models/phi/modeling_phi.py`): parallel, one LayerNorm, rotary positions on a part of
//! each head, biases everywhere, in the head too.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture, Names,
    choices::{Biases, Decoder, MlpLayers, Norm, NormKind, Norms, QkNorm, QkWeights, Residual},
    config::{activation, default, typed},
    rope::{RopeDefaults, RopeKeys, Share},
    sizes::Sizes,
};

pub(super) const FAMILY: &str = "phi";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    layer_norm_eps: f64,
    #[serde(default = "default::gelu_new")]
    hidden_act: String,
    #[serde(default)]
    qk_layernorm: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let heads = c.sizes.attention(FAMILY)?;
    let norm = Norm::new(NormKind::Layer, FAMILY, "layer_norm_eps", c.layer_norm_eps)?;
    let defaults = RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings);
    let rope = c.rope.resolve(FAMILY, RopeDefaults { share: Share::Even(0.5), ..defaults })?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let qk_norm = QkNorm::new(["q_layernorm", "k_layernorm"], QkWeights::Shared);
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        names: Names { unembedding_bias: Some("lm_head.bias"), ..llama.names },
        residual: Residual::Parallel,
        norms: Norms { last: "final_layernorm", ..Norms::shared("input_layernorm") },
        qk_norm: Some(qk_norm).filter(|_| c.qk_layernorm),
        output: "dense",
        biases: Biases::all(true),
        mlp: MlpLayers::Plain(["fc1", "fc2"]),
        ..llama
    }))
}
