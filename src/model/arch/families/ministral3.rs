//! Ministral 3 (`transformers/models/ministral3/modeling_ministral3.py`): Mistral with queries that grow beyond the original
//! context.

use serde_json::{Map, Value as Json, json};

use crate::arch::{ArchError, Architecture, choices::Decoder, class::Class, temperature_keys};

pub(super) const FAMILY: &str = "ministral3";
const CLASS: Class = Class {
    context: 262_144,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    head_width: Some(128),
    kv_heads: Some(8),
    attention_bias: None,
    mlp_bias: None,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let (json, temperature) = temperature_keys::taken(FAMILY, json, || {
        json!({"rope_type": "yarn", "rope_theta": 1_000_000.0, "factor": 16.0, "original_max_position_embeddings": 16_384,
            "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1})
    })?;
    let llama = CLASS.decoder(&json)?;
    let windows = CLASS.windows(&json, &llama, |_| true)?;
    Ok(Box::new(Decoder { temperature: Some(temperature), ..llama.with_window(windows[0]) }))
}
