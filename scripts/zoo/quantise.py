"""Write data/zoo/quantised: miniatures as GGUF, every matrix in 8 or in 4 bits, by the `gguf` package.

    python scripts/zoo/quantise.py    # the same bytes each time

Vectors stay float32, as llama.cpp's converter leaves them. Of the zoo these are left out: pythia-tiny, whose rows of 80 are no whole
blocks of 32; mistral-tiny and gemma2-tiny, since a GGUF file of their families has no place for the window of the one and
the scale of attention of the other; and llama3-instruct-tiny and the stages, which would say the same again.
"""

import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from gguf.constants import MODEL_ARCH_NAMES
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/reference"))
from gguf_checkpoint import ARCHITECTURES, Checkpoint, quantised, write_keys  # noqa: E402

ZOO = ROOT / "data/zoo"
MODELS = ("llama2-tiny", "llama3-tiny", "gemma-tiny", "gpt2-tiny", "apertus-tiny")
TYPES = ("Q8_0", "Q4_0")


def write_tokenizer(writer: GGUFWriter, folder: Path, family: str):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = sorted(tokenizer["model"]["vocab"].items(), key=lambda entry: entry[1])
    special = {token["id"] for token in tokenizer["added_tokens"]}
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2" if family == "gpt2" else "llama-bpe")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([TokenType.CONTROL if id in special else TokenType.NORMAL for _, id in vocabulary])
    writer.add_token_merges(merges)
    writer.add_add_bos_token(family != "gpt2")


def quantise(model: str, kind: str):
    folder = ZOO / model
    config = json.loads((folder / "config.json").read_text())
    scaling = config.pop("rope_scaling", None) or {"rope_type": "default"}
    config["rope_parameters"] = scaling | {"rope_theta": config.get("rope_theta", 10000.0)}
    checkpoint = Checkpoint(config, False, lambda _, value: quantised(value, kind, None))
    for name, value in load_file(folder / "model.safetensors").items():
        checkpoint.add(name, value.float().numpy())
    file = ZOO / "quantised" / f"{model}.{kind}.gguf"
    file.parent.mkdir(exist_ok=True)
    writer = GGUFWriter(file, MODEL_ARCH_NAMES[ARCHITECTURES[config["model_type"]]])
    writer.add_name(model)
    write_keys(writer, config, checkpoint.xielu)
    write_tokenizer(writer, folder, config["model_type"])
    for name, raw, stored_as in checkpoint.tensors:
        writer.add_tensor(name, np.ascontiguousarray(raw), raw_dtype=stored_as)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    for model in MODELS:
        for kind in TYPES:
            quantise(model, kind)
