//! Helium (`transformers/models/helium/modeling_helium.py`): LLaMA with rotary positions on neighbouring components.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder},
        class::Class,
    },
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "helium";
const CLASS: Class = Class {
    context: 4096,
    epsilon: (Some("rms_norm_eps"), 1e-8),
    head_width: Some(128),
    kv_heads: Some(20),
    theta: 100_000.0,
    pairs: Pairs::Neighbours,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let llama = CLASS.decoder(json)?;
    Ok(Box::new(Decoder { biases: Biases { output: false, ..llama.biases }, ..llama }))
}
