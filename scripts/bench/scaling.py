"""How the cost of `streamgauge measure` grows with tokens, prompts, parameters and layers.

    python scripts/bench/scaling.py [--repeats 5] [--program target/release/streamgauge] [--out results/bench] [--quick]

Small random checkpoints are made beside the results and removed again. Each point is the median of several processes
with a warm page cache; each curve is fitted by a line, whose intercept is what a run costs at least. Writes
scaling.md, scaling.json and scaling.svg. --quick takes three points of the smallest size, once.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import make_checkpoint
import measure
import plot
from make_checkpoint import Shape

ROOT = Path(__file__).resolve().parents[2]
VOCAB = 1024  # small, so that parameters are those of the blocks
PROMPTS, LENGTH = 16, 16  # where neither is varied


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "streamgauge")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    machine = measure.machine()
    curves = {}
    for name, points in plan(args.quick).items():
        measured = []
        for shape, prompts, length in points:
            with tempfile.TemporaryDirectory(dir=args.out) as scratch:
                point = once(
                    args.program.resolve(), Path(scratch), shape, prompts, length, 1 if args.quick else args.repeats
                )
            x = {
                "tokens": prompts * length,
                "prompts": prompts,
                "parameters, millions": point["parameters"] / 1e6,
                "layers": shape.layers,
            }[name]
            print(f"{name} {x:g}: {point['wall_s']['median']:.3f} s", flush=True)
            measured.append({"x": x, "shape": shape._asdict(), "prompts": prompts, "length": length, **point})
        curves[name] = {"points": measured, "fit": line(measured)}
    record = {"machine": machine, "repeats": 1 if args.quick else args.repeats, "curves": curves}
    name = "scaling-quick" if args.quick else "scaling"
    measure.write_json(args.out / f"{name}.json", record)
    (args.out / f"{name}.md").write_text(page(record))
    plot.curves(curves, args.out / f"{name}.svg")
    print((args.out / f"{name}.md").read_text())


def plan(quick: bool) -> dict:
    """Curve to (shape, prompts, length of a prompt)."""

    def block(width, layers):
        return Shape(width, layers, width * 11 // 4, width // 64, width // 128, VOCAB)

    if quick:
        base, sizes = block(128, 2), (128, 256, 384)
        return {
            "tokens": [(base, PROMPTS, n) for n in (4, 8, 16)],
            "prompts": [(base, n, LENGTH) for n in (4, 8, 16)],
            "parameters, millions": [(block(width, 2), PROMPTS, LENGTH) for width in sizes],
            "layers": [(block(128, n), PROMPTS, LENGTH) for n in (1, 2, 4)],
        }
    base = block(1024, 8)
    return {
        "tokens": [(base, PROMPTS, n) for n in (8, 16, 32, 64, 128)],
        "prompts": [(base, n, LENGTH) for n in (8, 16, 32, 64, 128)],
        "parameters, millions": [(block(w, 8), PROMPTS, LENGTH) for w in (512, 768, 1024, 1280, 1536)],
        "layers": [(block(1024, n), PROMPTS, LENGTH) for n in (2, 4, 8, 16, 24)],
    }


def once(program: Path, scratch: Path, shape: Shape, prompts: int, length: int, repeats: int) -> dict:
    checkpoint = scratch / "checkpoint"
    parameters = make_checkpoint.write(checkpoint, shape)
    ids = np.random.default_rng(1).integers(0, VOCAB, (prompts, length)).tolist()
    tokens = [word for prompt in ids for word in ("--tokens", ",".join(map(str, prompt)))]
    runs = []
    for repeat in range(repeats + 1):
        measure.warm(checkpoint)
        # A store of its own for each run, or the second would have nothing to do.
        store = scratch / f"store{repeat}"
        run, _ = measure.run([program, "measure", checkpoint, "--store", store, "--quiet", "--json", *tokens])
        runs.append(run)
    return {"parameters": parameters, **measure.spread(runs[1:])}


def line(points: list[dict]) -> dict:
    """Least squares through the medians."""
    x, y = (np.array(v) for v in zip(*((p["x"], p["wall_s"]["median"]) for p in points)))
    slope, intercept = np.polyfit(x, y, 1)
    left = y - (intercept + slope * x)
    return {"slope": slope, "intercept": intercept, "r2": 1 - (left @ left) / ((y - y.mean()) @ (y - y.mean()))}


def page(record: dict) -> str:
    lines = [
        "# Cost of `streamgauge measure`",
        "",
        "| against | from | to | s at the first | s at the last | line | R² |",
    ]
    lines.append("|---" * 7 + "|")
    for name, curve in record["curves"].items():
        first, last, fit = curve["points"][0], curve["points"][-1], curve["fit"]
        ends = [f"{point['x']:g}" for point in (first, last)]
        ends += [f"{point['wall_s']['median']:.3f}" for point in (first, last)]
        cells = [name, *ends, f"{fit['intercept']:.3f} + {fit['slope']:.3g} x", f"{fit['r2']:.4f}"]
        lines.append("| " + " | ".join(cells) + " |")
    machine, base = record["machine"], record["curves"]["tokens"]["points"][0]
    lines += [
        "",
        f"New process, new store, warm page cache, median of {record['repeats']}; {PROMPTS} prompts of {LENGTH} tokens "
        f"and {base['shape']['layers']} blocks of width {base['shape']['hidden']} "
        f"({base['parameters'] / 1e6:.0f} M parameters) where nothing else is said; more tokens are longer prompts. "
        f"{machine['cpus']} CPUs ({machine['cpu']}).",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
