"""Run one command and measure it: wall, CPU, memory and disk of its whole process tree. Linux.

    from measure import run, warm, cold, Failed
    warm(folder)                          # files in the page cache; cold(folder): out of it
    measured, output = run(["program", "argument"])

Anonymous memory (RssAnon) is what a machine must have; file pages of a mapped checkpoint can be evicted at will, and
are in the resident set (VmRSS) only. Both are sums over the tree, sampled every 20 ms. Disk traffic is the kernel's
account of what reached the block layer (`ru_inblock`, `ru_oublock`), so files in the page cache read as nothing.
A command that would bring the machine to its last memory is stopped and says so, instead of taking others with it.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from statistics import median

SAMPLE_EVERY = 0.02  # seconds
MEMORY_EVERY = 5  # samples between two looks at the machine's memory
MEMORY_KEPT = 512 * 2**20  # bytes; a command is stopped when the machine has less left
PAGE = 1 << 24
GIB = 2**30


class Failed(Exception):
    """A command that did not end well; the message says why, in one line."""


def run(command: list, timeout: float = 7200) -> tuple[dict, str]:
    """Measurements of one process and what it printed. Raises Failed."""
    # Files in memory: a pipe would need a reader, a file on disk would count as written.
    out, errors = (os.memfd_create(name) for name in ("stdout", "stderr"))
    try:
        start = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], stdout=out, stderr=errors)
        anonymous = resident = samples = 0
        stopped = None
        while True:
            # wait4 instead of Popen.wait: its usage covers this child and what it waited for, nothing else.
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            wall = time.perf_counter() - start
            if pid:
                break
            sizes = [memory_kib(p) for p in tree(child.pid)]
            anonymous = max(anonymous, sum(size[0] for size in sizes))
            resident = max(resident, sum(size[1] for size in sizes))
            samples += 1
            if not stopped and samples % MEMORY_EVERY == 0:
                stopped = reason_to_stop(wall, timeout, anonymous)
                if stopped:
                    for p in tree(child.pid):
                        kill(p)
            time.sleep(SAMPLE_EVERY)
        child.returncode = os.waitstatus_to_exitcode(status)
        if stopped:
            raise Failed(stopped)
        if child.returncode != 0:
            raise Failed(f"{ending(child.returncode)}: {last_line(read_back(errors))}")
        text = read_back(out)
    finally:
        os.close(out)
        os.close(errors)
    return {
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_anonymous_bytes": anonymous * 1024,
        "peak_resident_bytes": resident * 1024,
        "disk_written_bytes": usage.ru_oublock * 512,
        "disk_read_bytes": usage.ru_inblock * 512,
        "major_faults": usage.ru_majflt,
    }, text


def reason_to_stop(wall: float, timeout: float, anonymous_kib: int) -> str | None:
    if wall > timeout:
        return f"stopped after {wall:.0f} s"
    if memory_available() < MEMORY_KEPT:
        own = f"{anonymous_kib * 1024 / GIB:.1f} GiB"
        return f"does not fit: stopped at {own}, when the machine had under {MEMORY_KEPT / GIB:.1f} GiB left"
    return None


def kill(pid: int):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def read_back(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as f:
        return f.read().decode(errors="replace")


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "nothing on standard error"


def tree(pid: int) -> list[int]:
    try:
        children = [int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(p for child in children for p in tree(child))]


def memory_kib(pid: int) -> tuple[int, int]:
    """RssAnon and VmRSS."""
    found = {}
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("RssAnon:", "VmRSS:")):
                found[line.split(":")[0]] = int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found.get("RssAnon", 0), found.get("VmRSS", 0)


def memory_available() -> int:
    """Bytes that can be had without swapping."""
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


def warm(folder: Path):
    """Bring every file of a folder into the page cache."""
    for file in files(folder):
        with open(file, "rb", buffering=0) as f:
            while f.read(PAGE):
                pass


def cold(folder: Path):
    """Drop every file of a folder from the page cache; a page that is dirty or mapped by somebody would stay."""
    for file in files(folder):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def cached_share(folder: Path, probes: int = 64) -> float:
    """Share of places in a folder's files that a read would find in the page cache. Probing reads nothing ahead."""
    found = asked = 0
    for file in files(folder):
        size = file.stat().st_size
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
            for probe in range(min(probes, size // 4096 + 1)):
                asked += 1
                try:
                    found += os.preadv(descriptor, [bytearray(1)], size * probe // probes, os.RWF_NOWAIT)
                except BlockingIOError:
                    pass
        finally:
            os.close(descriptor)
    return found / max(asked, 1)


def files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.iterdir()) if file.is_file()]


def spread(runs: list[dict]) -> dict:
    """Median, least and most of every measurement."""
    columns = {key: [run[key] for run in runs] for key in runs[0]}
    return {key: {"median": median(v), "min": min(v), "max": max(v)} for key, v in columns.items()}


def machine() -> dict:
    first = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        first.setdefault(name.strip(), value.strip())
    flags = first.get("flags", "").split()
    # What products are computed with decides more than the name of a virtual processor.
    widest = [name for flag, name in [("amx_bf16", "AMX"), ("avx512f", "AVX-512"), ("avx2", "AVX2")] if flag in flags]
    return {
        "cpu": ", ".join([first.get("model name", "unknown"), *widest[:1]]),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": os.uname().release,
        "load_before": os.getloadavg()[0],
    }


def write_json(path: Path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")
