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
    deepseek_v2
    deepseek_v3
    dots1
    ernie4_5
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
    gpt2
    gpt_bigcode
    gpt_neo
    gpt_neox
    gptj
    granite
    granitemoe
    granitemoeshared
    helium
    hunyuan
    internlm2
    internlm3
    iquestcoder
    jais2
    llama
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
pub(super) mod tests {
    use super::*;

    #[test]
    fn families_are_sorted_and_named_once() {
        assert!(FAMILIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_config_without_context_has_its_family_s() {
        let mut config = small("llama", r#"{"max_sequence_length": 512}"#);
        config.remove("max_position_embeddings");
        assert_eq!(family(&config).unwrap().facts().context, Some(2_048));
        config.insert("max_position_embeddings".to_string(), Json::Null);
        assert_eq!(family(&config).unwrap().facts().context, Some(2_048));
    }

    #[test]
    fn an_unknown_family_is_refused_with_one_spelled_alike() {
        let refused = |name: &str| {
            let config = serde_json::from_str(&format!(r#"{{"model_type": "{name}"}}"#)).unwrap();
            family(&config).unwrap_err().to_string()
        };
        let of = |name: &str, alike: &str| {
            let which = "`streamgauge families` lists those that are";
            assert_eq!(
                refused(name),
                format!("config.json: model_type {name:?} is not known{alike}; {which}")
            );
        };
        of("qwen3_mo", r#", "qwen3_moe" is"#);
        of("T5", "");
        for (name, reason) in [
            ("rwkv", "a recurrence over tokens"),
            ("gemma3n", "several residual streams"),
            ("gemma4", "not their own"),
        ] {
            let message = refused(name);
            assert!(message.contains(reason) && message.contains("`streamgauge families`"), "{message}");
        }
        let names: Vec<&str> = NOT_COMPUTED.iter().flat_map(|(_, names)| *names).copied().collect();
        assert!(names.iter().all(|name| families().all(|known| known != *name)));
    }

    /// A config that most families can read, changed.
    pub(in crate::arch) fn small(family: &str, changes: &str) -> Map<String, Json> {
        let mut config: Map<String, Json> = serde_json::from_str(
            r#"{"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
                "intermediate_size": 8, "vocab_size": 8, "max_position_embeddings": 8, "head_dim": 4}"#,
        )
        .unwrap();
        config.insert("model_type".to_string(), family.into());
        config.extend(serde_json::from_str::<Map<String, Json>>(changes).unwrap());
        config
    }

    #[test]
    fn what_no_family_computes_is_refused_for_all() {
        assert!(family(&small("llama", r#"{"quantization_config": null, "is_causal": true}"#)).is_ok());
        for (change, named) in [
            (r#"{"quantization_config": {"quant_method": "quip"}}"#, "quip; auto-round, awq, bitsandbytes"),
            (r#"{"is_causal": false}"#, "`is_causal` is false"),
            (r#"{"is_causal": null}"#, "`is_causal` is null"),
            (r#"{"per_layer_config": {"0": {}}}"#, "`per_layer_config`"),
        ] {
            let message = family(&small("llama", change)).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn what_one_family_does_not_compute_is_refused_by_its_key() {
        for (name, changes, named) in [
            ("mistral", r#"{"layer_types": ["full_attention", "sliding_attention"]}"#, "`layer_types`"),
            ("mistral", r#"{"sliding_window": 0}"#, "`sliding_window` = 0"),
            ("mistral", r#"{"partial_rotary_factor": 0.5}"#, "turns whole heads"),
            ("gemma", r#"{"use_bidirectional_attention": true}"#, "`use_bidirectional_attention` is true"),
            ("gemma", r#"{"hidden_act": "gelu", "hidden_activation": "relu"}"#, "`hidden_activation`"),
            ("qwen2", r#"{"layer_types": ["full_attention", "sliding_attention"]}"#, "no `sliding_window`"),
            ("qwen2", r#"{"use_mrope": true}"#, "`use_mrope` is true"),
            ("phi3", r#"{"rope_scaling": {"type": "linear", "factor": 2.0}}"#, "`rope_type` is \"linear\""),
            ("starcoder2", r#"{"norm_type": "rms_norm"}"#, "`norm_type` is \"rms_norm\""),
            ("cohere", r#"{"logit_scale": 0.0}"#, "`logit_scale` = 0"),
            ("gpt_neox", r#"{"head_dim": 8}"#, "`head_dim` = 8"),
            ("stablelm", r#"{"head_dim": 2}"#, "`head_dim` = 2"),
            ("granite", r#"{"residual_multiplier": 0.0}"#, "`residual_multiplier` = 0"),
            ("olmo", r#"{"clip_qkv": "much"}"#, "`clip_qkv` = \"much\""),
            ("olmo3", r#"{"rope_theta": 10000.0}"#, "`rope_theta` is 10000"),
            ("olmo3", r#"{"rope_parameters": {"rope_type": "default"}}"#, "only full_attention"),
            ("hunyuan_v1_dense", r#"{"use_cla": true}"#, "`use_cla` is true"),
            ("hunyuan_v1_dense", r#"{"rope_scaling": {"type": "dynamic", "alpha": -1}}"#, "`alpha` = -1"),
            ("smollm3", r#"{"no_rope_layers": [1]}"#, "`no_rope_layers` has 1 numbers"),
            ("cohere2", r#"{"use_qk_norm": true}"#, "`use_qk_norm` is true"),
            ("cohere2", r#"{"sliding_window_pattern": 0}"#, "`sliding_window_pattern` = 0"),
            ("exaone4", r#"{"sliding_window_pattern": "LLLG"}"#, "`sliding_window_pattern` = \"LLLG\""),
            ("ernie4_5", r#"{"compression_ratio": 2.0}"#, "`compression_ratio` is 2"),
            (
                "ministral3",
                r#"{"rope_parameters": {"rope_type": "default"}}"#,
                "without `llama_4_scaling_beta`",
            ),
            ("gpt_bigcode", r#"{"add_cross_attention": true}"#, "`add_cross_attention` is true"),
            (
                "codegen",
                r#"{"rotary_dim": 3, "num_attention_heads": 4, "num_key_value_heads": 4}"#,
                "3 of 4 components",
            ),
            ("mpt", r#"{"attn_config": {"alibi": false}}"#, "`alibi` is false"),
            ("mpt", r#"{"attn_config": {"alibi_bias_max": 16}}"#, "`alibi_bias_max` is 16"),
            ("mpt", r#"{"no_bias": false}"#, "`no_bias` is false"),
            ("persimmon", r#"{"num_key_value_heads": 1}"#, "`num_key_value_heads` is 1"),
            ("qwen", r#"{"rotary_pct": 0.5}"#, "`rotary_pct` is 0.5"),
            ("qwen", r#"{"intermediate_size": 7}"#, "`intermediate_size` = 7"),
            ("minicpm", r#"{"sparse_config": {"dense_len": 8192}}"#, "`sparse_config`"),
            ("minicpm", r#"{"num_experts": 8}"#, "`num_experts` is 8"),
            ("baichuan", r#"{"num_key_value_heads": 1}"#, "`num_key_value_heads` is 1"),
            ("gemma3", "{}", "`text_config`: expected the config of the text stack, found none"),
            ("llava", r#"{"text_config": {"model_type": "gpt7"}}"#, "\"gpt7\" is not known"),
            ("mistral3", r#"{"text_config": {"sliding_window": 0}}"#, "`sliding_window` = 0"),
            ("iquestcoder", r#"{"clip_qkv": 6.0}"#, "`clip_qkv` is 6"),
            ("olmoe", r#"{"num_experts": 4, "num_experts_per_tok": 5}"#, "at most `num_experts` = 4"),
            ("olmoe", r#"{"num_experts": 100000}"#, "expected at most 131072 experts in all"),
            ("olmoe", r#"{"clip_qkv": 8.0}"#, "`clip_qkv` is 8"),
            ("mixtral", r#"{"num_local_experts": 4, "num_experts": 5}"#, "two names of one size"),
            ("mixtral", r#"{"num_local_experts": 0}"#, "`num_local_experts` = 0"),
            ("qwen2_moe", r#"{"decoder_sparse_step": 0}"#, "`decoder_sparse_step` = 0"),
            ("youtu", r#"{"num_key_value_heads": 1}"#, "`num_key_value_heads` = 1"),
            ("youtu", r#"{"qk_rope_head_dim": 3}"#, "on 3 of 3 components"),
            ("youtu", r#"{"kv_lora_rank": 0}"#, "`kv_lora_rank` = 0"),
            (
                "youtu",
                r#"{"rope_scaling": {"type": "yarn", "mscale_all_dim": 1.0}}"#,
                "`mscale_all_dim` without a `factor`",
            ),
            ("qwen3_moe", r#"{"mlp_only_layers": [2]}"#, "`mlp_only_layers` has 2"),
            ("deepseek_v2", r#"{"topk_method": "noaux_tc"}"#, "`topk_method` is \"noaux_tc\""),
            ("deepseek_v2", r#"{"norm_topk_prob": true}"#, "`norm_topk_prob` is true"),
            ("deepseek_v2", r#"{"mlp_bias": true}"#, "`mlp_bias` is true"),
            (
                "mistral4",
                r#"{"rope_parameters": {"llama_4_scaling_beta": 0.1, "original_max_position_embeddings": 8,
                    "partial_rotary_factor": 1.0}}"#,
                "`partial_rotary_factor` = 1.0; expected `qk_rope_head_dim` = 64 of the 128",
            ),
            (
                "mistral4",
                r#"{"rope_parameters": {"rope_type": "default"}}"#,
                "without `llama_4_scaling_beta`",
            ),
            ("deepseek_v3", r#"{"topk_method": "greedy"}"#, "`topk_method` is \"greedy\""),
            ("deepseek_v3", r#"{"scoring_func": "softmax"}"#, "`scoring_func` is \"softmax\""),
            ("glm4_moe_lite", r#"{"first_k_dense_replace": 2}"#, "`first_k_dense_replace` is 2"),
            ("glm4_moe_lite", r#"{"mlp_layer_types": ["dense"]}"#, "`mlp_layer_types` has 1 names"),
            ("glm4_moe_lite", r#"{"mlp_layer_types": ["dense", "full"]}"#, "`mlp_layer_types` has \"full\""),
        ] {
            let message = family(&small(name, changes)).unwrap_err().to_string();
            assert!(message.contains(named), "{name}: {message}");
        }
    }

    #[test]
    fn an_absent_number_of_key_value_heads_is_the_default_and_null_one_for_every_query_head() {
        let mut four = small("starcoder2", r#"{"num_attention_heads": 4}"#);
        four.remove("num_key_value_heads");
        assert_eq!(family(&four).unwrap().facts().kv_heads, Some(2)); // as the reference's class
        four.insert("num_key_value_heads".to_string(), Json::Null);
        assert_eq!(family(&four).unwrap().facts().kv_heads, Some(4));
    }
}
