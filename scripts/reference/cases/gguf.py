"""Checkpoints as GGUF files, one or more of every family that llama.cpp writes and this program computes."""

from dataclasses import dataclass

from .alibi import bloom, falcon
from .apertus import apertus
from .case import LLAMA3, Case, rope
from .gemma import CALM_HEAD, gemma, gemma2, gemma3
from .gpt import gpt2
from .gpt_neox import gpt_neox
from .llama import llama
from .mistral import mistral
from .modern import cohere, olmo2, starcoder2
from .partial_rotary import phi, stablelm
from .phi3 import LONG, SHORT, phi3
from .qwen import qwen2, qwen3


@dataclass(frozen=True)
class GgufCase:
    kind: str  # the type of matrices; rows of blocks need widths of whole blocks
    embedding: str  # of the embedding, the head and the table of positions
    case: Case
    in_parts: bool = False  # also as several files
    fuses: bool = False  # q, k and v in one matrix
    loads: bool = False  # the loader of transformers reads the file rightly


def made(kind: str, embedding: str, name: str, notes: str, config: dict, **more) -> GgufCase:
    own = {key: more.pop(key) for key in ("in_parts", "fuses", "loads") if key in more}
    return GgufCase(kind, embedding, Case(name, "float32", notes, config, **more), **own)


PLAIN = rope(10000.0)

