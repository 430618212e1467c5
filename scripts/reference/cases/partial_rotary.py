"""StableLM and Phi checkpoints: layer norms and rotary positions on a part of each head."""

from .case import Case, rope


def stablelm(**more):
    return {
        "architectures": ["StableLmForCausalLM"],
        "bos_token_id": 0,
        "eos_token_id": 0,
        "hidden_act": "silu",
        "hidden_size": 36,
        "intermediate_size": 59,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 128,
        "model_type": "stablelm",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 3,
        "tie_word_embeddings": False,
        "vocab_size": 131,
    } | more


def phi(**more):
    return stablelm(
        architectures=["PhiForCausalLM"], model_type="phi", hidden_act="gelu_new", attention_dropout=0.0
    ) | more


CASES = [
    Case(
        "stablelm_3b_f32",
        "float32",
        "rotary on half of d_head 12, no biases but the norms'; rope_theta an integer",
        stablelm(partial_rotary_factor=0.5, rope_theta=10000, use_qkv_bias=False),
        acts=({"partial_rotary_factor": 0.34}, {"rope_theta": 500}),
    ),
    Case(
        "stablelm_2_qkv_bias_f16",
        "float16",
        "use_qkv_bias; partial_rotary_factor left at its default (0.25 of d_head 16), eps 1e-3",
        stablelm(
            hidden_size=48,
            layer_norm_eps=1e-3,
            num_hidden_layers=3,
            rope_theta=10000,
            torch_dtype="float16",
            use_qkv_bias=True,
        ),
        acts=({"partial_rotary_factor": 0.5}, {"layer_norm_eps": 1e-5}),
    ),
    Case(
        "stablelm_2_12b_parallel_qk_norm_bf16",
        "bfloat16",
        "use_parallel_residual with one norm, qk_layernorm: one bias-free norm per head; grouped queries",
        stablelm(
            hidden_size=40,
            num_attention_heads=4,
            num_key_value_heads=2,
            partial_rotary_factor=0.4,
            qk_layernorm=True,
            rope_theta=10000,
            torch_dtype="bfloat16",
            use_parallel_residual=True,
        ),
        acts=({"partial_rotary_factor": 1.0},),
    ),
    Case(
        "phi_2_partial_rotary_f16",
        "float16",
        "rotary on 0.4 of d_head 12 (4.8 rounds down to 4), biases everywhere, head bias; rope_scaling null",
        phi(
            partial_rotary_factor=0.4,
            qk_layernorm=False,
            rope_scaling=None,
            rope_theta=10000.0,
            torch_dtype="float16",
        ),
        acts=({"partial_rotary_factor": 0.5}, {"hidden_act": "relu"}),
    ),
    Case(
        "phi_qk_norm_f32",
        "float32",
        "qk_layernorm with bias, shared by the heads; num_key_value_heads null; partial rotary nested (0.6 of "
        "d_head 10)",
        phi(
            hidden_size=40,
            num_attention_heads=4,
            num_key_value_heads=None,
            qk_layernorm=True,
            rope_parameters=rope(10000.0, partial_rotary_factor=0.6),
            dtype="float32",
        ),
        acts=({"rope_parameters": rope(10000.0, partial_rotary_factor=0.8)},),
    ),
    Case(
        "phi_grouped_default_rotary_bf16",
        "bfloat16",
        "grouped queries; partial_rotary_factor left at its default (0.5 of d_head 12)",
        phi(
            hidden_size=48,
            layer_norm_eps=1e-3,
            num_attention_heads=4,
            num_key_value_heads=2,
            rope_theta=10000.0,
            torch_dtype="bfloat16",
        ),
        acts=({"partial_rotary_factor": 1.0}, {"layer_norm_eps": 1e-5}),
    ),
]
