"""Quantised weights: read into float32 and multiplied, or multiplied as they lie by ONNX Runtime's MatMulNBits; and how fast each
stored form is read.

    python scripts/bench/as_they_lie.py [--readers target/release/examples/readers] [--threads 2] [--out results/bench]

Seconds are the fastest of several turns, the ways in turn, so that whatever else the machine does hits all. `readers` (Rust,
scripts/bench/readers.rs) reads one matrix as a run does, on all cores. Products are the runtime's own, of the same version
that streamgauge runs. MatMulNBits takes its weights as an input, as streamgauge must give them (a model's weights do not fit
in memory as constants of a session), or as constants that the runtime arranges once. Deviations are of the norm of the
product, against float64. Writes formats.md and formats.json.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

import measure
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
# Rows (outputs) and columns (inputs): two matrices of SmolLM2-135M, two of a model of a billion parameters.
SHAPES = {"SmolLM2-135M": [(576, 576), (1536, 576), (576, 1536)], "1 B": [(2048, 8192), (8192, 2048)]}
TOKENS = [1, 16, 64, 400, 512]  # 400: a survey of 25 prompts of 16 tokens
BLOCK = 32
FORMS = {"Q8_0": 8, "Q4_0": 4}
# The operator's accuracy_level: 0 leaves it to the runtime, 1 computes in float32, 4 rounds activations to 8 bits.
LEVELS = {0: "its own choice", 1: "float32", 4: "activations of 8 bits"}
TURNS = 5


def session(graph, threads: int):
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    start = time.perf_counter()
    made = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return made, time.perf_counter() - start


def tensor(name: str, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def plain(rows: int, columns: int):
    """x times the transpose of float32 weights, both inputs."""
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)
    inputs = [tensor("x", TensorProto.FLOAT, ["t", columns]), tensor("w", TensorProto.FLOAT, [rows, columns])]
    return helper.make_graph([node], "plain", inputs, [tensor("y", TensorProto.FLOAT, ["t", rows])])


def packed(rows: int, columns: int, bits: int, level: int, constants: dict | None):
    """x times weights of a few bits in blocks of 32 with a scale, which are inputs or constants."""
    how = {"K": columns, "N": rows, "bits": bits, "block_size": BLOCK, "accuracy_level": level}
    node = helper.make_node("MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", **how)
    inputs = [tensor("x", TensorProto.FLOAT, ["t", columns])]
    blocks = columns // BLOCK
    kept = []
    if constants:
        kept = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    else:
        inputs.append(tensor("w", TensorProto.UINT8, [rows, blocks, BLOCK * bits // 8]))
        inputs.append(tensor("s", TensorProto.FLOAT, [rows * blocks]))
    return helper.make_graph([node], "packed", inputs, [tensor("y", TensorProto.FLOAT, ["t", rows])], kept)


def fastest(ways: dict) -> dict:
    """Seconds of each way, in turn."""
    best = {name: float("inf") for name in ways}
    for way in ways.values():
        way()
    for _ in range(TURNS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def products(rows: int, columns: int, form: str, reading: float, threads: int) -> list:
    bits = FORMS[form]
    rng = np.random.default_rng(rows + columns)
    blocks = columns // BLOCK
    w = rng.integers(0, 256, (rows, blocks, BLOCK * bits // 8), dtype=np.uint8)
    s = (rng.random(rows * blocks, dtype=np.float32) + 0.5) / 1024
    numbers = w if bits == 8 else np.stack([w & 15, w >> 4], -1).reshape(rows, blocks, BLOCK)
    floats = (numbers.astype(np.float32) - 2 ** (bits - 1)) * s.reshape(rows, blocks, 1)
    floats = floats.reshape(rows, columns)
    given = {"w": w, "s": s}
    whole, _ = session(plain(rows, columns), threads)
    made = {(level, "input"): session(packed(rows, columns, bits, level, None), threads) for level in LEVELS}
    made |= {(level, "constant"): session(packed(rows, columns, bits, level, given), threads) for level in LEVELS}
    found = []
    for tokens in TOKENS:
        x = rng.standard_normal((tokens, columns), dtype=np.float32)
        ways = {("read", ""): lambda: whole.run(None, {"x": x, "w": floats})[0]}
        for (level, kind), (run, _) in made.items():
            feed = {"x": x} | (given if kind == "input" else {})
            ways[level, kind] = lambda run=run, feed=feed: run.run(None, feed)[0]
        exact = x.astype(np.float64) @ floats.T.astype(np.float64)
        seconds = fastest(ways)
        for (level, kind), way in ways.items():
            deviation = float(np.linalg.norm(way() - exact) / np.linalg.norm(exact))
            row = {"rows": rows, "columns": columns, "form": form, "tokens": tokens, "deviation": deviation}
            if level == "read":
                row |= {"way": "read", "seconds": seconds[level, kind] + reading, "product": seconds[level, kind]}
            else:
                row |= {"way": LEVELS[level], "weights": kind, "seconds": seconds[level, kind]}
                row["arranging"] = made[level, kind][1]
            found.append(row)
    return found


def read(program: Path, rows: int, columns: int) -> dict:
    return json.loads(subprocess.run([program, str(rows), str(columns)], check=True, capture_output=True).stdout)


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g}"


def table(record: dict) -> str:
    """formats.md"""
    text = (
        "# Quantised weights: reading them, and multiplying them as they lie\n\n"
        f"Written by `make bench-formats` on {record['machine']['cpu']}, {record['threads']} threads. ONNX Runtime "
        f"{record['runtime']}. Milliseconds, the fastest of {TURNS} turns; {record['machine']['load_before']:.1f} processes ran when it "
        "began, and where others did, figures are too high.\n\n"
        "## Products\n\nOne matrix times so many tokens. *Read* is reading it into float32 on all cores, then the runtime's product of "
        "float32. The others are MatMulNBits: weights as an *input* of the graph, as streamgauge streams them, or as a *constant* that "
        "the runtime arranged when the session was made (that time is not in the figure, but in the last column). What rounds activations "
        "to 8 bits is off by the deviation shown and cannot be used here.\n\n"
        "| model | matrix | form | tokens | read (of it, product) | float32, input | float32, constant | its own choice, constant (deviation) "
        "| 8-bit activations, constant (deviation) | arranging, float32 |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    for name, shapes in SHAPES.items():
        for shape in shapes:
            for form in FORMS:
                for tokens in TOKENS:
                    text += line(record, name, shape, form, tokens)
    text += (
        "\n## Readers\n\nOne matrix of 2048 x 8192 in every stored form, read into float32 on all cores as a run reads it: bytes in, float32 "
        "bytes out, each a second of the fastest reading; and how many times longer than a copy of the float32 numbers it takes.\n\n"
        "| form | bits a weight | MB/s in | GB/s out | times a copy |\n|---|---|---|---|---|\n"
    )
    for row in record["readers"]["read"]:
        text += reader(row, record["readers"])
    return text


def line(record: dict, name: str, shape: tuple, form: str, tokens: int) -> str:
    same = [r for r in record["products"] if (r["rows"], r["columns"], r["form"], r["tokens"]) == (*shape, form, tokens)]
    whole = next(row for row in same if row["way"] == "read")

    def of(way: str, weights: str) -> dict:
        return next(row for row in same if row["way"] == way and row["weights"] == weights)

    single = [milliseconds(of("float32", weights)["seconds"]) for weights in ("input", "constant")]
    other = [of(LEVELS[level], "constant") for level in (0, 4)]
    other = [f"{milliseconds(row['seconds'])} ({row['deviation']:.0e})" for row in other]
    read_into = f"{milliseconds(whole['seconds'])} ({milliseconds(whole['product'])})"
    arranging = milliseconds(of("float32", "constant")["arranging"])
    cells = [name, f"{shape[0]} x {shape[1]}", form, str(tokens), read_into, *single, *other, arranging]
    return f"| {' | '.join(cells)} |\n"


def reader(row: dict, readers: dict) -> str:
    elements = readers["rows"] * readers["columns"]
    rates = f"{row['bytes'] / row['fastest'] / 1e6:.0f} | {4 * elements / row['fastest'] / 1e9:.1f}"
    times = row["fastest"] / readers["read"][0]["fastest"]
    return f"| {row['form']} | {8 * row['bytes'] / elements:.2f} | {rates} | {times:.1f} |\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=Path, default=ROOT / "target/release/examples/readers")
    parser.add_argument("--threads", type=int, default=len(measure.os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=ROOT / "results/bench")
    args = parser.parse_args()
    record = {"machine": measure.machine(), "threads": args.threads, "runtime": onnxruntime.__version__, "products": []}
    for shapes in SHAPES.values():
        for rows, columns in shapes:
            reading = {row["form"]: row["fastest"] for row in read(args.readers, rows, columns)["read"]}
            for form in FORMS:
                record["products"] += products(rows, columns, form, reading[form], args.threads)
    record["readers"] = read(args.readers, 2048, 8192)
    measure.write_json(args.out / "formats.json", record)
    (args.out / "formats.md").write_text(table(record), encoding="utf-8")


if __name__ == "__main__":
    main()
