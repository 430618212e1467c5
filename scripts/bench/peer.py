"""What every peer shares: arguments, batches, and the printed result.

A peer is a script `peer_NAME.py CHECKPOINT [--dtype float32|bfloat16] [--batches N]`. It reads
CHECKPOINT/bench_prompts.json, sorts the prompts by length into N batches, and prints `{"versions", "imports_s",
"observations": [{"token_ids", "resid" [L+1][T], "attn_out" [L][T], "mlp_out" [L][T], "final" [T], "entropy_nats"}]}`:
seconds until its libraries were there, norms over the width at each token, and the entropy of the token after the last.
"""

import argparse
import importlib.metadata
import json
import os
import time
from pathlib import Path

import torch
import transformers.models.llama.modeling_llama  # noqa: F401, else loaded lazily and not counted as an import

TAPS = ("resid", "attn_out", "mlp_out", "final")


def main(description: str, packages: list[str], load, observe):
    """`load(checkpoint, dtype)` gives a model; `observe(model, ids, mask, last)` gives `{tap: [norms [B, T], ..]}` and
    the logits `[B, V]` at the positions `last`."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--batches", type=int, default=1, help="batches of prompts of similar length")
    args = parser.parse_args()
    imports = age()
    prompts = json.loads((args.checkpoint / "bench_prompts.json").read_text())
    model = load(args.checkpoint, getattr(torch, args.dtype))
    observations = [None] * len(prompts)
    with torch.inference_mode():
        for batch in batches(prompts, args.batches):
            rows = measured([prompts[i] for i in batch], model, observe)
            for i, row in zip(batch, rows):
                observations[i] = row
    versions = {name: importlib.metadata.version(name) for name in ["torch", "transformers", *packages]}
    print(json.dumps({"versions": versions, "imports_s": imports, "observations": observations}))


def age() -> float:
    """Seconds since this process started: what its libraries took to load."""
    started = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def batches(prompts: list, count: int) -> list[list[int]]:
    """Indices by length, in parts of nearly equal token counts: little padding, few passes over the weights."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    if count >= len(order):
        return [[i] for i in order]
    total = sum(map(len, prompts))
    parts, seen = [[] for _ in range(count)], 0
    for i in order:
        parts[min(seen * count // total, count - 1)].append(i)
        seen += len(prompts[i])
    return [part for part in parts if part]


def measured(prompts: list, model, observe) -> list[dict]:
    longest = max(map(len, prompts))
    ids = torch.tensor([p + [0] * (longest - len(p)) for p in prompts])
    mask = torch.tensor([[1] * len(p) + [0] * (longest - len(p)) for p in prompts])
    taps, logits = observe(model, ids, mask, torch.tensor([len(p) - 1 for p in prompts]))
    log_probs = torch.log_softmax(logits.float(), -1)
    entropies = -(log_probs.exp() * log_probs).sum(-1)
    out = []
    for i, prompt in enumerate(prompts):
        rows = {tap: [v[i, : len(prompt)].tolist() for v in taps[tap]] for tap in TAPS}
        rows["final"] = rows["final"][0]
        out.append({"token_ids": prompt, **rows, "entropy_nats": entropies[i].item()})
    return out


def norms(x: torch.Tensor) -> torch.Tensor:
    """`[B, T, D]` to `[B, T]`."""
    return torch.linalg.vector_norm(x.float(), dim=-1)
