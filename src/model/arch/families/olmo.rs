//! OLMo (`transformers/models/olmo/modeling_olmo.py`): LLaMA with LayerNorm without weights, and bounds on q, k and v.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, NormKind},
    class::{Class, factor},
};

pub(super) const FAMILY: &str = "olmo";
const CLASS: Class = Class {
    norm: NormKind::LayerWithoutWeight,
    epsilon: (None, 1e-5),
    mlp_bias: None,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let qkv_clip = factor(FAMILY, json, "clip_qkv")?.map(|bound| bound as f32);
    Ok(Box::new(Decoder { qkv_clip, ..CLASS.decoder(json)? }))
}
