//! GLM-5 (`transformers/models/glm_moe_dsa/modeling_glm_moe_dsa.py`): DeepSeek V3.2 with sizes of its own, in which some blocks go by
//! the indexer of one before them. Prompts are at most as long as it chooses tokens; its tensors are not read.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{ArchError, Architecture, class::Class, deepseek::Sparse, indexed, latent_keys::LatentDefaults},
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "glm_moe_dsa";
const CLASS: Class = Class {
    context: 202_752,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    kv_heads: Some(64),
    mlp_bias: None,
    pairs: Pairs::Neighbours,
    ..Class::like_llama(FAMILY)
};
const LATENT: LatentDefaults =
    LatentDefaults { queries: Some(2048), still: 192, value: 256, ..LatentDefaults::DEEPSEEK };

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    indexed::model(CLASS, json, LATENT, Sparse { groups: (1, 1), by_types: true, ..Sparse::V3 })
}
