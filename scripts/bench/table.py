"""The page of a bench: one row per program and setting, then what the machine can do and how it was measured."""

from agree import TOLERANCE
from rows import OURS

GIB = 2**30


def page(record: dict) -> str:
    machine, rounds = record["machine"], record["rounds"]
    head = [
        "program",
        "warm, s",
        "cold, s",
        "imports, s",
        "CPU, s",
        "anonymous, GiB",
        "resident, GiB",
        "written, MiB",
        "share of limit",
        "worst difference",
    ]
    lines = [
        f"# {record['shape']}: {record['parameters'] / 1e9:.2f} B parameters in bf16, 25 prompts, 408 tokens",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
        *(line(row, record) for row in record["rows"]),
        "",
        f"Wall time from the start of a process to its result, median of {rounds} (least–most); checkpoint in the page "
        "cache (warm) or not (cold). Peak memory and CPU time of warm runs; anonymous memory is what a machine must "
        "have, resident memory has the pages of mapped files too. After other prompts the checkpoint is hashed already, as in "
        "every run of a model but its first. Products by the runtime: streamgauge multiplies with bf16 "
        "weights as they lie, in float32's precision; this row widens them for the runtime. Imports: the part of the wall "
        "time in which Python loads libraries. Written: bytes that reached the disk. Worst difference: the largest relative "
        f"difference from streamgauge among all norms and entropies, tolerated up to {TOLERANCE['float32']:.0e} in float32 and "
        f"{TOLERANCE['bfloat16']:.0e} in bfloat16.",
        "",
        *limits(record),
        "",
        f"{machine['cpus']} CPUs ({machine['cpu']}), {machine['memory_bytes'] / GIB:.0f} GiB, "
        f"Linux {machine['kernel']}, load {machine['load_before']:.1f} before. {cached(record)}{versions(record)}",
        "",
    ]
    return "\n".join(lines)


def line(row: dict, record: dict) -> str:
    if row["failed"]:
        return f"| {row['label']} | {row['failed'].replace('|', '/')} |" + " |" * 8
    warm = row["warm"]
    cells = [
        row["label"],
        spread(warm["wall_s"]),
        spread(row["cold"]["wall_s"]),
        "" if row["imports_s"] is None else f"{row['imports_s']:.1f}",
        f"{warm['cpu_s']['median']:.2f}",
        f"{warm['peak_anonymous_bytes']['median'] / GIB:.2f}",
        f"{warm['peak_resident_bytes']['median'] / GIB:.2f}",
        f"{warm['disk_written_bytes']['median'] / 2**20:.1f}",
        share(row, record),
        difference(row),
    ]
    return "| " + " | ".join(cells) + " |"


def spread(values: dict) -> str:
    return f"{values['median']:.2f} ({values['min']:.2f}–{values['max']:.2f})"


def share(row: dict, record: dict) -> str:
    """Of the runtime's float32 rate, so of float32 rows that compute."""
    if row["dtype"] != "float32" or "stored" in row["label"]:
        return ""
    return f"{100 * limit_seconds(record) / row['warm']['wall_s']['median']:.0f} %"


def limit_seconds(record: dict) -> float:
    """The model's linear layers at the better of the rates measured before and after."""
    return record["limits"][0]["model_flops"] / max(limit["matmul_flops_per_s"] for limit in record["limits"])


def difference(row: dict) -> str:
    if row["worst"] is None:
        return "nothing to compare with"
    if row["worst"]["relative"] == 0:
        return "" if row["program"] == OURS else "0"
    relative = row["worst"]["relative"]
    text = "no number" if relative is None else f"{relative:.1e}"
    return text if row["agrees"] else f"**{text}: {row['worst']['at']}**"


def limits(record: dict) -> list[str]:
    best = {key: max(limit[key] for limit in record["limits"]) for key in record["limits"][0] if key.endswith("_per_s")}
    weights = 2 * record["parameters"]
    first = record["limits"][0]
    return [
        f"Limits in the same run (the better of before and after): ONNX Runtime {first['onnxruntime']} multiplies at "
        f"{best['matmul_flops_per_s'] / 1e9:.0f} GFLOP/s on these shapes in float32, so "
        f"{first['model_flops'] / 1e9:.0f} GFLOP of linear layers take {limit_seconds(record):.2f} s, which is what "
        "shares refer to; tile registers can take less. Widening moves "
        f"{best['widen_bytes_per_s'] / 1e9:.1f} GB/s ({3 * weights / best['widen_bytes_per_s']:.2f} s for all weights), "
        f"the page cache gives {best['read_cached_bytes_per_s'] / 1e9:.1f} GB/s, "
        f"the disk {best['read_disk_bytes_per_s'] / 1e9:.2f} GB/s "
        f"({weights / best['read_disk_bytes_per_s']:.1f} s for the file).",
    ]


def cached(record: dict) -> str:
    ran = [row for row in record["rows"] if not row["failed"]]
    if not ran:
        return ""
    cold = max(row["cold"]["cached_before"]["max"] for row in ran)
    warm = min(row["warm"]["cached_before"]["min"] for row in ran)
    return (
        f"Of the checkpoint, at most {100 * cold:.0f} % was cached before a cold run, "
        f"at least {100 * warm:.0f} % before a warm one. "
    )


def versions(record: dict) -> str:
    seen = {}
    for row in record["rows"]:
        for name, version in (row.get("versions") or {}).items():
            seen.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in seen.items()) + "."
