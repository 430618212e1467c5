"""Apertus checkpoints: xIELU MLP without gate, per-head norms on queries and keys."""

from .case import LLAMA3, Case, rope


def apertus(**more):
    return {
        "architectures": ["ApertusForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "xielu",
        "hidden_size": 40,
        "intermediate_size": 67,
        "max_position_embeddings": 128,
        "mlp_bias": False,
        "model_type": "apertus",
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "pad_token_id": 3,
        "post_norm": False,
        "qk_norm": True,
        "rms_norm_eps": 1e-05,
        "tie_word_embeddings": False,
        "vocab_size": 131,
    } | more


CASES = [
    Case(
        "apertus_llama3_bf16",
        "bfloat16",
        "keys of the published files: rope_theta and rope_scaling llama3 at the top level; alpha_p and alpha_n of "
        "every block random, beta and eps stored as bfloat16",
        apertus(
            rope_theta=12000000,
            rope_scaling=LLAMA3 | {"type": "llama3"},
            torch_dtype="bfloat16",
        ),
        acts=({"rope_scaling": None}, {"rope_theta": 10000.0}),
    ),
    Case(
        "apertus_nested_rope_f32",
        "float32",
        "nested rope_parameters llama3 with all three frequency regimes; multi-head; eps 1e-3",
        apertus(
            hidden_size=36,
            num_attention_heads=3,
            num_key_value_heads=3,
            num_hidden_layers=2,
            rms_norm_eps=1e-3,
            rope_parameters=LLAMA3 | {"rope_theta": 500.0},
            dtype="float32",
        ),
        acts=({"rope_parameters": rope(500.0)}, {"rms_norm_eps": 1e-5}),
    ),
    Case(
        "apertus_tied_f16",
        "float16",
        "default rope, tied, one key/value head",
        apertus(
            num_attention_heads=5,
            num_key_value_heads=1,
            num_hidden_layers=2,
            rope_parameters=rope(10000.0),
            tie_word_embeddings=True,
            torch_dtype="float16",
        ),
    ),
]
