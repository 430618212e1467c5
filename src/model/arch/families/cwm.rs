//! Code World Model (`transformers/models/cwm/modeling_cwm.py`): LLaMA with a window in three blocks of four and LLaMA 3's
//! scaling of rotary positions.

use serde_json::{Map, Value as Json, json};

use crate::arch::{ArchError, Architecture, class::Class};

pub(super) const FAMILY: &str = "cwm";
const CLASS: Class = Class {
    context: 131_072,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    head_width: Some(128),
    kv_heads: Some(8),
    attention_bias: None,
    theta: 1_000_000.0,
    window: Some(8192),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = json.clone();
    if !["rope_scaling", "rope_parameters"].iter().any(|key| json.contains_key(*key)) {
        let scaling = json!({"rope_type": "llama3", "rope_theta": 1_000_000.0, "factor": 16.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 8192});
        json.insert("rope_parameters".to_string(), scaling);
    }
    let llama = CLASS.decoder(&json)?;
    let windows = CLASS.windows(&json, &llama, |layer| !layer.is_multiple_of(4))?;
    Ok(Box::new(llama.with_windows(&windows)))
}
