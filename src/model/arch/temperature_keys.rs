//! Configs with queries that grow with the position: their keys among the rotary parameters.

use serde_json::{Map, Value as Json};

use super::{ArchError, choices::Temperature, class::factor};

/// The config without the keys that no rotary scaling has, and the temperature that they describe. A config without rotary
/// parameters has the class's.
///
/// # Errors
/// Rotary parameters without `llama_4_scaling_beta` or `original_max_position_embeddings`.
pub(super) fn taken(
    family: &'static str,
    json: &Map<String, Json>,
    default: impl FnOnce() -> Json,
) -> Result<(Map<String, Json>, Temperature), ArchError> {
    let mut json = json.clone();
    let nested = ["rope_scaling", "rope_parameters"].into_iter().find(|key| json.contains_key(*key));
    let nested = nested.unwrap_or("rope_parameters");
    let keys = json.entry(nested).or_insert_with(default);
    let keys = keys.as_object_mut().ok_or_else(|| {
        let reason = format!("`{nested}`: expected an object");
        ArchError::Config { family, reason }
    })?;
    let (beta, original) = ("llama_4_scaling_beta", "original_max_position_embeddings");
    let found = (factor(family, keys, beta)?, factor(family, keys, original)?);
    let (Some(beta), Some(original)) = found else {
        let reason =
            format!("`{nested}` without `{beta}` or `{original}`; expected both, which the reference needs");
        return Err(ArchError::Config { family, reason });
    };
    keys.retain(|key, _| !["llama_4_scaling_beta", "max_position_embeddings"].contains(&key.as_str()));
    Ok((json, Temperature { beta: beta as f32, original: original as f32, first: 0, everywhere: true }))
}
