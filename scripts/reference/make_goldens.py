"""Write tests/goldens/<case>/: random checkpoints and what transformers measures on them in float64.

    python scripts/reference/make_goldens.py [--only PART_OF_A_NAME] [OUTPUT_FOLDER]

The stored weights are loaded back from the file, widened exactly, and run one prompt at a time through the library's
own code in float64 (`float64.py`). The unmodified float32 model is run as well, and the script fails when the two
differ by more than 6e-6, when probable tokens are nearly tied, or when a switch that a case is for decides nothing
(`Case.acts`). Same seed, same versions: same bytes; float64 is stored to 9 digits, so another CPU gives them too.
"""

import argparse
import json
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers
from cases import CASES, Case
from checkpoint import model_class, write_checkpoint, write_json
from float64 import float64, float64_model
from measure import measure, relative_deviation
from readme import readme
from remote import NAMES, Remote
from safetensors.torch import load_file

FLOAT32_WITHIN = 6e-6
ACTS_ABOVE = 1e-3  # how far a switch of the config must move some observation
# Routing is not continuous: a comparison with float64 says something where float32 cannot choose otherwise, so seeds are tried
# until every margin of a router is above this.
MARGIN = 5e-4
ATTEMPTS = 200
ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "tests" / "goldens")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    assert len({c.name for c in CASES}) == len(CASES)
    for case in CASES:
        if options.only in case.name:
            make(case, options.out / case.name)
    for old in options.out.glob("*/reference.json"):
        if old.parent.name not in {c.name for c in CASES}:
            shutil.rmtree(old.parent)
    (options.out / "README.md").write_text(readme())
    total = sum(f.stat().st_size for f in options.out.rglob("*") if f.is_file())
    print(f"{len(CASES)} cases, {total / 1e6:.1f} MB")


def make(case: Case, folder: Path):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / "config.json", case.config, indent=2)
    seed = zlib.crc32(case.name.encode()) if case.seed is None else case.seed
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng(seed + attempt)
        write_checkpoint(folder, case, rng)
        prompts = [rng.integers(0, case.words, n).tolist() for n in case.lengths]
        prompts[-1][7:11] = [prompts[-1][6]] * 4  # a run of one token: only positions tell its members apart

        plain = load(folder, case.attention)
        # Lengths rise: a dynamic rope remembers the longest prompt it has seen.
        rough = [measure(plain, ids) for ids in prompts]
        tie = nearest_tie(rough)
        if tie > MARGIN:
            break
    else:
        raise SystemExit(f"{case.name}: {ATTEMPTS} seeds, and with each float32 may choose other experts")
    model = float64_model(plain)
    with float64():
        exact = [measure(model, ids) for ids in prompts]
    deviation = max(relative_deviation(a, b) for a, b in zip(rough, exact))
    reference = {
        "generator": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "family": case.family,
        "config_notes": case.notes,
        "prompts": rounded(exact),
    }
    write_json(folder / "reference.json", reference)
    changed = [measure(load(folder, case.attention, change), prompts[-1]) for change in case.acts]
    moves = [relative_deviation(other, rough[-1]) for other in changed]
    attn, mlp = (np.mean([v for p in exact for row in p[branch] for v in row]) for branch in ("attn_out", "mlp_out"))
    gap = min(1 - b["prob"] / a["prob"] for p in exact for a, b in zip(p["top"], p["top"][1:]))
    size = sum(f.stat().st_size for f in folder.iterdir())
    entropies = " ".join(f"{p['entropy_nats']:.2f}" for p in exact)
    print(
        f"{case.name:40} {size:7} bytes  float32 within {deviation:.1e}  attn/mlp {attn / mlp:.2f}  nats {entropies}  "
        f"top gap {gap:.0e}  acts {' '.join(f'{m:.0e}' for m in moves)}",
        flush=True,
    )
    if deviation > FLOAT32_WITHIN:
        raise SystemExit(f"{case.name}: float32 transformers and the float64 reference differ by {deviation:.1e}")
    if gap < 1e-4:
        raise SystemExit(f"{case.name}: two of the most probable tokens are within {gap:.1e}")
    for change, moved in zip(case.acts, moves):
        if moved < ACTS_ABOVE:
            raise SystemExit(f"{case.name}: {change} moves no observation beyond {moved:.1e}")


def nearest_tie(measured: list) -> float:
    """The smallest margin by which any router chose; infinite without routers."""
    margins = [prompt.get("router_margin", []) for prompt in measured]
    return float(np.nanmin(np.array([m for p in margins for row in p for m in row], dtype=float), initial=np.inf))


def rounded(value):
    """To 9 digits: the last ones of float64 depend on the CPU, and the tests compare to 1e-5."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return {key: rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


def load(folder: Path, attention: str, change: dict | None = None):
    """The checkpoint in float32, optionally under a changed config."""
    if change:
        with tempfile.TemporaryDirectory() as other:
            shutil.copytree(folder, other, dirs_exist_ok=True)
            config = json.loads((folder / "config.json").read_text())
            write_json(Path(other) / "config.json", config | change)
            return load(Path(other), attention)
    config = json.loads((folder / "config.json").read_text())
    if config["model_type"] in NAMES:
        model = Remote(config)
        weights = {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
        missing = model.load_state_dict(weights, strict=False)
        heads = {f"{model.names.head}.weight"} if model.config.tie_word_embeddings else set()
        if missing.unexpected_keys or set(missing.missing_keys) != heads:
            raise SystemExit(f"{folder.name}: {missing}")
        return model.eval()
    model, info = model_class(folder).from_pretrained(
        folder,
        dtype=torch.float32,
        attn_implementation=attention,
        experts_implementation="eager",
        output_loading_info=True,
    )
    for kind in ("missing_keys", "mismatched_keys"):
        if info[kind]:
            raise SystemExit(f"{folder.name}: {kind}: {info[kind]}")
    return model.eval()


if __name__ == "__main__":
    main()
