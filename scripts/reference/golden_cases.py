"""The checkpoints that the parity tests run on: one `Case` per line of risk.

Sizes are odd on purpose (widths that are no power of two, prime vocabularies): a transposed or padded tensor
must not pass by luck. `config` is written to config.json verbatim, so a case also fixes which spelling of the
keys (legacy or nested) the loader has to read.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    family: str  # "llama" or "gpt_neox"
    dtype: str  # of the stored tensors: "float32", "bfloat16" or "float16"
    notes: str
    config: dict
    shards: int = 1
    buffers: bool = False  # also store the non-weight tensors that old hub files carry


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


def rope(theta, **more):
    return {"rope_type": "default", "rope_theta": theta} | more


# Original context 32, theta 500 and head_dim 12 put one frequency into each regime of the llama3 rule and more
# into the last: kept (wavelength < 8), blended, divided by 8 (wavelength > 32).
LLAMA3 = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
    "rope_type": "llama3",
}

CASES = [
    Case(
        "llama_mha_f32",
        "llama",
        "float32",
        "multi-head, untied, nested rope_parameters",
        llama(36, 3, 3, 3, 71, 131, head_dim=12, rope_parameters=rope(10000.0), dtype="float32"),
    ),
    Case(
        "llama_gqa_tied_bf16",
        "llama",
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
        "llama",
        "float32",
        "llama3 rope scaling (nested), all three frequency regimes; index and two shards",
        llama(48, 4, 4, 2, 71, 131, head_dim=12, rope_parameters=LLAMA3 | {"rope_theta": 500.0}, dtype="float32"),
        shards=2,
    ),
    Case(
        "llama_biases_f32",
        "llama",
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
        "llama",
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
        "llama",
        "float16",
        "float16 file, rope_scaling null, rope_theta absent (10000), rotary inv_freq buffers that must be ignored",
        llama(36, 4, 3, 3, 67, 257, rope_scaling=None, torch_dtype="float16", pretraining_tp=1),
        buffers=True,
    ),
    Case(
        "gpt_neox_parallel_f32",
        "gpt_neox",
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
        "gpt_neox",
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
        "gpt_neox",
        "float16",
        "rotary_pct 0.55 of head_dim 12 (6.6 rounds down to 6), rotary_emb_base 5000, attention.bias, masked_bias and "
        "inv_freq buffers that must be ignored",
        gpt_neox(36, 3, 3, 71, 131, rotary_pct=0.55, rotary_emb_base=5000, torch_dtype="float16"),
        buffers=True,
    ),
    Case(
        "gpt_neox_full_rotary_f32",
        "gpt_neox",
        "float32",
        "rotary_pct 1.0, attention_bias left at its default (true)",
        gpt_neox(36, 2, 3, 83, 131, rotary_pct=1.0, rotary_emb_base=10000, torch_dtype="float32"),
    ),
    Case(
        "gpt_neox_tied_no_attention_bias_bf16",
        "gpt_neox",
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
        "llama_gqa_heads16_f32",
        "llama",
        "float32",
        "heads of 16 elements, the least that fused attention kernels of other tools take",
        llama(48, 2, 4, 2, 71, 131, head_dim=16, rope_parameters=rope(10000.0), dtype="float32"),
    ),
]
