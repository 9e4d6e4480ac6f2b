#!/usr/bin/env python3
"""Refuses an import that nobody decided: which target may import which is written down in scripts/imports.txt.

Three things are compared: what the files of a target import, what Package.swift declares for it, and its row in the table.

  import      a file imports a target that Package.swift does not declare, or Package.swift declares one that no file imports
  arrow       a target of Sources depends on one that its row does not name, or its row names one that it no longer needs
  never       a target reaches, over whatever other targets, one that a `never` row keeps away from it
  door        a C library is imported by two targets of Sources

What comes with the toolchain (Foundation, Synchronization, ...) and system frameworks are no arrows.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "scripts" / "imports.txt"
TOOLCHAIN = {"CDispatch", "Foundation", "FoundationEssentials", "CoreFoundation", "Darwin", "Dispatch", "Glibc", "Synchronization", "Testing"}
IMPORT = re.compile(r"^(?:@\w+ )*(?:(?:public|package|internal|fileprivate|private) )?import (?:(?:struct|class|enum|protocol|func|var|let|typealias) )?(\w+)")


def read_table(lines):
    """Rows `Target: A B C | why`, and `never Target Target: A B | why`."""
    rows, never = {}, []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(never )?([\w ]+):([\w ]*)\|\s*(\S.*)", line)
        if not match:
            raise SystemExit(f"scripts/imports.txt:{number}: a row is 'Target: names | why', not '{line}'")
        if match.group(1):
            never.append((match.group(2).split(), match.group(3).split(), match.group(4)))
        else:
            rows[match.group(2).strip()] = set(match.group(3).split())
    return rows, never


def declared(target):
    names = set()
    for dependency in target["dependencies"]:
        kind, value = next(iter(dependency.items()))
        names.add(value[0] if kind in ("byName", "product", "target") else str(value))
    return names


def folder(target):
    if target.get("path"):
        return ROOT / target["path"]
    return ROOT / ("Tests" if target["type"] == "test" else "Sources") / target["name"]


def imported(target):
    names = {}
    for path in sorted(folder(target).rglob("*.swift")):
        for line in path.read_text().splitlines():
            match = IMPORT.match(line)
            if match and match.group(1) not in TOOLCHAIN | {target["name"]}:
                names.setdefault(match.group(1), path.relative_to(ROOT))
    return names


def reached(name, arrows):
    seen, ahead = {}, [(name, [name])]
    while ahead:
        at, way = ahead.pop()
        for to in sorted(arrows.get(at, ())):
            if to not in seen:
                seen[to] = way + [to]
                ahead.append((to, way + [to]))
    return seen


def check(targets, rows, never):
    """Yields one line for each thing that is wrong."""
    arrows, doors = {}, {}
    for target in targets:
        name = target["name"]
        if target["type"] == "system" or not list(folder(target).rglob("*.swift")):
            continue
        wanted, used = declared(target), imported(target)
        arrows[name] = wanted
        unseen = rows.get("unseen " + name, set())
        for other in sorted(set(used) - wanted):
            yield f"import: {used[other]} imports {other}, which Package.swift does not declare for {name}"
        for other in sorted(wanted - set(used) - unseen):
            yield f"import: Package.swift declares {other} for {name}, but no file of it imports that"
        if not str(folder(target).relative_to(ROOT)).startswith("Sources/"):
            continue
        if name not in rows:
            yield f"arrow: {name} has no row in scripts/imports.txt; add one that says what it may import and why"
            continue
        for other in sorted(wanted - rows[name]):
            yield (f"arrow: {name} depends on {other}, which its row in scripts/imports.txt does not name; find a way "
                   "without it, or add it there with the reason")
        for other in sorted(rows[name] - wanted):
            yield f"arrow: the row of {name} names {other}, which it does not need any more; take it out"
        for other in wanted:
            doors.setdefault(other, []).append(name)
    system = {target["name"] for target in targets if target["type"] == "system"}
    for library in sorted(system & set(doors)):
        if len(doors[library]) > 1:
            yield f"door: {library} is imported by {' and '.join(sorted(doors[library]))}; one target alone may"
    known = {target["name"] for target in targets}
    for row in sorted(rows):
        if row.removeprefix("unseen ") not in known:
            yield f"arrow: scripts/imports.txt has a row for {row}, which is no target"
    for names, away, why in never:
        for name in names:
            if name not in known:
                yield f"never: scripts/imports.txt keeps something away from {name}, which is no target"
            ways = reached(name, arrows)
            for other in away:
                if other in ways:
                    yield f"never: {' -> '.join(ways[other])}, but {name} must not reach {other}: {why}"


def main():
    dump = subprocess.run(
        ["swift", "package", "dump-package"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows, never = read_table(TABLE.read_text().splitlines())
    wrong = list(check(json.loads(dump)["targets"], rows, never))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
