"""Export every golden checkpoint and check what other tools make of the files.

    python scripts/reference/check_exports.py PROGRAM

Each `model.onnx` must pass `onnx.checker` in full, run in Python's onnxruntime (all prompts packed into one call), and
give the norms of `reference.json` at every tap. Needs `requirements-foreign.txt`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

GOLDENS = Path(__file__).resolve().parents[2] / "tests" / "goldens"
TOLERANCE = 1e-5


def main(program: str):
    worst = {}
    for reference in sorted(GOLDENS.glob("*/reference.json")):
        with tempfile.TemporaryDirectory() as folder:
            command = [program, "export", str(reference.parent), "-o", folder, "--self-contained", "--quiet"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            worst[reference.parent.name] = check(Path(folder) / "model.onnx", json.loads(reference.read_text()))
    for case, error in worst.items():
        print(f"{case:40} {error:.1e}")
    bad = [case for case, error in worst.items() if not error <= TOLERANCE]
    if bad:
        raise SystemExit(f"beyond {TOLERANCE}: {', '.join(bad)}")
    print(f"{len(worst)} exports pass onnx.checker {onnx.__version__} and onnxruntime {onnxruntime.__version__}")


def check(file: Path, reference: dict) -> float:
    """The largest relative error of a norm."""
    onnx.checker.check_model(str(file), full_check=True)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    prompts = reference["prompts"]
    lengths = [len(p["token_ids"]) for p in prompts]
    inputs = {
        "input_ids": [i for p in prompts for i in p["token_ids"]],
        "position_ids": [t for n in lengths for t in range(n)],
        "segment_ids": [s for s, n in enumerate(lengths) for _ in range(n)],
    }
    names = [output.name for output in session.get_outputs()]
    outputs = session.run(names, {name: np.array(ids, dtype=np.int64) for name, ids in inputs.items()})
    found = {name: np.linalg.norm(value.astype(np.float64), axis=-1) for name, value in zip(names, outputs)}
    blocks = len(prompts[0]["attn_out"])
    error = 0.0
    start = 0
    for prompt, length in zip(prompts, lengths):
        expected = {"ln_final.hook_normalized": prompt["final"]}
        for block in range(blocks):
            expected[f"blocks.{block}.hook_resid_pre"] = prompt["resid"][block]
            expected[f"blocks.{block}.hook_resid_post"] = prompt["resid"][block + 1]
            expected[f"blocks.{block}.hook_attn_out"] = prompt["attn_out"][block]
            expected[f"blocks.{block}.hook_mlp_out"] = prompt["mlp_out"][block]
        for name, norms in expected.items():
            norms = np.array(norms)
            error = max(error, float(np.max(np.abs(found[name][start : start + length] - norms) / norms)))
        start += length
    return error


if __name__ == "__main__":
    main(sys.argv[1])
