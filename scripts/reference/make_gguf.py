"""Write what the GGUF tests compare with: tests/goldens/gguf, by the `gguf` package, and the codebooks of the IQ types.

    python scripts/reference/make_gguf.py [--only PART_OF_A_NAME] [OUTPUT_FOLDER]

`blocks.json` has for every type that stores weights: the sha256 of the float32 numbers of COUNT random blocks, and the numbers of
the first two. The blocks are the bytes of SplitMix64 from a seed that is the type's number, so that scales of every kind
come: subnormal, huge, infinite, NaN. NaNs are written as 7fc00000, whatever their sign and payload.

`<case>/model.gguf` is a random checkpoint, written as llama.cpp's converter writes it, and `reference.json` what transformers
measures in float64 on the weights that the `gguf` package dequantises of it. Where the GGUF loader of transformers reads a file
rightly (`GgufCase.loads`), those weights must be what it reads.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import transformers
from cases import PROMPT_LENGTHS
from cases.gguf import CASES, GgufCase
from checkpoint import HEADS, random_tensor, write_json
from float64 import float64, float64_model
from gguf import GGUFWriter, quants
from gguf.constants import GGML_QUANT_SIZES, MODEL_ARCH_NAMES, GGMLQuantizationType
from gguf_checkpoint import ARCHITECTURES, Checkpoint, quantised, write_keys
from make_goldens import FLOAT32_WITHIN, load, rounded
from measure import measure, relative_deviation
from safetensors.torch import save_file
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

ROOT = Path(__file__).resolve().parents[2]
COUNT = 1024
GRIDS = ("IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S")
MASK = (1 << 64) - 1


def random_bytes(seed: int, count: int) -> np.ndarray:
    """Steele et al. 2014; every number gives its eight bytes, the lowest first."""
    state, numbers = seed, []
    for _ in range((count + 7) // 8):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        numbers.append(z ^ (z >> 31))
    return np.array(numbers, dtype="<u8").view(np.uint8)[:count]


def numbers_of(kind: GGMLQuantizationType, blocks: np.ndarray) -> np.ndarray:
    if kind == GGMLQuantizationType.F64:
        return blocks.view("<f8").astype(np.float32)
    return quants.dequantize(blocks, kind)


def canonical(numbers: np.ndarray) -> np.ndarray:
    bits = np.ascontiguousarray(numbers, dtype="<f4").view("<u4").copy()
    bits[np.isnan(numbers)] = 0x7FC00000
    return bits


def make_blocks() -> dict:
    found = {}
    for kind in GGMLQuantizationType:
        elements, size = GGML_QUANT_SIZES[kind]
        raw = random_bytes(int(kind), COUNT * size)
        try:
            with np.errstate(all="ignore"):
                bits = canonical(numbers_of(kind, raw).reshape(-1))
        except NotImplementedError:
            continue
        assert bits.size == COUNT * elements
        first = [f"{b:08x}" for b in bits[: 2 * elements]]
        digest = hashlib.sha256(bits.tobytes()).hexdigest()
        found[kind.name] = {"sha256": digest, "first": "".join(first)}
    return found


def write_grids(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in GRIDS:
        file = folder / f"{'iq1' if name == 'IQ1_S' else name.lower()}.bin"
        file.write_bytes(bytes.fromhex(getattr(quants, name).grid_hex.decode()))


def make_model(made: GgufCase, folder: Path):
    case, config = made.case, made.case.config
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) if case.seed is None else case.seed)
    with torch.device("meta"):
        skeleton = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(**config))

    def quantise(name: str, value: np.ndarray):
        is_table = name.startswith(("token_embd.", "output.", "position_embd."))
        return quantised(value, made.embedding if is_table else made.kind, random_bytes)

    checkpoint = Checkpoint(config, made.fuses, quantise)
    tied = HEADS if skeleton.config.tie_word_embeddings else set()
    for name, parameter in skeleton.named_parameters(remove_duplicate=False):
        if name not in tied:
            value = random_tensor(name, tuple(parameter.shape), case, bool(tied), rng).astype(np.float32)
            checkpoint.add(name, value)
    for name in skeleton.state_dict():
        if name.endswith(("act_fn.beta", "act_fn.eps")):
            checkpoint.add(name, np.array(0.5 if name.endswith("beta") else -1e-6, dtype=np.float32))
    parts = [(folder / "model.gguf", 0)] + [(folder / "parts/model.gguf", 8)] * made.in_parts
    for file, most in parts:
        file.parent.mkdir(exist_ok=True)
        writer = GGUFWriter(file, MODEL_ARCH_NAMES[ARCHITECTURES[case.family]], split_max_tensors=most)
        write_keys(writer, config, checkpoint.xielu)
        for name, raw, stored_as in checkpoint.tensors:
            writer.add_tensor(name, raw, raw_dtype=stored_as)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    prompts = [rng.integers(0, config["vocab_size"], n).tolist() for n in PROMPT_LENGTHS]
    prompts[-1][7:11] = [prompts[-1][6]] * 4
    numbers = {name: torch.from_numpy(np.array(value, order="C")) for name, value in checkpoint.numbers.items()}
    with tempfile.TemporaryDirectory() as other:
        write_json(Path(other) / "config.json", config)
        save_file(numbers, Path(other) / "model.safetensors", metadata={"format": "pt"})
        plain = load(Path(other), case.attention)
    if made.loads:
        compare_with_loader(folder, plain)
    rough = [measure(plain, ids) for ids in prompts]
    model = float64_model(plain)
    with float64():
        exact = [measure(model, ids) for ids in prompts]
    deviation = max(relative_deviation(a, b) for a, b in zip(rough, exact))
    made_by = {name: version(name) for name in ("gguf", "torch", "transformers")}
    made_by["torch"] = made_by["torch"].split("+")[0]
    reference = {"generator": made_by, "family": case.family, "config_notes": case.notes, "prompts": rounded(exact)}
    write_json(folder / "reference.json", reference)
    entropies = " ".join(f"{p['entropy_nats']:.2f}" for p in exact)
    loader = "as its loader reads it" if made.loads else ""
    print(f"{case.name:24} float32 within {deviation:.1e}  nats {entropies}  {loader}", flush=True)
    if deviation > FLOAT32_WITHIN:
        raise SystemExit(f"{case.name}: float32 transformers and the float64 reference differ by {deviation:.1e}")


def compare_with_loader(folder: Path, plain):
    """The weights that are measured are those that the loader of transformers reads from the file, number by number."""
    read = load_gguf_checkpoint(folder / "model.gguf", return_tensors=True, model_to_load=plain)["tensors"]
    for name, value in plain.named_parameters():
        if name not in read or not torch.equal(torch.as_tensor(read[name]), value):
            raise SystemExit(f"{folder.name}: {name} is not what transformers reads from the file")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "tests/goldens/gguf")
    options = parser.parse_args()
    out, only = options.out, options.only
    out.mkdir(parents=True, exist_ok=True)
    golden = {"made_by": f"gguf {version('gguf')}", "count": COUNT, "types": make_blocks()}
    (out / "blocks.json").write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")
    write_grids(ROOT / "src/model/gguf/dequantise/grids")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for made in CASES:
        if only in made.case.name:
            make_model(made, out / made.case.name)
    for old in out.glob("*/reference.json"):
        if old.parent.name not in {made.case.name for made in CASES}:
            shutil.rmtree(old.parent)


if __name__ == "__main__":
    main()
