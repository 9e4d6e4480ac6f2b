#!/usr/bin/env python3
"""Refuses tests in Swift that could hang: a suite without a time limit, a loop that waits without a bound.

Two rules for the files of Tests:

  limit   a suite with tests has `.timeLimit(…)`; it holds for each test in it, and in suites inside it
  wait    a `while` whose body sleeps or yields is in `eventually` of TestSupport, which has an end, or counts

`--fix` gives each suite that has none the usual limit. The acceptance tests have theirs in Tests/acceptance/pytest.ini.
"""
import itertools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "Tests"
LIMIT = ".timeLimit(.minutes(10))"
SUITE = re.compile(r"^(\s*)@Suite\b(\()?")
WAIT = re.compile(r"\bwhile\b(?!.*\bContinuousClock\b)(?!.*\bisCancelled\b).*\{[^}]*\b(Task\.sleep|Task\.yield|usleep)\b")
OPENING = re.compile(r"^(\s*)while\b(?!.*\b(ContinuousClock|isCancelled)\b).*\{\s*$")
BOUND = re.compile(r"\b(ContinuousClock|isCancelled|isRunning)\b")
SLEEP = re.compile(r"\b(Task\.sleep|Task\.yield|usleep|Thread\.sleep)\b")


def closing(text, start):
    """Where the bracket that opens at `start` ends; strings may hold brackets."""
    depth, quoted, index = 0, False, start
    while index < len(text):
        character = text[index]
        if quoted:
            if character == "\\":
                index += 1
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    raise ValueError("a bracket does not end")


def limited(text):
    """The text with the usual limit at each suite that has none, and the lines of those suites."""
    out, place, lines = [], 0, []
    for match in re.finditer(r"^[ \t]*@Suite\b", text, re.MULTILINE):
        after = match.end()
        has_arguments = text[after:after + 1] == "("
        end = closing(text, after) if has_arguments else after
        if ".timeLimit(" in text[after:end]:
            continue
        lines.append(text.count("\n", 0, match.start()) + 1)
        if has_arguments:
            out += [text[place:end].rstrip(), ", ", LIMIT]
        else:
            out += [text[place:end], "(", LIMIT, ")"]
        place = end
    return "".join(out) + text[place:], lines


def waits(text):
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("//"):
            continue
        if WAIT.search(line):
            yield number
        elif opening := OPENING.match(line):
            body = list(itertools.takewhile(lambda inner: not inner.startswith(opening[1] + "}"), lines[number:]))
            if SLEEP.search("\n".join(body)) and not BOUND.search("\n".join(body)):
                yield number


def main():
    fix = sys.argv[1:] == ["--fix"]
    found = []
    for path in sorted(ROOT.rglob("*.swift")):
        text = path.read_text()
        better, lines = limited(text)
        if fix and lines:
            path.write_text(better)
        elif lines:
            found += [f"{path}:{line}: the suite has no .timeLimit (scripts/lint-tests.py --fix)" for line in lines]
        if "@Test" in text and "@Suite" not in text and "\nextension " not in text:
            found.append(f"{path}: tests without a suite, so without a time limit")
        if path.name != "Eventually.swift":
            found += [f"{path}:{line}: waits without a bound; use eventually" for line in waits(text)]
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
