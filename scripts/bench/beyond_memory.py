"""streamgauge on a checkpoint larger than the memory it may take, pages of files included: same rows, at what cost?

    python scripts/bench/beyond_memory.py CHECKPOINT [--limit BYTES] [--program target/release/streamgauge]

Runs `measure` on the checkpoint's bench prompts twice from the disk: free, and in a control group that holds LIMIT bytes
(half of the checkpoint), so that the kernel takes pages back while weights stream. Prints one line of JSON: seconds, major
faults and peak anonymous memory of both. Exit code 1 if the rows differ, 2 where no such group can be made: that takes
systemd-run and a user session, or root, with the memory controller of cgroup v2 (no swap then), or root with that of v1.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import measure
from rows import OURS, Row

ROOT = Path(__file__).resolve().parents[2]
# Inside the scope: the limit of this very group.
SHOW_LIMIT = 'cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/memory.max"'
V1 = Path("/sys/fs/cgroup/memory")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--limit", type=int, help="bytes")
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "streamgauge")
    args = parser.parse_args()
    size = sum(file.stat().st_size for file in measure.files(args.checkpoint))
    limit = args.limit or size // 2
    with group_of(limit) if (V1 / "memory.limit_in_bytes").exists() else nullcontext(scope_of(limit)) as words:
        found = runs_of(args, words)
    runs, rows = {name: run for name, (run, _) in found.items()}, [rows for _, rows in found.values()]
    same = rows[0] == rows[1]
    print(json.dumps({"checkpoint_bytes": size, "limit_bytes": limit, "same_rows": same, **runs}))
    sys.exit(0 if same else 1)


def runs_of(args, limited: list[str]) -> dict:
    """By name: what a run took, and its rows."""
    found = {}
    for name, before in (("free", []), ("limited", limited)):
        with tempfile.TemporaryDirectory(dir=args.checkpoint.parent) as scratch:
            command = Row(OURS, OURS, "float32").command(args.program.resolve(), args.checkpoint, Path(scratch))
            measure.cold(args.checkpoint)  # or its pages would count for who read them before
            cached = measure.cached_share(args.checkpoint)
            try:
                run, text = measure.run([*before, *command])
            except measure.Failed as error:
                sys.exit(f"{name}: {error}")
            wanted = ("wall_s", "major_faults", "peak_anonymous_bytes", "disk_read_bytes")
            run = {key: run[key] for key in wanted} | {"cached_before": cached}
            found[name] = (run, json.loads(text)["observations"])
    return found


@contextmanager
def group_of(limit: int) -> Iterator[list[str]]:
    """The words before a command that bound its memory, by a group of cgroup v1 made for them."""
    group = V1 / f"streamgauge-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.swappiness").write_text("0")
        (group / "memory.limit_in_bytes").write_text(str(limit))
        held = (group / "memory.limit_in_bytes").read_text().strip()
    except OSError as error:
        held = str(error)
    try:
        if not holds(held, limit):
            refuse(held)
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        with suppress(OSError):  # it was not made, or somebody is still in it
            group.rmdir()


def scope_of(limit: int) -> list[str]:
    """The same by a scope of systemd, which holds it by cgroup v2."""
    user = [] if os.geteuid() == 0 else ["--user"]
    bounds = [f"--property=MemoryMax={limit}", "--property=MemorySwapMax=0"]
    scope = ["systemd-run", *user, "--scope", "--quiet", *bounds, "--"]
    try:
        held = measure.run([*scope, "sh", "-c", SHOW_LIMIT])[1].strip()
    except (measure.Failed, OSError) as error:
        held = str(error)
    if not holds(held, limit):
        refuse(held)
    return scope


def holds(held: str, limit: int) -> bool:
    """The kernel keeps whole pages."""
    return held.isdigit() and limit - os.sysconf("SC_PAGE_SIZE") < int(held) <= limit


def refuse(reason):
    print(f"memory cannot be limited here: {reason}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