CASES = [
    made(
        "F32",
        "F32",
        "llama_f32",
        "whole and in parts",
        llama(36, 3, 3, 3, 71, 131, head_dim=12),
        in_parts=True,
        loads=True,
    ),
    made(
        "BF16",
        "F16",
        "llama_bf16_factors",
        "LLaMA 3's scaling as a tensor of divisors, grouped, tied",
        llama(48, 2, 4, 2, 70, 130, tie_word_embeddings=True, rope_parameters=LLAMA3 | {"rope_theta": 500.0}),
        loads=True,
    ),
    made(
        "Q8_0",
        "F16",
        "llama_q8_0_linear",
        "multi-query, linear scaling",
        llama(96, 2, 3, 1, 160, 131, rope_parameters=rope(1000.0, rope_type="linear", factor=4.0)),
        loads=True,
    ),
    made(
        "Q4_1",
        "Q8_0",
        "llama_q4_1_biases",
        "tied, grouped, biases, heads wider than the stream's share",
        llama(64, 3, 4, 2, 96, 131, head_dim=24, tie_word_embeddings=True, attention_bias=True, mlp_bias=True),
    ),
    made(
        "Q6_K",
        "Q5_0",
        "llama_q6_k_yarn",
        "YaRN; matrices whose rows are no whole blocks of Q6_K are Q5_0",
        llama(
            256,
            1,
            4,
            1,
            96,
            67,
            head_dim=32,
            rope_parameters=rope(
                500.0, rope_type="yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=8.0
            ),
        ),
        loads=True,
    ),
    made("F16", "F16", "qwen2_f16", "biases on q, k and v, rows as they are", qwen2(rope_theta=1000000.0), loads=True),
    made(
        "Q5_1",
        "Q4_0",
        "qwen3_q5_1",
        "norms on q and k, heads wider than the stream's share",
        qwen3(hidden_size=64, intermediate_size=96, head_dim=24),
        loads=True,
    ),
    made(
        "Q8_0",
        "F16",
        "llama_fused_q8_0",
        "q, k and v in one matrix, the first two interleaved in it; grouped, biases",
        llama(64, 2, 4, 2, 96, 67, attention_bias=True),
        fuses=True,
    ),
    made(
        "F16",
        "F32",
        "mistral_f16",
        "written as llama, grouped, heads narrower than the stream's share; no window",
        mistral(sliding_window=None, rope_parameters=rope(1000000.0)),
    ),
    made(
        "BF16",
        "F16",
        "apertus_bf16_factors",
        "xIELU's numbers in the metadata, LLaMA 3's scaling as a tensor of divisors, grouped",
        apertus(rope_parameters=LLAMA3 | {"rope_theta": 500.0}),
    ),
    made(
        "Q8_0",
        "F32",
        "apertus_q8_0_plain",
        "no scaling, where the class has one by default; tied, three blocks",
        apertus(
            hidden_size=64, intermediate_size=96, rope_parameters=rope(12000000.0), tie_word_embeddings=True
        ),
    ),
    made(
        "F32",
        "F32",
        "bloom_f32",
        "six heads, whose slopes are not all powers of two",
        bloom(hidden_size=30, n_head=6, n_layer=2, layer_norm_epsilon=1e-3),
        loads=True,
    ),
    made(
        "Q8_0",
        "Q4_1",
        "bloom_q8_0_untied",
        "an output matrix of its own",
        bloom(hidden_size=64, n_head=4, n_layer=2, tie_word_embeddings=False),
    ),
    made(
        "F16",
        "F16",
        "cohere_f16_qk_norm",
        "norms of a weight for each head, grouped, neighbouring components turn; logits scaled",
        cohere(
            hidden_size=40,
            layer_norm_eps=1e-3,
            logit_scale=0.8333333134651184,
            num_attention_heads=4,
            num_key_value_heads=2,
            rope_parameters=rope(75000000.0),
            use_qk_norm=True,
        ),
    ),
    made(
        "Q8_0",
        "F32",
        "cohere_q8_0_biases",
        "attention biases, multi-head",
        cohere(
            attention_bias=True,
            hidden_size=64,
            intermediate_size=96,
            num_attention_heads=4,
            num_key_value_heads=4,
            rope_parameters=rope(10000.0),
        ),
        scales={"embed_tokens": 4.0},
    ),
    made(
        "F16",
        "F32",
        "falcon_f16_multi_query",
        "the 7b: one key and value, one norm",
        falcon(hidden_size=36),
        loads=True,
    ),
    made(
        "Q8_0",
        "F16",
        "falcon_q8_0_grouped",
        "the 40b: two groups, two norms",
        falcon(hidden_size=64, new_decoder_architecture=True, num_attention_heads=4, num_kv_heads=2),
    ),
    made(
        "BF16",
        "BF16",
        "falcon_bf16_one_norm",
        "the 11b: two groups, one norm, untied",
        falcon(
            hidden_size=40,
            max_position_embeddings=64,
            new_decoder_architecture=True,
            num_attention_heads=4,
            num_kv_heads=2,
            num_ln_in_parallel_attn=1,
            tie_word_embeddings=False,
        ),
    ),
    made(
        "F32",
        "F32",
        "gemma_f32",
        "factors of norms where the checkpoint has distances from 1; one key and value; head_dim 10",
        gemma(
            head_dim=10,
            hidden_size=40,
            num_attention_heads=5,
            num_key_value_heads=1,
            num_hidden_layers=2,
            rms_norm_eps=1e-3,
            rope_parameters=PLAIN,
            tie_word_embeddings=True,
        ),
        scales=CALM_HEAD,
    ),
    made(
        "BF16",
        "F16",
        "gemma2_bf16_caps",
        "windows in every other block, soft caps that bend scores and logits, four norms a block",
        gemma2(attn_logit_softcapping=3.0, final_logit_softcapping=4.0, rope_parameters=PLAIN),
        loads=True,
    ),
    made(
        "Q8_0",
        "Q8_0",
        "gemma3_q8_0_linear",
        "every sixth block without a window, whose positions are scaled; a base of their own for the others",
        gemma3(
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=7,
            rope_parameters={
                "full_attention": {"factor": 8.0, "rope_theta": 1000000.0, "rope_type": "linear"},
                "sliding_attention": rope(500.0),
            },
        ),
        scales=CALM_HEAD | {"q_norm": 0.5},
    ),
    made(
        "F16",
        "F32",
        "gemma3_f16_pattern",
        "a pattern of windows block by block, soft cap on the logits",
        gemma3(
            final_logit_softcapping=4.0,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            rope_parameters={"full_attention": rope(1000000.0), "sliding_attention": rope(10000.0)},
        ),
        scales={"q_norm": 0.5},
    ),
    made("F32", "F32", "gpt2_f32", "matrices transposed, learned positions, tied", gpt2(), loads=True),
    made(
        "Q8_0",
        "Q5_1",
        "gpt2_q8_0_untied",
        "transposed blocks; an output matrix, as older files have it",
        gpt2(n_embd=64, n_head=4, n_layer=2, tie_word_embeddings=False),
    ),
    made(
        "F32",
        "F16",
        "gpt_neox_f32_partial",
        "parallel, a quarter of a head turns",
        gpt_neox(48, 2, 2, 71, 131, rope_parameters=rope(10000.0, partial_rotary_factor=0.25)),
    ),
    made(
        "Q8_0",
        "F16",
        "gpt_neox_q8_0_sequential",
        "sequential; 9 of 16 components turn, so the reference turns 10; tied",
        gpt_neox(
            64,
            3,
            4,
            96,
            67,
            use_parallel_residual=False,
            layer_norm_eps=1e-3,
            tie_word_embeddings=True,
            rope_parameters=rope(10000.0, partial_rotary_factor=0.57),
        ),
        seed=1,
    ),
    made(
        "Q4_0",
        "F16",
        "olmo2_q4_0_grouped",
        "norms on what branches write and on the whole of q and of k, grouped",
        olmo2(
            hidden_size=64,
            intermediate_size=96,
            num_attention_heads=4,
            num_hidden_layers=2,
            num_key_value_heads=2,
            rms_norm_eps=1e-3,
            rope_parameters=rope(500000.0),
        ),
    ),
    made(
        "F16",
        "F16",
        "phi_f16",
        "4 of 12 components turn; biases everywhere, in the head too",
        phi(intermediate_size=144, rope_parameters=rope(10000.0, partial_rotary_factor=0.4)),
    ),
    made(
        "Q8_0",
        "F32",
        "phi_q8_0_fused",
        "q, k and v in one matrix, as older files have them",
        phi(
            hidden_size=64,
            intermediate_size=256,
            num_attention_heads=4,
            num_key_value_heads=4,
            rope_parameters=rope(10000.0, partial_rotary_factor=0.5),
        ),
        fuses=True,
    ),
    made(
        "F32",
        "F32",
        "phi3_f32_longrope",
        "factors as tensors, prompts on both sides of the original context of 17; multi-head",
        phi3(
            original_max_position_embeddings=17,
            rope_parameters=rope(10000.0, rope_type="longrope", long_factor=LONG, short_factor=SHORT)
            | {"original_max_position_embeddings": 17},
            sliding_window=262144,
        ),
    ),
    made(
        "Q8_0",
        "Q8_0",
        "phi3_q8_0_partial_window",
        "12 of 16 components turn, a window of 7, grouped, tied",
        phi3(
            hidden_size=64,
            intermediate_size=96,
            num_attention_heads=4,
            num_key_value_heads=2,
            rope_parameters=rope(10000.0, partial_rotary_factor=0.75),
            partial_rotary_factor=0.75,
            sliding_window=7,
            tie_word_embeddings=True,
        ),
        scales={"embed_tokens": 0.5},
    ),
    made(
        "F16",
        "F32",
        "stablelm_f16_biases",
        "sequential, half of a head turns, biases on q, k and v",
        stablelm(rope_parameters=rope(10000.0, partial_rotary_factor=0.5), use_qkv_bias=True),
        loads=True,
    ),
    made(
        "Q8_0",
        "F16",
        "stablelm_q8_0_parallel",
        "the 12b: parallel, a norm for every head of q and k in one tensor, grouped",
        stablelm(
            hidden_size=64,
            intermediate_size=96,
            num_attention_heads=4,
            num_key_value_heads=2,
            rope_parameters=rope(10000.0, partial_rotary_factor=0.25),
            qk_layernorm=True,
            use_parallel_residual=True,
        ),
    ),
    made(
        "Q5_0",
        "F16",
        "starcoder2_q5_0",
        "norms with biases, biases everywhere, grouped, tied",
        starcoder2(
            hidden_size=96,
            intermediate_size=160,
            sliding_window=None,
            rope_parameters=rope(999999.4375),
            rope_theta=999999.4375,
        ),
        loads=True,
    ),
]
