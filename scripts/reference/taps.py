"""Where each family of transformers 5.23 keeps what the goldens measure; one entry per family.

Paths are module names: `layers` and `final_norm` from the whole model, the rest from one block. `attention` and `mlp`
name the module whose output is what the branch adds to the stream, so where a norm sits inside a branch it is that
norm; `attention_module` and `mlp_module` are then the modules that the norm follows. Where the module that receives
the branch's input is another one, `attention_input` and `mlp_input` name it.
"""

from dataclasses import dataclass, replace

from routing import Router, of_dbrx, of_llama4


@dataclass(frozen=True)
class Taps:
    layers: str = "model.layers"
    attention: str = "self_attn"
    mlp: str = "mlp"
    final_norm: str | None = "model.norm"
    attention_module: str | None = None
    mlp_module: str | None = None
    attention_input: str | None = None
    mlp_input: str | None = None
    # A module whose output is added to what `mlp` gives.
    mlp_beside: str | None = None
    # A norm on the stream itself, after each branch: block = norms[1](m + mlp(m)), m = norms[0](x + attention(x)).
    # Then the branches' writes are m - x and block - m.
    stream_norms: tuple[str, str] | None = None
    # Name, in a block or else in the config, of the number that multiplies what a branch gives before it is added.
    write_scale: str | None = None
    # Of blocks with experts.
    router: Router | None = None


PRE_NORM = Taps()
POST_NORM_IN_BRANCH = Taps(
    attention="post_attention_layernorm",
    mlp="post_feedforward_layernorm",
    attention_module="self_attn",
    mlp_module="mlp",
)
EXPERTS = replace(PRE_NORM, router=Router("mlp.gate"))
# As in DeepSeek V3.
GROUPED_EXPERTS = replace(PRE_NORM, router=Router("mlp.gate", True, "mlp.gate.e_score_correction_bias", group_best=2))
GPT = Taps("transformer.h", "attn", "mlp", "transformer.ln_f")

OPT_LIKE = replace(PRE_NORM, mlp="fc2", mlp_input="fc1", final_norm="model.layer_norm")

