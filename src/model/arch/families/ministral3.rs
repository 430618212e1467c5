//! Ministral 3 (`transformers/models/ministral3/modeling_ministral3.py`): Mistral with queries that grow beyond the original
//! context.

use serde_json::{Map, Value as Json, json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, Temperature},
    class::{Class, factor},
};

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
    let mut json = json.clone();
    let nested = ["rope_scaling", "rope_parameters"].into_iter().find(|key| json.contains_key(*key));
    let nested = nested.unwrap_or("rope_parameters");
    let keys = json.entry(nested).or_insert_with(|| {
        json!({"rope_type": "yarn", "rope_theta": 1_000_000.0, "factor": 16.0, "original_max_position_embeddings": 16_384,
            "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1})
    });
    let keys = keys.as_object_mut().ok_or_else(|| {
        let reason = format!("`{nested}`: expected an object");
        ArchError::Config { family: FAMILY, reason }
    })?;
    let (beta, original) = ("llama_4_scaling_beta", "original_max_position_embeddings");
    let found = (factor(FAMILY, keys, beta)?, factor(FAMILY, keys, original)?);
    let (Some(beta), Some(original)) = found else {
        let reason =
            format!("`{nested}` without `{beta}` or `{original}`; expected both, which the reference needs");
        return Err(ArchError::Config { family: FAMILY, reason });
    };
    keys.retain(|key, _| !["llama_4_scaling_beta", "max_position_embeddings"].contains(&key.as_str()));
    let llama = CLASS.decoder(&json)?;
    let windows = CLASS.windows(&json, &llama, |_| true)?;
    let temperature = Some(Temperature { beta: beta as f32, original: original as f32 });
    Ok(Box::new(Decoder { temperature, ..llama.with_window(windows[0]) }))
}
