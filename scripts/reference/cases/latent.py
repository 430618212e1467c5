"""Checkpoints with multi-head latent attention: Youtu-LLM, DeepSeek V2 and V3, GLM-4.7 Flash, Mistral 4, MiniCPM3, and DeepSeek
V3.2 and GLM-5 up to where their indexer chooses."""

from .case import Case, without

LENGTHS = (1, 17)
INDEXED_LENGTHS = (1, 19)
YOUTU_LENGTHS = (1, 5, 17)


def youtu(**more):
    return {
        "architectures": ["YoutuForCausalLM"],
        "hidden_act": "silu",
        "hidden_size": 24,
        "intermediate_size": 29,
        "kv_lora_rank": 10,
        "max_position_embeddings": 128,
        "model_type": "youtu",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 3,
        "q_lora_rank": 14,
        "qk_nope_head_dim": 6,
        "qk_rope_head_dim": 4,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1600000.0,
        "v_head_dim": 9,
        "vocab_size": 61,
    } | more


# As in the published configs of V2 and V3, for a smaller context.
YARN = {
    "beta_fast": 32,
    "beta_slow": 1,
    "factor": 40,
    "mscale": 1.0,
    "mscale_all_dim": 1.0,
    "original_max_position_embeddings": 16,
    "type": "yarn",
}


def sparse(model_type, architecture, **more):
    return {
        "architectures": [architecture],
        "attention_bias": False,
        "first_k_dense_replace": 1,
        "hidden_act": "silu",
        "hidden_size": 18,
        "intermediate_size": 23,
        "kv_lora_rank": 8,
        "max_position_embeddings": 640,
        "model_type": model_type,
        "moe_intermediate_size": 7,
        "n_group": 1,
        "n_routed_experts": 6,
        "n_shared_experts": 1,
        "norm_topk_prob": True,
        "num_attention_heads": 3,
        "num_experts_per_tok": 2,
        "num_hidden_layers": 2,
        "num_key_value_heads": 3,
        "q_lora_rank": 10,
        "qk_nope_head_dim": 6,
        "qk_rope_head_dim": 4,
        "rms_norm_eps": 1e-06,
        "rope_theta": 10000,
        "routed_scaling_factor": 2.5,
        "topk_group": 1,
        "v_head_dim": 5,
        "vocab_size": 53,
    } | more


def deepseek_v3(**more):
    keys = {"moe_layer_freq": 1, "num_nextn_predict_layers": 1, "scoring_func": "sigmoid", "topk_method": "noaux_tc"}
    return sparse("deepseek_v3", "DeepseekV3ForCausalLM", **keys, rope_scaling=YARN) | more


def deepseek_v2(**more):
    keys = {"moe_layer_freq": 1, "norm_topk_prob": False, "rope_scaling": YARN | {"mscale": 0.707, "mscale_all_dim": 0.707}}
    return sparse("deepseek_v2", "DeepseekV2ForCausalLM", **keys, scoring_func="softmax", topk_method="greedy") | more


def glm4_moe_lite(**more):
    keys = {"num_nextn_predict_layers": 1, "partial_rotary_factor": 1.0, "rope_scaling": None, "topk_method": "noaux_tc"}
    return sparse("glm4_moe_lite", "Glm4MoeLiteForCausalLM", **keys) | more


def indexed(model_type, architecture, **more):
    """With an indexer that chooses all of the longest prompt's tokens."""
    keys = {"index_head_dim": 8, "index_n_heads": 2, "index_topk": INDEXED_LENGTHS[-1], "scoring_func": "sigmoid", "topk_method": "noaux_tc"}
    return sparse(model_type, architecture, **keys, moe_layer_freq=1, num_nextn_predict_layers=1) | more


def deepseek_v32(**more):
    return indexed("deepseek_v32", "DeepseekV32ForCausalLM", rope_scaling=YARN) | more


