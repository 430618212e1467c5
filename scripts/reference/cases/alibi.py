"""BLOOM and Falcon checkpoints."""

from .case import Case


def bloom(**more):
    return {
        "apply_residual_connection_post_layernorm": False,
        "architectures": ["BloomForCausalLM"],
        "attention_dropout": 0.0,
        "attention_softmax_in_fp32": True,
        "bias_dropout_fusion": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_dropout": 0.0,
        "layer_norm_epsilon": 1e-05,
        "masked_softmax_fusion": True,
        "model_type": "bloom",
        "n_inner": None,
        "n_layer": 3,
        "offset_alibi": 100,
        "pad_token_id": 3,
        "pretraining_tp": 1,
        "slow_but_exact": False,
        "vocab_size": 131,
    } | more


def falcon(**more):
    return {
        "alibi": False,
        "apply_residual_connection_post_layernorm": False,
        "architectures": ["FalconForCausalLM"],
        "attention_dropout": 0.0,
        "bias": False,
        "bos_token_id": 1,
        "eos_token_id": 1,
        "hidden_dropout": 0.0,
        "hidden_size": 36,
        "layer_norm_epsilon": 1e-05,
        "model_type": "falcon",
        "multi_query": True,
        "new_decoder_architecture": False,
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "parallel_attn": True,
        "vocab_size": 131,
    } | more


CASES = [
    Case(
        "bloom_four_heads_f16",
        "float16",
        "keys of the 560m (n_embed, num_attention_heads), names without `transformer.`, tied; heads a power of two",
        bloom(n_embed=28, num_attention_heads=4),
        strip="transformer.",
    ),
    Case(
        "bloom_six_heads_f32",
        "float32",
        "keys of the 7b1 (hidden_size, n_head); 6 heads: two slopes from the next power of two; eps 1e-3",
        bloom(hidden_size=30, n_head=6, n_layer=2, layer_norm_epsilon=1e-3),
        acts=({"layer_norm_epsilon": 1e-5},),
    ),
    Case(
        "bloom_untied_pretraining_tp_bf16",
        "bfloat16",
        "names with `transformer.`, untied, 10 heads, two of whose slopes are no powers of 2; pretraining_tp 4, which "
        "changes nothing without slow_but_exact",
        bloom(
            hidden_size=40, n_head=10, n_layer=2, pretraining_tp=4, tie_word_embeddings=False, torch_dtype="bfloat16"
        ),
    ),
    Case(
        "falcon_7b_multi_query_bf16",
        "bfloat16",
        "one key/value head, parallel, one norm; the tied head is stored as in the published file",
        falcon(num_hidden_layers=3, torch_dtype="bfloat16"),
        head=True,
    ),
    Case(
        "falcon_40b_grouped_f32",
        "float32",
        "new_decoder_architecture: queries in groups with their key and value, ln_attn and ln_mlp; nested rope theta",
        falcon(
            hidden_size=40,
            new_decoder_architecture=True,
            num_attention_heads=4,
            num_kv_heads=2,
            rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        ),
        acts=({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}},),
    ),
    Case(
        "falcon_11b_one_norm_bf16",
        "bfloat16",
        "new_decoder_architecture with num_ln_in_parallel_attn 1, top-level rope_theta, ffn_hidden_size, untied",
        falcon(
            ffn_hidden_size=83,
            hidden_size=40,
            max_position_embeddings=64,
            new_decoder_architecture=True,
            num_attention_heads=4,
            num_kv_heads=2,
            num_ln_in_parallel_attn=1,
            rope_theta=5000042.0,
            tie_word_embeddings=False,
            torch_dtype="bfloat16",
        ),
        acts=({"rope_theta": 10000.0},),
    ),
    # ALiBi: what a user gets by default is the sdpa path, softmax((q·k + alibi)/√d_head + mask); the eager path of
    # transformers 5.23 adds alibi/√d_head a second time, through its mask. Both round slopes to bfloat16, and slope
    # times position again, whatever the model's dtype (`build_alibi_tensor`): part of the reference, not noise.
    Case(
        "falcon_rw_alibi_f32",
        "float32",
        "ALiBi divided by √d_head, sequential, biases, multi-head; 4 heads, whose slopes bfloat16 holds exactly",
        falcon(alibi=True, bias=True, hidden_size=24, multi_query=False, num_attention_heads=4, parallel_attn=False),
        attention="sdpa",
        acts=({"alibi": False},),
    ),
    Case(
        "falcon_rw_alibi_rounded_bf16",
        "bfloat16",
        "10 heads, two of whose slopes are no powers of 2: slopes and slope times position are rounded to bfloat16, as "
        "transformers does whatever the dtype",
        falcon(
            alibi=True,
            bias=True,
            hidden_size=40,
            multi_query=False,
            num_attention_heads=10,
            parallel_attn=False,
            torch_dtype="bfloat16",
        ),
        attention="sdpa",
        acts=({"alibi": False},),
    ),
]
