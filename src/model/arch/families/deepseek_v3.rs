//! DeepSeek V3 and R1, and what is made like them (`transformers/models/deepseek_v3/modeling_deepseek_v3.py`): LLaMA with latent
//! attention and experts beside shared ones. The blocks after the last that predict further tokens are not read.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    class::Class,
    config::only,
    deepseek::Sparse,
    latent_keys::{self, LatentDefaults},
};

pub(super) const FAMILY: &str = "deepseek_v3";
const CLASS: Class =
    Class { context: 4096, kv_heads: Some(128), mlp_bias: None, ..Class::like_llama(FAMILY) };

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(
        json,
        &[
            ("topk_method", "noaux_tc".into()),
            ("scoring_func", "sigmoid".into()),
            ("moe_layer_freq", 1.into()),
        ],
    )?;
    let class = Class { pairs: latent_keys::pairs(json), ..CLASS };
    let decoder = latent_keys::decoder(class, json, LatentDefaults::DEEPSEEK)?;
    Ok(Box::new(Sparse::V3.experts(json, decoder)?))
}
