"""Where each family of transformers 5.23 keeps what the goldens measure; one entry per family.

Paths are module names: `layers` and `final_norm` from the whole model, the rest from one block. `attention` and `mlp`
name the module whose output is what the branch adds to the stream, so where a norm sits inside a branch it is that
norm; `attention_module` and `mlp_module` are then the modules that the norm follows. Where the module that receives
the branch's input is another one, `attention_input` and `mlp_input` name it.
"""

from dataclasses import dataclass, replace


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
    # A norm on the stream itself, after each branch: block = norms[1](m + mlp(m)), m = norms[0](x + attention(x)).
    # Then the branches' writes are m - x and block - m.
    stream_norms: tuple[str, str] | None = None


PRE_NORM = Taps()
POST_NORM_IN_BRANCH = Taps(
    attention="post_attention_layernorm",
    mlp="post_feedforward_layernorm",
    attention_module="self_attn",
    mlp_module="mlp",
)
GPT = Taps("transformer.h", "attn", "mlp", "transformer.ln_f")

FAMILIES = {
    "apertus": PRE_NORM,
    # The modules around `dense` and `dense_4h_to_h` return the stream with the branch already added.
    "bloom": replace(
        GPT,
        attention="self_attention.dense",
        mlp="mlp.dense_4h_to_h",
        attention_input="self_attention",
        mlp_input="mlp",
    ),
    "cohere": PRE_NORM,
    "falcon": replace(GPT, attention="self_attention"),
    "gemma": PRE_NORM,
    "gemma2": POST_NORM_IN_BRANCH,
    "gemma3_text": POST_NORM_IN_BRANCH,
    "gpt2": GPT,
    "gpt_neo": GPT,
    "gpt_neox": Taps("gpt_neox.layers", "attention", "mlp", "gpt_neox.final_layer_norm"),
    "gptj": GPT,
    "llama": PRE_NORM,
    "mistral": PRE_NORM,
    "olmo2": POST_NORM_IN_BRANCH,
    "opt": Taps("model.decoder.layers", mlp="fc2", mlp_input="fc1", final_norm="model.decoder.final_layer_norm"),
    "phi": replace(PRE_NORM, final_norm="model.final_layernorm"),
    "phi3": PRE_NORM,
    "qwen2": PRE_NORM,
    "qwen3": PRE_NORM,
    "stablelm": PRE_NORM,
    "starcoder2": PRE_NORM,
}


def taps_of(config) -> Taps:
    taps = FAMILIES[config.model_type]
    if config.model_type == "opt" and not config.do_layer_norm_before:
        return replace(taps, final_norm=None, stream_norms=("self_attn_layer_norm", "final_layer_norm"))
    if config.model_type == "opt" and config._remove_final_layer_norm:
        return replace(taps, final_norm=None)
    return taps
