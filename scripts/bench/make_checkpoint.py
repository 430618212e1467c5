"""Write a random llama checkpoint of a given shape for the benches: bf16, Hugging Face layout, NumPy alone.

    python scripts/bench/make_checkpoint.py FOLDER [--shape tiny|1b|8b|70b-2] [--seed 0]

Weights are seeded normals with std 0.02, norms lie near 1. They are written a few megabytes at a time, so the 8b
shape (16 GB on disk) needs no more memory than the tiny one. The tokenizer is byte-level without merges, padded
to the vocabulary. bench_prompts.json holds 25 prompts, 408 token ids, lengths 5 to 27. 70b-2 has two blocks of a 70 B
model. A folder that is complete already is left as it is.
"""

import argparse
import json
import math
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Shape(NamedTuple):
    hidden: int
    layers: int
    intermediate: int
    heads: int
    kv_heads: int
    vocab: int
    tied: bool = False


SHAPES = {
    "tiny": Shape(128, 4, 352, 4, 2, 512),
    "1b": Shape(2048, 16, 8192, 32, 8, 32000),
    "8b": Shape(4096, 32, 14336, 32, 8, 128256),
    "70b-2": Shape(8192, 2, 28672, 64, 8, 128256),
}
CHUNK = 1 << 22  # weights drawn at once
DISK_KEPT = 1 << 30  # bytes left free


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=SHAPES, default="1b")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{args.folder}: {write(args.folder, SHAPES[args.shape], args.seed):,} parameters")


def write(folder: Path, shape: Shape, seed: int = 0, decay: float = 0.0) -> int:
    """Make a folder a checkpoint of a shape, unless it is one; the count of its parameters. The embedding's j-th column,
    from 1 on, is j ** -decay the size of the first, and so about its singular values."""
    entries = tensors(shape)
    count = sum(math.prod(size) for _, size in entries)
    weights = folder / "model.safetensors"
    if weights.exists():
        return count
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = 2 * count + DISK_KEPT, shutil.disk_usage(folder).free
    if free < needed:
        raise SystemExit(
            f"{folder}: the checkpoint needs {2 * count / 1e9:.1f} GB of disk and 1.1 GB beside it, "
            f"{free / 1e9:.1f} GB are free: make room, or take a smaller shape"
        )
    rng = np.random.default_rng(seed)
    write_json(folder / "config.json", config(shape))
    write_json(folder / "tokenizer.json", tokenizer(shape.vocab))
    write_json(folder / "tokenizer_config.json", {"bos_token": "<s>", "tokenizer_class": "PreTrainedTokenizerFast"})
    write_json(folder / "bench_prompts.json", prompts(shape.vocab, rng))
    part = folder / "model.safetensors.part"
    write_safetensors(part, entries, rng, decay)
    os.replace(part, weights)
    return count


def config(shape: Shape) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "bos_token_id": 256,
        "eos_token_id": 257,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "max_position_embeddings": 4096,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "rms_norm_eps": 1e-05,
        "rope_theta": 500000.0,
        "tie_word_embeddings": shape.tied,
        "torch_dtype": "bfloat16",
        "vocab_size": shape.vocab,
    }


def tensors(shape: Shape) -> list[tuple[str, tuple]]:
    hidden, layers, intermediate, heads, kv_heads, vocab, tied = shape
    kv = hidden // heads * kv_heads
    out = [("model.embed_tokens.weight", (vocab, hidden))]
    for i in range(layers):
        block = f"model.layers.{i}."
        out += [
            (block + "input_layernorm.weight", (hidden,)),
            (block + "self_attn.q_proj.weight", (hidden, hidden)),
            (block + "self_attn.k_proj.weight", (kv, hidden)),
            (block + "self_attn.v_proj.weight", (kv, hidden)),
            (block + "self_attn.o_proj.weight", (hidden, hidden)),
            (block + "post_attention_layernorm.weight", (hidden,)),
            (block + "mlp.gate_proj.weight", (intermediate, hidden)),
            (block + "mlp.up_proj.weight", (intermediate, hidden)),
            (block + "mlp.down_proj.weight", (hidden, intermediate)),
        ]
    head = [] if tied else [("lm_head.weight", (vocab, hidden))]
    return [*out, ("model.norm.weight", (hidden,)), *head]


def write_safetensors(path: Path, entries, rng, decay: float):
    """Header (length, JSON padded to 8 bytes), then the tensors in the order of the header."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in entries:
        end = offset + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for name, shape in entries:
            mean, std = (1.0, 0.05) if name.endswith("norm.weight") else (0.0, 0.02)
            width = shape[-1]
            scale = np.arange(1, width + 1, dtype=np.float32) ** (-decay if "embed" in name else 0.0)
            left = math.prod(shape)
            while left:
                n = min(left, CHUNK // width * width)
                values = rng.standard_normal(n, dtype=np.float32) * np.float32(std) + np.float32(mean)
                values = (values.reshape(-1, width) * scale).ravel()
                # bf16 is the upper half of a float32; truncation is good enough for noise.
                f.write((values.view(np.uint32) >> 16).astype("<u2").tobytes())
                left -= n


def prompts(vocab, rng) -> list[list[int]]:
    lengths = rng.permutation([*range(5, 28), 20, 20])
    return [rng.integers(0, vocab, n).tolist() for n in lengths]


def tokenizer(vocab) -> dict:
    tokens = [*byte_alphabet(), "<s>", "</s>"]
    tokens += [f"<unused{i}>" for i in range(vocab - len(tokens))]
    special = [
        {
            "id": i,
            "content": t,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for i, t in ((256, "<s>"), (257, "</s>"))
    ]
    by_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": by_bytes,
        "post_processor": None,
        "decoder": by_bytes,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {t: i for i, t in enumerate(tokens)},
            "merges": [],
        },
    }


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for every byte (`bytes_to_unicode`), in byte order."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(others)) for b in range(256)]


def write_json(path: Path, value):
    path.write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
