//! Configs of every family: what they mean, and what is refused by key.

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
        assert_eq!(refused(name), format!("config.json: model_type {name:?} is not known{alike}; {which}"));
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
        ("ministral3", r#"{"rope_parameters": {"rope_type": "default"}}"#, "without `llama_4_scaling_beta`"),
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
        ("hunyuan_v1_moe", r#"{"moe_topk": [1, 2]}"#, "the same number for every block"),
        ("phimoe", r#"{"num_experts_per_tok": 1}"#, "`num_experts_per_tok` is 1"),
        ("phimoe", r#"{"rope_scaling": {"type": "longrope"}}"#, "expected both, and equal"),
        ("phimoe", r#"{"rope_scaling": {"type": "yarn"}}"#, "`rope_type` is \"yarn\""),
        ("gpt_oss", r#"{"hidden_act": "gelu"}"#, "`hidden_act` is \"gelu\""),
        ("afmoe", r#"{"n_group": 2}"#, "`n_group` is 2"),
        (
            "dbrx",
            r#"{"rope_theta": 10000, "attn_config": {"rope_theta": 500000}}"#,
            "`rope_theta` = 10000 and 500000 in `attn_config`",
        ),
        ("dbrx", r#"{"ffn_config": {"moe_normalize_expert_weights": 2}}"#, "is 2"),
        ("llama4_text", r#"{"num_experts_per_tok": 2}"#, "`num_experts_per_tok` is 2"),
        ("llama4_text", r#"{"layer_types": ["full_attention"]}"#, "`layer_types` has 1 entries"),
        ("llama4_text", r#"{"no_rope_layers": [2, 0]}"#, "`no_rope_layers` has 2 numbers"),
        ("deepseek_v2", r#"{"topk_method": "noaux_tc"}"#, "`topk_method` is \"noaux_tc\""),
        ("deepseek_v2", r#"{"norm_topk_prob": true}"#, "`norm_topk_prob` is true"),
        ("deepseek_v2", r#"{"mlp_bias": true}"#, "`mlp_bias` is true"),
        (
            "mistral4",
            r#"{"rope_parameters": {"llama_4_scaling_beta": 0.1, "original_max_position_embeddings": 8,
                "partial_rotary_factor": 1.0}}"#,
            "`partial_rotary_factor` = 1.0; expected `qk_rope_head_dim` = 64 of the 128",
        ),
        ("mistral4", r#"{"rope_parameters": {"rope_type": "default"}}"#, "without `llama_4_scaling_beta`"),
        ("deepseek_v3", r#"{"topk_method": "greedy"}"#, "`topk_method` is \"greedy\""),
        ("deepseek_v3", r#"{"scoring_func": "softmax"}"#, "`scoring_func` is \"softmax\""),
        ("deepseek_v32", r#"{"rope_interleave": false}"#, "`rope_interleave` is false"),
        ("glm_moe_dsa", r#"{"index_topk": 0}"#, "`index_topk` = 0"),
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

#[test]
fn keys_that_a_family_with_experts_does_not_follow_are_refused_and_those_that_decide_nothing_are_not() {
    let said =
        |name: &str, changes: &str| family(&small(name, changes)).map(|_| ()).map_err(|e| e.to_string());
    for (name, changes, named) in [
        ("llama4_text", r#"{"attention_chunk_size": null}"#, "attention_chunk_size"),
        ("hunyuan_v1_moe", r#"{"num_experts": 2, "group_limited_greedy": true}"#, "group_limited_greedy"),
        ("mistral4", r#"{"moe_layer_freq": 2}"#, "moe_layer_freq"),
        ("glm4_moe_lite", r#"{"moe_layer_freq": 2}"#, "moe_layer_freq"),
        (
            "phimoe",
            r#"{"router_jitter_noise": -1}"#,
            "`router_jitter_noise` = -1; expected a number of at least 0",
        ),
        (
            "glm4_moe",
            r#"{"mlp_layer_types": ["sparse", "dense"]}"#,
            "`mlp_layer_types` calls other blocks dense",
        ),
        (
            "mistral4",
            r#"{"rope_parameters": {"type": "yarn", "factor": 2}}"#,
            "without `llama_4_scaling_beta`",
        ),
    ] {
        let message = said(name, changes).unwrap_err();
        assert!(message.contains(named), "{name}: {message}");
    }
    // Without experts nothing is routed.
    let dense = r#"{"moe_layers": [], "num_experts_per_tok": 0, "num_local_experts": 0, "interleave_moe_layer_step": 0}"#;
    assert_eq!(said("llama4_text", dense), Ok(()));
}

#[test]
fn an_empty_object_of_rotary_parameters_says_nothing() {
    let scaled = |changes: &str| family(&small("gpt_oss", changes)).unwrap().facts().rope_scaling;
    assert_eq!(scaled(r#"{"rope_scaling": {}}"#), scaled("{}"));
    assert_eq!(scaled("{}").as_deref(), Some("yarn"));
}
