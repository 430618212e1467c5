"""Write what the tests of pickled weights read: tests/goldens/pickled, by `torch.save`.

    python scripts/reference/make_pickled.py

`whole` and `sharded` hold the tensors of the golden `llama_gqa_tied_bf16`, and must be the same checkpoint as it; `old.bin` is one
tensor as torch wrote it before version 1.6, `strided.bin` one whose rows do not follow each other.
"""

import collections
import shutil
from pathlib import Path

import torch
from checkpoint import write_json
from safetensors.torch import load_file

GOLDENS = Path(__file__).resolve().parents[2] / "tests/goldens"
SOURCE = GOLDENS / "llama_gqa_tied_bf16"


def main() -> None:
    out = GOLDENS / "pickled"
    shutil.rmtree(out, ignore_errors=True)
    tensors = load_file(SOURCE / "model.safetensors")
    for folder in ("whole", "sharded"):
        (out / folder).mkdir(parents=True)
        shutil.copy(SOURCE / "config.json", out / folder)
    named = collections.OrderedDict((name, torch.nn.Parameter(value)) for name, value in tensors.items())
    named._metadata = collections.OrderedDict({"": {"version": 1}})
    torch.save(named, out / "whole/pytorch_model.bin")
    names = sorted(tensors)
    weight_map = {}
    for part in range(2):
        file = f"pytorch_model-{part + 1:05}-of-00002.bin"
        weight_map |= dict.fromkeys(names[part::2], file)
        torch.save({name: tensors[name] for name in names[part::2]}, out / "sharded" / file)
    index = {"metadata": {}, "weight_map": dict(sorted(weight_map.items()))}
    write_json(out / "sharded/pytorch_model.bin.index.json", index, indent=2)
    torch.save({"a": torch.ones(2)}, out / "old.bin", _use_new_zipfile_serialization=False)
    torch.save({"a": torch.arange(6.0).reshape(2, 3).t()}, out / "strided.bin")


if __name__ == "__main__":
    main()
