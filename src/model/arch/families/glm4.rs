//! GLM-4-0414 and Z1 (`transformers/models/glm4/modeling_glm4.py`): GLM-4 with norms after both branches too.

use serde_json::{Map, Value as Json};

use super::glm;
use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, Norms},
};

pub(super) const FAMILY: &str = "glm4";

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(Decoder {
        norms: Norms::around(
            ["input_layernorm", "post_self_attn_layernorm"],
            ["post_attention_layernorm", "post_mlp_layernorm"],
        ),
        ..glm::decoder(FAMILY, json)?
    }))
}
