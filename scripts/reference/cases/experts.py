"""Checkpoints with experts in place of the MLP: OLMoE, Mixtral, Qwen2 and Qwen3 with experts."""

from .case import Case, rope, without


def olmoe(**more):
    return {
        "architectures": ["OlmoeForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "clip_qkv": None,
        "eos_token_id": 50279,
        "hidden_act": "silu",
        "hidden_size": 30,
        "initializer_range": 0.02,
        "intermediate_size": 13,
        "max_position_embeddings": 128,
        "model_type": "olmoe",
        "norm_topk_prob": False,
        "num_attention_heads": 3,
        "num_experts": 9,
        "num_experts_per_tok": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 3,
        "output_router_logits": False,
        "pad_token_id": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "rope_theta": 10000.0,
        "router_aux_loss_coef": 0.01,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "vocab_size": 131,
    } | more


def mixtral(**more):
    return {
        "architectures": ["MixtralForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 36,
        "intermediate_size": 17,
        "max_position_embeddings": 128,
        "model_type": "mixtral",
        "num_attention_heads": 6,
        "num_experts_per_tok": 2,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "num_local_experts": 5,
        "output_router_logits": False,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0,
        "router_aux_loss_coef": 0.02,
        "sliding_window": None,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "vocab_size": 131,
    } | more


def qwen2_moe(**more):
    return {
        "architectures": ["Qwen2MoeForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "decoder_sparse_step": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 30,
        "intermediate_size": 41,
        "max_position_embeddings": 128,
        "max_window_layers": 21,
        "model_type": "qwen2_moe",
        "moe_intermediate_size": 11,
        "norm_topk_prob": False,
        "num_attention_heads": 3,
        "num_experts": 7,
        "num_experts_per_tok": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 3,
        "output_router_logits": False,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "router_aux_loss_coef": 0.001,
        "shared_expert_intermediate_size": 23,
        "sliding_window": 7,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_sliding_window": False,
        "vocab_size": 131,
    } | more


def qwen3_moe(**more):
    return {
        "architectures": ["Qwen3MoeForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "decoder_sparse_step": 1,
        "eos_token_id": 2,
        "head_dim": 10,
        "hidden_act": "silu",
        "hidden_size": 28,
        "intermediate_size": 37,
        "max_position_embeddings": 128,
        "max_window_layers": 2,
        "mlp_only_layers": [],
        "model_type": "qwen3_moe",
        "moe_intermediate_size": 9,
        "norm_topk_prob": True,
        "num_attention_heads": 4,
        "num_experts": 11,
        "num_experts_per_tok": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "output_router_logits": False,
        "rms_norm_eps": 1e-06,
        "rope_scaling": None,
        "rope_theta": 1000000.0,
        "router_aux_loss_coef": 0.001,
        "sliding_window": None,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_sliding_window": False,
        "vocab_size": 131,
    } | more


def small(model_type, architecture, **more):
    return {
        "architectures": [architecture],
        "hidden_act": "silu",
        "hidden_size": 24,
        "intermediate_size": 11,
        "max_position_embeddings": 128,
        "model_type": model_type,
        "num_attention_heads": 4,
        "num_experts_per_tok": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "vocab_size": 67,
    } | more


def granitemoe(**more):
    return small("granitemoe", "GraniteMoeForCausalLM", num_local_experts=5) | more


def flex_olmo(**more):
    return small("flex_olmo", "FlexOlmoForCausalLM", num_experts=7) | more


def minimax_m2(**more):
    return small("minimax_m2", "MiniMaxM2ForCausalLM", head_dim=10, num_local_experts=7) | more


LENGTHS = (1, 5, 17)

GRANITE_FACTORS = {
    "attention_multiplier": 0.3,
    "embedding_multiplier": 3.0,
    "logits_scaling": 0.5,
    "residual_multiplier": 0.22,
}

CASES = [
    Case(
        "olmoe_1b_7b_bf16",
        "bfloat16",
        "4 of 9 experts in every block, weights as the router's softmax gives them; norms on the whole of q and k; keys of the "
        "1B-7B",
        olmoe(),
        acts=({"norm_topk_prob": True}, {"num_experts_per_tok": 3}, {"rope_theta": 500.0}),
    ),
    Case(
        "olmoe_normalised_grouped_f32",
        "float32",
        "weights that add up to 1; grouped heads, biases of attention, tied, three shards; all but one expert are chosen",
        olmoe(
            attention_bias=True,
            hidden_size=36,
            norm_topk_prob=True,
            num_attention_heads=6,
            num_experts=4,
            num_experts_per_tok=3,
            num_key_value_heads=2,
            tie_word_embeddings=True,
            torch_dtype="float32",
        ),
        shards=3,
        acts=({"norm_topk_prob": False}, {"num_experts_per_tok": 2}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "mixtral_8x7b_bf16",
        "bfloat16",
        "2 of 5 experts, softmax over the chosen; block_sparse_moe.experts.N.w1, w3, w2 on disk; keys of the 8x7B",
        mixtral(),
        acts=({"num_experts_per_tok": 3}, {"rope_theta": 500.0}),
    ),
    Case(
        "mixtral_window_one_expert_f16",
        "float16",
        "one expert a token; sliding window 7, head_dim of its own, nested rope_parameters; no num_key_value_heads",
        without(mixtral(
                head_dim=8,
                num_attention_heads=8,
                num_experts_per_tok=1,
                rope_parameters=rope(10000.0),
                sliding_window=7,
                torch_dtype="float16",
            ), "num_key_value_heads", "rope_theta"),
        acts=({"sliding_window": 8}, {"num_experts_per_tok": 2}),
    ),
    Case(
        "qwen2_moe_shared_bf16",
        "bfloat16",
        "3 of 7 experts beside a shared one with a gate of its own; keys of Qwen1.5-MoE-A2.7B",
        qwen2_moe(),
        acts=({"norm_topk_prob": True}, {"num_experts_per_tok": 2}),
    ),
    Case(
        "qwen2_moe_some_dense_f32",
        "float32",
        "experts in every second block but the last, which mlp_only_layers lists; windows on every other block, no biases on q, k "
        "and v; weights that add up to 1",
        qwen2_moe(
            decoder_sparse_step=2,
            mlp_only_layers=[3],
            norm_topk_prob=True,
            num_hidden_layers=4,
            num_key_value_heads=1,
            qkv_bias=False,
            torch_dtype="float32",
            use_sliding_window=True,
        ),
        # 21 blocks may have a window; of these every other one has.
        acts=({"sliding_window": 8}, {"max_window_layers": 1}, {"norm_topk_prob": False}),
    ),
    Case(
        "qwen3_moe_30b_a3b_bf16",
        "bfloat16",
        "4 of 11 experts, weights that add up to 1; norms on heads of q and k; head_dim 10 is not hidden/heads; keys of the 30B-A3B",
        qwen3_moe(),
        acts=({"norm_topk_prob": False}, {"num_experts_per_tok": 3}, {"rope_theta": 10000.0}),
    ),
    Case(
        "qwen3_moe_first_dense_f16",
        "float16",
        "the first block has an MLP (mlp_only_layers); a window on every block, biases of attention, tied",
        qwen3_moe(
            attention_bias=True,
            mlp_only_layers=[0],
            norm_topk_prob=False,
            sliding_window=6,
            tie_word_embeddings=True,
            torch_dtype="float16",
            use_sliding_window=True,
        ),
        acts=({"norm_topk_prob": True}, {"sliding_window": 7}, {"use_sliding_window": False}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "granitemoe_3b_bf16",
        "bfloat16",
        "3 of 5 experts in two tensors (input_linear, output_linear), softmax over the chosen; factors on embedding, scores, writes "
        "and logits; tied",
        granitemoe(**GRANITE_FACTORS, tie_word_embeddings=True, torch_dtype="bfloat16"),
        lengths=LENGTHS,
        acts=({"attention_multiplier": 1.0}, {"residual_multiplier": 1.0}, {"num_experts_per_tok": 2}),
        scales={"embed_tokens": 0.6},
    ),
    Case(
        "granitemoe_bare_f32",
        "float32",
        "no factor given, biases of attention, one expert a token",
        granitemoe(attention_bias=True, num_experts_per_tok=1, torch_dtype="float32"),
        lengths=LENGTHS,
        scales={"q_proj": 0.6, "k_proj": 0.6},
    ),
    Case(
        "flex_olmo_7x7b_bf16",
        "bfloat16",
        "norms on the branches' outputs; 3 of 7 experts, weights as the router's softmax gives them",
        flex_olmo(norm_topk_prob=False, torch_dtype="bfloat16"),
        lengths=LENGTHS,
        acts=({"num_experts_per_tok": 2},),
    ),
    Case(
        "flex_olmo_normalised_f16",
        "float16",
        "weights that add up to 1; biases of attention, tied; rope_theta and eps not given",
        without(flex_olmo(
                attention_bias=True, norm_topk_prob=True, tie_word_embeddings=True, torch_dtype="float16"
            ), "rope_theta", "rms_norm_eps"),
        lengths=LENGTHS,
        acts=({"num_experts_per_tok": 2}, {"rope_theta": 100.0}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "minimax_m2_rotary_dim_bf16",
        "bfloat16",
        "3 of 7 experts by logistic scores and a correction; norms on the whole of q and k; rotary_dim 6 of 10",
        minimax_m2(rotary_dim=6, torch_dtype="bfloat16"),
        lengths=LENGTHS,
        acts=({"num_experts_per_tok": 2}, {"rotary_dim": 10}, {"rope_theta": 100.0}),
        scales={"e_score_correction_bias": 0.3},
    ),
    Case(
        "minimax_m2_whole_rotary_f16",
        "float16",
        "whole heads turn; a correction that decides most choices; tied; rope_theta not given",
        {
            key: value
            for key, value in minimax_m2(tie_word_embeddings=True, torch_dtype="float16").items()
            if key != "rope_theta"
        },
        lengths=LENGTHS,
        acts=({"rope_theta": 100.0},),
        scales={"embed_tokens": 0.7},
    ),
]
