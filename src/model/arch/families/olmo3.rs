//! OLMo 3 (`transformers/models/olmo3/modeling_olmo3.py`): OLMo 2 with a window in three blocks of four, which turn without
//! the scaling of the others.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, Layer, Norms, QkNorm, QkWeights},
    class::Class,
    config::{only, typed},
    rope::{RopeDefaults, RopeKeys},
};

pub(super) const FAMILY: &str = "olmo3";
const THETA: f64 = 500_000.0;
const CLASS: Class = Class {
    epsilon: (Some("rms_norm_eps"), 1e-5),
    mlp_bias: None,
    theta: THETA,
    window: Some(4096),
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    rope: RopeKeys,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    // Beside the nested parameters releases of the reference disagree whether it is the base of all blocks.
    only(json, &[("rope_theta", (THETA as u64).into())])?;
    let c: Config = typed(FAMILY, json)?;
    let mut plain = json.clone();
    plain.retain(|key, _| !["rope_parameters", "rope_scaling"].contains(&key.as_str()));
    let llama = CLASS.decoder(&plain)?;
    let windows = CLASS.windows(json, &llama, |layer| !(layer + 1).is_multiple_of(4))?;
    let heads = llama.layers.get(0).heads;
    let defaults =
        RopeDefaults { theta: THETA, ..RopeDefaults::like_llama(heads, llama.sizes.max_position_embeddings) };
    let [full, local] = c.rope.by_layer_type(FAMILY, None)?;
    let ropes = vec![full.resolve(FAMILY, defaults)?, local.resolve(FAMILY, defaults)?.named("rotary.local")];
    let rope = |layer: usize| Some(usize::from(windows[layer].is_some()));
    let olmo3 = Decoder {
        norms: Norms::after("post_attention_layernorm", "post_feedforward_layernorm"),
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Whole)),
        ropes,
        ..llama.with_windows(&windows)
    };
    Ok(Box::new(olmo3.with_layers(|index, layer| Layer { rope: rope(index), ..layer })))
}
