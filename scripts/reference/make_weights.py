"""Write tests/goldens/weights.json: what the weights of every golden checkpoint are, by transformers in float64.

    python scripts/reference/make_weights.py [FOLDER_OF_GOLDENS]

Nothing here knows how a family lays out its value weights. Every attention module is given the rows of an identity
matrix and a row of zeros, each as a prompt of one token: attention over one token passes its value on, so what the
output projection reads, less what it reads for zeros (the bias), is one row of each query head's value weights.
The final norm's factor is read off two opposite inputs in the same way. Per case: `value_squares [L][H]`; of the
unembedding `spectral`, `frobenius`, `row_mean`, `row_std`, `centred` (the mean of its rows taken away) and `folded`
(columns times the final norm's factor first; null where there is no such factor or another projection lies between);
of the embedding `embedding` (spectral, Frobenius, mean of the rows' norms).
"""

import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from cases import CASES
from checkpoint import write_json
from float64 import float64, float64_model
from make_goldens import ROOT, load, rounded
from taps import taps_of

ATTENTION = ["attn.attention", "norm_attn_norm.attn", "self_attn", "self_attention", "attention", "attn"]
# What first reads the mixed values: a norm before the projection, or that itself.
OUTPUT = ["attn_sub_norm", "o_proj", "out_proj", "dense", "c_proj", "wo"]


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "goldens"
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    cases = {}
    for case in sorted(CASES, key=lambda case: case.name):
        model = float64_model(load(folder / case.name, case.attention))
        with float64(), torch.no_grad():
            cases[case.name] = rounded(weigh(model))
        print(case.name, flush=True)
    write_json(folder / "weights.json", cases)


def weigh(model) -> dict:
    unembedding = model.get_output_embeddings().weight.numpy()
    embedding = model.get_input_embeddings().weight.numpy()
    rows = np.linalg.norm(unembedding, axis=1)
    factor = final_norm_factor(model, unembedding.shape[1])
    return {
        "value_squares": value_squares(model),
        "spectral": spectral(unembedding),
        "frobenius": float(np.linalg.norm(unembedding)),
        "row_mean": float(rows.mean()),
        "row_std": float(rows.std()),
        "centred": spectral(centred(unembedding)),
        "folded": None if factor is None else spectral(centred(unembedding * factor)),
        "embedding": [
            spectral(embedding),
            float(np.linalg.norm(embedding)),
            float(np.linalg.norm(embedding, axis=1).mean()),
        ],
    }


def spectral(matrix: np.ndarray) -> float:
    return float(np.linalg.svd(matrix, compute_uv=False)[0])


def centred(matrix: np.ndarray) -> np.ndarray:
    return matrix - matrix.mean(axis=0)


def value_squares(model) -> list:
    """Squared Frobenius norm of every query head's value weights, `[L][H]`."""
    config = model.config.get_text_config()
    latent = getattr(config, "kv_lora_rank", None)  # latent attention makes values of a normed latent, which is probed instead
    width, heads = latent or config.hidden_size, config.num_attention_heads
    probes = torch.cat([torch.eye(width), torch.zeros(1, width)]).unsqueeze(1)  # [D + 1, 1, D]
    values, hooks = [], []

    def probe(_module, args, kwargs):
        if args:
            return (probes, *args[1:]), kwargs
        return args, kwargs | {"hidden_states": probes}

    for block in model.get_submodule(taps_of(model.config).layers):
        attention = block.get_submodule(first(block, ATTENTION))
        if latent:
            hooks.append(attention.kv_a_layernorm.register_forward_hook(lambda *_: probes))
        else:
            hooks.append(attention.register_forward_pre_hook(probe, with_kwargs=True))
        hooks += passing(attention)
        output = attention.get_submodule(first(attention, OUTPUT))
        hooks.append(output.register_forward_pre_hook(lambda _m, args: values.append(args[0].clone())))
    try:
        model.base_model(torch.zeros(width + 1, 1, dtype=torch.long), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    assert len(values) == config.num_hidden_layers
    squares = []
    for value in values:
        value = value.reshape(width + 1, heads, -1)
        squares.append((value[:width] - value[width]).square().sum(dim=(0, 2)).tolist())
    return squares


def passing(attention) -> list:
    """Lets one token's value through as it is: no sink takes a share, no gate closes, no bound holds."""
    if hasattr(attention, "sinks"):
        attention.sinks.fill_(-1e9)
    if hasattr(attention, "clip_qkv"):
        attention.clip_qkv = 1e9
    if not hasattr(attention, "gate_proj"):
        return []
    return [attention.gate_proj.register_forward_hook(lambda _m, _a, output: torch.full_like(output, 1e3))]


def first(module, names: list) -> str:
    known = {name for name, _ in module.named_modules()}
    return next(name for name in names if name in known)


def final_norm_factor(model, width: int) -> np.ndarray | None:
    """What the final norm multiplies each channel by; its bias cancels between opposite inputs."""
    taps = taps_of(model.config)
    if taps.final_norm is None or width != model.config.get_text_config().hidden_size:
        return None
    signs = torch.ones(width)
    signs[1::2] = -1
    if width % 2:
        signs[-1] = -2.0
        signs[-2] = 1.0
    signs /= signs.square().mean().sqrt()  # mean 0 and mean square 1, so both kinds of norm leave it as it is
    norm = model.get_submodule(taps.final_norm)
    if getattr(norm, "weight", None) is None:
        return None
    one, other = (norm(sign * 1e9 * signs.reshape(1, 1, -1)).reshape(-1) for sign in (1, -1))  # no epsilon matters
    return ((one - other) / (2 * signs)).numpy()


if __name__ == "__main__":
    main()