def glm_moe_dsa(**more):
    keys = {"index_topk_freq": 2, "index_skip_topk_offset": 1, "rope_interleave": True, "rope_theta": 1000000}
    return indexed("glm_moe_dsa", "GlmMoeDsaForCausalLM", **keys) | more


def mistral4(**more):
    rope = YARN | {"llama_4_scaling_beta": 0.4, "original_max_position_embeddings": 8, "rope_theta": 10000.0}
    config = sparse("mistral4", "Mistral4ForCausalLM", rope_parameters=rope, routed_scaling_factor=1.0) | more
    return without(config, "rope_theta")


def minicpm3(**more):
    keys = {"dim_model_base": 6, "scale_depth": 1.4, "scale_emb": 3}
    config = sparse("minicpm3", "MiniCPM3ForCausalLM", **keys) | more
    moe = ("first_k_dense_replace", "moe_intermediate_size", "n_group", "n_routed_experts", "n_shared_experts", "norm_topk_prob")
    return without(config, *moe, "num_experts_per_tok", "routed_scaling_factor", "topk_group")


CORRECTED = {"e_score_correction_bias": 0.3}
CASES = [
    Case(
        "youtu_2b_bf16",
        "bfloat16",
        "queries and keys of latents, values wider than what does not turn, neighbours turn; tied; eps of latents 1e-6",
        youtu(torch_dtype="bfloat16"),
        lengths=YOUTU_LENGTHS,
        acts=({"rope_interleave": False}, {"rope_theta": 100.0}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "youtu_yarn_halves_f32",
        "float32",
        "queries of the stream, halves turn, biases of attention; yarn whose mscale_all_dim multiplies the scores; head of its own",
        youtu(
            attention_bias=True,
            q_lora_rank=None,
            qk_nope_head_dim=5,
            qk_rope_head_dim=8,
            rope_interleave=False,
            rope_scaling={
                "beta_fast": 32,
                "beta_slow": 1,
                "factor": 4.0,
                "mscale": 1.0,
                "mscale_all_dim": 0.7,
                "original_max_position_embeddings": 32,
                "type": "yarn",
            },
            rope_theta=10000.0,
            tie_word_embeddings=False,
            torch_dtype="float32",
            v_head_dim=4,
        ),
        lengths=YOUTU_LENGTHS,
        acts=({"rope_interleave": True},),
    ),
    Case(
        "deepseek_v3_groups_bf16",
        "bfloat16",
        "a dense block, then 2 of 6 experts, out of the best of 2 groups, beside a shared one; yarn with mscale_all_dim; a block after "
        "the last, which is not read",
        deepseek_v3(hidden_size=15, moe_intermediate_size=5, n_group=2, torch_dtype="bfloat16"),
        buffers=True,
        lengths=LENGTHS,
        acts=(
            {"n_group": 3},
            {"norm_topk_prob": False},
            {"rope_interleave": False},
            {"rope_scaling": YARN | {"mscale_all_dim": 0.5}},
            {"routed_scaling_factor": 1.0},
            {"topk_group": 2},
        ),
        scales=CORRECTED,
    ),
    Case(
        "deepseek_v3_whole_queries_f16",
        "float16",
        "queries of the stream, halves turn, biases of attention; one group as in Kimi K2, two shared experts, no dense block; tied; "
        "eps 1e-3 but for the latents",
        without(
            deepseek_v3(
                attention_bias=True,
                first_k_dense_replace=0,
                n_shared_experts=2,
                q_lora_rank=None,
                qk_rope_head_dim=6,
                rms_norm_eps=1e-3,
                rope_interleave=False,
                tie_word_embeddings=True,
                torch_dtype="float16",
                v_head_dim=8,
            ),
            "norm_topk_prob",
            "rope_scaling",
        ),
        lengths=LENGTHS,
        acts=({"rope_interleave": True}, {"rms_norm_eps": 1e-6}, {"norm_topk_prob": False}, {"num_experts_per_tok": 3}),
        scales=CORRECTED | {"embed_tokens": 0.7},
    ),
    Case(
        "deepseek_v2_lite_bf16",
        "bfloat16",
        "queries of the stream; a dense block, then 2 of 6 experts by their probabilities beside two shared ones; keys of the Lite",
        deepseek_v2(n_shared_experts=2, q_lora_rank=None, routed_scaling_factor=1.0, torch_dtype="bfloat16"),
        lengths=LENGTHS,
        acts=({"num_experts_per_tok": 3}, {"routed_scaling_factor": 2.0}),
    ),
    Case(
        "deepseek_v2_groups_f16",
        "float16",
        "2 of 8 experts, out of the 2 groups of 4 that have the best ones; weights times 4; biases of attention, tied, no yarn; "
        "first_k_dense_replace and num_key_value_heads not given",
        without(
            deepseek_v2(
                attention_bias=True,
                n_group=4,
                n_routed_experts=8,
                routed_scaling_factor=4.0,
                tie_word_embeddings=True,
                topk_group=2,
                topk_method="group_limited_greedy",
                torch_dtype="float16",
            ),
            "first_k_dense_replace",
            "num_key_value_heads",
            "rope_scaling",
        ),
        lengths=LENGTHS,
        acts=({"topk_method": "greedy"}, {"n_group": 8}, {"topk_group": 1}, {"routed_scaling_factor": 1.0}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "glm4_moe_lite_flash_bf16",
        "bfloat16",
        "values wider than what does not turn; a dense block, then 2 of 6 experts beside a shared one; keys of the published config",
        glm4_moe_lite(qk_nope_head_dim=5, routed_scaling_factor=1.8, torch_dtype="bfloat16", v_head_dim=7),
        lengths=LENGTHS,
        acts=({"rope_interleave": False}, {"norm_topk_prob": False}, {"routed_scaling_factor": 1.0}, {"num_experts_per_tok": 3}),
        scales=CORRECTED,
    ),
    Case(
        "glm4_moe_lite_types_f16",
        "float16",
        "experts in the first block alone, by mlp_layer_types; 2 of 8 out of the best of 4 groups; halves turn, biases of "
        "attention; routed_scaling_factor and eps not given",
        without(
            glm4_moe_lite(
                attention_bias=True,
                mlp_layer_types=["sparse", "dense"],
                n_group=4,
                n_routed_experts=8,
                num_experts_per_tok=2,
                rope_interleave=False,
                torch_dtype="float16",
            ),
            "first_k_dense_replace",
            "rms_norm_eps",
            "routed_scaling_factor",
        ),
        lengths=LENGTHS,
        acts=({"topk_group": 2}, {"n_group": 2}, {"rope_interleave": True}, {"routed_scaling_factor": 1.0}),
        scales=CORRECTED,
    ),
    Case(
        "mistral4_temperature_bf16",
        "bfloat16",
        "queries that grow from position 8 on; experts in every block, 2 of 6 by their probabilities, beside a shared one; all experts "
        "in two tensors; yarn",
        mistral4(first_k_dense_replace=0, torch_dtype="bfloat16"),
        lengths=LENGTHS,
        acts=(
            {"norm_topk_prob": False},
            {"rope_interleave": False},
            {"rope_parameters": mistral4()["rope_parameters"] | {"llama_4_scaling_beta": 0.0}},
            {"rope_parameters": mistral4()["rope_parameters"] | {"mscale_all_dim": 0.5}},
        ),
    ),
    Case(
        "mistral4_groups_f16",
        "float16",
        "a dense block, then 2 of 6 experts, out of the one of 2 groups whose two best have most probability; queries of the stream, "
        "halves turn; biases of attention, tied; weights as scored",
        mistral4(
            attention_bias=True,
            n_group=2,
            n_routed_experts=6,
            norm_topk_prob=False,
            q_lora_rank=None,
            rope_interleave=False,
            tie_word_embeddings=True,
            torch_dtype="float16",
        ),
        lengths=LENGTHS,
        acts=({"norm_topk_prob": True}, {"topk_group": 2}, {"rope_interleave": True}, {"routed_scaling_factor": 2.0}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "minicpm3_4b_keys_bf16",
        "bfloat16",
        "latent attention in which halves turn, by longrope; factors on embedding, writes and head; tied; v_head_dim not given",
        without(
            minicpm3(
                original_max_position_embeddings=12,
                rope_scaling={"long_factor": [1.5, 3.0], "short_factor": [1.0, 1.2], "type": "longrope"},
                tie_word_embeddings=True,
                torch_dtype="bfloat16",
            ),
            "v_head_dim",
        ),
        lengths=LENGTHS,
        acts=({"scale_emb": 1}, {"scale_depth": 1.0}, {"dim_model_base": 18}, {"rope_scaling": None}),
        scales={"embed_tokens": 0.8},
    ),
    Case(
        "minicpm3_bare_f32",
        "float32",
        "queries of the stream, biases, a head of its own; eps, scale_depth and scale_emb not given",
        without(
            minicpm3(
                attention_bias=True,
                hidden_size=15,
                mlp_bias=True,
                q_lora_rank=None,
                tie_word_embeddings=False,
                torch_dtype="float32",
            ),
            "rms_norm_eps",
            "scale_depth",
            "scale_emb",
        ),
        lengths=LENGTHS,
        acts=({"scale_depth": 1.0}, {"scale_emb": 1}, {"dim_model_base": 15}),
    ),
    Case(
        "deepseek_v32_groups_bf16",
        "bfloat16",
        "V3 with an indexer, whose tensors are not read: prompts are as long as it chooses tokens; a dense block, then 2 of 6 experts "
        "out of the best of 2 groups; yarn",
        deepseek_v32(hidden_size=15, moe_intermediate_size=5, n_group=2, torch_dtype="bfloat16"),
        lengths=INDEXED_LENGTHS,
        acts=({"norm_topk_prob": False}, {"topk_group": 2}, {"rope_scaling": YARN | {"mscale_all_dim": 0.5}}, {"index_topk": 3}),
        scales=CORRECTED,
    ),
    Case(
        "deepseek_v32_types_f16",
        "float16",
        "experts in the first block alone, by mlp_layer_types; biases of attention, tied, values wider than keys",
        without(
            deepseek_v32(
                attention_bias=True,
                hidden_size=15,
                mlp_layer_types=["sparse", "dense"],
                moe_intermediate_size=5,
                tie_word_embeddings=True,
                torch_dtype="float16",
                v_head_dim=12,
            ),
            "rope_scaling",
            "first_k_dense_replace",
        ),
        lengths=INDEXED_LENGTHS,
        acts=({"routed_scaling_factor": 1.0}, {"num_experts_per_tok": 3}, {"index_topk": 3}),
        scales=CORRECTED | {"embed_tokens": 0.7},
    ),
    Case(
        "glm_moe_dsa_shared_bf16",
        "bfloat16",
        "the second block goes by the first one's indexer; a dense block, then 2 of 6 experts beside a shared one; keys of the "
        "published config",
        glm_moe_dsa(hidden_size=15, moe_intermediate_size=5, torch_dtype="bfloat16"),
        lengths=INDEXED_LENGTHS,
        acts=({"norm_topk_prob": False}, {"rope_theta": 100}, {"index_topk": 3}),
        scales=CORRECTED,
    ),
    Case(
        "glm_moe_dsa_types_f16",
        "float16",
        "an indexer in each block, two shared experts beside 2 of 6, no dense block; biases of attention; eps not given",
        without(
            glm_moe_dsa(
                attention_bias=True,
                first_k_dense_replace=0,
                hidden_size=15,
                moe_intermediate_size=5,
                n_group=2,
                n_shared_experts=2,
                torch_dtype="float16",
            ),
            "index_skip_topk_offset",
            "index_topk_freq",
            "rms_norm_eps",
        ),
        lengths=INDEXED_LENGTHS,
        acts=({"topk_group": 2}, {"routed_scaling_factor": 1.0}, {"index_topk": 3}),
        scales=CORRECTED,
    ),
]
