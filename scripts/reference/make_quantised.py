"""Write what the tests of quantised safetensors compare with: tests/goldens/quantised/<case>.

    python scripts/reference/make_quantised.py [--only PART_OF_A_NAME] [OUTPUT_FOLDER]

`model.safetensors` is a random checkpoint as the format's own tool writes it (`quantised_checkpoint.py` says which),
`weights.json` the sha256 of each weight's float32 numbers as the format's own reference reads them, and `reference.json` what
transformers measures in float64 on these numbers. `tests/goldens/experts_mxfp4` has the stacked experts of gpt-oss, without the
last.
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
import quantised_checkpoint
import torch
import transformers
from cases.quantised import CASES, QuantisedCase
from checkpoint import write_checkpoint, write_json
from float64 import float64, float64_model
from make_goldens import FLOAT32_WITHIN, load, rounded
from measure import measure, relative_deviation
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "fp8": ["transformers"],
    "compressed": ["compressed-tensors"],
    "gptq": ["auto_gptq"],
    "awq": ["autoawq"],
    "auto_round": ["auto-round"],
    "bitsandbytes": ["bitsandbytes", "transformers"],
    "mlx": ["mlx"],
    "modelopt": ["nvidia-modelopt"],
    "mxfp4": ["transformers"],
    "mxfp4_experts": ["transformers"],
}
IN_BLOCKS = ("_proj.weight",)
STACKED = (".experts.gate_up_proj", ".experts.down_proj")
EXPERTS = "experts_mxfp4"  # a folder beside that of the others


def is_quantised(name: str, made: QuantisedCase) -> bool:
    return name.endswith(STACKED if made.writes == "mxfp4_experts" else IN_BLOCKS)


def make_model(made: QuantisedCase, folder: Path):
    case = made.case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    torch.manual_seed(zlib.crc32(case.name.encode()))
    with tempfile.TemporaryDirectory() as other:
        at = Path(other)
        write_json(at / "config.json", case.config)
        write_checkpoint(at, case, rng)
        tensors = load_file(at / "model.safetensors")
        matrices = {name: value for name, value in tensors.items() if is_quantised(name, made)}
        plain = quantised_checkpoint.Plain(at, tensors, matrices)
        stored, read, described = getattr(quantised_checkpoint, made.writes)(plain, rng, **made.how)
        assert set(read) >= set(matrices)
        read = {name: value.contiguous() for name, value in read.items()}
        kept = {name: value for name, value in tensors.items() if name not in read}
        save_file(kept | stored, folder / "model.safetensors", metadata={"format": "pt"})
        keys = {"quantization": described, "quantization_config": described}
        if made.writes != "mlx":
            del keys["quantization"]
        write_json(folder / "config.json", case.config | keys, indent=1)
        save_file(kept | read, at / "model.safetensors", metadata={"format": "pt"})
        model = load(at, case.attention)
    moved = max(float((read[n] - tensors[n]).norm() / tensors[n].norm()) for n in matrices)
    digests = {name: hashlib.sha256(read[name].numpy().tobytes()).hexdigest() for name in sorted(read)}
    write_json(folder / "weights.json", digests, indent=1)
    prompts = [rng.integers(0, case.config["vocab_size"], n).tolist() for n in case.lengths]
    prompts[-1][7:11] = [prompts[-1][6]] * 4
    rough = [measure(model, ids) for ids in prompts]
    model = float64_model(model)
    with float64():
        exact = [measure(model, ids) for ids in prompts]
    deviation = max(relative_deviation(a, b) for a, b in zip(rough, exact))
    made_by = {name: version(name).split("+")[0] for name in [*PACKAGES[made.writes], "torch", "transformers"]}
    reference = {"generator": made_by, "family": case.family, "config_notes": case.notes, "prompts": rounded(exact)}
    write_json(folder / "reference.json", reference)
    size = (folder / "model.safetensors").stat().st_size
    print(f"{case.name:28} {size:7} bytes  float32 within {deviation:.1e}  weights moved by {moved:.2f}", flush=True)
    if deviation > FLOAT32_WITHIN:
        raise SystemExit(f"{case.name}: float32 transformers and the float64 reference differ by {deviation:.1e}")


def make_experts(folder: Path) -> None:
    """Two stacked weights alone, of odd numbers of blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, stored, digests = np.random.default_rng(7), {}, {}
    for name, sides in (("gate_up_proj", (3, 80, 64)), ("down_proj", (3, 64, 32))):
        blocks, scales, read = quantised_checkpoint.experts(rng, *sides)
        name = f"model.layers.0.mlp.experts.{name}"
        stored |= {f"{name}_blocks": blocks, f"{name}_scales": scales}
        digests[name] = hashlib.sha256(read.contiguous().numpy().tobytes()).hexdigest()
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    keys = {"model_type": "gpt_oss", "quantization_config": {"quant_method": "mxfp4"}}
    write_json(folder / "config.json", keys, indent=1)
    write_json(folder / "weights.json", digests, indent=1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "tests/goldens/quantised")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if options.only in EXPERTS:
        make_experts(options.out.parent / EXPERTS)
    for made in CASES:
        if options.only in made.case.name:
            make_model(made, options.out / made.case.name)
    for old in options.out.glob("*/reference.json"):
        if old.parent.name not in {made.case.name for made in CASES}:
            shutil.rmtree(old.parent)


if __name__ == "__main__":
    main()
