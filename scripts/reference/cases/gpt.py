"""GPT-2, GPT-J and GPT-Neo checkpoints."""

from .case import Case


def gpt2(**more):
    return {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1,
        "bos_token_id": 2,
        "embd_pdrop": 0.1,
        "eos_token_id": 2,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_embd": 30,
        "n_head": 3,
        "n_layer": 3,
        "n_positions": 41,
        "resid_pdrop": 0.1,
        "vocab_size": 131,
    } | more


def gptj(**more):
    return gpt2(
        architectures=["GPTJForCausalLM"],
        model_type="gptj",
        attn_pdrop=0.0,
        embd_pdrop=0.0,
        n_embd=36,
        n_inner=None,
        resid_pdrop=0.0,
        rotary=True,
        rotary_dim=8,
        scale_attn_weights=True,
        tie_word_embeddings=False,
    ) | more


def gpt_neo(**more):
    return {
        "activation_function": "gelu_new",
        "architectures": ["GPTNeoForCausalLM"],
        "attention_dropout": 0,
        "attention_types": [[["global", "local"], 2]],
        "bos_token_id": 2,
        "embed_dropout": 0,
        "eos_token_id": 2,
        "hidden_size": 30,
        "intermediate_size": None,
        "layer_norm_epsilon": 1e-05,
        "max_position_embeddings": 41,
        "model_type": "gpt_neo",
        "num_heads": 3,
        "num_layers": 4,
        "resid_dropout": 0,
        "vocab_size": 131,
        "window_size": 7,
    } | more


# Scores are not divided by the square root of d_head.
UNSCALED = {"q_proj": 0.5, "k_proj": 0.5}

CASES = [
    Case(
        "gpt2_hub_bare_names_f32",
        "float32",
        "names without `transformer.`, attn.bias and attn.masked_bias that must be ignored, no lm_head, n_ctx, "
        "tie_word_embeddings absent (tied): the published file",
        gpt2(n_ctx=41),
        buffers=True,
        strip="transformer.",
    ),
    Case(
        "gpt2_inverse_layer_scale_bf16",
        "bfloat16",
        "scale_attn_by_inverse_layer_idx; reorder_and_upcast_attn, which changes no formula; eps 1e-3",
        gpt2(
            layer_norm_epsilon=1e-3,
            n_head=5,
            reorder_and_upcast_attn=True,
            scale_attn_by_inverse_layer_idx=True,
            scale_attn_weights=True,
            torch_dtype="bfloat16",
        ),
        attention="sdpa",  # the library's upcast of eager attention insists on float32
        acts=({"scale_attn_by_inverse_layer_idx": False}, {"layer_norm_epsilon": 1e-5}),
    ),
    Case(
        "gpt2_gelu_inner_untied_f16",
        "float16",
        "erf-GELU and n_inner (Cerebras-GPT); untied head; scale_attn_weights left at its default (true)",
        gpt2(activation_function="gelu", n_inner=83, n_layer=2, tie_word_embeddings=False, torch_dtype="float16"),
        acts=({"activation_function": "relu"}, {"scale_attn_weights": False}),
    ),
    Case(
        "gptj_partial_rotary_f32",
        "float32",
        "interleaved rotary on 8 of d_head 12, one norm, head bias; n_inner null (4 n_embd)",
        gptj(n_layer=2),
        acts=({"rotary_dim": 12},),
    ),
    Case(
        "gptj_stale_buffers_f16",
        "float16",
        "attn.bias and attn.masked_bias that must be ignored; rotary on all of d_head 10; n_inner 71",
        gptj(n_embd=40, n_head=4, n_inner=71, n_layer=3, rotary_dim=10, torch_dtype="float16"),
        buffers=True,
    ),
    Case(
        "gpt_neo_local_attention_f32",
        "float32",
        "global and local blocks in turn (attention_layers, which wins over attention_types, is given too), window 7 "
        "shorter than the prompts; stale attn.attention.bias and masked_bias; scores not scaled; tied",
        gpt_neo(attention_layers=["global", "local"] * 2),
        buffers=True,
        acts=({"window_size": 8}, {"attention_layers": ["local", "global"] * 2}),
        scales=UNSCALED,
    ),
    Case(
        "gpt_neo_types_in_runs_bf16",
        "bfloat16",
        "attention_types with two runs (global, then local twice), attention_layers absent; intermediate_size 67; "
        "bare names",
        gpt_neo(
            attention_types=[[["global"], 1], [["local"], 2]],
            hidden_size=36,
            intermediate_size=67,
            num_layers=3,
            torch_dtype="bfloat16",
            window_size=5,
        ),
        strip="transformer.",
        acts=({"window_size": 6}, {"attention_types": [[["global"], 3]]}),
        scales=UNSCALED,
    ),
]
