"""Where the time of a streamgauge run goes: its own trace (`--profile`) as a table.

    python scripts/bench/where.py [--shape tiny|1b|8b|70b-2] [--repeats 3] [--program target/release/streamgauge]
        [--out results/bench]

Measures results/bench/SHAPE from a warm page cache with a store of its own and writes SHAPE-profile.md. A span's seconds
are those outside the spans within it, summed over threads: what reads and widens ahead runs beside what computes. Shown
is the run of median wall time.
"""

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

import limits
import make_checkpoint
import measure
from rows import OURS, Row

ROOT = Path(__file__).resolve().parents[2]
MEANING = {
    "plan": "keys of what is asked, and what is stored",
    "open": "headers of the checkpoint, recipe, graphs",
    "hash": "of every byte of the weights",
    "tokenizer": "read",
    "load": "of the runtime's library",
    "session": "the runtime reads a graph",
    "read": "waits for a block's pages",
    "widen": "bf16 to float32, a block",
    "compute": "a block in the runtime",
    "reduce": "what was seen of a block",
    "stage head": "the unembedding made ready: bf16 to float32 unless products take it so",
    "head": "unembedding, entropy, top tokens",
    "store": "rows into Parquet",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=make_checkpoint.SHAPES, default="1b")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "streamgauge")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    args = parser.parse_args()
    checkpoint = args.out / args.shape
    make_checkpoint.write(checkpoint, make_checkpoint.SHAPES[args.shape])
    runs = sorted((once(args.program.resolve(), checkpoint) for _ in range(args.repeats)), key=lambda run: run[0])
    wall, spans = runs[len(runs) // 2]
    text = page(args.shape, checkpoint, wall, spans)
    (args.out / f"{args.shape}-profile.md").write_text(text)
    print(text)


def once(program: Path, checkpoint: Path) -> tuple[float, Counter]:
    measure.warm(checkpoint)
    with tempfile.TemporaryDirectory(dir=checkpoint.parent) as scratch:
        trace = Path(scratch) / "trace.json"
        command = Row(OURS, OURS, "float32").command(program, checkpoint, Path(scratch) / "store")
        run, _ = measure.run([*command, "--profile", trace])
        return run["wall_s"], spans_of(json.loads(trace.read_text()))


def spans_of(events: list) -> Counter:
    """Seconds of each span outside those within it."""
    seconds, open_spans = Counter(), {}
    for event in events:
        stack = open_spans.setdefault(event.get("tid"), [])
        if event["ph"] == "B":
            stack.append([event["name"], event["ts"], 0.0])
        elif event["ph"] == "E" and stack:
            name, start, within = stack.pop()
            took = event["ts"] - start
            seconds[name] += (took - within) / 1e6
            if stack:
                stack[-1][2] += took
    return seconds


def page(shape: str, checkpoint: Path, wall: float, spans: Counter) -> str:
    config = json.loads((checkpoint / "config.json").read_text())
    prompts = json.loads((checkpoint / "bench_prompts.json").read_text())
    tokens, products = sum(map(len, prompts)), limits.block_products(config)
    best = sum(min(limits.product_seconds(tokens, *product, 5).values()) for product in products)
    blocks = config["num_hidden_layers"] * best
    lines = [f"# {shape}: where {wall:.2f} s go", "", "| span | seconds | of the wall | |", "|---|---|---|---|"]
    for name, took in spans.most_common():
        if took >= 0.005:
            lines.append(f"| {name} | {took:.2f} | {100 * took / wall:.0f} % | {MEANING.get(name, '')} |")
    lines += [
        "",
        f"The matrix products of all blocks alone, in the runtime in float32, the better of two ways: {blocks:.2f} s, "
        f"{100 * blocks / spans['compute']:.0f} % of `compute`, {100 * blocks / wall:.0f} % of the wall (above 100 %: the "
        "run's own, with weights as they lie, were faster). Seconds outside the "
        "spans within; reading and widening ahead run beside computing, on the same cores. One run with `--profile`, the "
        "checkpoint in the page cache.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
