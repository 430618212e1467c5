//! InternLM 3 (`transformers/models/internlm3/configuration_internlm3.py`): LLaMA with other names for its keys of biases.

use serde_json::{Map, Value as Json};

use crate::arch::{ArchError, Architecture, class::Class};

pub(super) const FAMILY: &str = "internlm3";
const CLASS: Class = Class {
    names: &[("qkv_bias", "attention_bias"), ("bias", "mlp_bias")],
    context: 32_768,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    head_width: Some(128),
    kv_heads: Some(2),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(CLASS.decoder(json)?))
}
