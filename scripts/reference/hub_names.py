"""The names that the hub's files have for tensors which transformers 5 renames and fuses when it loads them.

`published_names.json` lists the names of published index files, blocks as 0 and experts as 0; what is written for a
family must have exactly these, apart from those that a config leaves out.
"""

import json
import re
from pathlib import Path

import torch

PUBLISHED = json.loads((Path(__file__).parent / "published_names.json").read_text())


def gated_experts(gate: str, up: str, down: str, module: str = "mlp"):
    """Experts that lie one by one, in a block's `module`."""

    def of(name: str, tensor: torch.Tensor) -> dict:
        fused = re.fullmatch(r"(.*\.)mlp\.experts\.(gate_up_proj|down_proj)", name)
        if not fused:
            return {name.replace(".mlp.", f".{module}."): tensor}
        prefix = f"{fused[1]}{module}.experts"
        if fused[2] == "down_proj":
            return {f"{prefix}.{e}.{down}.weight": one.clone() for e, one in enumerate(tensor)}
        gates, ups = tensor.chunk(2, dim=1)
        both = ((gate, gates), (up, ups))
        return {f"{prefix}.{e}.{n}.weight": one.clone() for n, of in both for e, one in enumerate(of)}

    return of


def of_granite(name: str, tensor: torch.Tensor) -> dict:
    """All experts in two tensors."""
    for ours, theirs in (
        ("experts.gate_up_proj", "input_linear.weight"),
        ("experts.down_proj", "output_linear.weight"),
        ("router.weight", "router.layer.weight"),
    ):
        name = name.replace(f"block_sparse_moe.{ours}", f"block_sparse_moe.{theirs}")
    return {name: tensor}


def but_for(of, *renamed):
    """The same, with parts of names that are other ones in the hub's files."""

    def other(name: str, tensor: torch.Tensor) -> dict:
        for ours, theirs in renamed:
            name = name.replace(ours, theirs)
        return of(name, tensor)

    return other


APART = gated_experts("gate_proj", "up_proj", "down_proj")
LIKE_MIXTRAL = gated_experts("w1", "w3", "w2", "block_sparse_moe")
HUB = {
    "afmoe": APART,
    "deepseek_v2": APART,
    "deepseek_v3": APART,
    "deepseek_v32": APART,
    "dots1": APART,
    "ernie4_5_moe": but_for(APART, ("mlp.gate.moe_statics", "mlp.moe_statics")),
    "flex_olmo": APART,
    "glm4_moe": APART,
    "glm4_moe_lite": APART,
    "glm_moe_dsa": APART,
    "granitemoe": of_granite,
    "granitemoeshared": of_granite,
    "hunyuan_v1_moe": APART,
    "minimax_m2": LIKE_MIXTRAL,
    "mixtral": LIKE_MIXTRAL,
    "olmoe": APART,
    "phimoe": but_for(LIKE_MIXTRAL, ("mlp.router.", "mlp.gate.")),
    "qwen2_moe": APART,
    "qwen3_moe": APART,
}


def as_on_the_hub(family: str, tensors: dict) -> dict:
    """The tensors under the names and in the pieces of the hub's files."""
    if family not in HUB:
        return tensors
    found = {}
    for name, tensor in tensors.items():
        found |= HUB[family](name, tensor)
    of_first = {re.sub(r"\.\d+\.", ".0.", name) for name in found}
    # A switch of the class may give biases to layers that published files have without.
    unknown = {name for name in of_first if name.removesuffix("bias") + "weight" not in PUBLISHED[family]}
    unknown -= set(PUBLISHED[family])
    assert not unknown, f"{family}: no published file has {sorted(unknown)}"
    return found
