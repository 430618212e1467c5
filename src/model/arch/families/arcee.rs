//! Arcee, AFM (`transformers/models/arcee/modeling_arcee.py`): LLaMA with an MLP without a gate.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, MlpLayers},
    class::Class,
};

pub(super) const FAMILY: &str = "arcee";
const CLASS: Class = Class {
    context: 4096,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    activation: ("hidden_act", "relu2"),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(Decoder { mlp: MlpLayers::Plain(["up_proj", "down_proj"]), ..CLASS.decoder(json)? }))
}
