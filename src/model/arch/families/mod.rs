//! The families that are known, a file each, and the reader of a config's family.
//!
//! A new family is a file here with its `FAMILY` and `read`, its name in the list below, and random checkpoints for the
//! reference: cases in `scripts/reference/cases`, and in `scripts/reference/taps.py` the modules that are measured.

use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, config,
    wrapped::{self, WRAPPERS},
};
use crate::checkpoint::unknown_quantisation;
use base::nearest::nearest;

type Read = fn(&Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError>;

/// Declares the module of each family and lists its `FAMILY`, the `model_type` of its configs, beside its `read`.
macro_rules! families {
    ($($family:ident)*) => {
        $(mod $family;)*

        /// `model_type` of the config and the family's reader, sorted.
        pub(super) const FAMILIES: &[(&str, Read)] = &[$(($family::FAMILY, $family::read)),*];
    };
}

families! {
    afmoe
    apertus
    arcee
    baichuan
    biogpt
    bitnet
    bloom
    codegen
    cohere
    cohere2
    cwm
    dbrx
    deepseek_v2
    deepseek_v3
    deepseek_v32
    dots1
    ernie4_5
    ernie4_5_moe
    exaone
    exaone4
    falcon
    flex_olmo
    gemma
    gemma2
    gemma3
    glm
    glm4
    glm4_moe
    glm4_moe_lite
    glm_moe_dsa
    gpt2
    gpt_bigcode
    gpt_neo
    gpt_neox
    gpt_oss
    gptj
    granite
    granitemoe
    granitemoeshared
    helium
    hunyuan
    hunyuan_v1_moe
    internlm2
    internlm3
    iquestcoder
    jais2
    llama
    llama4
    minicpm
    minicpm3
    minimax_m2
    ministral
    ministral3
    mistral
    mistral4
    mixtral
    mpt
    nanochat
    nemotron
    olmo
    olmo2
    olmo3
    olmoe
    opt
    persimmon
    phi
    phi3
    phimoe
    qwen
    qwen2
    qwen2_moe
    qwen3
    qwen3_moe
    seed_oss
    smollm3
    stablelm
    starcoder2
    vaultgemma
    xglm
    youtu
}

/// The reader of a config's family.
pub(super) fn family(config: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let found = config.get("model_type").and_then(Json::as_str).ok_or(ArchError::NoModelType)?;
    let read = FAMILIES.iter().find(|(name, _)| *name == found).map(|(_, read)| read);
    let wrapper = WRAPPERS.iter().find(|wrapper| wrapper.family == found);
    if read.is_none() && wrapper.is_none() {
        return Err(not_computed(found));
    }
    if let Some(found) = unknown_quantisation(config) {
        return Err(ArchError::Quantised { found });
    }
    if config.get("is_causal") == Some(&Json::Null) {
        // Not absence, which is causal: the reference reads null as no.
        let (key, found, computed) = ("is_causal".to_string(), "null".to_string(), "true".to_string());
        return Err(ArchError::Refused { key, found, computed });
    }
    let mut config = config::as_meant(config);
    config::only(&config, &[("is_causal", true.into()), ("per_layer_config", Json::Null)])?;
    if let Some((_, context)) = CONTEXTS.iter().find(|(family, _)| *family == found) {
        config.entry("max_position_embeddings").or_insert_with(|| (*context).into());
    }
    match (read, wrapper) {
        (Some(read), _) => read(&config),
        (None, Some(wrapper)) => wrapped::read(wrapper, &config, family),
        (None, None) => Err(not_computed(found)),
    }
}

/// The error of a family that is none of ours, with the reason where that is more than that nobody has written it.
fn not_computed(found: &str) -> ArchError {
    let because = |(reason, names): &(&'static str, &[&str])| names.contains(&found).then_some(*reason);
    match NOT_COMPUTED.iter().find_map(because) {
        Some(reason) => ArchError::NotComputed { found: found.to_string(), reason },
        None => ArchError::UnknownFamily { found: found.to_string(), alike: nearest(found, families()) },
    }
}

/// Families that are not computed, and why.
const NOT_COMPUTED: &[(&str, &[&str])] = &[
    (
        "its blocks hold a recurrence over tokens (state space, linear attention or delta rule)",
        &[
            "bamba",
            "falcon_h1",
            "falcon_mamba",
            "granitemoehybrid",
            "jamba",
            "kimi_linear",
            "mamba",
            "mamba2",
            "minimax",
            "nemotron_h",
            "olmo_hybrid",
            "qwen3_5",
            "qwen3_5_moe",
            "qwen3_next",
            "recurrent_gemma",
            "rwkv",
            "rwkv7",
            "xlstm",
            "zamba",
            "zamba2",
        ],
    ),
    (
        "a token has several residual streams, and which of them is the stream has to be defined first",
        &["deepseek_v4", "gemma3n", "gemma3n_text", "qwen4_exp"],
    ),
    (
        "its blocks read keys, values and embeddings that are not their own",
        &["gemma4", "gemma4_text", "gemma4_unified"],
    ),
    ("one stack of blocks runs many times, so that a block has no one depth", &["hrm_text", "ouro", "raven"]),
    ("attention is the difference of two softmaxes", &["diffllama"]),
    ("its numbers of heads and widths of MLPs differ from block to block", &["deci", "openelm"]),
];

/// `max_position_embeddings` where the config has none, as the reference's classes have it (transformers 5.23). The other
/// families have another name for it, and their own default.
const CONTEXTS: &[(&str, u64)] = &[
    ("apertus", 65_536),
    ("cohere", 8_192),
    ("falcon", 2_048),
    ("gemma", 8_192),
    ("gemma2", 8_192),
    ("gemma3_text", 131_072),
    ("gpt_neo", 2_048),
    ("gpt_neox", 2_048),
    ("llama", 2_048),
    ("mistral", 131_072),
    ("mixtral", 131_072),
    ("olmo2", 2_048),
    ("olmoe", 4_096),
    ("opt", 2_048),
    ("phi", 2_048),
    ("phi3", 4_096),
    ("qwen2", 32_768),
    ("qwen2_moe", 32_768),
    ("qwen3", 32_768),
    ("qwen3_moe", 32_768),
    ("stablelm", 4_096),
    ("starcoder2", 4_096),
    ("vaultgemma", 8_192),
];

/// Every `model_type` that runs, sorted.
pub fn families() -> impl Iterator<Item = &'static str> {
    let wrappers = WRAPPERS.iter().map(|wrapper| wrapper.family);
    let mut all: Vec<&str> = FAMILIES.iter().map(|(name, _)| *name).chain(wrappers).collect();
    all.sort_unstable();
    all.into_iter()
}

#[cfg(test)]
pub(super) mod tests;
