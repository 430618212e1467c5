"""Checkpoints with experts whose routers have a rule of their own: ERNIE 4.5, Phi-3.5 and HunYuan."""

from .case import Case, without
from .experts import small

LENGTHS = (1, 13)
SIZES = {"hidden_size": 16, "intermediate_size": 11, "vocab_size": 53}


def ernie4_5_moe(**more):
    return (
        small(
            "ernie4_5_moe",
            "Ernie4_5_MoeForCausalLM",
            moe_capacity=[64, 64, 64],
            moe_intermediate_size=7,
            moe_k=3,
            moe_layer_interval=1,
            moe_num_experts=6,
            moe_num_shared_experts=2,
            rope_theta=500000.0,
            use_bias=False,
        )
        | SIZES
        | {"head_dim": 6}
        | more
    )


def phimoe(**more):
    sizes = SIZES | {"intermediate_size": 7}
    return small("phimoe", "PhiMoEForCausalLM", num_experts_per_tok=2, num_local_experts=5) | sizes | more


def hunyuan_v1_moe(**more):
    sizes = SIZES | {"head_dim": 6, "intermediate_size": 7, "num_experts": 5}
    config = small("hunyuan_v1_moe", "HunYuanMoEV1ForCausalLM", moe_topk=3)
    return without(config, "num_experts_per_tok") | sizes | more


CASES = [
    Case(
        "ernie4_5_moe_21b_bf16",
        "bfloat16",
        "a dense block, then 3 of 6 experts by corrected probabilities, beside two shared ones; keys of the 21B-A3B; tied",
        without(ernie4_5_moe(
                moe_layer_end_index=1,
                moe_layer_start_index=1,
                moe_use_aux_free=True,
                tie_word_embeddings=True,
                torch_dtype="bfloat16",
            ), "num_experts_per_tok"),
        lengths=LENGTHS,
        acts=({"moe_k": 2}, {"rope_theta": 100.0}),
        scales={"embed_tokens": 0.7, "e_score_correction_bias": 0.2},
    ),
    Case(
        "ernie4_5_moe_floor_f16",
        "float16",
        "experts in every second block of four but the last, without a shared one; biases elsewhere; weights are divided by 0.6 at "
        "least; eps and rope_theta not given; attribute_map's names",
        without(ernie4_5_moe(
                moe_layer_end_index=2,
                moe_layer_interval=2,
                moe_layer_start_index=0,
                moe_norm_min=0.6,
                moe_num_shared_experts=0,
                intermediate_size=7,
                moe_intermediate_size=5,
                num_experts=5,
                num_experts_per_tok=2,
                num_hidden_layers=4,
                tie_word_embeddings=False,
                torch_dtype="float16",
                use_bias=True,
            ), "moe_k", "moe_num_experts", "rms_norm_eps", "rope_theta"),
        lengths=LENGTHS,
        acts=({"moe_norm_min": 1e-12}, {"num_experts_per_tok": 3}, {"rope_theta": 100.0}),
        scales={"e_score_correction_bias": 0.2},
    ),
    Case(
        "phimoe_bf16",
        "bfloat16",
        "2 of 5 experts, one after the other, weighed among those within a tenth; LayerNorm, biases, a bias of the head; longrope "
        "with factors of its own on cosines and sines, beyond whose original context of 11 the frequencies stay",
        phimoe(
            attention_bias=True,
            lm_head_bias=True,
            original_max_position_embeddings=11,
            rope_scaling={
                "long_factor": [1.5, 3.0],
                "long_mscale": 1.243163121016122,
                "original_max_position_embeddings": 11,
                "short_factor": [1.0, 1.25],
                "short_mscale": 1.243163121016122,
                "type": "longrope",
            },
            router_jitter_noise=0.2,
            sliding_window=131072,
            torch_dtype="bfloat16",
        ),
        lengths=LENGTHS,
        acts=({"router_jitter_noise": 0.01}, {"rope_theta": 100.0}),
    ),
    Case(
        "phimoe_window_f16",
        "float16",
        "no biases, a window of 5, tied; router_jitter_noise, rope_theta and eps not given",
        without(phimoe(sliding_window=5, tie_word_embeddings=True, torch_dtype="float16"), "rope_theta", "rms_norm_eps"),
        lengths=LENGTHS,
        acts=({"sliding_window": 6}, {"rope_theta": 100.0}, {"router_jitter_noise": 0.3}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "hunyuan_v1_moe_a13b_bf16",
        "bfloat16",
        "3 of 5 experts beside a shared MLP, weights that add up to 1; the number of experts of each block; a base stretched by "
        "alpha; norms after the rotation; tied; keys of the A13B",
        hunyuan_v1_moe(
            attention_bias=False,
            moe_topk=[3, 3],
            rope_scaling={"alpha": 1000.0, "beta_fast": 32, "beta_slow": 1, "factor": 1.0, "type": "dynamic"},
            tie_word_embeddings=True,
            torch_dtype="bfloat16",
            use_cla=False,
            use_mixed_mlp_moe=True,
            use_qk_norm=True,
        ),
        lengths=LENGTHS,
        acts=({"moe_topk": 2}, {"rope_theta": 100.0}),
        scales={"embed_tokens": 0.7},
    ),
    Case(
        "hunyuan_v1_moe_one_expert_f16",
        "float16",
        "one expert a token, biases of attention; untied; moe_topk, eps and rope_theta not given",
        without(hunyuan_v1_moe(attention_bias=True, torch_dtype="float16"), "moe_topk", "rms_norm_eps", "rope_theta"),
        lengths=LENGTHS,
        acts=({"moe_topk": 2}, {"rope_theta": 100.0}),
    ),
]
