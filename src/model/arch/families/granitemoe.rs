//! Granite 3 with experts (`transformers/models/granitemoe/modeling_granitemoe.py`): Granite with experts in every block, all in
//! two tensors, whose weights are the softmax of the chosen logits.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, MlpLayers},
        class::{Class, count_or, factor},
        mixture::{Mixture, Shared, choice},
    },
    nn::{ExpertLayout, experts::Router},
};

pub(super) const FAMILY: &str = "granitemoe";
/// Of an expert, and of an MLP beside them.
pub(super) const LAYERS: MlpLayers = MlpLayers::GatedFused(["input_linear", "output_linear"]);

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(decoder(FAMILY, json, None)?))
}

/// A decoder of this class, with an MLP beside the experts where there is one.
pub(super) fn decoder(
    family: &'static str,
    json: &Map<String, Json>,
    shared: Option<Shared>,
) -> Result<Decoder, ArchError> {
    let factor = |key| factor(family, json, key).map(|factor| factor.unwrap_or(1.0));
    let number = |key, default| count_or(family, json, key, default);
    let class = Class { mlp_bias: None, ..Class::like_llama(family) };
    let granite = class.decoder(json)?.with_score_scale(factor("attention_multiplier")? as f32);
    let blocks = granite.sizes.num_hidden_layers;
    let (experts, chosen) =
        choice(family, number("num_local_experts", 8)?, number("num_experts_per_tok", 2)?, blocks)?;
    let mixture = Mixture {
        module: "block_sparse_moe",
        router: Router { normalised: true, ..Router::softmax("router.layer", experts, chosen) },
        experts: "block_sparse_moe",
        layout: ExpertLayout::Stacked,
        layers: LAYERS,
        bias: false,
        width: granite.sizes.intermediate_size,
        shared,
        weighs_input: false,
    };
    Ok(Decoder {
        embedding_scale: Some(factor("embedding_multiplier")? as f32),
        write_scale: Some(factor("residual_multiplier")? as f32),
        logit_scale: Some((1.0 / factor("logits_scaling")?) as f32),
        ..granite.with_mixture(mixture, &vec![true; blocks])
    })
}
