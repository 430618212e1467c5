"""Checkpoints with multi-head latent attention: Youtu-LLM."""

from .case import Case

LENGTHS = (1, 5, 17)


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


CASES = [
    Case(
        "youtu_2b_bf16",
        "bfloat16",
        "queries and keys of latents, values wider than what does not turn, neighbours turn; tied; eps of latents 1e-6",
        youtu(torch_dtype="bfloat16"),
        lengths=LENGTHS,
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
        lengths=LENGTHS,
        acts=({"rope_interleave": True},),
    ),
]
