#!/usr/bin/env python3
"""Refuses texts that are compared as Swift's `String` where they say who somebody is or what is meant.

`String` takes canonically equivalent texts for equal: in `==`, in `Set` and `Dictionary`, in `hasPrefix` and in `split`,
which also sees no comma where an accent follows it. Such texts are `ExactText`, or compared with the functions beside it
(Sources/Encodings/Text/ExactText.swift). Three rules, in every folder under Sources but those that are exempt below:

  type        a user, controller, DID, name of a key … declared as String, or as a collection of it
  collection  a set of String or Substring, or a dictionary by one
  character   a comparison or cut by characters: hasPrefix, hasSuffix, split(separator: "…"), firstIndex(of: "…"),
              contains("…"), lowercased(), uppercased(); and a literal with K, ; or `, which other characters equal

A line that is right all the same says why: `// exact: REASON` at its end or alone on the line before.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "Sources"

# Folders where no text of callers, operators, tokens, files or other servers decides anything: each with its reason. (What the daemon is measured with
# is in Benchmarks, which is not looked at.)
EXEMPT = {}

# Fields that name somebody, by folder: declared as ExactText there.
NAMES = {
    "BearerTokens": ["user", "keyID"],
    "Capabilities": [
        "invoker", "controller", "delegator", "parentCapability", "allowedAction", "verificationMethod", "capabilityChain",
        "keyID", "covered", "action",
    ],
    "SplitKeys": ["user", "userID", "sharedTo"],
    "HTTPAPI/Authorization": ["owner"],
}

COLLECTION = re.compile(r"\bSet<(String|Substring)>|\[(String|Substring) ?: |\bDictionary<(String|Substring)\b")
CHARACTER = re.compile(
    r'\.(hasPrefix|hasSuffix)\(|\.split\(\s*separator: "|\.(firstIndex|lastIndex)\(of: "|\.contains\("'
    r"|\.(lowercased|uppercased)\(\)")
LITERAL = re.compile(r'([=!]= "[^"\\]*[K;`]|"[^"\\]*[K;`][^"\\]*" [=!]=)')
MARK = re.compile(r"// exact: \S+")


def declared(folder):
    names = next((names for start, names in NAMES.items() if folder.startswith(start)), [])
    if not names:
        return None
    return re.compile(r"^\s*((public|package|private|fileprivate|static) )*(let|var) (%s): \[?String\b" % "|".join(names))


def findings(path, folder):
    type_rule = declared(folder)
    marked = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith("//"):
            marked = bool(MARK.search(line))
            continue
        if not marked and not MARK.search(line):
            if type_rule and type_rule.search(line):
                yield number, "type", line
            if COLLECTION.search(line):
                yield number, "collection", line
            if CHARACTER.search(line) or LITERAL.search(line):
                yield number, "character", line
        marked = False


def main():
    count = files = 0
    for folder in sorted(path.name for path in ROOT.iterdir() if path.is_dir()):
        if folder in EXEMPT:
            continue
        for path in sorted((ROOT / folder).rglob("*.swift")):
            if "Generated" in path.parts:
                continue
            files += 1
            for number, rule, line in findings(path, str(path.relative_to(ROOT))):
                count += 1
                print(f"{path.relative_to(ROOT.parent)}:{number}: {rule}: {line.strip()}")
    if files == 0:
        print("no source was found")
        return 1
    for folder in sorted(folder for folder in EXEMPT if not (ROOT / folder).is_dir()):
        print(f"{folder} is exempt and not there")
        count += 1
    if count:
        print(f"{count} texts are compared by characters; use ExactText, or say why not (see {pathlib.Path(__file__).name})")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