FAMILIES = {
    "afmoe": replace(
        POST_NORM_IN_BRANCH, mlp="post_mlp_layernorm", router=Router("mlp.router", True, "mlp.expert_bias")
    ),
    "apertus": PRE_NORM,
    "arcee": PRE_NORM,
    "biogpt": replace(OPT_LIKE, layers="biogpt.layers", final_norm="biogpt.layer_norm"),
    "bitnet": PRE_NORM,
    # The modules around `dense` and `dense_4h_to_h` return the stream with the branch already added.
    "bloom": replace(
        GPT,
        attention="self_attention.dense",
        mlp="mlp.dense_4h_to_h",
        attention_input="self_attention",
        mlp_input="mlp",
    ),
    "codegen": GPT,
    "cohere": PRE_NORM,
    "cohere2": PRE_NORM,
    "cwm": PRE_NORM,
    "dbrx": Taps(
        "transformer.blocks",
        "norm_attn_norm.attn",
        "ffn",
        "transformer.norm_f",
        router=Router("ffn.router", parts=of_dbrx),
    ),
    "deepseek_v2": replace(PRE_NORM, router=Router("mlp.gate", group_best=1)),
    "deepseek_v3": GROUPED_EXPERTS,
    "deepseek_v32": GROUPED_EXPERTS,
    "dots1": GROUPED_EXPERTS,
    "ernie4_5": PRE_NORM,
    "ernie4_5_moe": replace(
        PRE_NORM, router=Router("mlp.gate", correction="mlp.gate.moe_statics.e_score_correction_bias")
    ),
    "exaone4": POST_NORM_IN_BRANCH,
    "falcon": replace(GPT, attention="self_attention"),
    "flex_olmo": replace(POST_NORM_IN_BRANCH, router=Router("mlp.gate")),
    "gemma": PRE_NORM,
    "gemma2": POST_NORM_IN_BRANCH,
    "gemma3_text": POST_NORM_IN_BRANCH,
    "glm": PRE_NORM,
    "glm4": replace(
        PRE_NORM,
        attention="post_self_attn_layernorm",
        mlp="post_mlp_layernorm",
        attention_module="self_attn",
        mlp_module="mlp",
    ),
    "glm4_moe": GROUPED_EXPERTS,
    "glm4_moe_lite": GROUPED_EXPERTS,
    "glm_moe_dsa": GROUPED_EXPERTS,
    "gpt2": GPT,
    "gpt_bigcode": GPT,
    "gpt_neo": GPT,
    "gpt_neox": Taps("gpt_neox.layers", "attention", "mlp", "gpt_neox.final_layer_norm"),
    "gpt_oss": replace(PRE_NORM, router=Router("mlp.router")),
    "gptj": GPT,
    "granite": replace(PRE_NORM, write_scale="residual_multiplier"),
    "granitemoe": replace(
        PRE_NORM,
        mlp="block_sparse_moe",
        router=Router("block_sparse_moe.router"),
        write_scale="residual_multiplier",
    ),
    "granitemoeshared": replace(
        PRE_NORM,
        mlp="block_sparse_moe",
        mlp_beside="shared_mlp",
        router=Router("block_sparse_moe.router"),
        write_scale="residual_multiplier",
    ),
    "helium": PRE_NORM,
    "hunyuan_v1_dense": PRE_NORM,
    "hunyuan_v1_moe": EXPERTS,
    "internlm3": PRE_NORM,
    "iquestcoder": PRE_NORM,
    "jais2": PRE_NORM,
    "llama": PRE_NORM,
    "llama4_text": replace(
        PRE_NORM, mlp="feed_forward", router=Router("feed_forward.router", True, parts=of_llama4)
    ),
    "minicpm3": replace(PRE_NORM, write_scale="residual_scale"),
    "minimax_m2": replace(PRE_NORM, router=Router("mlp.gate", True, "mlp.e_score_correction_bias")),
    "ministral": PRE_NORM,
    "ministral3": PRE_NORM,
    "mistral": PRE_NORM,
    "mistral4": replace(PRE_NORM, router=Router("mlp.gate", group_best=2)),
    "mixtral": EXPERTS,
    "mpt": Taps(
        "transformer.blocks",
        "attn",
        "ffn.down_proj",
        "transformer.norm_f",
        mlp_module="ffn.down_proj",
        mlp_input="ffn",
    ),
    "nanochat": PRE_NORM,
    "nemotron": PRE_NORM,
    "olmo": PRE_NORM,
    "olmo2": POST_NORM_IN_BRANCH,
    "olmo3": POST_NORM_IN_BRANCH,
    "olmoe": EXPERTS,
    "opt": Taps("model.decoder.layers", mlp="fc2", mlp_input="fc1", final_norm="model.decoder.final_layer_norm"),
    "persimmon": replace(PRE_NORM, final_norm="model.final_layernorm"),
    "phi": replace(PRE_NORM, final_norm="model.final_layernorm"),
    "phi3": PRE_NORM,
    "phimoe": replace(PRE_NORM, router=Router("mlp.router")),
    "qwen2": PRE_NORM,
    "qwen2_moe": EXPERTS,
    "qwen3": PRE_NORM,
    "qwen3_moe": EXPERTS,
    "seed_oss": PRE_NORM,
    "smollm3": PRE_NORM,
    "stablelm": PRE_NORM,
    "starcoder2": PRE_NORM,
    "vaultgemma": PRE_NORM,
    "xglm": OPT_LIKE,
    "youtu": PRE_NORM,
}


# Families of `remote.py`, whose factor on writes is the config's own.
FAMILIES |= {
    "baichuan": PRE_NORM,
    "exaone": replace(GPT, attention="attn.attention"),
    "internlm2": replace(PRE_NORM, attention="attention", mlp="feed_forward"),
    "minicpm": replace(PRE_NORM, write_scale="write_factor"),
    "qwen": GPT,
}

# Models of images and text: the text stack lies deeper.
WRAPPED = {
    "gemma3": "gemma3_text",
    "glm4v": "glm4",
    "idefics3": "llama",
    "llava": "llama",
    "llava_next": "llama",
    "llava_onevision": "llama",
    "mistral3": "llama",
    "qwen2_5_vl": "qwen2",
    "qwen3_vl": "qwen3",
}
FAMILIES["llama4"] = replace(
    FAMILIES["llama4_text"], layers="language_model.model.layers", final_norm="language_model.model.norm"
)
for wrapper, stack in WRAPPED.items():
    inside = "model.text_model" if wrapper == "idefics3" else "model.language_model"
    FAMILIES[wrapper] = replace(FAMILIES[stack], layers=f"{inside}.layers", final_norm=f"{inside}.norm")


def taps_of(config) -> Taps:
    taps = FAMILIES[config.model_type]
    if config.model_type == "opt" and not config.do_layer_norm_before:
        return replace(taps, final_norm=None, stream_norms=("self_attn_layer_norm", "final_layer_norm"))
    if config.model_type == "opt" and config._remove_final_layer_norm:
        return replace(taps, final_norm=None)
    return taps
