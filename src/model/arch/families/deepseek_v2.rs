//! DeepSeek V2 (`transformers/models/deepseek_v2/modeling_deepseek_v2.py`): LLaMA with latent attention, and experts by their
//! probabilities beside shared ones. The reference never divides the weights by their sum.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        class::Class,
        config::only,
        deepseek::{Scoring, Sparse},
        latent_keys::{self, LatentDefaults},
    },
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "deepseek_v2";
const CLASS: Class = Class { pairs: Pairs::Neighbours, mlp_bias: None, ..Class::like_llama(FAMILY) };
const EXPERTS: Sparse = Sparse {
    experts: Some(64),
    chosen: None,
    shared: Some(2),
    dense: 0,
    width: 1407,
    normalised: false,
    scale: 1.0,
    groups: (1, 1),
    scoring: Scoring::Softmax(1),
    further: 0,
    by_types: false,
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(
        json,
        &[
            ("mlp_bias", false.into()), // of the dense blocks and the shared experts alone
            ("moe_layer_freq", 1.into()),
            ("norm_topk_prob", false.into()),
            ("scoring_func", "softmax".into()),
        ],
    )?;
    let mut json = json.clone();
    match json.get("topk_method").map(|method| method.as_str().unwrap_or_default()) {
        None | Some("greedy") => json.retain(|key, _| key != "n_group" && key != "topk_group"),
        Some("group_limited_greedy") => {}
        Some(other) => {
            return Err(ArchError::Unsupported {
                key: "topk_method".to_string(),
                found: other.to_string(),
                known: "greedy, group_limited_greedy",
            });
        }
    }
    let decoder = latent_keys::decoder(CLASS, &json, LatentDefaults::DEEPSEEK)?;
    Ok(Box::new(EXPERTS.experts(&json, decoder)?))
}
