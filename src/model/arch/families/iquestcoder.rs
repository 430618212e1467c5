//! IQuest-Coder (`transformers/models/iquestcoder/configuration_iquestcoder.py`): LLaMA.

use serde_json::{Map, Value as Json};

use crate::arch::{ArchError, Architecture, class::Class, config::only};

pub(super) const FAMILY: &str = "iquestcoder";
const CLASS: Class = Class {
    context: 131_072,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    head_width: Some(128),
    kv_heads: Some(8),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(json, &[("clip_qkv", Json::Null), ("use_sliding_window", false.into())])?;
    Ok(Box::new(CLASS.decoder(json)?))
}
