//! ERNIE 4.5 with experts (`transformers/models/ernie4_5_moe/modeling_ernie4_5_moe.py`): ERNIE 4.5 with experts in some blocks,
//! chosen by corrected probabilities, and beside them an MLP that every token goes through.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Names,
        choices::{Biases, Decoder},
        class::{Class, count_or, factor},
        config::{own_names, typed},
        mixture::{Mixture, Shared, choice},
        sizes::sizes,
    },
    nn::{
        experts::{Correction, Router},
        rope::Pairs,
    },
};

pub(super) const FAMILY: &str = "ernie4_5_moe";
const CLASS: Class = Class {
    names: &[("num_experts", "moe_num_experts"), ("num_experts_per_tok", "moe_k")],
    context: 131_072,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    tied: true,
    kv_heads: Some(4),
    attention_bias: None,
    mlp_bias: None,
    theta: 500_000.0,
    pairs: Pairs::Neighbours,
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Config {
    use_bias: bool,
    moe_intermediate_size: usize,
    /// 0: no such MLP.
    moe_num_shared_experts: usize,
    /// The first and the last block that may have experts; -1 is the last of all.
    moe_layer_start_index: i64,
    moe_layer_end_index: i64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            use_bias: false,
            moe_intermediate_size: 1536,
            moe_num_shared_experts: 2,
            moe_layer_start_index: 1,
            moe_layer_end_index: -1,
        }
    }
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let json = &own_names(FAMILY, json, CLASS.names)?;
    let c: Config = typed(FAMILY, json)?;
    let number = |key, default| count_or(FAMILY, json, key, default);
    let llama = CLASS.decoder(json)?;
    let blocks = llama.sizes.num_hidden_layers;
    let (experts, chosen) = choice(FAMILY, number("moe_num_experts", 64)?, number("moe_k", 6)?, blocks)?;
    let correction = Correction { name: "moe_statics.e_score_correction_bias", as_row: true };
    let router = Router {
        correction: Some(correction),
        normalised: true,
        least_sum: Some(factor(FAMILY, json, "moe_norm_min")?.unwrap_or(1e-12) as f32),
        ..Router::softmax("gate", experts, chosen)
    };
    let width = c.moe_intermediate_size;
    let shared_width = width.saturating_mul(c.moe_num_shared_experts);
    sizes(FAMILY, &[("moe_intermediate_size", width), ("moe_num_shared_experts", shared_width.max(1))])?;
    let mixture = Mixture::in_mlp(router, width);
    let shared =
        Shared { module: "mlp.shared_experts", layers: mixture.layers, width: shared_width, gate: None };
    let mixture = Mixture { shared: (shared_width > 0).then_some(shared), ..mixture };
    let (_, every) = number("moe_layer_interval", 1)?;
    let last = if c.moe_layer_end_index == -1 { i64::MAX } else { c.moe_layer_end_index };
    let between = |block: usize| (c.moe_layer_start_index..=last).contains(&(block as i64));
    let routed: Vec<bool> =
        (0..blocks).map(|block| (block + 1).is_multiple_of(every) && between(block)).collect();
    let names = Names { unembedding_bias: c.use_bias.then_some("lm_head.bias"), ..llama.names };
    let decoder = Decoder { names, biases: Biases::all(c.use_bias), ..llama };
    Ok(Box::new(decoder.with_mixture(mixture, &routed)))
}
