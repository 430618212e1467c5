"""The rope scalings that LLaMA checkpoints use besides llama3 (see llama.py) and longrope (see phi3.py)."""

from .case import Case
from .llama import llama


def small(**more):
    return llama(36, 2, 3, 1, 59, 131) | more


YARN = {"factor": 4.0, "original_max_position_embeddings": 32, "rope_theta": 500.0, "rope_type": "yarn"}

CASES = [
    Case(
        "llama_rope_linear_bf16",
        "bfloat16",
        "linear scaling by 4, legacy spelling with `type`",
        small(rope_theta=10000.0, rope_scaling={"factor": 4.0, "type": "linear"}, torch_dtype="bfloat16"),
        acts=({"rope_scaling": None}, {"rope_scaling": {"factor": 3.0, "type": "linear"}}),
    ),
    Case(
        "llama_rope_dynamic_f32",
        "float32",
        "dynamic scaling by 2: max_position_embeddings 17, so the prompt of 17 is untouched and that of 23 stretches "
        "the base; prompts beyond max_position_embeddings are what it is for",
        small(
            max_position_embeddings=17,
            rope_theta=10000.0,
            rope_scaling={"factor": 2.0, "type": "dynamic"},
            torch_dtype="float32",
        ),
        acts=({"rope_scaling": None}, {"max_position_embeddings": 16}),
    ),
    Case(
        "llama_rope_yarn_bare_bf16",
        "bfloat16",
        "yarn without optional keys: betas 32 and 1, cosines and sines times 0.1 ln 4 + 1",
        small(max_position_embeddings=128, rope_parameters=YARN, dtype="bfloat16"),
        acts=({"rope_parameters": YARN | {"attention_factor": 1.0}}, {"rope_parameters": YARN | {"beta_slow": 2.0}}),
    ),
    Case(
        "llama_rope_yarn_betas_f16",
        "float16",
        "yarn with beta_fast 4, beta_slow 0.5 and attention_factor 0.9; original context left at its default "
        "(max_position_embeddings); legacy spelling",
        small(
            max_position_embeddings=32,
            rope_theta=500.0,
            rope_scaling={
                "attention_factor": 0.9,
                "beta_fast": 4.0,
                "beta_slow": 0.5,
                "factor": 4.0,
                "type": "yarn",
            },
            torch_dtype="float16",
        ),
        acts=(
            {"rope_scaling": {"attention_factor": 0.9, "factor": 4.0, "type": "yarn"}},
            {"rope_scaling": {"beta_fast": 4.0, "beta_slow": 0.5, "factor": 4.0, "type": "yarn"}},
            {"max_position_embeddings": 128},
        ),
    ),
    Case(
        "llama_rope_yarn_mscale_f32",
        "float32",
        "yarn with mscale 1.2 and mscale_all_dim 0.5, truncate false; head_dim 14 given",
        small(
            head_dim=14,
            max_position_embeddings=128,
            rope_parameters=YARN | {"beta_fast": 4.0, "mscale": 1.2, "mscale_all_dim": 0.5, "truncate": False},
            dtype="float32",
        ),
        acts=(
            {"rope_parameters": YARN | {"beta_fast": 4.0, "truncate": False}},
            {"rope_parameters": YARN | {"beta_fast": 4.0, "mscale": 1.2, "mscale_all_dim": 0.5}},
        ),
    ),
]
