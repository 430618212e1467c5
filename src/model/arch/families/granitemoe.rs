//! Granite 3 with experts (`transformers/models/granitemoe/modeling_granitemoe.py`): Granite with experts in every block, all in
//! two tensors, whose weights are the softmax of the chosen logits.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, MlpLayers},
        class::{Class, count, factor},
        mixture::{Mixture, choice},
    },
    nn::{ExpertLayout, experts::Router},
};

pub(super) const FAMILY: &str = "granitemoe";
const CLASS: Class = Class { mlp_bias: None, ..Class::like_llama(FAMILY) };

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let factor = |key| factor(FAMILY, json, key).map(|factor| factor.unwrap_or(1.0));
    let number = |key, default| count(FAMILY, json, key).map(|found| (key, found.unwrap_or(default)));
    let granite = CLASS.decoder(json)?.with_score_scale(factor("attention_multiplier")? as f32);
    let blocks = granite.sizes.num_hidden_layers;
    let (experts, chosen) =
        choice(FAMILY, number("num_local_experts", 8)?, number("num_experts_per_tok", 2)?, blocks)?;
    let mixture = Mixture {
        module: "block_sparse_moe",
        router: Router { normalised: true, ..Router::softmax("router.layer", experts, chosen) },
        experts: "block_sparse_moe",
        layout: ExpertLayout::Stacked,
        layers: MlpLayers::GatedFused(["input_linear", "output_linear"]),
        width: granite.sizes.intermediate_size,
        shared: None,
    };
    Ok(Box::new(Decoder {
        embedding_scale: Some(factor("embedding_multiplier")? as f32),
        write_scale: Some(factor("residual_multiplier")? as f32),
        logit_scale: Some((1.0 / factor("logits_scaling")?) as f32),
        ..granite.with_mixture(mixture, &vec![true; blocks])
    }))
}
