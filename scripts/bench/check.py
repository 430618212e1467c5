"""Is a bench's record whole? Every row is there, ran or says why not, and agrees; exit code 1 and the reasons if not.

    python scripts/bench/check.py results/bench/tiny.json [--quick]

With --quick nothing may have failed: the tiny shape fits every machine.
"""

import argparse
import json
import math
from pathlib import Path

from rows import OURS, rows

MEASURES = ["wall_s", "cpu_s", "peak_anonymous_bytes", "peak_resident_bytes", "disk_written_bytes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("record", type=Path)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    record = json.loads(args.record.read_text())
    wrong = faults(record, args.quick)
    wrong += [f"{name} is missing" for name in pages(args.record) if not name.exists()]
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(f"{args.record.name}: {len(record['rows'])} rows, all there and in agreement")


def pages(record: Path) -> list[Path]:
    return [record.with_suffix(".md"), record.with_suffix(".svg")]


def faults(record: dict, quick: bool) -> list[str]:
    found = {row["label"]: row for row in record["rows"]}
    wrong = [f"no row {row.label!r}" for row in rows(quick) if row.label not in found]
    for label, row in found.items():
        if row["failed"] is not None:
            if quick or row["program"] == OURS or not row["failed"]:
                wrong.append(f"{label}: failed: {row['failed']}")
            continue
        for cache in ("cold", "warm"):
            for name in MEASURES:
                value = row[cache][name]["median"]
                # A process may write nothing, but takes time and memory.
                if not math.isfinite(value) or value < 0 or (value == 0 and "disk" not in name):
                    wrong.append(f"{label}, {cache}: {name} is {value}")
        if row["worst"] is None or not row["agrees"]:
            wrong.append(f"{label}: does not agree: {row['worst']}")
        if row["program"] != OURS and row["worst"] and row["worst"]["relative"] == 0:
            wrong.append(f"{label}: equals streamgauge to the last bit, so it was compared with itself")
        if row["cold"]["cached_before"]["max"] > 0.1:
            wrong.append(f"{label}: its cold runs found the checkpoint in the page cache")
    for limit in record["limits"]:
        wrong += [f"{key} is {limit[key]}" for key in limit if key.endswith("_per_s") and not limit[key] > 0]
    return wrong


if __name__ == "__main__":
    main()
