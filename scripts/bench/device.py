"""Time one model on a device: wall time, rate of streamed weights, peak memory of the card.

    python scripts/bench/make_checkpoint.py results/bench/8b --shape 8b
    python scripts/bench/device.py results/bench/8b --device cuda --program target/release/streamgauge

The rate is the bytes of the checkpoint over the wall time of the whole process, start and store included: a lower bound
of what the bus carries. The card's memory is what `nvidia-smi` says it uses, less what it used before, sampled every
100 ms; on the processor there is none. Results go to results/bench/device-NAME.md. The bus limit that is printed beside
it is what the link as it is now (generation and lanes) can carry.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import measure
from rows import OURS, Row

ROOT = Path(__file__).resolve().parents[2]

# GB/s a lane in one direction, by generation.
LANE = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.56}
SAMPLE_EVERY = 0.1  # seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--program", default=str(ROOT / "target" / "release" / "streamgauge"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    args = parser.parse_args()

    index = None if args.device == "cpu" else visible(int((args.device.split(":") + ["0"])[1]))
    card = index and query(index, "name,pcie.link.gen.max,pcie.link.width.max")
    if index and card is None:
        sys.exit(f"nvidia-smi shows no card {index}; `{args.program} measure --device {args.device}` says what is missing")
    measure.warm(args.checkpoint)
    runs = []
    for _ in range(args.repeats + 1):
        with tempfile.TemporaryDirectory(dir=args.checkpoint.parent) as scratch:
            command = Row(OURS, OURS, "float32").command(args.program, args.checkpoint, Path(scratch))
            with Sampled(index) as sampled:
                run, _ = measure.run([*command, "--device", args.device])
        runs.append(run | {"card_bytes": sampled.peak})
    runs = runs[1:]  # the first one warms
    size = sum(file.stat().st_size for file in args.checkpoint.glob("*.safetensors"))
    wall = median(run["wall_s"] for run in runs)
    spread = max(run["wall_s"] for run in runs) - min(run["wall_s"] for run in runs)
    known = card and all(run["card_bytes"] is not None for run in runs)
    memory = f"{median(run['card_bytes'] for run in runs) / 2**30:.2f}" if known else "-"
    anonymous = median(run["peak_anonymous_bytes"] for run in runs) / 2**30
    link = card and card[1].isdigit() and card[2].isdigit()
    limit = f"{LANE[int(card[1])] * int(card[2]):.1f}" if link else "-"
    lines = [
        "| model | device | wall s (spread) | weights GB/s | bus limit GB/s | card GiB | anonymous GiB |",
        "|---|---|---|---|---|---|---|",
        f"| {args.checkpoint.name} | {card[0] if card else measure.machine()['cpu']} | {wall:.2f} ({spread:.2f}) | {size / wall / 1e9:.2f} "
        f"| {limit} | {memory} | {anonymous:.2f} |",
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    name = f"device-{args.checkpoint.name}-{args.device.replace(':', '')}.md"
    (args.out / name).write_text("\n".join(lines) + f"\n\nMedian of {args.repeats} processes, warm page cache.\n")
    print("\n".join(lines))


def visible(index: int) -> str:
    """What nvidia-smi calls the card that CUDA calls by this index."""
    shown = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return shown[index] if index < len(shown) else str(index)


def query(index, fields):
    """Values that nvidia-smi gives, or None."""
    command = ["nvidia-smi", f"--id={index}", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return [value.strip() for value in done.stdout.strip().split(",")] if done.returncode == 0 else None


class Sampled:
    """The card's memory in use while the block runs: the peak over what was in use before, bytes; None where nvidia-smi
    does not say (a part of a card)."""

    def __init__(self, index):
        self.index, self.peak, self.over = index, None, threading.Event()

    def __enter__(self):
        self.before = self.used()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def used(self):
        found = None if self.index is None else query(self.index, "memory.used")
        return int(found[0]) << 20 if found and found[0].isdigit() else None

    def watch(self):
        while self.before is not None and not self.over.is_set():
            used = self.used()
            if used is not None:
                self.peak = max(self.peak or 0, used - self.before)
            time.sleep(SAMPLE_EVERY)


if __name__ == "__main__":
    main()
