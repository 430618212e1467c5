"""Qwen2 and Qwen3 checkpoints."""

from .case import Case, rope


def qwen2(**more):
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 36,
        "intermediate_size": 59,
        "max_position_embeddings": 128,
        "max_window_layers": 3,
        "model_type": "qwen2",
        "num_attention_heads": 6,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06,
        "sliding_window": 7,
        "tie_word_embeddings": False,
        "use_sliding_window": False,
        "vocab_size": 131,
    } | more


def qwen3(**more):
    return qwen2(
        architectures=["Qwen3ForCausalLM"],
        model_type="qwen3",
        attention_bias=False,
        head_dim=14,
        num_attention_heads=4,
        sliding_window=None,
    ) | more


CASES = [
    Case(
        "qwen2_window_unused_bf16",
        "bfloat16",
        "biases on q, k and v only; sliding_window 7 without use_sliding_window: no window; tied; rope_theta 1e6",
        qwen2(rope_theta=1000000.0, tie_word_embeddings=True, torch_dtype="bfloat16", use_mrope=False),
        acts=({"use_sliding_window": True, "max_window_layers": 1}, {"rope_theta": 10000.0}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "qwen2_max_window_layers_f16",
        "float16",
        "use_sliding_window: window 7 on the blocks from max_window_layers (1) on; rope scaling yarn, legacy spelling",
        qwen2(
            max_window_layers=1,
            max_position_embeddings=64,
            rope_scaling={"factor": 4.0, "original_max_position_embeddings": 16, "type": "yarn"},
            rope_theta=500.0,
            torch_dtype="float16",
            use_sliding_window=True,
        ),
        acts=({"max_window_layers": 2}, {"max_window_layers": 0}, {"sliding_window": 8}, {"rope_scaling": None}),
    ),
    Case(
        "qwen2_layer_types_f32",
        "float32",
        "layer_types spelled out (sliding, full), which wins over max_window_layers; nested rope_parameters",
        qwen2(
            hidden_size=30,
            layer_types=["sliding_attention", "full_attention"],
            num_attention_heads=3,
            num_hidden_layers=2,
            num_key_value_heads=1,
            rms_norm_eps=1e-3,
            rope_parameters=rope(10000.0),
            use_sliding_window=True,
            dtype="float32",
        ),
        acts=(
            {"layer_types": ["full_attention", "full_attention"]},
            {"layer_types": ["full_attention", "sliding_attention"]},
            {"rms_norm_eps": 1e-6},
        ),
    ),
    Case(
        "qwen3_tied_bf16",
        "bfloat16",
        "per-head norms on q and k before the rotary; head_dim 14 is not hidden/heads; tied; keys of the 0.6B",
        qwen3(rope_scaling=None, rope_theta=1000000, tie_word_embeddings=True, torch_dtype="bfloat16"),
        acts=({"rope_theta": 10000.0},),
    ),
    Case(
        "qwen3_untied_nested_f32",
        "float32",
        "untied, nested rope_parameters, multi-head, eps 1e-3",
        qwen3(
            hidden_size=30,
            num_attention_heads=3,
            num_hidden_layers=2,
            num_key_value_heads=3,
            rms_norm_eps=1e-3,
            rope_parameters=rope(10000.0),
            dtype="float32",
        ),
        acts=({"rms_norm_eps": 1e-6},),
    ),
    Case(
        "qwen3_window_biases_f16",
        "float16",
        "attention_bias (which includes o_proj) and use_sliding_window from block 2 on",
        qwen3(
            attention_bias=True,
            max_window_layers=2,
            rope_theta=10000.0,
            sliding_window=5,
            torch_dtype="float16",
            use_sliding_window=True,
        ),
        acts=({"max_window_layers": 1}, {"sliding_window": 6}),
    ),
]
