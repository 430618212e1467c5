//! Configs with queries that grow with the position: their keys among the rotary parameters.

use serde_json::{Map, Value as Json};

use super::{ArchError, choices::Temperature, class::factor};

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
    let is_empty =
        |json: &Map<String, Json>, key| json.get(key).and_then(Json::as_object).is_some_and(Map::is_empty);
    let names = ["rope_scaling", "rope_parameters"];
    // An empty object says nothing.
    names.into_iter().filter(|key| is_empty(&json, *key)).collect::<Vec<_>>().iter().for_each(|key| {
        json.remove(*key);
    });
    let nested = names.into_iter().find(|key| json.contains_key(*key)).unwrap_or("rope_parameters");
    // The reference takes what stands beside the rotary parameters before what is among them, and else the whole context.
    let beside = factor(family, &json, original)?;
    let context = factor(family, &json, "max_position_embeddings")?;
    let keys = json.entry(nested).or_insert_with(default);
    let keys = keys.as_object_mut().ok_or_else(|| {
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
