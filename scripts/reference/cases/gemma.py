"""Gemma, Gemma 2 and Gemma 3 (text) checkpoints."""

from .case import Case, rope


def gemma(**more):
    return {
        "architectures": ["GemmaForCausalLM"],
        "attention_bias": False,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "head_dim": 14,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 36,
        "intermediate_size": 59,
        "max_position_embeddings": 128,
        "model_type": "gemma",
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "num_key_value_heads": 3,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-06,
        "vocab_size": 131,
    } | more


def gemma2(**more):
    return gemma(
        architectures=["Gemma2ForCausalLM"],
        model_type="gemma2",
        attn_logit_softcapping=50.0,
        final_logit_softcapping=30.0,
        hidden_activation="gelu_pytorch_tanh",
        num_attention_heads=4,
        num_key_value_heads=2,
        num_hidden_layers=4,
        query_pre_attn_scalar=14,
        sliding_window=7,
    ) | more


def gemma3(**more):
    return gemma(
        architectures=["Gemma3ForCausalLM"],
        model_type="gemma3_text",
        attn_logit_softcapping=None,
        final_logit_softcapping=None,
        hidden_activation="gelu_pytorch_tanh",
        hidden_size=24,
        intermediate_size=43,
        num_attention_heads=2,
        num_key_value_heads=1,
        query_pre_attn_scalar=14,
        sliding_window=7,
    ) | more


# A tied head reads back the scaled embedding; at full size it would be certain of the token it was given.
CALM_HEAD = {"embed_tokens": 0.5}

CASES = [
    Case(
        "gemma_hub_keys_bf16",
        "bfloat16",
        "keys of the published files: hidden_act gelu, which this family reads as the tanh form, rope_scaling null, "
        "tie_word_embeddings absent (tied); head_dim 14 is not hidden/heads; embedding times the exact square root of "
        "36, norms multiply by 1 + w",
        gemma(
            hidden_act="gelu",
            hidden_activation=None,
            rope_scaling=None,
            rope_theta=10000.0,
            torch_dtype="bfloat16",
        ),
        scales=CALM_HEAD,
    ),
    Case(
        "gemma_multi_query_f32",
        "float32",
        "one key/value head (2b); nested rope_parameters; width 40, whose square root bfloat16 would round",
        gemma(
            head_dim=10,
            hidden_size=40,
            num_attention_heads=5,
            num_key_value_heads=1,
            num_hidden_layers=2,
            rms_norm_eps=1e-3,
            rope_parameters=rope(10000.0),
            tie_word_embeddings=True,
            dtype="float32",
        ),
        acts=({"rms_norm_eps": 1e-6},),
        scales=CALM_HEAD,
    ),
    Case(
        "gemma2_window_softcaps_bf16",
        "bfloat16",
        "window 7 on blocks 0 and 2, none on 1 and 3; softcaps that bend scores and logits; query_pre_attn_scalar 9 is "
        "not head_dim 14; keys of the published files",
        gemma2(
            attn_logit_softcapping=3.0,
            final_logit_softcapping=4.0,
            query_pre_attn_scalar=9,
            cache_implementation="hybrid",
            rope_theta=10000.0,
            sliding_window_size=7,
            torch_dtype="bfloat16",
        ),
        acts=(
            {"sliding_window": 8},
            {"sliding_window": 128},
            {"layer_types": ["full_attention", "sliding_attention"] * 2},
            {"attn_logit_softcapping": None},
            {"final_logit_softcapping": None},
            {"query_pre_attn_scalar": 14},
        ),
    ),
    Case(
        "gemma2_published_caps_f32",
        "float32",
        "the published caps 50 and 30 with wide logits; an odd number of blocks, layer_types and rope_parameters "
        "spelled out, untied head stored",
        gemma2(
            hidden_size=40,
            num_hidden_layers=3,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            rope_parameters=rope(10000.0),
            tie_word_embeddings=False,
            dtype="float32",
        ),
        acts=({"final_logit_softcapping": None},),
        scales={"lm_head": 3.0},
    ),
    Case(
        "gemma2_no_caps_f16",
        "float16",
        "both softcaps null",
        gemma2(
            num_hidden_layers=2,
            attn_logit_softcapping=None,
            final_logit_softcapping=None,
            rope_theta=10000.0,
            torch_dtype="float16",
        ),
        acts=({"attn_logit_softcapping": 3.0}, {"final_logit_softcapping": 3.0}),
    ),
    Case(
        "gemma3_1b_keys_bf16",
        "bfloat16",
        "keys of the published 1b: sliding_window_pattern 6 (blocks 5 and, were there more, 11 are global), "
        "rope_local_base_freq, rope_theta of the global blocks, rope_scaling null; per-head norms on q and k; tied",
        gemma3(
            cache_implementation="hybrid",
            num_hidden_layers=7,
            rope_local_base_freq=10000,
            rope_scaling=None,
            rope_theta=1000000,
            sliding_window_pattern=6,
            torch_dtype="bfloat16",
        ),
        acts=(
            {"sliding_window": 8},
            {"sliding_window_pattern": 7},
            {"sliding_window_pattern": 5},
            {"rope_local_base_freq": 500},
            {"rope_theta": 10000},
            {"query_pre_attn_scalar": 9},
        ),
        scales=CALM_HEAD | {"q_norm": 0.5},
    ),
    Case(
        "gemma3_linear_scaling_f32",
        "float32",
        "rope_scaling linear by 8 (the 4b), which acts on the global blocks alone; sliding_window_pattern 2; "
        "query_pre_attn_scalar 9 is not head_dim; untied",
        gemma3(
            hidden_size=30,
            num_attention_heads=3,
            num_hidden_layers=4,
            query_pre_attn_scalar=9,
            rope_local_base_freq=10000.0,
            rope_scaling={"factor": 8.0, "rope_type": "linear"},
            rope_theta=1000000.0,
            sliding_window_pattern=2,
            tie_word_embeddings=False,
            torch_dtype="float32",
        ),
        acts=({"rope_scaling": None}, {"query_pre_attn_scalar": 14}),
    ),
    Case(
        "gemma3_nested_softcaps_f16",
        "float16",
        "layer_types and rope_parameters by kind of layer spelled out; final_logit_softcapping 4 (the attention's "
        "softcap is null: this class never applies one)",
        gemma3(
            final_logit_softcapping=4.0,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            rope_parameters={
                "full_attention": {"factor": 4.0, "rope_theta": 1000000.0, "rope_type": "linear"},
                "sliding_attention": rope(10000.0),
            },
            torch_dtype="float16",
        ),
        acts=({"final_logit_softcapping": None}, {"layer_types": ["sliding_attention"] * 2 + ["full_attention"]}),
        scales={"q_norm": 0.5},
    ),
]
