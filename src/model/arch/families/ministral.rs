//! Ministral 8B (`transformers/models/ministral/modeling_ministral.py`): Mistral with a window in the blocks that
//! `layer_types` names.

use serde_json::{Map, Value as Json};

use crate::arch::{ArchError, Architecture, class::Class};

pub(super) const FAMILY: &str = "ministral";
const CLASS: Class = Class {
    context: 131_072,
    kv_heads: Some(8),
    attention_bias: None,
    mlp_bias: None,
    window: Some(4096),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let llama = CLASS.decoder(json)?;
    let windows = CLASS.windows(json, &llama, |_| true)?;
    Ok(Box::new(llama.with_windows(&windows)))
}
