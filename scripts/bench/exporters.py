"""Exporting a checkpoint to ONNX: `streamgauge export`, the builder of onnxruntime-genai, optimum. Time, bytes, memory.

    python scripts/bench/exporters.py --shape tiny|1b|8b [--repeats 3] [--optimum .venv/optimum/bin/python]
        [--program target/release/streamgauge] [--out results/bench]

The checkpoint is results/bench/SHAPE as bench.py leaves it, in the page cache. Files: what the folder holds; new: what
of it is not a link to the checkpoint. optimum needs an older transformers, so a Python of its own; a tool that is not
installed, does not fit or fails is a row that says so. Writes SHAPE-export.md and SHAPE-export.json.
"""

import argparse
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import make_checkpoint
import measure

ROOT = Path(__file__).resolve().parents[2]
OPTIMUM = """
import sys
from optimum.exporters.onnx import main_export
main_export(sys.argv[1], output=sys.argv[2], task="text-generation", do_validation=False, device="cpu",
            library_name="transformers", dtype="fp32")
"""
DISK_KEPT = 2 * 2**30
ABSENT = "not installed"  # instead of a version


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=make_checkpoint.SHAPES, default="1b")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--optimum", type=Path, default=ROOT / ".venv" / "optimum" / "bin" / "python")
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "streamgauge")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    args = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    checkpoint = (args.out / args.shape).resolve()
    parameters = make_checkpoint.write(checkpoint, make_checkpoint.SHAPES[args.shape])
    record = {"shape": args.shape, "parameters": parameters, "machine": measure.machine(), "rows": []}
    for label, command, version, needs in tools(args.program.resolve(), args.optimum.absolute(), parameters):
        row = {"label": label, "version": version()}
        absent = {"failed": "its environment is made by `make bench-export`"}
        found = absent if row["version"] == ABSENT else export(command, checkpoint, needs, args.repeats)
        record["rows"].append(row | found)
        print(f"{label}: {record['rows'][-1].get('failed') or record['rows'][-1]['wall_s']}", flush=True)
    measure.write_json(args.out / f"{args.shape}-export.json", record)
    (args.out / f"{args.shape}-export.md").write_text(page(record))
    print((args.out / f"{args.shape}-export.md").read_text())


def tools(program: Path, optimum: Path, parameters: int):
    """Label, command of (checkpoint, folder, scratch), version, and least bytes of (disk, memory) needed."""
    floats = 4 * parameters
    ours = [program, "export", "--quiet"]
    genai = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-p", "fp32", "-e", "cpu"]
    return [
        ("streamgauge export", lambda c, o, s: [*ours, c, "-o", o], lambda: "", (0, 0)),
        (
            "streamgauge export --self-contained",
            lambda c, o, s: [*ours, "--self-contained", c, "-o", o],
            lambda: "",
            (2 * parameters, 0),
        ),
        (
            "onnxruntime-genai builder, fp32",
            lambda c, o, s: [*genai, "-m", c, "-o", o, "-c", s],
            genai_version,
            (floats, floats),
        ),
        (
            "optimum, fp32",
            lambda c, o, s: [optimum, "-c", OPTIMUM, c, o],
            lambda: optimum_version(optimum),
            (2 * floats, floats),
        ),
    ]


def export(command, checkpoint: Path, needs: tuple[int, int], repeats: int) -> dict:
    disk, memory = needs
    runs = []
    try:
        for _ in range(repeats):
            free, available = shutil.disk_usage(checkpoint).free - DISK_KEPT, measure.memory_available()
            if disk > free:
                raise measure.Failed(
                    f"does not fit: {disk / 1e9:.1f} GB of disk needed, {free / 1e9:.1f} GB may be used"
                )
            if memory > available:
                raise measure.Failed(
                    f"does not fit: {memory / 1e9:.1f} GB of weights, {available / 1e9:.1f} GB of memory"
                )
            measure.warm(checkpoint)
            # Beside the checkpoint, where hard links to it are possible.
            with tempfile.TemporaryDirectory(dir=checkpoint.parent) as scratch:
                made = Path(scratch) / "made"
                run, _ = measure.run(command(checkpoint, made, Path(scratch) / "cache"))
                sizes = [file.stat() for file in made.rglob("*") if file.is_file()]
                linked = {(checkpoint / name).stat().st_ino for name in os.listdir(checkpoint)}
                run["file_bytes"] = sum(s.st_size for s in sizes)
                run["new_bytes"] = sum(s.st_size for s in sizes if s.st_ino not in linked)
            runs.append(run)
    except (measure.Failed, OSError) as error:
        return {"failed": str(error)}
    return {"failed": None, **measure.spread(runs)}


def genai_version() -> str:
    try:
        return importlib.metadata.version("onnxruntime-genai")
    except importlib.metadata.PackageNotFoundError:
        return ABSENT


def optimum_version(python: Path) -> str:
    names = "('optimum-onnx', 'transformers')"
    ask = f"from importlib.metadata import version as v; print(*(n + ' ' + v(n) for n in {names}), sep=', ')"
    try:
        return subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ABSENT


def page(record: dict) -> str:
    lines = [f"# Export of {record['parameters'] / 1e9:.2f} B parameters ({record['shape']}, bf16) to ONNX", ""]
    lines += ["| tool | wall, s | CPU, s | anonymous, GiB | files, MB | new, MB |", "|---" * 6 + "|"]
    for row in record["rows"]:
        label = row["label"] + (f" ({row['version']})" if row["version"] else "")
        if row["failed"]:
            lines.append(f"| {label} | {row['failed'].replace('|', '/')} | | | | |")
            continue
        wall = row["wall_s"]
        cells = [
            label,
            f"{wall['median']:.2f} ({wall['min']:.2f}–{wall['max']:.2f})",
            f"{row['cpu_s']['median']:.2f}",
            f"{row['peak_anonymous_bytes']['median'] / measure.GIB:.2f}",
            f"{row['file_bytes']['median'] / 1e6:.1f}",
            f"{row['new_bytes']['median'] / 1e6:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    machine = record["machine"]
    lines += [
        "",
        "New process, warm page cache, median (least–most). Others widen to float32; streamgauge links the checkpoint's "
        f"own bf16 weights or copies them. {machine['cpus']} CPUs ({machine['cpu']}).",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
