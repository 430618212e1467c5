"""Phi-3 checkpoints: fused projections, and longrope with prompts on both sides of the original context."""

from .case import Case


def phi3(**more):
    return {
        "architectures": ["Phi3ForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "embd_pdrop": 0.0,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 36,
        "intermediate_size": 59,
        "max_position_embeddings": 64,
        "model_type": "phi3",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 3,
        "original_max_position_embeddings": 64,
        "pad_token_id": 2,
        "resid_pdrop": 0.0,
        "rms_norm_eps": 1e-05,
        "sliding_window": None,
        "tie_word_embeddings": False,
        "vocab_size": 131,
    } | more


SHORT = [1.05, 1.1, 1.25, 1.4, 1.8, 2.2]
LONG = [1.2, 2.1, 3.3, 5.0, 8.5, 13.7]

CASES = [
    Case(
        "phi3_4k_window_bf16",
        "bfloat16",
        "qkv_proj and gate_up_proj fused (gate first), sliding_window 7",
        phi3(rope_scaling=None, rope_theta=10000.0, sliding_window=7, num_hidden_layers=3, torch_dtype="bfloat16"),
        acts=({"sliding_window": None}, {"sliding_window": 8}),
    ),
    Case(
        "phi3_128k_longrope_f32",
        "float32",
        "longrope: original context 17 (top level), so the prompt of 17 takes the short factors and that of 23 the "
        "long ones; cosines and sines times sqrt(1 + ln(64/17)/ln 17) for both; sliding_window beyond every prompt",
        phi3(
            original_max_position_embeddings=17,
            rope_scaling={"long_factor": LONG, "short_factor": SHORT, "type": "longrope"},
            rope_theta=10000.0,
            sliding_window=262144,
        ),
        acts=(
            {"rope_scaling": {"long_factor": SHORT, "short_factor": SHORT, "type": "longrope"}},
            {"original_max_position_embeddings": 16},
        ),
    ),
    Case(
        "phi3_longrope_factor_f16",
        "float16",
        "longrope with an explicit factor, which replaces the ratio of the two contexts; rope_type and type; grouped "
        "queries",
        phi3(
            hidden_size=48,
            num_attention_heads=4,
            num_key_value_heads=2,
            original_max_position_embeddings=16,
            rope_scaling={
                "factor": 8.0,
                "long_factor": LONG,
                "rope_type": "longrope",
                "short_factor": SHORT,
                "type": "longrope",
            },
            rope_theta=10000.0,
            torch_dtype="float16",
        ),
        acts=({"rope_scaling": {"long_factor": LONG, "short_factor": SHORT, "type": "longrope"}},),
    ),
    Case(
        "phi4_mini_partial_longrope_bf16",
        "bfloat16",
        "longrope on partial_rotary_factor 0.75 of d_head 16, nested rope_parameters, tied, grouped queries",
        phi3(
            hidden_size=48,
            num_key_value_heads=1,
            original_max_position_embeddings=17,
            partial_rotary_factor=0.75,
            rope_parameters={
                "long_factor": LONG,
                "partial_rotary_factor": 0.75,
                "rope_theta": 10000.0,
                "rope_type": "longrope",
                "short_factor": SHORT,
            },
            tie_word_embeddings=True,
            dtype="bfloat16",
        ),
        acts=({"original_max_position_embeddings": 40},),
        scales={"embed_tokens": 0.5},
    ),
    Case(
        "phi3_odd_rotary_f16",
        "float16",
        "rotary on partial_rotary_factor 0.42 of d_head 12: frequencies of 5 components, of which the library turns 6",
        phi3(partial_rotary_factor=0.42, rope_scaling=None, rope_theta=500.0, torch_dtype="float16"),
        acts=({"partial_rotary_factor": 0.5}, {"partial_rotary_factor": 0.34}),
    ),
]
