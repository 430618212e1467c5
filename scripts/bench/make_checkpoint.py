"""Write a random llama checkpoint of a given shape for the benches: bf16, Hugging Face layout, NumPy alone.

    python scripts/bench/make_checkpoint.py FOLDER [--shape tiny|1b|8b] [--seed 0]

Weights are seeded normals with std 0.02, norms lie near 1. They are written a few megabytes at a time, so the 8b
shape (16 GB on disk) needs no more memory than the tiny one. The tokenizer is byte-level without merges, padded
to the vocabulary. bench_prompts.json holds 25 prompts, 408 token ids, lengths 5 to 27.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np

SHAPES = {
    # name: hidden, layers, intermediate, heads, key/value heads, vocabulary
    "tiny": (128, 4, 352, 4, 2, 512),
    "1b": (2048, 16, 8192, 32, 8, 32000),
    "8b": (4096, 32, 14336, 32, 8, 128256),
}
CHUNK = 1 << 22  # weights drawn at once


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=SHAPES, default="1b")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    shape = SHAPES[args.shape]
    write_json(args.folder / "config.json", config(*shape))
    write_json(args.folder / "tokenizer.json", tokenizer(shape[-1]))
    write_json(
        args.folder / "tokenizer_config.json", {"bos_token": "<s>", "tokenizer_class": "PreTrainedTokenizerFast"}
    )
    write_json(args.folder / "bench_prompts.json", prompts(shape[-1], rng))
    count = write_safetensors(args.folder / "model.safetensors", tensors(*shape), rng)
    print(f"{args.folder}: {count:,} parameters")


def config(hidden, layers, intermediate, heads, kv_heads, vocab):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "bos_token_id": 256,
        "eos_token_id": 257,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "max_position_embeddings": 4096,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv_heads,
        "rms_norm_eps": 1e-05,
        "rope_theta": 500000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "vocab_size": vocab,
    }


def tensors(hidden, layers, intermediate, heads, kv_heads, vocab) -> list[tuple[str, tuple]]:
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
    return [*out, ("model.norm.weight", (hidden,)), ("lm_head.weight", (vocab, hidden))]


def write_safetensors(path: Path, entries, rng) -> int:
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
            left = math.prod(shape)
            while left:
                n = min(left, CHUNK)
                values = rng.standard_normal(n, dtype=np.float32) * np.float32(std) + np.float32(mean)
                # bf16 is the upper half of a float32; truncation is good enough for noise.
                f.write((values.view(np.uint32) >> 16).astype("<u2").tobytes())
                left -= n
    return offset // 2


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
