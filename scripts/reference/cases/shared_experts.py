"""Checkpoints with experts beside an MLP that every token goes through: GLM-4.5, Granite and dots.llm1."""

from .case import Case, without
from .experts import GRANITE_FACTORS, small

LENGTHS = (1, 17)


def glm4_moe(**more):
    sizes = {"head_dim": 8, "hidden_size": 20, "intermediate_size": 23, "moe_intermediate_size": 7, "vocab_size": 53}
    return (
        small(
            "glm4_moe",
            "Glm4MoeForCausalLM",
            first_k_dense_replace=1,
            n_group=1,
            n_routed_experts=9,
            n_shared_experts=1,
            norm_topk_prob=True,
            num_nextn_predict_layers=1,
            partial_rotary_factor=0.5,
            rope_theta=1000000.0,
            topk_group=1,
        )
        | sizes
        | more
    )


def granitemoeshared(**more):
    sizes = {"intermediate_size": 7, "num_local_experts": 5, "shared_intermediate_size": 13, "vocab_size": 53}
    return small("granitemoeshared", "GraniteMoeSharedForCausalLM") | sizes | more


def dots1(**more):
    sizes = {"intermediate_size": 23, "moe_intermediate_size": 7, "vocab_size": 53}
    return (
        small(
            "dots1",
            "Dots1ForCausalLM",
            first_k_dense_replace=1,
            n_group=1,
            n_routed_experts=8,
            n_shared_experts=2,
            norm_topk_prob=True,
            topk_group=1,
        )
        | sizes
        | more
    )


CASES = [
    Case(
        "glm4_moe_air_bf16",
        "bfloat16",
        "a dense block, then 3 of 9 experts by logistic scores and a correction beside a shared one; biases on q, k and v; half of "
        "each head turns; a block after the last, which is not read",
        glm4_moe(attention_bias=True, routed_scaling_factor=1.5, torch_dtype="bfloat16", use_qk_norm=False),
        buffers=True,
        lengths=LENGTHS,
        acts=(
            {"norm_topk_prob": False},
            {"num_experts_per_tok": 2},
            {"partial_rotary_factor": 1.0},
            {"routed_scaling_factor": 1.0},
        ),
        scales={"e_score_correction_bias": 0.3},
    ),
    Case(
        "glm4_moe_groups_f16",
        "float16",
        "3 of 12 experts, out of the 2 best of 4 groups; two shared ones, no dense block; norms on heads of q and k, weights as "
        "scored; tied; partial_rotary_factor, rope_theta and eps not given",
        without(glm4_moe(
                first_k_dense_replace=0,
                n_group=4,
                n_routed_experts=12,
                n_shared_experts=2,
                norm_topk_prob=False,
                tie_word_embeddings=True,
                topk_group=2,
                torch_dtype="float16",
                use_qk_norm=True,
            ), "partial_rotary_factor", "rope_theta", "rms_norm_eps"),
        lengths=LENGTHS,
        acts=({"norm_topk_prob": True}, {"topk_group": 1}, {"topk_group": 4}, {"n_group": 2}, {"routed_scaling_factor": 2.5}),
        scales={"e_score_correction_bias": 0.3, "embed_tokens": 0.7},
    ),
    Case(
        "granitemoeshared_bf16",
        "bfloat16",
        "3 of 5 experts beside an MLP of its own module; factors on embedding, scores, writes and logits; tied",
        granitemoeshared(**GRANITE_FACTORS, tie_word_embeddings=True, torch_dtype="bfloat16"),
        lengths=LENGTHS,
        acts=({"attention_multiplier": 1.0}, {"residual_multiplier": 1.0}, {"num_experts_per_tok": 2}),
        scales={"embed_tokens": 0.6},
    ),
    Case(
        "granitemoeshared_bare_f32",
        "float32",
        "no factor given, biases of attention, one expert a token",
        granitemoeshared(attention_bias=True, num_experts_per_tok=1, torch_dtype="float32"),
        lengths=LENGTHS,
        scales={"q_proj": 0.6, "k_proj": 0.6},
    ),
    Case(
        "dots1_bf16",
        "bfloat16",
        "a dense block, then 3 of 8 experts beside two shared ones; norms on heads of q and k; keys of the published config",
        dots1(
            attention_bias=False,
            max_window_layers=62,
            routed_scaling_factor=2.5,
            rope_theta=10000000.0,
            sliding_window=None,
            torch_dtype="bfloat16",
        ),
        lengths=LENGTHS,
        acts=({"norm_topk_prob": False}, {"num_experts_per_tok": 2}, {"routed_scaling_factor": 1.0}),
        scales={"e_score_correction_bias": 0.3},
    ),
    Case(
        "dots1_groups_window_f16",
        "float16",
        "2 of 8 experts, out of the best of 4 groups, which is all of it; a window of 5 from the second block on; biases of "
        "attention, head_dim of its own; norm_topk_prob and first_k_dense_replace not given",
        without(dots1(
                attention_bias=True,
                head_dim=6,
                max_window_layers=1,
                n_group=4,
                num_experts_per_tok=2,
                sliding_window=5,
                torch_dtype="float16",
            ), "norm_topk_prob", "first_k_dense_replace"),
        lengths=LENGTHS,
        acts=({"norm_topk_prob": True}, {"topk_group": 2}, {"n_group": 2}, {"sliding_window": 6}, {"max_window_layers": 0}),
        scales={"e_score_correction_bias": 0.3},
    ),
]
