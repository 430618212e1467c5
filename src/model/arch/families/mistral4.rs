//! Mistral 4 (`transformers/models/mistral4/modeling_mistral4.py`): DeepSeek's latent attention with queries that grow beyond the
//! original context, and experts by their probabilities, all in two tensors, beside shared ones.

use serde_json::{Map, Value as Json, json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, MlpLayers},
        class::{Class, count_or},
        config::only,
        deepseek::{Scoring, Sparse},
        latent_keys::{self, LatentDefaults},
        mixture::Mixture,
        temperature_keys,
    },
    nn::ExpertLayout,
};

pub(super) const FAMILY: &str = "mistral4";
const CLASS: Class =
    Class { context: 1_048_576, kv_heads: Some(32), mlp_bias: None, ..Class::like_llama(FAMILY) };
const LATENT: LatentDefaults =
    LatentDefaults { queries: Some(1024), rank: 256, still: 64, ..LatentDefaults::DEEPSEEK };
const EXPERTS: Sparse = Sparse {
    experts: Some(128),
    chosen: Some(4),
    dense: 0,
    scale: 1.0,
    groups: (1, 1),
    scoring: Scoring::Softmax(2),
    further: 0,
    ..Sparse::V3
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let (mut json, temperature) = temperature_keys::taken(FAMILY, json, || {
        json!({"type": "yarn", "rope_theta": 10_000.0, "factor": 128.0, "original_max_position_embeddings": 8192,
            "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1})
    })?;
    only(&json, &[("scoring_func", "softmax".into()), ("moe_layer_freq", 1.into())])?;
    without_share(&mut json)?;
    let class = Class { pairs: latent_keys::pairs(&json), ..CLASS };
    let decoder = latent_keys::decoder(class, &json, LATENT)?;
    let decoder = EXPERTS.experts(&json, decoder)?;
    let stacked = |mixture| Mixture {
        layout: ExpertLayout::Stacked,
        layers: MlpLayers::GatedTensors(["gate_up_proj", "down_proj"]),
        ..mixture
    };
    Ok(Box::new(Decoder { mixture: decoder.mixture.map(stacked), temperature: Some(temperature), ..decoder }))
}

/// Takes away the share of a head that turns, which must be that of `qk_rope_head_dim`.
fn without_share(json: &mut Map<String, Json>) -> Result<(), ArchError> {
    let size = |key, default| count_or(FAMILY, json, key, default).map(|(_, size)| size);
    let (still, turning) =
        (size("qk_nope_head_dim", LATENT.still)?, size("qk_rope_head_dim", LATENT.turning)?);
    for nested in ["rope_scaling", "rope_parameters"] {
        let Some(keys) = json.get_mut(nested).and_then(Json::as_object_mut) else { continue };
        let Some(share) = keys.remove("partial_rotary_factor") else { continue };
        let of_head = share.as_f64().map(|share| (share * (still + turning) as f64) as usize); // rounds down
        if of_head != Some(turning) {
            let reason = format!(
                "`partial_rotary_factor` = {share}; expected `qk_rope_head_dim` = {turning} of the {} components of a head",
                still + turning
            );
            return Err(ArchError::Config { family: FAMILY, reason });
        }
    }
    Ok(())
}
