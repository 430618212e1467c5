//! AFMoE, Arcee's Trinity (`transformers/models/afmoe/modeling_afmoe.py`): LLaMA with norms around both branches and on heads of q
//! and k, a gate on what heads mix, positions only in blocks with a window, and experts by corrected logistic scores beside an MLP
//! that every token goes through.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Initial,
        choices::{Decoder, Norms, QkNorm, QkWeights},
        class::{Class, count_or, factor},
        config::{only, typed},
        mixture::{Mixture, Shared, choice},
        sizes::sizes,
    },
    nn::experts::{Correction, Router, Scores},
};

pub(super) const FAMILY: &str = "afmoe";
const CLASS: Class = Class {
    context: 16_384,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    head_width: Some(128),
    mlp_bias: None,
    window: Some(1024),
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    num_dense_layers: Option<usize>,
    #[serde(default)]
    mup_enabled: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(
        json,
        &[
            ("n_group", 1.into()),
            ("topk_group", 1.into()),
            ("route_norm", true.into()),
            ("score_func", "sigmoid".into()),
        ],
    )?;
    let c: Config = typed(FAMILY, json)?;
    let number = |key, default| count_or(FAMILY, json, key, default);
    let llama = CLASS.decoder(json)?;
    let (_, every) = number("global_attn_every_n_layers", 4)?;
    let windows = CLASS.windows(json, &llama, |block| !(block + 1).is_multiple_of(every))?;
    let blocks = llama.sizes.num_hidden_layers;
    let (experts, chosen) =
        choice(FAMILY, number("num_experts", 64)?, number("num_experts_per_tok", 6)?, blocks)?;
    // The 1e-20 that the reference adds to the sum of the weights is below what float32 resolves beside scores above 1e-13.
    let router = Router {
        scores: Scores::Sigmoid,
        correction: Some(Correction::vector("expert_bias")),
        normalised: true,
        scale: factor(FAMILY, json, "route_scale")?.unwrap_or(1.0) as f32,
        ..Router::softmax("router.gate", experts, chosen)
    };
    let (_, width) = number("moe_intermediate_size", 1408)?;
    let (key, shared) = number("num_shared_experts", 2)?;
    let shared_width = width.saturating_mul(shared);
    sizes(FAMILY, &[(key, shared_width)])?;
    let mixture = Mixture::in_mlp(router, width);
    let shared =
        Shared { module: "mlp.shared_experts", layers: mixture.layers, width: shared_width, gate: None };
    let mixture = Mixture { shared: Some(shared), ..mixture };
    let dense = c.num_dense_layers.unwrap_or(1);
    let routed: Vec<bool> = (0..blocks).map(|block| block >= dense).collect();
    let width = llama.sizes.hidden_size as f64;
    let decoder = Decoder {
        embedding_scale: c.mup_enabled.then_some(width.sqrt() as f32),
        norms: Norms::around(
            ["input_layernorm", "post_attention_layernorm"],
            ["pre_mlp_layernorm", "post_mlp_layernorm"],
        ),
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared)),
        gate: Some("gate_proj"),
        initial: |tensor| tensor.ends_with(".router.gate.weight").then_some(Initial::Constant(0.0)),
        ..llama.with_windows(&windows).turning_where(|block| windows[block].is_some())
    };
    Ok(Box::new(decoder.with_mixture(mixture, &routed)))
}
