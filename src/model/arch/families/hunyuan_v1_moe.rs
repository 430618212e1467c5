//! HunYuan with experts (`transformers/models/hunyuan_v1_moe/modeling_hunyuan_v1_moe.py`): HunYuan with experts in every block,
//! whose weights add up to 1, beside an MLP that every token goes through.

use serde_json::{Map, Value as Json};

use super::hunyuan;
use crate::{
    arch::{
        ArchError, Architecture,
        class::count_or,
        config::{only, own_names},
        mixture::{Mixture, Shared, choice},
    },
    nn::experts::Router,
};

pub(super) const FAMILY: &str = "hunyuan_v1_moe";

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = own_names(
        FAMILY,
        json,
        &[("num_experts_per_tok", "moe_topk"), ("num_local_experts", "num_experts")],
    )?;
    // What the authors' router has beside, and the reference does not know.
    let others = [
        ("group_limited_greedy", false.into()),
        ("norm_topk_prob", true.into()),
        ("routed_scaling_factor", 1.into()),
    ];
    let dense = [("use_mixed_mlp_moe", true.into()), ("moe_layer_num_skipped", 0.into())];
    only(&json, &[&dense[..], &others].concat())?;
    for key in ["moe_topk", "num_experts"] {
        same_everywhere(&mut json, key)?;
    }
    let number = |key| count_or(FAMILY, &json, key, 1);
    let llama = hunyuan::decoder(FAMILY, &json)?;
    let (blocks, width) = (llama.sizes.num_hidden_layers, llama.sizes.intermediate_size);
    let (experts, chosen) = choice(FAMILY, number("num_experts")?, number("moe_topk")?, blocks)?;
    let router = Router { normalised: true, ..Router::softmax("gate.wg", experts, chosen) };
    let mixture = Mixture::in_mlp(router, width);
    let shared = Shared { module: "mlp.shared_mlp", layers: mixture.layers, width, gate: None };
    Ok(Box::new(llama.with_mixture(Mixture { shared: Some(shared), ..mixture }, &vec![true; blocks])))
}

/// Puts the one number in the place of a list that has it for every block.
fn same_everywhere(json: &mut Map<String, Json>, key: &str) -> Result<(), ArchError> {
    let Some(Json::Array(listed)) = json.get(key) else { return Ok(()) };
    match listed.split_first() {
        Some((first, others)) if others.iter().all(|other| other == first) => {
            let first = first.clone();
            json.insert(key.to_string(), first);
            Ok(())
        }
        _ => {
            let reason = format!("`{key}` = {}; expected the same number for every block", json[key]);
            Err(ArchError::Config { family: FAMILY, reason })
        }
    }
}
