#!/usr/bin/env python3
"""Refuses a history in which a registration of a hypothesis was changed or removed.

The log may only grow: each version of it in the history of this branch begins with the version before. Before there was a log,
registrations were files of one hypothesis each (`H1.toml`, …); every entry that ever stood in one of them has to be in the log as it
was, and its reason word for word, if only quoted in a truer one.

Example: python3 scripts/lint/registrations.py results/registered/log.toml
"""

import subprocess
import sys
import tomllib
from pathlib import Path


def git(*words):
    found = subprocess.run(["git", *words], capture_output=True, check=False)
    return found.stdout if found.returncode == 0 else None


def versions(path):
    """(commit, content) of every version of a file along the first parents and their merges, oldest first."""
    commits = git("log", "--reverse", "--topo-order", "--format=%h", "--", path)
    for commit in (commits or b"").decode().split():
        content = git("cat-file", "blob", f"{commit}:{path}")
        yield commit, content


def main():
    log = Path(sys.argv[1])
    now = log.read_bytes().replace(b"\r\n", b"\n")
    if git("rev-parse", "HEAD") is None:
        print(f"{log}: no git history to compare with")
        return
    wrong = []
    for commit, content in versions(str(log)):
        if content is None:
            wrong.append(f"commit {commit} removes {log}")
        elif not now.startswith(content):
            wrong.append(f"{log} does not begin with what commit {commit} has: an entry was changed or removed")
    there = {}
    for entry in tomllib.loads(now.decode())["registration"]:
        there.setdefault((entry["hypothesis"], entry["means"]), entry)
    earlier = git("log", "--format=", "--name-only", "--diff-filter=AMR", "--", str(log.parent)) or b""
    names = {name for name in earlier.decode().split() if name.endswith(".toml") and name != str(log)}
    for name in sorted(names):
        for commit, content in versions(name):
            if content is None:
                continue  # the file was removed: its entries are asked for below, from the versions before
            for entry in tomllib.loads(content.decode())["registration"]:
                kept = there.get((Path(name).stem, entry["hash"]))
                same = kept and all(kept.get(key) == entry.get(key) for key in ("meaning", "status", "program", "commit"))
                if not same or entry["why"] not in kept["why"]:
                    wrong.append(f"{log} lacks registration {entry['hash'][:8]} that {name} had in commit {commit}")
    for line in dict.fromkeys(wrong):
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
