"""Random checkpoints, written as hub files of the family look: names, fused layouts, tied heads, stale buffers."""

import json
import re
from pathlib import Path

import numpy as np
import torch
import transformers
from cases import Case
from hub_names import as_on_the_hub
from remote import NAMES, Remote
from safetensors.torch import save_file

HEADS = {"lm_head.weight", "embed_out.weight", "output_projection.weight", "output.weight"}
EMBEDDINGS = ("embed_tokens", "embed_in", "embed_positions", "wte", "wpe", "word_embeddings.", "tok_embeddings")
NORMS = ("norm", "ln_")
# These store w of a factor 1 + w.
NORMS_ABOUT_ONE = {"gemma", "gemma2", "gemma3_text", "nemotron", "vaultgemma", "gemma3"}
# Their published files hold a block that predicts a further token.
WITH_BLOCK_AFTER_THE_LAST = {"deepseek_v3", "glm4_moe"}

# The library has the class, and does not name it to its own loader.
transformers.AutoModelForCausalLM.register(transformers.Mistral4Config, transformers.Mistral4ForCausalLM, exist_ok=True)


def write_checkpoint(folder: Path, case: Case, rng: np.random.Generator):
    """Random tensors under the names and shapes of the transformers class; the class decides, not this script."""
    if case.family in NAMES:
        with torch.device("meta"):
            skeleton = Remote(case.config)
        config = skeleton.config
    else:
        config = transformers.AutoConfig.from_pretrained(folder)
        with torch.device("meta"):
            skeleton = model_class(config).from_config(config)
    tied = HEADS if config.tie_word_embeddings else set()
    tensors = {}
    for name, parameter in skeleton.named_parameters(remove_duplicate=False):
        if name not in tied:
            value = random_tensor(name, tuple(parameter.shape), case, bool(tied), rng)
            tensors[name] = torch.from_numpy(value).to(getattr(torch, case.dtype))
    for name, buffer in skeleton.named_buffers():
        if name.endswith("e_score_correction_bias"):
            value = random_tensor(name, tuple(buffer.shape), case, bool(tied), rng)
            tensors[name] = torch.from_numpy(value).to(getattr(torch, case.dtype))
    if case.family == "apertus":
        for name in skeleton.state_dict():
            if name.endswith(("act_fn.beta", "act_fn.eps")):
                value = 0.5 if name.endswith("beta") else -1e-6  # the class's own; files carry them as tensors
                tensors[name] = torch.tensor(value, dtype=getattr(torch, case.dtype))
    if case.head:
        tensors["lm_head.weight"] = next(v for n, v in tensors.items() if is_embedding(n)).clone()
    if case.buffers:
        tensors |= stale_buffers(case, tensors)
    tensors = as_on_the_hub(case.family, tensors)
    tensors = {renamed(name, case): value for name, value in tensors.items()}
    names = sorted(tensors)
    if case.shards == 1:
        save_file({n: tensors[n] for n in names}, folder / "model.safetensors", metadata={"format": "pt"})
        return
    weight_map, total = {}, 0
    for shard in range(case.shards):
        file = f"model-{shard + 1:05}-of-{case.shards:05}.safetensors"
        # Round-robin: the tensors of one block lie in different files.
        part = {n: tensors[n] for n in names[shard :: case.shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, file)
        total += sum(t.numel() * t.element_size() for t in part.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    write_json(folder / "model.safetensors.index.json", index, indent=2)


def model_class(config):
    """The library's class for a config or a folder with one."""
    if isinstance(config, Path):
        config = transformers.AutoConfig.from_pretrained(config)
    return transformers.AutoModelForImageTextToText if hasattr(config, "vision_config") else transformers.AutoModelForCausalLM


def renamed(name: str, case: Case) -> str:
    """The name in the hub's file."""
    for pattern, replacement in case.rename:
        name = re.sub(pattern, replacement, name)
    return name.removeprefix(case.strip)


def is_embedding(name: str) -> bool:
    return any(part in name for part in EMBEDDINGS)


def random_tensor(name: str, shape: tuple, case: Case, tied: bool, rng: np.random.Generator) -> np.ndarray:
    """Large enough that attention is far from uniform and every branch moves the stream, small enough that float32
    still resolves every number to 1e-5: logits with a spread of about 2, scores of about 1."""
    factor = np.prod([value for part, value in case.scales.items() if part in name])
    own = name.replace(".norm_attn_norm.", ".")  # dbrx: attention lies in a module of that name
    if any(part in own for part in NORMS) and name.endswith("weight"):
        return factor * rng.uniform(0.3, 2.5, shape) - (case.family in NORMS_ABOUT_ONE)
    if name.endswith(("bias", "alpha_p", "alpha_n")):
        return factor * rng.normal(0.0, 0.5, shape)
    if is_embedding(name):
        spread = 0.7 / np.sqrt(shape[1]) if tied else 0.6
        return factor * rng.normal(0.0, spread, shape) * rng.uniform(0.3, 2.5, (shape[0], 1))
    if len(shape) < 2:
        return factor * rng.normal(0.0, 0.5, shape)
    # gpt2 stores [in, out], all others [out, in].
    fan_in = shape[0] if case.family == "gpt2" and name != "lm_head.weight" else shape[-1]
    return factor * rng.normal(0.0, 0.8 / np.sqrt(fan_in), shape)


def stale_buffers(case: Case, tensors: dict) -> dict:
    """What old exports stored beside the weights; wrong values on purpose, since nobody may read them."""
    extra = {}
    if case.family in WITH_BLOCK_AFTER_THE_LAST:
        return block_after_the_last(case, tensors)
    layers = next(case.config[k] for k in ("num_hidden_layers", "n_layer", "num_layers") if k in case.config)
    for i in range(layers):
        if case.family == "llama":
            extra[f"model.layers.{i}.self_attn.rotary_emb.inv_freq"] = torch.full((6,), 0.5)
            continue
        scope = {
            "gpt_neox": f"gpt_neox.layers.{i}.attention",
            "gpt2": f"transformer.h.{i}.attn",
            "gptj": f"transformer.h.{i}.attn",
            "gpt_neo": f"transformer.h.{i}.attn.attention",
        }[case.family]
        extra[f"{scope}.bias"] = torch.tril(torch.ones(1, 1, 8, 8, dtype=torch.bool))
        extra[f"{scope}.masked_bias"] = torch.tensor(-1e9)
        if case.family == "gpt_neox":
            extra[f"{scope}.rotary_emb.inv_freq"] = torch.full((3,), 0.5)
    return extra


def block_after_the_last(case: Case, tensors: dict) -> dict:
    """A block that predicts the token after the next, as GLM-4.5 and DeepSeek V3 have it; wrong values on purpose, like those of buffers."""
    last, width = case.config["num_hidden_layers"] - 1, case.config["hidden_size"]
    block, after = f"model.layers.{last}.", f"model.layers.{last + 1}."
    extra = {after + n.removeprefix(block): torch.full_like(v, 0.5) for n, v in tensors.items() if n.startswith(block)}
    dtype = getattr(torch, case.dtype)
    for name in ("enorm", "hnorm", "shared_head.norm"):
        extra[f"{after}{name}.weight"] = torch.full((width,), 0.5, dtype=dtype)
    return extra | {f"{after}eh_proj.weight": torch.full((width, 2 * width), 0.5, dtype=dtype)}


def write_json(path: Path, value, indent=None):
    separators = None if indent else (",", ":")
    path.write_text(json.dumps(value, indent=indent, separators=separators) + "\n")
