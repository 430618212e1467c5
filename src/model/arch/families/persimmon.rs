//! Persimmon (`transformers/models/persimmon/modeling_persimmon.py`): LLaMA with LayerNorm, one matrix for q, k and v, norms
//! on every query and key head, rotary positions on half of each head, an MLP without a gate, and biases everywhere.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, MlpLayers, NormKind, Norms, QkNorm, QkWeights, Qkv},
    class::Class,
    config::{default, only, typed},
    rope::Share,
};

pub(super) const FAMILY: &str = "persimmon";
const CLASS: Class = Class {
    context: 16_384,
    norm: NormKind::Layer,
    epsilon: (Some("layer_norm_eps"), 1e-5),
    activation: ("hidden_act", "relu2"),
    share: Share::Even(0.5),
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default = "default::yes")]
    qk_layernorm: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let mut llama = CLASS.decoder(json)?;
    llama.sizes.without_head_dim(FAMILY)?;
    only(json, &[("num_key_value_heads", llama.sizes.num_attention_heads.into())])?;
    let qk_norm = QkNorm::new(["q_layernorm", "k_layernorm"], QkWeights::Shared);
    Ok(Box::new(Decoder {
        norms: Norms { last: "final_layernorm", ..llama.norms },
        qkv: Qkv::ByGroup("query_key_value"),
        qk_norm: Some(qk_norm).filter(|_| c.qk_layernorm),
        output: "dense",
        biases: Biases::all(true),
        mlp: MlpLayers::Plain(["dense_h_to_4h", "dense_4h_to_h"]),
        ..llama
    }))
}
