#!/usr/bin/env python3
"""Refuses cycles of modules inside a floor (a crate in src/) that hold more than two files.

Between floors the compiler allows no cycle; inside one it does. A file depends on the files that define what its `use`
lines and paths name; `pub use` alone is no dependency, so that a `mod.rs` may list its children. Unit tests do not count.

Example: python3 scripts/lint/cycles.py src
"""

import re
import sys
from pathlib import Path

LARGEST = 2
USE = re.compile(r"(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);")


def modules(floor):
    """Module path (tuple of names) -> source without comments and unit tests."""
    found = {}
    for file in sorted(floor.rglob("*.rs")):
        path = list(file.relative_to(floor).with_suffix("").parts)
        if path[-1] in ("lib", "mod"):
            path.pop()
        if "tests" in path:
            continue
        text = file.read_text(encoding="utf-8")
        text = re.split(r"^#\[cfg\((?:all\()?test[^\n]*\n[^\n]*\{$", text, maxsplit=1, flags=re.M)[0]
        text = re.sub(r"//[^\n]*", "", text)
        found[tuple(path)] = re.sub(r"pub\(in [^)]*\)", "pub", text)
    return found


def split(items):
    """`a, b::{c, d}` -> [`a`, `b::{c, d}`]."""
    parts, depth, part = [], 0, ""
    for character in items:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [part.strip() for part in [*parts, part] if part.strip()]


def paths(tree, before=()):
    """Every path (list of names) of a `use` tree."""
    group = re.fullmatch(r"(?:([\w:]+)::)?\{(.*)\}", tree.strip(), re.S)
    if group:
        before = before + tuple(group[1].split("::") if group[1] else ())
        return [path for item in split(group[2]) for path in paths(item, before)]
    names = re.sub(r"\s+as\s+\w+", "", tree.strip()).split("::")
    return [before if names == ["self"] else before + tuple(names)]


def absolute(module, path, known):
    """A path as the crate's root sees it; None if it leads out of the crate."""
    here, path = list(module), list(path)
    if path[0] == "crate":
        return tuple(path[1:])
    if path[0] == "self":
        return tuple(here + path[1:])
    if path[0] == "super":
        while path and path[0] == "super":
            here, path = here[:-1], path[1:]
        return tuple(here + path)
    return tuple(here + path) if tuple(here + path[:1]) in known else None


def dependencies(known):
    """Module -> the modules that define what it names."""
    used, shown = {}, {}  # what a module names; by what name it shows something that another module defines
    for module, text in known.items():
        used[module], shown[module] = [], {}
        for public, tree in USE.findall(text):
            for path in paths(tree):
                target = absolute(module, path, known)
                if target:
                    shown[module][target[-1]] = target
                if target and not public:
                    used[module].append(target)
        rest = USE.sub("", text)
        children = [name[-1] for name in known if name and name[:-1] == module]
        heads = "|".join(["crate", "super", "self", *children])
        for path in re.findall(rf"(?<![\w:])((?:{heads})(?:::\w+)+)", rest):
            target = absolute(module, path.split("::"), known)
            if target:
                used[module].append(target)

    def defining(path, steps=0):
        for length in range(len(path), -1, -1):
            if path[:length] in known:
                further = shown[path[:length]].get(path[length]) if length < len(path) else None
                if further and further != path[: length + 1] and steps < 9:
                    return defining(further + path[length + 1 :], steps + 1)
                return path[:length]

    return {module: {defining(path) for path in used[module]} - {module} for module in known}


def reachable(start, needs):
    seen, waiting = set(), [start]
    while waiting:
        for module in needs[waiting.pop()] - seen:
            seen.add(module)
            waiting.append(module)
    return seen


def cycles(needs):
    """Sets of modules that all depend on each other, the largest first."""
    reach = {module: reachable(module, needs) for module in needs}
    found = {frozenset(m for m in reach[module] if module in reach[m]) for module in needs if module in reach[module]}
    return sorted(found, key=lambda cycle: (-len(cycle), sorted(cycle)))


def main():
    wrong = 0
    for floor in sorted(Path(sys.argv[1]).iterdir()):
        if not (floor / "lib.rs").is_file():
            continue
        needs = dependencies(modules(floor))
        for cycle in cycles(needs):
            if len(cycle) > LARGEST:
                wrong += 1
                print(f"{floor}: {len(cycle)} modules depend on each other; move what they share into a file of its own:")
                for module in sorted(cycle):
                    others = ", ".join("::".join(other) or "lib" for other in sorted(needs[module] & cycle))
                    print(f"  {'::'.join(module) or 'lib'} -> {others}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
