#!/usr/bin/env python3
"""Fetch the pinned ONNX Runtime library into .runtime/lib, checking its hash.

The library is taken out of the `onnxruntime` wheel named in scripts/runtime.txt; pip checks the wheel's hash.
Nothing is installed. Set ORT_DYLIB_PATH to use a library of your own instead.
"""

import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PINS = ROOT / "scripts" / "runtime.txt"
TARGET = ROOT / ".runtime" / "lib"
STAMP = TARGET / "onnxruntime.json"

# (system, machine) -> (wheel platform, name of the library afterwards)
PLATFORMS = {
    ("Linux", "x86_64"): ("manylinux_2_28_x86_64", "libonnxruntime.so"),
    ("Linux", "aarch64"): ("manylinux_2_28_aarch64", "libonnxruntime.so"),
    ("Darwin", "arm64"): ("macosx_14_0_arm64", "libonnxruntime.dylib"),
}
REMEDY = "or set ORT_DYLIB_PATH to an ONNX Runtime library (1.23 or newer) you already have"


def fail(what, remedy):
    sys.exit(f"fetch_runtime: {what}\n  remedy: {remedy}")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pinned_version():
    found = re.search(r"^onnxruntime==(\S+)", PINS.read_text(), re.M)
    if not found:
        fail(f"{PINS} names no version", "restore the file from version control")
    return found.group(1)


def already_there(version, name):
    try:
        stamp = json.loads(STAMP.read_text())
        return stamp["version"] == version and stamp["sha256"] == sha256(TARGET / name)
    except (OSError, ValueError, KeyError):
        return False


def download(wheel_platform, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
               "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.12", "--abi", "cp312",
               "--platform", wheel_platform, "--dest", str(folder), "-r", str(PINS)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        if "No module named pip" in done.stderr:
            fail("Python has no pip", f"install it (Debian: apt-get install python3-pip), {REMEDY}")
        last = [line for line in done.stderr.splitlines() if line.strip()][-3:]
        if "HASHES" in done.stderr or "hash" in done.stderr.lower():
            fail("the wheel's hash differs from scripts/runtime.txt:\n    " + "\n    ".join(last),
                 "do not use it; check your package index, " + REMEDY)
        fail("pip could not download the wheel:\n    " + "\n    ".join(last),
             f"check the network and the package index, {REMEDY}")
    return next(pathlib.Path(folder).glob("*.whl"))


def main():
    if os.environ.get("ORT_DYLIB_PATH"):
        if not pathlib.Path(os.environ["ORT_DYLIB_PATH"]).is_file():
            fail(f"ORT_DYLIB_PATH is set to {os.environ['ORT_DYLIB_PATH']}, and there is no such file",
                 "correct it, or unset it to have the library fetched")
        print(f"runtime: ORT_DYLIB_PATH is set, using {os.environ['ORT_DYLIB_PATH']}")
        return
    here = (platform.system(), platform.machine())
    if here not in PLATFORMS:
        fail(f"no pinned ONNX Runtime for {here[0]} {here[1]}", "build or install one, " + REMEDY[3:])
    wheel_platform, name = PLATFORMS[here]
    version = pinned_version()
    if already_there(version, name):
        return
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET) as folder:
        print(f"runtime: fetching ONNX Runtime {version} ({wheel_platform})", flush=True)
        wheel = download(wheel_platform, folder)
        with zipfile.ZipFile(wheel) as archive:
            inside = [n for n in archive.namelist()
                      if re.fullmatch(r"onnxruntime/capi/libonnxruntime\.(so\.[\d.]+|[\d.]+\.dylib)", n)]
            if len(inside) != 1:
                fail(f"{wheel.name} holds {len(inside)} runtime libraries, expected 1", "report this; " + REMEDY[3:])
            part = pathlib.Path(folder) / name
            with archive.open(inside[0]) as source, open(part, "wb") as sink:
                shutil.copyfileobj(source, sink)
        os.replace(part, TARGET / name)
    STAMP.write_text(json.dumps({"version": version, "sha256": sha256(TARGET / name)}) + "\n")
    print(f"runtime: .runtime/lib/{name}")


if __name__ == "__main__":
    main()
