"""Time commands from a cold process with a warm page cache: wall, CPU and peak anonymous memory.

    python scripts/bench/make_checkpoint.py /tmp/bench-1b --shape 1b
    python scripts/bench/bench.py --checkpoint /tmp/bench-1b --repeats 5 \\
        "streamgauge=target/release/streamgauge measure {checkpoint} --store {scratch} --json {tokens}" \\
        "transformers float32=python scripts/bench/peer_transformers.py {checkpoint}"

Each command is LABEL=COMMAND. {checkpoint} is the folder, {tokens} becomes one `--tokens a,b,c` per prompt of the
folder's bench_prompts.json, {prompts} is that file's path, {scratch} a folder that is new for every run. One unmeasured run precedes the measured ones. Medians go
to results/bench/NAME.md and, with every run, NAME.json.

Anonymous memory (RssAnon) is what a machine must have; file pages of the mapped checkpoint can be evicted at will.
It is summed over the process tree every 20 ms.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_EVERY = 0.02  # seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="+", metavar="LABEL=COMMAND")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--name", default="bench")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    args = parser.parse_args()

    results = []
    for entry in args.commands:
        label, found, text = entry.partition("=")
        if not found:
            parser.error(f"{entry!r}: expected LABEL=COMMAND")
        read_all(args.checkpoint)
        runs = [once(text, args.checkpoint) for _ in range(args.repeats + 1)][1:]
        results.append({"label": label, "command": text, "runs": runs, "median": medians(runs)})
        print(row(results[-1]), flush=True)

    args.out.mkdir(parents=True, exist_ok=True)
    machine = {"cpus": len(os.sched_getaffinity(0)), "cpu": cpu_name()}
    record = {"checkpoint": args.checkpoint.name, "machine": machine, "repeats": args.repeats, "results": results}
    (args.out / f"{args.name}.json").write_text(json.dumps(record, indent=2) + "\n")
    head = ["| command | wall s | CPU s | peak anonymous GiB |", "|---|---|---|---|"]
    note = f"\nMedians of {args.repeats} cold processes, warm page cache, {machine['cpus']} CPUs ({machine['cpu']}).\n"
    (args.out / f"{args.name}.md").write_text("\n".join([*head, *map(row, results), note]))


def once(text: str, checkpoint: Path) -> dict:
    """One cold process; its scratch folder is new, so nothing is found stored."""
    with tempfile.TemporaryDirectory(dir=checkpoint.parent) as scratch:
        return measure(expand(text, checkpoint, Path(scratch)))


def expand(text: str, checkpoint: Path, scratch: Path) -> list[str]:
    prompts = checkpoint / "bench_prompts.json"
    out = []
    for word in shlex.split(text):
        if word == "{tokens}":
            for ids in json.loads(prompts.read_text()):
                out += ["--tokens", ",".join(map(str, ids))]
        else:
            places = {"{checkpoint}": checkpoint, "{prompts}": prompts, "{scratch}": scratch}
            for name, place in places.items():
                word = word.replace(name, str(place))
            out.append(word)
    return out


def read_all(folder: Path):
    """Bring the checkpoint into the page cache."""
    for file in sorted(folder.iterdir()):
        with open(file, "rb", buffering=0) as f:
            while f.read(1 << 24):
                pass


def measure(command: list[str]) -> dict:
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        peak = 0
        while True:
            # wait4 instead of Popen.wait: its usage covers this child and what it waited for, nothing else.
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            wall = time.perf_counter() - start
            if pid:
                break
            peak = max(peak, sum(anonymous_kib(p) for p in tree(child.pid)))
            time.sleep(SAMPLE_EVERY)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.exit(
                f"{shlex.join(command)[:200]} ended with {child.returncode}:\n{errors.read().decode(errors='replace')}"
            )
    return {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_anonymous_bytes": peak * 1024}


def tree(pid: int) -> list[int]:
    try:
        children = [int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(p for child in children for p in tree(child))]


def anonymous_kib(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def medians(runs: list[dict]) -> dict:
    return {key: median(run[key] for run in runs) for key in runs[0]}


def row(result: dict) -> str:
    m = result["median"]
    return f"| {result['label']} | {m['wall_s']:.2f} | {m['cpu_s']:.2f} | {m['peak_anonymous_bytes'] / 2**30:.2f} |"


def cpu_name() -> str:
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else "unknown"


if __name__ == "__main__":
    main()
