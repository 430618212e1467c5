"""Checkpoints whose experts lie in a few tensors, or whose attention has more than heads: gpt-oss, AFMoE, DBRX and LLaMA 4."""

from .case import Case, without
from .experts import small

LENGTHS = (1, 13)
SIZES = {"head_dim": 6, "hidden_size": 16, "intermediate_size": 9, "vocab_size": 53}


def gpt_oss(**more):
    return small("gpt_oss", "GptOssForCausalLM", num_local_experts=5) | SIZES | more


YARN = {
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "factor": 32.0,
    "original_max_position_embeddings": 4096,
    "rope_type": "yarn",
    "truncate": False,
}


def afmoe(**more):
    sizes = SIZES | {"intermediate_size": 11, "moe_intermediate_size": 7, "num_experts": 5}
    return small("afmoe", "AfmoeForCausalLM") | sizes | more


def dbrx(attention, experts):
    return {
        "architectures": ["DbrxForCausalLM"],
        "attn_config": {"kv_n_heads": 2, "model_type": ""} | attention,
        "d_model": 16,
        "emb_pdrop": 0.0,
        "ffn_config": {"ffn_hidden_size": 7, "model_type": "", "moe_num_experts": 5, "moe_top_k": 3} | experts,
        "max_seq_len": 128,
        "model_type": "dbrx",
        "n_heads": 4,
        "n_layers": 2,
        "resid_pdrop": 0.0,
        "tie_word_embeddings": False,
        "vocab_size": 53,
    }


def llama4_text(**more):
    config = small("llama4_text", "Llama4ForCausalLM", intermediate_size_mlp=11, num_local_experts=4)
    return config | SIZES | {"intermediate_size": 7, "num_experts_per_tok": 1} | more


LLAMA4_VISION = {
    "hidden_size": 8,
    "image_size": 8,
    "intermediate_size": 8,
    "model_type": "llama4_vision_model",
    "num_attention_heads": 1,
    "num_hidden_layers": 1,
    "patch_size": 4,
    "projector_input_dim": 8,
    "projector_output_dim": 8,
    "vision_output_dim": 8,
}

