//! Jais 2 (`transformers/models/jais2/modeling_jais2.py`): LLaMA with LayerNorm, an MLP without a gate, and biases.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, MlpLayers, NormKind},
    class::Class,
};

pub(super) const FAMILY: &str = "jais2";
const CLASS: Class = Class {
    context: 8192,
    norm: NormKind::Layer,
    epsilon: (Some("layer_norm_eps"), 1e-5),
    activation: ("hidden_act", "relu2"),
    attention_bias: Some(true),
    mlp_bias: Some(true),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(Decoder { mlp: MlpLayers::Plain(["up_proj", "down_proj"]), ..CLASS.decoder(json)? }))
}
