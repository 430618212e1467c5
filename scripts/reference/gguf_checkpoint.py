"""Random checkpoints as llama.cpp's converter writes them: names, layouts and keys of every family.

Names are those of the `gguf` package's own map of tensors. Layouts and keys follow `convert_hf_to_gguf.py` of llama.cpp and its
folder `conversion` (the class is named where it matters).
"""

import math

import numpy as np
from cases.case import rope
from gguf import MODEL_ARCH, GGUFWriter, RopeScalingType, get_tensor_name_map, quants
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

ARCHITECTURES = {
    "apertus": MODEL_ARCH.APERTUS,
    "bloom": MODEL_ARCH.BLOOM,
    "cohere": MODEL_ARCH.COMMAND_R,
    "falcon": MODEL_ARCH.FALCON,
    "gemma": MODEL_ARCH.GEMMA,
    "gemma2": MODEL_ARCH.GEMMA2,
    "gemma3_text": MODEL_ARCH.GEMMA3,
    "gpt2": MODEL_ARCH.GPT2,
    "gpt_neox": MODEL_ARCH.GPTNEOX,
    "llama": MODEL_ARCH.LLAMA,
    "mistral": MODEL_ARCH.LLAMA,
    "olmo2": MODEL_ARCH.OLMO2,
    "phi": MODEL_ARCH.PHI2,
    "phi3": MODEL_ARCH.PHI3,
    "qwen2": MODEL_ARCH.QWEN2,
    "qwen3": MODEL_ARCH.QWEN3,
    "stablelm": MODEL_ARCH.STABLELM,
    "starcoder2": MODEL_ARCH.STARCODER2,
}


def first(config: dict, *names: str, default=None):
    return next((config[n] for n in names if config.get(n) is not None), default)


def heads_of(config: dict) -> tuple[int, int]:
    heads = first(config, "num_attention_heads", "n_head")
    if config["model_type"] == "falcon":
        return heads, first(config, "num_kv_heads", default=1)
    return heads, first(config, "num_key_value_heads", default=heads)


