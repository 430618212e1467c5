//! Which token is the BOS, and which stand for it.

use serde_json::{Map, Value};

use super::applied::Watched;

/// The BOS id, or why there is none.
pub(super) fn named(
    tokenizer: &Watched,
    settings: &Map<String, Value>,
    config: &Map<String, Value>,
) -> Result<u32, String> {
    let token = match settings.get("bos_token") {
        Some(Value::Object(token)) => token.get("content").and_then(Value::as_str),
        Some(token) => token.as_str(),
        None => None,
    };
    if let Some(token) = token {
        return tokenizer.token_to_id(token).ok_or_else(|| {
            format!(
                "the bos_token {token:?} of tokenizer_config.json is not in the vocabulary of tokenizer.json"
            )
        });
    }
    of_config(config)
}

/// The BOS id of `config.json`, or why there is none.
pub(super) fn of_config(config: &Map<String, Value>) -> Result<u32, String> {
    let id = config.get("bos_token_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    id.ok_or_else(|| {
        "neither bos_token in tokenizer_config.json nor bos_token_id in config.json names one".to_string()
    })
}

/// The other ids that the post-processor's template gives the BOS token: those of another vocabulary.
pub(super) fn stale(tokenizer: &Watched, bos: u32, token: &str) -> Vec<u32> {
    let Some(Ok(rules)) = tokenizer.get_post_processor().map(serde_json::to_value) else { return Vec::new() };
    let sequence = rules.get("processors").and_then(Value::as_array);
    let templates = sequence.map_or(std::slice::from_ref(&rules), Vec::as_slice).iter();
    let ids = templates.filter_map(|rule| rule.get("special_tokens")?.get(token)?.get("ids")?.as_array());
    let ids = ids.flatten().filter_map(|id| u32::try_from(id.as_u64()?).ok());
    ids.filter(|id| *id != bos).collect()
}
