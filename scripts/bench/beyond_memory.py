"""streamgauge on a checkpoint larger than the memory it may take, pages of files included: same rows, at what cost?

    python scripts/bench/beyond_memory.py CHECKPOINT [--limit BYTES] [--program target/release/streamgauge]

Runs `measure` on the checkpoint's bench prompts twice from the disk: free, and in a scope of systemd that holds LIMIT
bytes (half of the checkpoint) and does not swap, so that the kernel takes pages back while weights stream. Prints one
line of JSON: seconds, major faults and peak anonymous memory of both. Exit code 1 if the rows differ, 2 where no such
scope can be made: that takes systemd-run and a user session, or root, with the memory controller of cgroup v2.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import measure
from rows import OURS, Row

ROOT = Path(__file__).resolve().parents[2]
# Inside the scope: the limit of this very group, then the program.
SHOW_LIMIT = 'cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/memory.max"'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--limit", type=int, help="bytes")
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "streamgauge")
    args = parser.parse_args()
    size = sum(file.stat().st_size for file in measure.files(args.checkpoint))
    limit = args.limit or size // 2
    scope = scope_of(limit)
    runs, found = {}, []
    for name, before in (("free", []), ("limited", scope)):
        with tempfile.TemporaryDirectory(dir=args.checkpoint.parent) as scratch:
            command = Row(OURS, OURS, "float32").command(args.program.resolve(), args.checkpoint, Path(scratch))
            measure.cold(args.checkpoint)  # or its pages would count for who read them before
            cached = measure.cached_share(args.checkpoint)
            try:
                run, text = measure.run([*before, *command])
            except measure.Failed as error:
                sys.exit(f"{name}: {error}")
            wanted = ("wall_s", "major_faults", "peak_anonymous_bytes", "disk_read_bytes")
            runs[name] = {key: run[key] for key in wanted} | {"cached_before": cached}
            found.append(json.loads(text)["observations"])
    same = found[0] == found[1]
    print(json.dumps({"checkpoint_bytes": size, "limit_bytes": limit, "same_rows": same, **runs}))
    sys.exit(0 if same else 1)


def scope_of(limit: int) -> list[str]:
    """The words before a command that bound its memory; leaves with code 2 where they do not."""
    user = [] if os.geteuid() == 0 else ["--user"]
    bounds = [f"--property=MemoryMax={limit}", "--property=MemorySwapMax=0"]
    scope = ["systemd-run", *user, "--scope", "--quiet", *bounds, "--"]
    try:
        held = measure.run([*scope, "sh", "-c", SHOW_LIMIT])[1].strip()
    except (measure.Failed, OSError) as error:
        held = str(error)
    # The kernel keeps whole pages.
    if not held.isdigit() or not limit - os.sysconf("SC_PAGE_SIZE") < int(held) <= limit:
        print(f"memory cannot be limited here: {held}", file=sys.stderr)
        sys.exit(2)
    return scope


if __name__ == "__main__":
    main()
