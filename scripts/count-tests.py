#!/usr/bin/env python3
"""What JUnit files say.

    count-tests.py count REPORT ... [--again REPORT ...]    prints "passed failed again"; names on standard error what failed
    count-tests.py failed swift|pytest REPORT ...           prints what failed, one a line, as that program takes it

`again` counts tests that failed among the first reports and passed in those after --again; they count as passed too. A
skipped test counts as failed: nothing here may be skipped.
"""
import re
import sys
import xml.etree.ElementTree as tree


def cases(paths):
    """Whether each test passed, by class and name."""
    found = {}
    for path in paths:
        for case in tree.parse(path).getroot().iter("testcase"):
            key = (case.get("classname"), case.get("name"))
            is_good = not any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
            found[key] = found.get(key, True) and is_good
    return found


def count(paths):
    first, second = paths, []
    if "--again" in paths:
        place = paths.index("--again")
        first, second = paths[:place], paths[place + 1:]
    results, others = cases(first), cases(second)
    bad = [key for key, is_good in results.items() if not is_good]
    mended = [key for key in bad if others.get(key)]
    for key in bad:
        print("{}: {} {}".format("PASSED ONLY ALONE" if key in mended else "FAILED", *key), file=sys.stderr)
    print(len(results) - len(bad) + len(mended), len(bad) - len(mended), len(mended))


def failed(kind, paths):
    for (place, name), is_good in cases(paths).items():
        if is_good:
            continue
        if kind == "swift":
            # A suite within another is behind a slash there and behind a dot in the report.
            module, _, suites = place.partition(".")
            print(f"^{module}.{re.escape(suites).replace(chr(92) + '.', '[./]')}/{re.escape(name)}(/|$)")
        else:
            print(place.replace(".", "/") + ".py::" + name)


def main():
    match sys.argv[1:]:
        case ["count", *paths] if paths: count(paths)
        case ["failed", ("swift" | "pytest") as kind, *paths] if paths: failed(kind, paths)
        case _: sys.exit(__doc__)


main()
