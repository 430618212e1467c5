"""The spectral norm of an unembedding: `streamgauge inspect` against torch and scipy, time and relative error.

    python scripts/bench/spectral.py [--sizes 32000x2048 128256x4096] [--repeats 3]
        [--program target/release/streamgauge] [--one target/release/examples/spectral_norm] [--out results/bench]

Each size becomes a checkpoint of one small block with tied embeddings, removed again. Ours is measured twice: that norm
alone, from the mapped file to the number (scripts/bench/spectral_norm.rs); and the whole process of `inspect`, which also
hashes the file and finds the norms of the centred and the folded matrix. A peer's seconds run from the float32 matrix in
memory to the number. The reference is the Gram matrix's largest eigenvalue in float64. Writes spectral.md and
spectral.json. A matrix of independent normals is the hard case for an iteration: its largest singular values lie close.
Each size is also tried with singular values that decay like those of the trained embeddings in data/zoo.
"""

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path

import make_checkpoint
import measure
from make_checkpoint import Shape

ROOT = Path(__file__).resolve().parents[2]
PEER = Path(__file__).with_name("peer_spectral.py")
MATRIX = "model.embed_tokens.weight"
# σ_j about j ** -decay; trained embeddings of data/zoo have 0.3, their unembeddings fall faster at first.
SPECTRA = {"independent normals": 0.0, "decaying as in training": 0.3}
PEERS = {
    "gram": "Gram matrix, float64, `eigvalsh`",
    "torch": "`torch.linalg.matrix_norm(ord=2)`",
    "lowrank": "`torch.svd_lowrank`",
    "svds": "`scipy.sparse.linalg.svds(k=1)`",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["32000x2048", "128256x4096"], metavar="ROWSxCOLUMNS")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "streamgauge")
    parser.add_argument("--one", type=Path, default=ROOT / "target" / "release" / "examples" / "spectral_norm")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    record = {"machine": measure.machine(), "sizes": {}}
    for size, (spectrum, decay) in itertools.product(args.sizes, SPECTRA.items()):
        rows, columns = map(int, size.split("x"))
        with tempfile.TemporaryDirectory(dir=args.out) as scratch:
            checkpoint = Path(scratch)
            shape = Shape(columns, 1, 256, columns // 64, 1, rows, tied=True)
            make_checkpoint.write(checkpoint, shape, decay=decay)
            ours = {
                "streamgauge": [args.one.resolve(), checkpoint, MATRIX],
                "streamgauge inspect, three norms": [args.program.resolve(), "inspect", checkpoint, "--quiet", "--json"],
            }
            found = compare(ours, checkpoint, rows * columns, args.repeats)
            record["sizes"][f"{size}, {spectrum}"] = found
        measure.write_json(args.out / "spectral.json", record)
        (args.out / "spectral.md").write_text(page(record))
    print((args.out / "spectral.md").read_text())


def compare(ours: dict[str, list], checkpoint: Path, elements: int, repeats: int) -> list[dict]:
    out = [row(label, command, checkpoint, repeats) for label, command in ours.items()]
    for method, label in PEERS.items():
        needed, free = 4 * elements, measure.memory_available()
        if needed > free:
            out.append({"label": label, "failed": f"needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are available"})
            continue
        out.append(row(label, [sys.executable, PEER, checkpoint, method], checkpoint, repeats))
        print(f"{label}: {out[-1].get('failed') or out[-1]['seconds']}", flush=True)
    reference = next((r["sigma_max"] for r in out if r["label"] == PEERS["gram"] and not r["failed"]), None)
    for r in out:
        if not r["failed"] and reference:
            r["relative_error"] = abs(r["sigma_max"] / reference - 1)
    return out


def row(label: str, command: list, checkpoint: Path, repeats: int) -> dict:
    runs = []
    try:
        for _ in range(repeats):
            measure.warm(checkpoint)
            run, text = measure.run(command)
            found = json.loads(text)
            runs.append(run | {"seconds": found.get("seconds", run["wall_s"])})
    except measure.Failed as error:
        return {"label": label, "failed": str(error)}
    if "matrices" in found:
        norms = found["matrices"][0]["norms"]
        found = {"sigma_max": norms["sigma_max"], "passes": norms["iterations"] + 1}  # one for the norms of the rows
    known = {name: found[name] for name in ("sigma_max", "passes") if name in found}
    return {"label": label, "failed": None, **known, **measure.spread(runs)}


def page(record: dict) -> str:
    lines = ["# Spectral norm of an unembedding in bf16", ""]
    head = ["matrix", "method", "seconds", "times streamgauge's", "passes", "anonymous, GiB", "relative error"]
    lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for size, found in record["sizes"].items():
        for r in found:
            if r["failed"]:
                lines.append(f"| {size} | {r['label']} | {r['failed']} | | | | |")
                continue
            ours = "" if found[0]["failed"] else f"{r['seconds']['median'] / found[0]['seconds']['median']:.1f}"
            error = (
                "reference"
                if r["label"] == PEERS["gram"]
                else f"{r['relative_error']:.1e}" if "relative_error" in r else ""
            )
            seconds = r["seconds"]
            took = f"{seconds['median']:.2f} ({seconds['min']:.2f}–{seconds['max']:.2f})"
            memory = f"{r['peak_anonymous_bytes']['median'] / measure.GIB:.3f}"
            lines.append(f"| {size} | {r['label']} | {took} | {ours} | {r.get('passes', '')} | {memory} | {error} |")
    machine = record["machine"]
    lines += [
        "",
        "streamgauge: from the mapped file in bf16 to the number; `inspect`: the whole process, with the file's hash and the "
        "norms of the centred and the folded matrix besides; others: from the float32 matrix in memory to the number. Passes "
        "are those of streamgauge over the matrix. The largest singular values of independent normals lie close: the hard "
        "case for an iteration. Those of the decaying matrix fall as j^-0.3, as in the trained embeddings of data/zoo. "
        f"{machine['cpus']} CPUs ({machine['cpu']}).",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
