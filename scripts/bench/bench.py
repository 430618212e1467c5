"""streamgauge and its peers in turn on the same prompts for the same result: a table, the raw numbers and a plot.

    python scripts/bench/bench.py --shape tiny|1b|8b|70b-2 [--rounds 5] [--program target/release/streamgauge]
        [--only TEXT] [--out results/bench] [--quick]

Makes results/bench/SHAPE (a random checkpoint) if it is not there and writes SHAPE.md, SHAPE.json and SHAPE.svg beside
it. Every round runs every row twice from a new process, with the checkpoint out of the page cache (cold) and in it
(warm), so that slow changes of the machine meet all rows alike; one unmeasured run of each row comes first, whose
result must agree with streamgauge's (agree.py). --quick leaves that run out, takes the result of the first round, and
runs peers in one batch only.
A row that cannot run says why. Exit code 1 if a row disagrees or streamgauge itself failed.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import make_checkpoint
import measure
import plot
from agree import TOLERANCE, worst
from rows import OURS, Row, rows
from table import page

ROOT = Path(__file__).resolve().parents[2]
CACHES = ("cold", "warm")  # in this order: the cold run of a row leaves its pages behind


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=make_checkpoint.SHAPES, default="1b")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "streamgauge")
    parser.add_argument("--only", default="", help="rows whose label contains this, and streamgauge")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"  # a peer that asks the hub about a local folder would lose time

    checkpoint = args.out / args.shape
    parameters = make_checkpoint.write(checkpoint, make_checkpoint.SHAPES[args.shape])
    machine = measure.machine()
    limits = [machine_limits(checkpoint)]
    chosen = [row for row in rows(args.quick) if row.program == OURS or args.only in row.label]
    results = [Result(row, args.program.resolve(), checkpoint) for row in chosen]
    for result in results:
        result.guard(parameters)
        if not args.quick:
            result.try_out()
    for round in range(args.rounds):
        for result in results:
            result.round()
            print(f"round {round + 1}/{args.rounds}  {result.line()}", flush=True)
    try:
        limits.append(machine_limits(checkpoint))
    except measure.Failed as error:  # not worth losing the rounds for
        print(f"limits.py: {error}; those measured before stand alone", file=sys.stderr)

    for result in results:
        result.compare(results[0])
    record = {
        "shape": args.shape,
        "parameters": parameters,
        "machine": machine,
        "limits": limits,
        "rounds": args.rounds,
        "rows": [result.record() for result in results],
    }
    measure.write_json(args.out / f"{args.shape}.json", record)
    (args.out / f"{args.shape}.md").write_text(page(record))
    plot.rows(record, args.out / f"{args.shape}.svg")
    print((args.out / f"{args.shape}.md").read_text())
    if results[0].failed or any(result.disagrees() for result in results):
        sys.exit(1)


def prepared(checkpoint: Path, cache: str) -> float:
    """The share of the checkpoint in the page cache, after bringing it there or dropping it."""
    if cache == "warm":
        measure.warm(checkpoint)
        return measure.cached_share(checkpoint)
    for _ in range(5):
        measure.cold(checkpoint)
        cached = measure.cached_share(checkpoint)
        if cached < 0.1:
            break
        time.sleep(1)  # pages that a process which is just ending had mapped stayed
    return cached


def machine_limits(checkpoint: Path) -> dict:
    command = [sys.executable, Path(__file__).with_name("limits.py"), checkpoint]
    return json.loads(measure.run(command)[1])


class Result:
    """A row, its runs so far, what it found, or why it cannot run."""

    def __init__(self, row: Row, program: Path, checkpoint: Path):
        self.row, self.program, self.checkpoint = row, program, checkpoint
        self.runs = {cache: [] for cache in CACHES}
        self.found = self.failed = self.worst = None

    def guard(self, parameters: int):
        needed, free = self.row.bytes_needed(parameters), measure.memory_available()
        if needed > free:
            self.failed = (
                f"does not fit: {needed / measure.GIB:.1f} GiB of {self.row.dtype} weights, "
                f"{free / measure.GIB:.1f} GiB of memory available"
            )

    def try_out(self):
        self.once("warm")

    def round(self):
        for cache in CACHES:
            run = self.once(cache)
            if run:
                self.runs[cache].append(run)

    def once(self, cache: str) -> dict | None:
        """One process from a new scratch folder; None if the row cannot run."""
        if self.failed:
            return None
        try:
            # Beside the checkpoint, so that both are on the same disk.
            with tempfile.TemporaryDirectory(dir=self.checkpoint.parent) as scratch:
                command = self.row.command(self.program, self.checkpoint, Path(scratch))
                before = self.row.before(self.program, self.checkpoint, Path(scratch))
                if before:
                    measure.run(before)
                cached = prepared(self.checkpoint, cache)
                run, text = measure.run(command)
        except (measure.Failed, OSError) as error:
            self.failed = str(error)
            return None
        if self.found is None:
            self.found = json.loads(text)
        return run | {"cached_before": cached}

    def compare(self, reference: "Result"):
        if self.found and reference.found:
            self.worst = worst(reference.found["observations"], self.found["observations"])

    def disagrees(self) -> bool:
        if self.worst is None:
            return False
        return self.worst["relative"] is None or self.worst["relative"] > TOLERANCE[self.row.dtype]

    def line(self) -> str:
        if self.failed:
            return f"{self.row.label}: {self.failed}"
        walls = ", ".join(f"{cache} {self.runs[cache][-1]['wall_s']:.2f} s" for cache in CACHES)
        return f"{self.row.label}: {walls}"

    def record(self) -> dict:
        out = {"label": self.row.label, "program": self.row.program, "dtype": self.row.dtype, "failed": self.failed}
        if not self.failed:
            for cache in CACHES:
                out[cache] = measure.spread(self.runs[cache])
            out["runs"] = self.runs
            out["versions"] = self.found.get("versions", {"onnxruntime": self.found.get("runtime", {}).get("version")})
            out["imports_s"] = self.found.get("imports_s")
            out["worst"] = self.worst
            out["agrees"] = None if self.worst is None else not self.disagrees()
        return out


if __name__ == "__main__":
    main()
