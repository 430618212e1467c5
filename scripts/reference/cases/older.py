"""Older families, each with keys of its own, in small checkpoints: GPT-BigCode, CodeGen, MPT, XGLM, BioGPT, Persimmon."""

from .flags import case, layer_norm, without


def gpt(model_type, architecture, **more):
    return {
        "activation_function": "gelu_new",
        "architectures": [architecture],
        "bos_token_id": 2,
        "eos_token_id": 2,
        "layer_norm_epsilon": 1e-05,
        "model_type": model_type,
        "n_embd": 24,
        "n_head": 4,
        "n_layer": 2,
        "n_positions": 41,
        "vocab_size": 67,
    } | more


def bigcode(**more):
    return gpt("gpt_bigcode", "GPTBigCodeForCausalLM", activation_function="gelu_pytorch_tanh", n_inner=53) | more


def codegen(**more):
    return gpt("codegen", "CodeGenForCausalLM", n_ctx=41, n_inner=None, rotary_dim=4, tie_word_embeddings=False) | more


def mpt(attn_config=None, **more):
    return {
        "architectures": ["MPTForCausalLM"],
        "attn_config": {
            "alibi": True,
            "alibi_bias_max": 8,
            "attn_impl": "torch",
            "attn_pdrop": 0,
            "attn_type": "multihead_attention",
            "attn_uses_sequence_id": False,
            "clip_qkv": None,
            "prefix_lm": False,
            "qk_ln": False,
            "softmax_scale": None,
        }
        | (attn_config or {}),
        "d_model": 24,
        "emb_pdrop": 0,
        "embedding_fraction": 1.0,
        "expansion_ratio": 4,
        "learned_pos_emb": True,
        "logit_scale": None,
        "max_seq_len": 64,
        "model_type": "mpt",
        "n_heads": 4,
        "n_layers": 2,
        "no_bias": True,
        "norm_type": "low_precision_layernorm",
        "resid_pdrop": 0,
        "vocab_size": 67,
    } | more


def xglm(**more):
    return {
        "activation_function": "gelu",
        "architectures": ["XGLMForCausalLM"],
        "attention_heads": 4,
        "bos_token_id": 0,
        "d_model": 24,
        "decoder_start_token_id": 2,
        "eos_token_id": 2,
        "ffn_dim": 37,
        "max_position_embeddings": 64,
        "model_type": "xglm",
        "num_layers": 2,
        "pad_token_id": 1,
        "scale_embedding": True,
        "vocab_size": 67,
    } | more


def biogpt(**more):
    config = layer_norm("biogpt", "BioGptForCausalLM", hidden_act="gelu", layer_norm_eps=1e-12, scale_embedding=True)
    return without(config, "num_key_value_heads", "rope_theta") | {"max_position_embeddings": 41} | more


def persimmon(**more):
    config = layer_norm("persimmon", "PersimmonForCausalLM", hidden_act="relu2", hidden_size=32)
    return without(config, "num_key_value_heads") | more


SIX = {"clip_qkv": 0.9, "softmax_scale": 0.3}
NOT_SIX = {"clip_qkv": None, "softmax_scale": None}

CASES = [
    case(
        "gpt_bigcode_multi_query_bf16",
        "one key/value head in the matrix of the queries, learned positions, tied; keys of SantaCoder",
        bigcode(attention_softmax_in_fp32=True, multi_query=True, scale_attention_softmax_in_fp32=True),
        acts=({"activation_function": "relu"}, {"scale_attn_weights": False}),
    ),
    case(
        "gpt_bigcode_multi_head_f16",
        "queries, keys and values head by head, n_inner null, untied, eps 1e-2",
        bigcode(layer_norm_epsilon=1e-2, multi_query=False, n_inner=None, tie_word_embeddings=False),
        acts=({"layer_norm_epsilon": 1e-6},),
    ),
    case(
        "codegen_shards_bf16",
        "q, v and k in four shards, interleaved rotary on 4 of 6 components, one norm, parallel, head bias",
        codegen(),
        acts=({"rotary_dim": 2},),
    ),
    case(
        "codegen_two_heads_a_shard_f16",
        "eight heads, rotary on all of each, n_inner given, eps 1e-3",
        codegen(layer_norm_epsilon=1e-3, n_embd=32, n_head=8, n_inner=53),
        acts=({"layer_norm_epsilon": 1e-6}, {"rotary_dim": 2}),
    ),
    case(
        "mpt_four_heads_bf16",
        "ALiBi for a power of two of heads, norms without bias, tied; keys of the 7B",
        mpt(),
    ),
    case(
        "mpt_six_heads_clipped_f16",
        "ALiBi of six heads (every other slope first), q, k and v bounded by 0.9, scores by a factor",
        mpt(SIX, n_heads=6, tie_word_embeddings=False),
        acts=tuple({"attn_config": SIX | {key: value}} for key, value in NOT_SIX.items()),
    ),
    case(
        "xglm_sinusoids_bf16",
        "sines and cosines added to a scaled embedding, biases everywhere, tied",
        xglm(),
        acts=({"scale_embedding": False}, {"activation_function": "relu"}),
        scales={"embed_tokens": 0.3},
    ),
    case(
        "xglm_odd_width_untied_f16",
        "an odd width, whose last component has no position; embedding not scaled; untied",
        xglm(attention_heads=3, d_model=21, scale_embedding=False, tie_word_embeddings=False),
    ),
    case(
        "biogpt_scaled_bf16",
        "scaled embedding, learned positions from row 2 on, tied; layer_norm_eps 1e-12, which the class does not read",
        biogpt(),
        acts=({"scale_embedding": False}, {"hidden_act": "relu"}),
        scales={"embed_tokens": 0.3},
    ),
    case(
        "biogpt_untied_f16",
        "embedding not scaled, untied, odd width of heads",
        biogpt(hidden_size=21, num_attention_heads=3, scale_embedding=False, tie_word_embeddings=False),
    ),
    case(
        "persimmon_qk_norm_bf16",
        "q, k and v head by head, layer norms on heads, rotary on half of 8 components, relu squared, biases",
        persimmon(partial_rotary_factor=0.5, qk_layernorm=True),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "persimmon_no_qk_norm_f16",
        "no norms on heads, the rotary share by default, tied, eps 1e-3",
        persimmon(layer_norm_eps=1e-3, qk_layernorm=False, tie_word_embeddings=True),
        acts=({"layer_norm_eps": 1e-6},),
    ),
]
