//! Configs with queries that grow with the position: their keys among the rotary parameters.

use serde_json::{Map, Value as Json};

use super::{ArchError, choices::Temperature, class::factor, rope::nested_key};

/// The config without the keys that no rotary scaling has, and the temperature that they describe. A config without rotary
/// parameters has the class's.
///
/// # Errors
/// Rotary parameters without `llama_4_scaling_beta`, or no original context: neither among nor beside them, and no context.
pub(super) fn taken(
    family: &'static str,
    json: &Map<String, Json>,
    default: impl FnOnce() -> Json,
) -> Result<(Map<String, Json>, Temperature), ArchError> {
    let (beta, original) = ("llama_4_scaling_beta", "original_max_position_embeddings");
    let mut json = json.clone();
    let nested = nested_key(&json).unwrap_or_else(|| {
        json.insert("rope_parameters".to_string(), default());
        "rope_parameters"
    });
    // The reference takes what stands beside the rotary parameters before what is among them, and else the whole context.
    let beside = factor(family, &json, original)?;
    let context = factor(family, &json, "max_position_embeddings")?;
    let keys = json.get_mut(nested).and_then(Json::as_object_mut).ok_or_else(|| {
        let reason = format!("`{nested}`: expected an object");
        ArchError::Config { family, reason }
    })?;
    let missing = |key: &str| {
        let reason = format!("`{nested}` without `{key}`, by which queries grow with their position");
        ArchError::Config { family, reason }
    };
    let among = factor(family, keys, original)?;
    let beta = factor(family, keys, beta)?.ok_or_else(|| missing(beta))?;
    let original = beside.or(among).or(context).ok_or_else(|| missing(original))?;
    keys.retain(|key, _| !["llama_4_scaling_beta", "max_position_embeddings"].contains(&key.as_str()));
    Ok((json, Temperature { beta: beta as f32, original: original as f32, first: 0, everywhere: true }))
}
