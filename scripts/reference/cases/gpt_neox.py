"""GPT-NeoX (Pythia) checkpoints."""

from .case import Case, rope


def gpt_neox(hidden, layers, heads, mlp, vocab, **more):
    return {
        "architectures": ["GPTNeoXForCausalLM"],
        "model_type": "gpt_neox",
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": mlp,
        "vocab_size": vocab,
        "max_position_embeddings": 128,
        "layer_norm_eps": 1e-5,
        "use_parallel_residual": True,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 0,
    } | more


CASES = [
    Case(
        "gpt_neox_parallel_f32",
        "float32",
        "parallel residual, rotary on 25 % of head_dim 24",
        gpt_neox(
            48,
            3,
            2,
            71,
            131,
            rope_parameters=rope(10000.0, partial_rotary_factor=0.25),
            dtype="float32",
        ),
    ),
    Case(
        "gpt_neox_sequential_bf16",
        "bfloat16",
        "use_parallel_residual false, rotary on 25 % of head_dim 8, eps 1e-3",
        gpt_neox(
            40,
            5,
            5,
            101,
            257,
            use_parallel_residual=False,
            layer_norm_eps=1e-3,
            rope_parameters=rope(10000.0, partial_rotary_factor=0.25),
            dtype="bfloat16",
        ),
    ),
    Case(
        "gpt_neox_legacy_keys_f16",
        "float16",
        "rotary_pct 0.55 of head_dim 12 (6.6 rounds down to 6), rotary_emb_base 5000, attention.bias, masked_bias and "
        "inv_freq buffers that must be ignored",
        gpt_neox(36, 3, 3, 71, 131, rotary_pct=0.55, rotary_emb_base=5000, torch_dtype="float16"),
        buffers=True,
    ),
    Case(
        "gpt_neox_full_rotary_f32",
        "float32",
        "rotary_pct 1.0, attention_bias left at its default (true)",
        gpt_neox(36, 2, 3, 83, 131, rotary_pct=1.0, rotary_emb_base=10000, torch_dtype="float32"),
    ),
    Case(
        "gpt_neox_tied_no_attention_bias_bf16",
        "bfloat16",
        "tied, no embed_out in the file, attention_bias false",
        gpt_neox(
            60,
            3,
            3,
            101,
            257,
            tie_word_embeddings=True,
            attention_bias=False,
            rotary_pct=0.3,
            rotary_emb_base=10000,
            torch_dtype="bfloat16",
        ),
    ),
    Case(
        "gpt_neox_odd_rotary_f32",
        "float32",
        "rotary on 25 % of head_dim 12: frequencies of 3 components, of which the library turns 4",
        gpt_neox(36, 2, 3, 71, 131, rotary_pct=0.25, rotary_emb_base=500, torch_dtype="float32"),
        acts=({"rotary_pct": 0.34}, {"rotary_pct": 0.17}),
    ),
    Case(
        "gpt_neox_no_rotary_f32",
        "float32",
        "rotary on 0 % of a head: nothing turns, so only the mask tells positions apart",
        gpt_neox(36, 2, 3, 71, 131, rotary_pct=0.0, rotary_emb_base=500, torch_dtype="float32"),
        acts=({"rotary_pct": 0.34},),
    ),
    Case(
        "gpt_neox_odd_rotary_dynamic_bf16",
        "bfloat16",
        "rotary on 42 % of head_dim 12 (5 components, 6 turn), dynamic scaling by 2 in the prompt beyond the context of 17",
        gpt_neox(
            36,
            3,
            3,
            71,
            131,
            max_position_embeddings=17,
            rope_parameters=rope(500.0, rope_type="dynamic", factor=2.0, partial_rotary_factor=0.42),
            dtype="bfloat16",
        ),
        acts=(
            {"rope_parameters": rope(500.0, partial_rotary_factor=0.42)},
            {"rope_parameters": rope(500.0, rope_type="dynamic", factor=2.0, partial_rotary_factor=0.5)},
            {"max_position_embeddings": 16},
        ),
    ),
]
