"""LLaMA checkpoints."""

from .case import LLAMA3, Case, rope


def llama(hidden, layers, heads, kv, mlp, vocab, **more):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "intermediate_size": mlp,
        "vocab_size": vocab,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
    } | more


CASES = [
    Case(
        "llama_mha_f32",
        "float32",
        "multi-head, untied, nested rope_parameters",
        llama(36, 3, 3, 3, 71, 131, head_dim=12, rope_parameters=rope(10000.0), dtype="float32"),
    ),
    Case(
        "llama_gqa_tied_bf16",
        "bfloat16",
        "3 query heads per key/value head, tied, no head tensor in the file, eps 1e-3",
        llama(
            60,
            5,
            6,
            2,
            101,
            257,
            head_dim=10,
            rms_norm_eps=1e-3,
            tie_word_embeddings=True,
            rope_parameters=rope(500000.0),
            dtype="bfloat16",
        ),
    ),
    Case(
        "llama_gqa_llama3_sharded_f32",
        "float32",
        "llama3 rope scaling (nested), all three frequency regimes; index and two shards",
        llama(48, 4, 4, 2, 71, 131, head_dim=12, rope_parameters=LLAMA3 | {"rope_theta": 500.0}, dtype="float32"),
        shards=2,
    ),
    Case(
        "llama_biases_f32",
        "float32",
        "attention_bias and mlp_bias; multi-query; head_dim not given",
        llama(
            40,
            2,
            5,
            1,
            53,
            137,
            attention_bias=True,
            mlp_bias=True,
            rms_norm_eps=1e-6,
            rope_parameters=rope(10000.0),
            dtype="float32",
        ),
    ),
    Case(
        "llama_legacy_keys_bf16",
        "bfloat16",
        "top-level rope_theta, rope_scaling (original context 16) and torch_dtype; head_dim 14 is not hidden/heads",
        llama(
            40,
            3,
            4,
            2,
            71,
            131,
            head_dim=14,
            rope_theta=10000.0,
            rope_scaling=LLAMA3 | {"original_max_position_embeddings": 16},
            torch_dtype="bfloat16",
        ),
    ),
    Case(
        "llama_legacy_f16",
        "float16",
        "float16 file, rope_scaling null, rope_theta absent (10000), rotary inv_freq buffers that must be ignored",
        llama(36, 4, 3, 3, 67, 257, rope_scaling=None, torch_dtype="float16", pretraining_tp=1),
        buffers=True,
    ),
]
# Seeded by its place too: exports of other tools in tests/foreign hold its weights.
FUSED = [
    Case(
        "llama_gqa_heads16_f32",
        "float32",
        "heads of 16 elements, the least that fused attention kernels of other tools take",
        llama(48, 2, 4, 2, 71, 131, head_dim=16, rope_parameters=rope(10000.0), dtype="float32"),
    ),
]