CASES = [
    Case(
        "gpt_oss_20b_bf16",
        "bfloat16",
        "3 of 5 experts in stacked tensors, gate and up by turns, with biases; a sink for each head; a window of 5 on every other "
        "block; yarn whose ramp is not rounded; keys of the 20B",
        gpt_oss(
            attention_bias=True,
            experts_per_token=3,
            initial_context_length=4096,
            layer_types=["sliding_attention", "full_attention"],
            rope_scaling=YARN,
            rope_theta=150000,
            sliding_window=5,
            swiglu_limit=7.0,
            torch_dtype="bfloat16",
        ),
        lengths=LENGTHS,
        acts=(
            {"num_experts_per_tok": 2},
            {"sliding_window": 6},
            {"swiglu_limit": 0.5},
            {"rope_scaling": YARN | {"truncate": True}},
        ),
    ),
    Case(
        "gpt_oss_default_yarn_f16",
        "float16",
        "a low bound and another steepness, no biases of attention, tied; rotary parameters, types of layers and eps not given",
        without(gpt_oss(
                attention_bias=False,
                num_experts_per_tok=2,
                sliding_window=4,
                swiglu_alpha=1.1,
                swiglu_limit=0.6,
                tie_word_embeddings=True,
                torch_dtype="float16",
            ), "rope_theta", "rms_norm_eps"),
        lengths=LENGTHS,
        acts=({"swiglu_alpha": 1.702}, {"swiglu_limit": 7.0}, {"sliding_window": 5}, {"rope_theta": 100.0}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "afmoe_mini_bf16",
        "bfloat16",
        "a dense block with a window, then 3 of 5 experts beside a shared one, without positions; a gate on what heads mix; embedding "
        "scaled; keys of Trinity-Mini",
        afmoe(
            global_attn_every_n_layers=2,
            mup_enabled=True,
            n_group=1,
            num_dense_layers=1,
            num_shared_experts=1,
            route_norm=True,
            route_scale=2.826,
            score_func="sigmoid",
            sliding_window=5,
            topk_group=1,
            torch_dtype="bfloat16",
        ),
        lengths=LENGTHS,
        acts=({"mup_enabled": False}, {"route_scale": 1.0}, {"sliding_window": 6}, {"num_experts_per_tok": 2}),
        scales={"embed_tokens": 0.3, "expert_bias": 0.3},
    ),
    Case(
        "afmoe_types_f16",
        "float16",
        "types of layers listed, no dense block, two shared experts, biases of attention; tied; mup_enabled, route_scale, eps and "
        "rope_theta not given",
        without(afmoe(
                attention_bias=True,
                layer_types=["full_attention", "sliding_attention"],
                num_dense_layers=0,
                num_shared_experts=2,
                sliding_window=4,
                tie_word_embeddings=True,
                torch_dtype="float16",
            ), "rms_norm_eps", "rope_theta"),
        lengths=LENGTHS,
        acts=({"mup_enabled": True}, {"route_scale": 2.0}, {"sliding_window": 5}, {"rope_theta": 100.0}),
        scales={"embed_tokens": 0.7, "expert_bias": 0.3},
    ),
    Case(
        "dbrx_instruct_bf16",
        "bfloat16",
        "3 of 5 experts in the rows of w1, v1 and w2, weights that add up to 1; q, k and v in one matrix, bounded by 0.7; the base said "
        "beside attn_config too, where the reference reads it",
        dbrx(
            {"clip_qkv": 0.7, "rope_theta": 500000},
            {
                "ffn_act_fn": {"name": "silu"},
                "moe_jitter_eps": 0.01,
                "moe_loss_weight": 0.05,
                "moe_normalize_expert_weights": 1.0,
            },
        )
        | {"rope_theta": 500000, "torch_dtype": "bfloat16"},
        lengths=LENGTHS,
        acts=(
            {"rope_theta": 100.0},
            {"attn_config": {"clip_qkv": 8.0, "kv_n_heads": 2, "rope_theta": 500000}},
            {"ffn_config": {"ffn_hidden_size": 7, "moe_normalize_expert_weights": None, "moe_num_experts": 5, "moe_top_k": 3}},
        ),
    ),
    Case(
        "dbrx_as_scored_f16",
        "float16",
        "weights as the router's softmax gives them, a bound of 1.5, tanh GELU",
        dbrx(
            {"clip_qkv": 1.5, "rope_theta": 10000},
            {"ffn_act_fn": {"name": "gelu_new"}, "moe_normalize_expert_weights": None, "moe_top_k": 2},
        )
        | {"torch_dtype": "float16"},
        lengths=LENGTHS,
        acts=({"rope_theta": 100.0},),
    ),
    Case(
        "llama4_text_f16",
        "float16",
        "experts in the second block of three; turned blocks see chunks of 6, the third has no positions and queries that grow every "
        "3 tokens; no norms on heads; head_dim of its own",
        llama4_text(
            attention_chunk_size=6,
            attn_scale=0.5,
            floor_scale=3,
            interleave_moe_layer_step=2,
            no_rope_layer_interval=3,
            num_hidden_layers=3,
            torch_dtype="float16",
            use_qk_norm=False,
        ),
        lengths=LENGTHS,
        acts=(
            {"attention_chunk_size": 7},
            {"attn_temperature_tuning": False},
            {"floor_scale": 4},
            {"use_qk_norm": True},
            {"rope_theta": 100.0},
        ),
    ),
    Case(
        "llama4_wrapper_bf16",
        "bfloat16",
        "the published wrapper: experts in both blocks, of which the second has no positions; norms on heads of q and k after the "
        "rotation; llama3 scaling; names of the published files",
        {
            "architectures": ["Llama4ForConditionalGeneration"],
            "boi_token_index": 50,
            "eoi_token_index": 51,
            "image_token_index": 52,
            "model_type": "llama4",
            "text_config": llama4_text(
                attention_chunk_size=8192,
                attn_temperature_tuning=True,
                floor_scale=8192,
                interleave_moe_layer_step=1,
                no_rope_layers=[1, 0],
                rope_scaling={
                    "factor": 8.0,
                    "high_freq_factor": 4.0,
                    "low_freq_factor": 1.0,
                    "original_max_position_embeddings": 32,
                    "rope_type": "llama3",
                },
                rope_theta=500.0,
                tie_word_embeddings=False,
                vocab_size=61,
            ),
            "tie_word_embeddings": False,
            "torch_dtype": "bfloat16",
            "vision_config": LLAMA4_VISION,
        },
        lengths=LENGTHS,
    ),
]
