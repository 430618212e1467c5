"""Families whose code lies on the hub: `scripts/reference/remote.py` is their reference."""

from .flags import case, small, without


def internlm2(**more):
    return small("internlm2", "InternLM2ForCausalLM", bias=False, rope_scaling=None, tie_word_embeddings=False) | more


def exaone(**more):
    config = without(small("exaone", "ExaoneForCausalLM"), "hidden_act", "num_hidden_layers", "rms_norm_eps")
    return config | {"activation_function": "silu", "layer_norm_epsilon": 1e-05, "num_layers": 2} | more


def baichuan(**more):
    config = without(small("baichuan", "BaichuanForCausalLM", rms_norm_eps=1e-06), "num_key_value_heads", "rope_theta")
    return config | {"model_max_length": 128, "tie_word_embeddings": False} | more


def qwen(**more):
    config = without(small("qwen", "QWenLMHeadModel"), "hidden_act", "num_key_value_heads", "rms_norm_eps", "rope_theta")
    return (
        config
        | {
            "intermediate_size": 74,
            "kv_channels": 6,
            "layer_norm_epsilon": 1e-06,
            "no_bias": True,
            "rotary_emb_base": 10000,
            "rotary_pct": 1.0,
            "scale_attn_weights": True,
            "seq_length": 64,
            "tie_word_embeddings": False,
            "use_dynamic_ntk": True,
            "use_logn_attn": True,
        }
        | more
    )


def minicpm(**more):
    config = without(small("minicpm", "MiniCPMForCausalLM"), "rope_theta")
    return config | {"dim_model_base": 8, "rope_scaling": None, "scale_depth": 1.4, "scale_emb": 3} | more


CASES = [
    case(
        "internlm2_by_group_bf16",
        "queries, keys and values of each group in one matrix, names of its own; rotary base of the 7B",
        internlm2(rope_theta=1000000.0),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "internlm2_biases_linear_f16",
        "biases in attention (the class's default), linear scaling, eps 1e-3",
        without(internlm2(rms_norm_eps=1e-3, rope_scaling={"factor": 4.0, "type": "linear"}), "bias"),
        acts=({"rms_norm_eps": 1e-6}, {"rope_scaling": None}),
    ),
    case(
        "exaone_bf16",
        "llama under gpt's names; head_dim 8 is not hidden/heads; keys of the 3.5",
        exaone(head_dim=8, tie_word_embeddings=False),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "exaone_tied_f16",
        "tied, multi-head, eps 1e-3",
        without(exaone(layer_norm_epsilon=1e-3, tie_word_embeddings=True), "num_key_value_heads"),
        acts=({"layer_norm_epsilon": 1e-6},),
    ),
    case(
        "baichuan_7b_rotary_bf16",
        "q, k and v in one matrix, rotary positions",
        baichuan(),
        acts=({"rms_norm_eps": 1e-1},),
    ),
    case(
        "baichuan_13b_alibi_f16",
        "six heads with ALiBi: no max_position_embeddings, as in the 13B",
        without(baichuan(num_attention_heads=6), "max_position_embeddings"),
    ),
    case(
        "qwen_7b_keys_bf16",
        "q, k and v in one matrix with a bias, half of intermediate_size in gate and up; keys of the 7B",
        qwen(),
        acts=({"rotary_emb_base": 100},),
    ),
    case(
        "qwen_wide_heads_f16",
        "kv_channels 8 times heads is not the width; eps 1e-3",
        qwen(kv_channels=8, layer_norm_epsilon=1e-3),
        acts=({"layer_norm_epsilon": 1e-6},),
    ),
    case(
        "minicpm_2b_keys_bf16",
        "factors on the embedding, on writes by depth and before the head by width; tied by default",
        minicpm(num_key_value_heads=4),
        acts=({"scale_emb": 1}, {"scale_depth": 1.0}, {"dim_model_base": 24}),
        scales={"embed_tokens": 0.8},
    ),
    case(
        "minicpm_grouped_untied_f16",
        "grouped queries, untied, another rotary base, eps 1e-3",
        minicpm(rms_norm_eps=1e-3, rope_theta=500.0, tie_word_embeddings=False),
        acts=({"rms_norm_eps": 1e-6}, {"rope_theta": 10000.0}),
    ),
]
