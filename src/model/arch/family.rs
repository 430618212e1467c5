//! The families that are known, and the reader of a config's family.

use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, apertus, bloom, cohere, config, falcon, gemma, gemma2, gemma3, gpt_neo,
    gpt_neox, gpt2, gptj, llama, mistral, olmo2, opt, phi, phi3, qwen2, qwen3, stablelm, starcoder2,
};

type Read = fn(&Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError>;

/// `model_type` of the config and the family's reader, sorted.
pub(super) const FAMILIES: &[(&str, Read)] = &[
    ("apertus", apertus::read),
    ("bloom", bloom::read),
    ("cohere", cohere::read),
    ("falcon", falcon::read),
    ("gemma", gemma::read),
    ("gemma2", gemma2::read),
    ("gemma3_text", gemma3::read),
    ("gpt2", gpt2::read),
    ("gpt_neo", gpt_neo::read),
    ("gpt_neox", gpt_neox::read),
    ("gptj", gptj::read),
    ("llama", llama::read),
    ("mistral", mistral::read),
    ("olmo2", olmo2::read),
    ("opt", opt::read),
    ("phi", phi::read),
    ("phi3", phi3::read),
    ("qwen2", qwen2::read),
    ("qwen3", qwen3::read),
    ("stablelm", stablelm::read),
    ("starcoder2", starcoder2::read),
];

/// The reader of a config's family.
pub(super) fn family(config: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let found = config
        .get("model_type")
        .and_then(Json::as_str)
        .ok_or_else(|| ArchError::NoModelType { known: known() })?;
    let (_, read) = FAMILIES
        .iter()
        .find(|(name, _)| *name == found)
        .ok_or_else(|| ArchError::UnknownFamily { found: found.to_string(), known: known() })?;
    if let Some(found) = config.get("quantization_config").filter(|found| !found.is_null()) {
        return Err(ArchError::Quantised { found: found.to_string() });
    }
    if config.get("is_causal") == Some(&Json::Null) {
        // Not absence, which is causal: the reference reads null as no.
        let (key, found, computed) = ("is_causal".to_string(), "null".to_string(), "true".to_string());
        return Err(ArchError::Refused { key, found, computed });
    }
    config::only(config, &[("is_causal", true.into()), ("per_layer_config", Json::Null)])?;
    read(config)
}

/// Every `model_type` that runs, sorted.
pub fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|(name, _)| *name)
}

fn known() -> String {
    families().collect::<Vec<_>>().join(", ")
}
