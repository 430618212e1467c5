//! Nemotron and Minitron (`transformers/models/nemotron/modeling_nemotron.py`): LLaMA with LayerNorm whose weights are
//! distances from 1, an MLP without a gate, and rotary positions on half of each head.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, MlpLayers, NormKind},
    class::Class,
    rope::Share,
};

pub(super) const FAMILY: &str = "nemotron";
const CLASS: Class = Class {
    context: 4096,
    norm: NormKind::LayerFromOne,
    epsilon: (Some("norm_eps"), 1e-5),
    activation: ("hidden_act", "relu2"),
    share: Share::Any(0.5),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(Decoder {
        mlp: MlpLayers::Plain(["up_proj", "down_proj"]),
        initializer_range: 0.0134,
        ..CLASS.decoder(json)?
    }))
}
