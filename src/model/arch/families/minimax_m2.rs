//! MiniMax M2 (`transformers/models/minimax_m2/modeling_minimax_m2.py`): LLaMA with RMSNorm on the whole of q and of k, rotary
//! positions on a part of each head, and experts in every block, whose scores are logistic and corrected for the choice.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, QkNorm, QkWeights},
        class::{Class, count, count_or},
        mixture::{Mixture, choice},
        rope::Share,
    },
    nn::experts::{Correction, Router, Scores},
};

pub(super) const FAMILY: &str = "minimax_m2";
const CLASS: Class = Class {
    context: 196_608,
    head_width: Some(128),
    kv_heads: Some(8),
    attention_bias: None,
    mlp_bias: None,
    theta: THETA,
    share: Share::Any(1.0),
    ..Class::like_llama(FAMILY)
};
const THETA: f64 = 5_000_000.0;

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let number = |key, default| count_or(FAMILY, json, key, default);
    let mut json = json.clone();
    // Published configs say how many components turn.
    if let Some(turned) = count(FAMILY, &json, "rotary_dim")? {
        let width = count(FAMILY, &json, "head_dim")?.unwrap_or(128);
        json.entry("partial_rotary_factor").or_insert_with(|| (turned as f64 / width as f64).into());
    }
    let llama = CLASS.decoder(&json)?;
    let blocks = llama.sizes.num_hidden_layers;
    let (experts, chosen) =
        choice(FAMILY, number("num_local_experts", 256)?, number("num_experts_per_tok", 8)?, blocks)?;
    let router = Router {
        scores: Scores::Sigmoid,
        correction: Some(Correction::vector("e_score_correction_bias")),
        normalised: true,
        ..Router::softmax("gate", experts, chosen)
    };
    let mixture = Mixture::in_sparse_block(router, llama.sizes.intermediate_size);
    Ok(Box::new(Decoder {
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Whole)),
        ..llama.with_mixture(mixture, &vec![true; blocks])
    }))
}
