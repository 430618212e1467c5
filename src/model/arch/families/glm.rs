//! GLM-4 (`transformers/models/glm/modeling_glm.py`): LLaMA with biases on q, k and v, gate and up in one matrix, and rotary
//! positions on neighbouring components of half of each head.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder, MlpLayers},
        class::Class,
        rope::Share,
    },
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "glm";

/// Of both generations.
pub(super) const fn class(family: &'static str) -> Class {
    Class {
        context: 131_072,
        epsilon: (Some("rms_norm_eps"), 1.5625e-7),
        head_width: Some(128),
        kv_heads: Some(2),
        attention_bias: Some(true),
        mlp_bias: None,
        share: Share::Any(0.5),
        pairs: Pairs::Neighbours,
        ..Class::like_llama(family)
    }
}

/// A decoder of this class, with the names of both generations.
pub(super) fn decoder(family: &'static str, json: &Map<String, Json>) -> Result<Decoder, ArchError> {
    let llama = class(family).decoder(json)?;
    Ok(Decoder {
        biases: Biases { output: false, ..llama.biases },
        mlp: MlpLayers::GatedFused(["gate_up_proj", "down_proj"]),
        ..llama
    })
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(decoder(FAMILY, json)?))
}
