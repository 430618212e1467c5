//! gpt-oss (`transformers/models/gpt_oss/modeling_gpt_oss.py`): LLaMA with biases of attention, a sink beside the scores of each
//! head, a window on every other block, and experts with biases and bounds, whose weights are the softmax of the chosen logits.

use serde_json::{Map, Value as Json, json};

use crate::{
    arch::{
        ArchError, Architecture, Initial,
        choices::{Decoder, MlpLayers},
        class::{Class, count_or, factor},
        config::{only, own_names},
        mixture::{Mixture, choice},
        rope::nested_key,
    },
    nn::{ExpertLayout, expert_mlp::Bounded, experts::Router},
};

pub(super) const FAMILY: &str = "gpt_oss";
const CLASS: Class = Class {
    names: &[("num_experts", "num_local_experts")],
    context: 131_072,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    head_width: Some(64),
    kv_heads: Some(8),
    attention_bias: Some(true),
    mlp_bias: None,
    theta: 150_000.0,
    window: Some(128),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = own_names(FAMILY, json, CLASS.names)?;
    only(&json, &[("hidden_act", "silu".into())])?; // the experts know no other
    if nested_key(&json).is_none() {
        let scaling = json!({"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": false,
            "original_max_position_embeddings": 4096});
        json.insert("rope_scaling".to_string(), scaling);
    }
    let json = &json;
    let number = |key, default| count_or(FAMILY, json, key, default);
    let bound = |key, default: f64| factor(FAMILY, json, key).map(|found| found.unwrap_or(default) as f32);
    let llama = CLASS.decoder(json)?;
    let windows = CLASS.windows(json, &llama, |block| block.is_multiple_of(2))?;
    let blocks = llama.sizes.num_hidden_layers;
    let (experts, chosen) =
        choice(FAMILY, number("num_local_experts", 128)?, number("num_experts_per_tok", 4)?, blocks)?;
    let router = Router { bias: true, normalised: true, ..Router::softmax("router", experts, chosen) };
    let bounded = Bounded { alpha: bound("swiglu_alpha", 1.702)?, limit: bound("swiglu_limit", 7.0)? };
    let mixture = Mixture {
        layout: ExpertLayout::Stacked,
        layers: MlpLayers::Pairs(["gate_up_proj", "down_proj"], bounded),
        bias: true,
        ..Mixture::in_mlp(router, llama.sizes.intermediate_size)
    };
    // Sinks and the router's bias are drawn as matrices are.
    let drawn = |tensor: &str| {
        let is_drawn = tensor.ends_with(".sinks") || tensor.ends_with(".router.bias");
        is_drawn.then_some(Initial::Narrower(1.0))
    };
    Ok(Box::new(Decoder {
        sinks: Some("sinks"),
        initial: drawn,
        ..llama.with_windows(&windows).with_mixture(mixture, &vec![true; blocks])
    }))
}
