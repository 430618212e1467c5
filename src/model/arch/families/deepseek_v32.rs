//! DeepSeek V3.2 (`transformers/models/deepseek_v32/modeling_deepseek_v32.py`): DeepSeek V3 with an indexer. Prompts are at most as
//! long as it chooses tokens; its tensors are not read, nor are the blocks after the last that predict further tokens.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{ArchError, Architecture, class::Class, deepseek::Sparse, indexed, latent_keys::LatentDefaults},
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "deepseek_v32";
const CLASS: Class = Class {
    context: 163_840,
    kv_heads: Some(128),
    mlp_bias: None,
    pairs: Pairs::Neighbours,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    indexed::model(CLASS, json, LatentDefaults::DEEPSEEK, Sparse { by_types: true, ..Sparse::V3 })
}
