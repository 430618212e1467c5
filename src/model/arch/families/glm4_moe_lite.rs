//! GLM-4.7 Flash (`transformers/models/glm4_moe_lite/modeling_glm4_moe_lite.py`): DeepSeek V3's blocks with sizes of its own. The
//! blocks after the last that predict further tokens are not read.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    class::Class,
    config::only,
    deepseek::Sparse,
    latent_keys::{self, LatentDefaults},
};

pub(super) const FAMILY: &str = "glm4_moe_lite";
const CLASS: Class = Class {
    context: 202_752,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    kv_heads: Some(20),
    mlp_bias: None,
    ..Class::like_llama(FAMILY)
};
const LATENT: LatentDefaults =
    LatentDefaults { queries: Some(768), still: 192, value: 256, ..LatentDefaults::DEEPSEEK };
const EXPERTS: Sparse = Sparse {
    experts: Some(64),
    chosen: Some(4),
    dense: 1,
    width: 1536,
    scale: 1.8,
    groups: (1, 1),
    further: 0,
    by_types: true,
    ..Sparse::V3
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    // Without `mlp_layer_types` the reference has one dense block, whatever this key says.
    let dense =
        if json.get("mlp_layer_types").is_some_and(|types| !types.is_null()) { None } else { Some(1) };
    let dense = dense.map(|dense| ("first_k_dense_replace", Json::from(dense)));
    let others = [
        ("topk_method", "noaux_tc".into()),
        ("scoring_func", "sigmoid".into()),
        ("moe_layer_freq", 1.into()),
    ];
    only(json, &others.into_iter().chain(dense).collect::<Vec<_>>())?;
    let class = Class { pairs: latent_keys::pairs(json), ..CLASS };
    let decoder = latent_keys::decoder(class, json, LATENT)?;
    Ok(Box::new(EXPERTS.experts(json, decoder)?))
}
