"""Mistral checkpoints: llama with a sliding window on every layer."""

from .case import Case, rope


def mistral(**more):
    return {
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 36,
        "intermediate_size": 59,
        "max_position_embeddings": 128,
        "num_attention_heads": 6,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-05,
        "tie_word_embeddings": False,
        "vocab_size": 131,
    } | more


CASES = [
    Case(
        "mistral_window_bf16",
        "bfloat16",
        "sliding_window 7, shorter than the prompts of 17 and 23; legacy keys of v0.1; head_dim not given",
        mistral(rope_theta=10000.0, sliding_window=7, torch_dtype="bfloat16", use_cache=True),
        acts=({"sliding_window": None}, {"sliding_window": 8}, {"rope_theta": 20000.0}),
    ),
    Case(
        "mistral_no_window_head_dim_f16",
        "float16",
        "sliding_window null as in v0.2 and later; head_dim 14 is not hidden/heads (Nemo); rope_theta 1e6",
        mistral(
            head_dim=14,
            num_attention_heads=3,
            num_key_value_heads=1,
            hidden_size=40,
            rope_theta=1000000.0,
            sliding_window=None,
            torch_dtype="float16",
        ),
        acts=({"sliding_window": 7}, {"rope_theta": 10000.0}),
    ),
    Case(
        "mistral_nested_rope_tied_f32",
        "float32",
        "window of exactly one prompt's length (17), nested rope_parameters, tied, no head tensor",
        mistral(
            hidden_size=30,
            num_attention_heads=3,
            num_key_value_heads=3,
            num_hidden_layers=2,
            rope_parameters=rope(10000.0),
            sliding_window=17,
            tie_word_embeddings=True,
            dtype="float32",
        ),
        acts=({"sliding_window": None}, {"sliding_window": 16}),
    ),
]
