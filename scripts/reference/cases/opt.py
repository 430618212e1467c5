"""OPT checkpoints: learned positions with an offset of 2, ReLU, and the 350m's norms on the stream."""

from .case import Case


def opt(**more):
    return {
        "_remove_final_layer_norm": False,
        "activation_dropout": 0.0,
        "activation_function": "relu",
        "architectures": ["OPTForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": 2,
        "do_layer_norm_before": True,
        "dropout": 0.1,
        "eos_token_id": 2,
        "ffn_dim": 59,
        "hidden_size": 30,
        "layerdrop": 0.0,
        "max_position_embeddings": 41,
        "model_type": "opt",
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "pad_token_id": 1,
        "vocab_size": 131,
        "word_embed_proj_dim": 30,
    } | more


# What these read is as long as a normalised row or shorter; without this, attention would be nearly uniform.
KEEN = {"q_proj.weight": 1.8, "k_proj.weight": 1.8}

CASES = [
    Case(
        "opt_pre_norm_f16",
        "float16",
        "keys of the 125m; positions start at row 2 of the table; tied, no head tensor",
        opt(prefix="</s>", torch_dtype="float16"),
    ),
    Case(
        "opt_350m_post_norm_f32",
        "float32",
        "do_layer_norm_before false: norms on the stream after each branch, no final norm; embedding width 22 with "
        "project_in and project_out",
        opt(do_layer_norm_before=False, word_embed_proj_dim=22, hidden_size=36, num_attention_heads=4),
        scales=KEEN,
    ),
    Case(
        "opt_decoder_prefix_bf16",
        "bfloat16",
        "names that start with `decoder.` instead of `model.decoder.`, tied head stored all the same; "
        "_remove_final_layer_norm",
        opt(_remove_final_layer_norm=True, num_hidden_layers=2, torch_dtype="bfloat16"),
        strip="model.",
        head=True,
    ),
    Case(
        "opt_no_biases_gelu_bf16",
        "bfloat16",
        "enable_bias and layer_norm_elementwise_affine false, activation gelu; untied",
        opt(
            activation_function="gelu",
            enable_bias=False,
            layer_norm_elementwise_affine=False,
            tie_word_embeddings=False,
            torch_dtype="bfloat16",
        ),
        acts=({"activation_function": "relu"},),
        scales={"embed_positions": 0.5} | KEEN,
    ),
]