def width_of(config: dict) -> int:
    hidden = first(config, "hidden_size", "n_embd", "n_embed")
    return first(config, "head_dim", default=hidden // heads_of(config)[0])


# Layouts: each function makes the file's tensor of the checkpoint's, and back.


def interleaved(weights: np.ndarray, heads: int, back: bool) -> np.ndarray:
    """`LlamaModel.permute`."""
    halves = (heads, -1, 2) if back else (heads, 2, -1)
    return weights.reshape(*halves, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def ungrouped(weights: np.ndarray, heads: int, kv_heads: int, width: int, back: bool) -> np.ndarray:
    """`modify_tensors` of `FalconModel`; for as many keys as queries that of `BloomModel` and `GPTNeoXModel`."""
    rest, queries = weights.shape[1:], heads // kv_heads
    if back:
        q, k, v = np.split(weights, [heads * width, (heads + kv_heads) * width])
        parts = [q.reshape(kv_heads, queries, width, *rest), k.reshape(kv_heads, 1, width, *rest)]
        parts.append(v.reshape(kv_heads, 1, width, *rest))
        return np.concatenate(parts, axis=1).reshape(weights.shape)
    groups = weights.reshape(kv_heads, queries + 2, width, *rest)
    parts = [groups[:, :-2], groups[:, -2], groups[:, -1]]
    return np.concatenate([part.reshape(-1, *rest) for part in parts])


def laid_out(name: str, value: np.ndarray, config: dict, back: bool = False) -> np.ndarray:
    family, (heads, kv_heads) = config["model_type"], heads_of(config)
    if family in ("llama", "mistral"):
        for part, count in (("q", heads), ("k", kv_heads)):
            if f".{part}_proj." in name:
                return interleaved(value, count, back)
    if family in ("falcon", "bloom", "gpt_neox") and "query_key_value" in name:
        return ungrouped(value, heads, kv_heads, width_of(config), back)
    if family.startswith("gemma") and name.endswith("norm.weight"):
        return value - np.float32(1) if back else value + np.float32(1)
    if family == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        return np.ascontiguousarray(value.T)
    return value


def quantised(value: np.ndarray, kind: str, random_bytes):
    """The bytes of a matrix in a type, the type, and the numbers they stand for."""
    kind = GGMLQuantizationType[kind]
    if value.ndim == 1:
        kind = GGMLQuantizationType.F32
    elif value.shape[-1] % GGML_QUANT_SIZES[kind][0]:
        # As `prepare_tensors`; a width of whole small blocks takes those.
        kind = GGMLQuantizationType.F16 if value.shape[-1] % 32 else GGMLQuantizationType.Q5_0
    elif kind == GGMLQuantizationType.Q6_K:
        # The package does not quantise to this type: any blocks with small scales will do.
        raw = random_bytes(value.size, value.size // 256 * 210).reshape(-1, 210).copy()
        raw[:, 208:] = np.full((len(raw), 1), 8e-6, dtype="<f2").view(np.uint8)
        raw = raw.reshape(value.shape[0], -1)
        return raw, kind, quants.dequantize(raw, kind)
    raw = quants.quantize(value.astype(np.float32), kind)
    return raw, kind, quants.dequantize(raw, kind).reshape(value.shape)


def divisors(config: dict) -> np.ndarray:
    """`LlamaModel.generate_extra_tensors`."""
    p, width = config["rope_parameters"], width_of(config)
    low, high, context = p["low_freq_factor"], p["high_freq_factor"], p["original_max_position_embeddings"]
    found = []
    for i in range(0, width, 2):
        wavelength = 2 * math.pi * p["rope_theta"] ** (i / width)
        if wavelength < context / high:
            found.append(1.0)
        elif wavelength > context / low:
            found.append(p["factor"])
        else:
            smooth = (context / wavelength - low) / (high - low)
            found.append(1 / ((1 - smooth) / p["factor"] + smooth))
    return np.array(found, dtype=np.float32)


class Checkpoint:
    """A checkpoint's tensors as a file has them, and the numbers that they stand for in the checkpoint."""

    def __init__(self, config: dict, fuses: bool, quantise):
        self.config, self.fuses, self.quantise = config, fuses, quantise
        self.layers = first(config, "num_hidden_layers", "n_layer")
        self.names = get_tensor_name_map(ARCHITECTURES[config["model_type"]], self.layers)
        self.tensors, self.numbers, self.xielu = [], {}, {}
        self.waiting = {}

    def add(self, name: str, value: np.ndarray):
        """One tensor of the checkpoint; those that a file joins wait for each other."""
        if ".act_fn." in name:
            # `ApertusModel.modify_tensors`
            self.xielu.setdefault(name.rsplit(".", 1)[1], []).append(float(value.reshape(())))
            self.numbers[name] = value
        elif ".norms." in name:
            # `StableLMModel._stack_qk_norm`
            module, rest = name.split(".norms.")
            heads, kv_heads = heads_of(self.config)
            self.join(name, value, f"{module}.weight", heads if "q_layernorm" in module else kv_heads, np.stack)
        elif self.fuses and any(f".{part}_proj." in name for part in "qkv"):
            block, part = name.split(".self_attn.")[0], name.rsplit(".", 1)[1]
            # As the converter fused what older classes had in one matrix.
            joined = f"blk.{block.rsplit('.', 1)[1]}.attn_qkv.{part}"
            self.join(name, value, joined, 3, np.concatenate)
        else:
            # `BloomModel.modify_tensors`: its classes differ in this prefix.
            known = name.removeprefix("transformer.") if self.config["model_type"] == "bloom" else name
            self.store(self.names.get_name(known, (".weight", ".bias")), [name], [value], lambda values: values[0])

    def join(self, name, value, joined, count, how):
        waiting = self.waiting.setdefault(joined, [])
        waiting.append((name, value))
        if len(waiting) == count:
            mapped = joined if joined.startswith("blk.") else self.names.get_name(joined, (".weight", ".bias"))
            self.store(mapped, [n for n, _ in waiting], [v for _, v in waiting], how)

    def store(self, mapped, names, values, how):
        stored = [laid_out(n, v, self.config) for n, v in zip(names, values)]
        raw, kind, found = self.quantise(mapped, how(stored))
        self.tensors.append((mapped, raw, kind))
        if how is np.stack:
            parts = list(found)
        else:
            parts = np.split(found, np.cumsum([len(s) for s in stored])[:-1]) if len(names) > 1 else [found]
        for name, part in zip(names, parts):
            self.numbers[name] = laid_out(name, part, self.config, back=True)


def write_keys(writer: GGUFWriter, config: dict, xielu: dict):
    family = config["model_type"]
    p = config.get("rope_parameters") or rope(config.get("rope_theta", 10000.0))
    local, p = p.get("sliding_attention"), p.get("full_attention", p)
    heads, kv_heads = heads_of(config)
    hidden = first(config, "hidden_size", "n_embd", "n_embed")
    inside = first(config, "intermediate_size", "ffn_hidden_size", "n_inner", default=4 * hidden)
    width = width_of(config)
    writer.add_block_count(first(config, "num_hidden_layers", "n_layer"))
    writer.add_context_length(first(config, "max_position_embeddings", "n_positions", "seq_length", default=2048))
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inside)
    writer.add_head_count(heads)
    if family not in ("gpt2", "gpt_neox"):
        writer.add_head_count_kv(kv_heads)
    if "rms_norm_eps" in config:
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    else:
        writer.add_layer_norm_eps(first(config, "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"))
    if family in ("llama", "mistral", "qwen2", "qwen3", "olmo2", "starcoder2", "cohere", "apertus", "phi3", "gemma3_text"):
        writer.add_rope_freq_base(p["rope_theta"])
    else:
        # These classes leave the base to llama.cpp, which takes this one.
        assert p["rope_theta"] == 10000.0, "the converter does not write the base of this family"
    share = p.get("partial_rotary_factor", config.get("rotary_pct", 1.0))
    if family in ("llama", "mistral", "qwen2", "qwen3", "apertus", "phi3", "phi", "stablelm", "gpt_neox"):
        writer.add_rope_dimension_count(int(share * width))
    if family in ("llama", "mistral", "qwen2", "qwen3", "apertus"):
        writer.add_vocab_size(config["vocab_size"])
    if "head_dim" in config:
        writer.add_key_length(width)
        writer.add_value_length(width)
    if p["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(RopeScalingType[p["rope_type"].upper()])
        writer.add_rope_scaling_factor(p["factor"])
    if p["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(p["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_beta_fast(p["beta_fast"])
    if p["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", divisors(config))
    own(writer, config, p, local)
    for name, values in xielu.items():
        getattr(writer, f"add_xielu_{name}")(values)
    writer.add_bos_token_id(config["bos_token_id"])


def own(writer: GGUFWriter, config: dict, p: dict, local: dict | None):
    """What one family's class writes beside the common keys."""
    match config["model_type"]:
        case "cohere":
            writer.add_logit_scale(config["logit_scale"])
            writer.add_rope_scaling_type(RopeScalingType.NONE)
        case "falcon":
            writer.add_tensor_data_layout("jploski")
        case "gemma2":
            writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
            writer.add_final_logit_softcapping(config["final_logit_softcapping"])
            writer.add_sliding_window(config["sliding_window"])
        case "gemma3_text":
            if config["final_logit_softcapping"]:
                writer.add_final_logit_softcapping(config["final_logit_softcapping"])
            writer.add_sliding_window(config["sliding_window"])
            if local:
                writer.add_rope_freq_base_swa(local["rope_theta"])
            if types := config.get("layer_types"):
                # Not by its class, whose pattern llama.cpp knows, but by that of others with windows.
                writer.add_sliding_window_pattern([t == "sliding_attention" for t in types])
        case "gpt_neox" | "stablelm":
            writer.add_parallel_residual(config.get("use_parallel_residual", True))
        case "phi3":
            writer.add_sliding_window(config["sliding_window"] or 0)
            original, context = config["original_max_position_embeddings"], config["max_position_embeddings"]
            writer.add_rope_scaling_orig_ctx_len(original)
            if p["rope_type"] == "longrope":
                scale = context / original
                factor = math.sqrt(1 + math.log(scale) / math.log(original)) if scale > 1.0 else 1.0
                writer.add_rope_scaling_attn_factors(factor)
                for name in ("long", "short"):
                    factors = np.array(p[f"{name}_factor"], dtype=np.float32)
                    writer.add_tensor(f"rope_factors_{name}.weight", factors)
