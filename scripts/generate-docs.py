#!/usr/bin/env python3
"""Writes the pages of docs/ that repeat what the program says: docs/cli.md, docs/api.md and docs/decryption-protos.md.

    scripts/generate-docs.py             writes them
    scripts/generate-docs.py --check     writes nothing; ends with 1 if one is not current

docs/cli.md is what `kmsd --experimental-dump-help` prints, in readable form; the binary is KMSD_BIN, or that of the release
build. docs/api.md is Sources/HTTPAPI/Resources/openapi.yaml; it needs PyYAML, which the tests' environment has
(.build/acceptance-venv/bin/python scripts/generate-docs.py). docs/decryption-protos.md is the protos of the decryption API with
their comments. A test compares all with the files.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("KMSD_BIN", ROOT / ".build" / "release" / "kmsd"))
API = next(ROOT.glob("Sources/*/Resources/openapi.yaml"))
NOTE = "<!-- Written by scripts/generate-docs.py; do not edit. -->"
METHODS = ("get", "put", "post", "delete", "patch")


def cell(text):
    """Text inside a table: one line, no column borders."""
    return " ".join(str(text).split()).replace("|", "\\|")


def prose(text):
    """A discussion: indented lines are what is typed."""
    out, typed = [], False
    for line in text.strip().splitlines():
        is_typed = line.startswith("  ") if line.strip() else typed
        if is_typed != typed:
            if typed:
                while out and not out[-1]:
                    out.pop()
            out += ["```", ""] if typed else (["```console"] if out and not out[-1] else ["", "```console"])
            typed = is_typed
        out.append(line[2:] if typed else line)
    if typed:
        while out and not out[-1]:
            out.pop()
        out.append("```")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out))


# The command line


def verbs(command, path=()):
    """Every verb with its words, in the order of the help."""
    path = (*path, command["commandName"])
    yield path, command
    for inner in command.get("subcommands", []):
        if inner["commandName"] != "help" and inner.get("shouldDisplay", True):
            yield from verbs(inner, path)


def shown(command):
    return [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)
            and argument["valueName"] not in ("help", "version")]


def spelling(argument):
    if argument["kind"] == "positional":
        return f"<{argument['valueName']}>"
    names = ["--" + name["name"] if name["kind"].startswith("long") else "-" + name["name"]
             for name in argument["names"]]
    value = "" if argument["kind"] == "flag" else f" <{argument['valueName']}>"
    return ", ".join(sorted(names, key=len)) + value


def explained(argument):
    text = argument.get("abstract", "").rstrip(".")
    values = argument.get("allValues")
    if values and "," not in text and " or " not in text:
        text += f": {', '.join(values)}"
    if "defaultValue" in argument:
        text += f" (default: {argument['defaultValue']})"
    elif not argument.get("isOptional"):
        text += " (required)"
    return text


def table(arguments):
    rows = [f"| `{cell(spelling(argument))}` | {cell(explained(argument))} |" for argument in arguments]
    return ["| Option | Meaning |", "|---|---|", *rows, ""]


def command_line(dump):
    found = list(verbs(dump["command"]))
    leaves = [(path, command) for path, command in found if not command.get("subcommands")]
    identity = {}
    for _, command in leaves:
        for argument in shown(command):
            identity.setdefault((spelling(argument), explained(argument)), []).append(argument)
    shared = {key: uses[0] for key, uses in identity.items() if len(uses) >= 6}
    out = [
        NOTE, "", "# The command line", "",
        "Each verb explains itself with `--help`. Settings are flags, `KMS_*` variables or lines of `kmsd.yaml`, in this order; "
        "[config/kmsd.yaml.example](../config/kmsd.yaml.example) explains them. Exit codes: [operator.md](operator.md#exit-codes).",
        "", "| Verb | Does |", "|---|---|",
        *(f"| [`{' '.join(path)}`](#{'-'.join(path)}) | {cell(command['abstract'])} |" for path, command in leaves),
        "", "## Options that many verbs share", "", *table(shared.values()),
    ]
    for path, command in leaves:
        out += [f"## {' '.join(path)}", "", command["abstract"], ""]
        if command.get("discussion"):
            out += [prose(command["discussion"]), ""]
        arguments = shown(command)
        positional = [spelling(argument) for argument in arguments if argument["kind"] == "positional"]
        if positional:
            out += [f"`{' '.join([*path, *positional])}`", ""]
        own = [argument for argument in arguments if (spelling(argument), explained(argument)) not in shared]
        sections = collections.OrderedDict()
        for argument in own:
            sections.setdefault(argument.get("sectionTitle", ""), []).append(argument)
        for title, members in sections.items():
            if title:
                out += [f"**{title.capitalize()}**", ""]
            out += table(members)
        common = [spelling(argument).split(" ")[0].rstrip(",") for argument in arguments
                  if (spelling(argument), explained(argument)) in shared]
        if common:
            out += textwrap.wrap("Shared: " + ", ".join(f"`{name}`" for name in common) + ".", 118) + [""]
    return "\n".join(out).rstrip() + "\n"


# The API


class Document:
    def __init__(self, tree):
        self.tree = tree

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.tree
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def kind(self, schema):
        name = schema.get("$ref", "").rpartition("/")[2] if isinstance(schema, dict) else ""
        schema = self.follow(schema)
        for joined, word in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
            if joined in schema:
                return word.join(dict.fromkeys(self.kind(one) for one in schema[joined]))
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return ", ".join(f"`{'null' if value is None else value}`" for value in schema["enum"])
        kind = schema.get("type", "any")
        kind = " or ".join(kind) if isinstance(kind, list) else kind
        if kind == "array":
            return "list of " + self.kind(schema.get("items", {}))
        if kind == "object" and name:
            return f"[{name}](#{name.lower()})"
        for word in ("format", "contentEncoding"):
            if word in schema:
                kind += f", {schema[word]}"
        return kind

    def members(self, schema):
        """Name, whether it must be there, kind and meaning, of an object and what it is joined of."""
        schema = self.follow(schema)
        required, found = set(schema.get("required", [])), dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            for name, must, inner in self.members(part):
                found.setdefault(name, inner)
                required |= {name} if must else set()
        return [(name, name in required, inner) for name, inner in found.items()]

    def rows(self, schema):
        out = []
        for name, must, inner in self.members(schema):
            meaning = inner.get("description") or self.follow(inner).get("description", "")
            out.append(f"| `{name}` | {cell(self.kind(inner))} | {'yes' if must else ''} | {cell(meaning)} |")
        return ["| Member | Type | Required | Meaning |", "|---|---|---|---|", *out, ""] if out else []


def content(document, part):
    """The schema of a body, and one example of it."""
    for kind, media in document.follow(part).get("content", {}).items():
        example = media.get("example")
        if example is None and media.get("examples"):
            example = document.follow(next(iter(media["examples"].values()))).get("value")
        return kind, media.get("schema", {}), example
    return None, None, None


def operation(document, path, method, node, inherited):
    out = [f"### {method.upper()} {path}", "", node["summary"] + ("" if node["summary"].endswith(".") else "."), ""]
    if node.get("description"):
        out += [node["description"].strip(), ""]
    if node.get("x-kmsd-extension"):
        out += ["An addition of this server to the API.", ""]
    parameters = [document.follow(parameter) for parameter in inherited + node.get("parameters", [])]
    own = [parameter for parameter in parameters if parameter["in"] != "path"]
    if own:
        rows = [f"| `{one['name']}` | {one['in']} | {cell(document.kind(one.get('schema', {})))} | "
                f"{'yes' if one.get('required') else ''} | {cell(one.get('description', ''))} |" for one in own]
        out += ["| Parameter | In | Type | Required | Meaning |", "|---|---|---|---|---|", *rows, ""]
    kind, schema, example = content(document, node.get("requestBody", {}))
    if kind:
        out += [f"Body, `{kind}`:", "", *document.rows(schema)]
        if example is not None:
            out += ["```json", json.dumps(example, ensure_ascii=False, indent=2), "```", ""]
    answers, shared = [], []
    for status, answer in node["responses"].items():
        if "$ref" in answer:
            name = answer["$ref"].rpartition("/")[2]
            shared.append(f"[{status} {name}](#{name.lower()})")
            continue
        answers.append(f"| {status} | {cell(answer['description'])} | {cell(body(document, answer))} |")
    if answers:
        out += ["| Status | Meaning | Body |", "|---|---|---|", *answers, ""]
    if shared:
        out += textwrap.wrap("Also: " + ", ".join(shared) + ".", 118, break_on_hyphens=False) + [""]
    return out


def body(document, answer):
    """What an answer's body is, in a word."""
    kind, schema, _ = content(document, answer)
    word = document.kind(schema) if kind and schema else f"`{kind}`" if kind else ""
    return ", ".join(f"`{name}`" for name, _, _ in document.members(schema)) if word == "object" else word


def interface(tree):
    document = Document(tree)
    out = [
        NOTE, "", f"# {tree['info']['title']}", "",
        "The routes in readable form. The document itself, for machines, is served at `/openapi.yaml`.", "",
        tree["info"]["description"].strip(), "",
    ]
    by_tag = collections.OrderedDict((tag["name"], []) for tag in tree["tags"])
    for path, item in tree["paths"].items():
        for method in METHODS:
            if method in item:
                node = item[method]
                by_tag.setdefault(node["tags"][0], []).append((path, method, node, item.get("parameters", [])))
    descriptions = {tag["name"]: tag.get("description", "") for tag in tree["tags"]}
    for tag, operations in by_tag.items():
        out += [f"## {tag[0].upper()}{tag[1:]}", "", descriptions.get(tag, "").strip(), ""]
        for entry in operations:
            out += operation(document, *entry)
    out += ["## Answers that routes share", ""]
    for name, answer in tree["components"]["responses"].items():
        out += [f"### {name}", "", answer["description"].strip(), "", f"Body: {body(document, answer) or 'none'}.", ""]
    out += ["## Objects", ""]
    for name, schema in tree["components"]["schemas"].items():
        rows = document.rows(schema)
        if rows:
            out += [f"### {name}", ""]
            if schema.get("description"):
                out += [schema["description"].strip(), ""]
            out += rows
    return "\n".join(out).rstrip() + "\n"


# The protos

PROTOS = ROOT / "Sources" / "DecryptionAPI" / "Protos"
FIELD = re.compile(r"(repeated )?(map<[^>]*>|[\w.]+) (\w+) = (\d+);")
ROUTINE = re.compile(r"rpc (\w+)\((stream )?([\w.]+)\) returns \((stream )?([\w.]+)\);")


def proto(path, heading):
    """A section for a proto: its services, messages and enumerations in their order."""
    out, remark, inside, rows, package = [f"## {heading}", ""], [], None, [], ""

    def comment():
        text = cell(" ".join(remark))
        remark.clear()
        return text

    for line in path.read_text().splitlines():
        line = line.strip()
        if line.startswith("//"):
            remark.append(line[2:].strip())
        elif line.startswith("syntax"):
            out += [comment(), ""]
        elif line.startswith("package"):
            package = line.split()[1].rstrip(";")
            out += [f"Package `{package}`, file `{path.relative_to(ROOT)}`.", ""]
        elif (opened := re.fullmatch(r"(message|enum|service) (\w+) \{(\})?", line)) and inside is None:
            kind, name, closed = opened.groups()
            out += [f"### {heading}: {name}" if kind != "service" else f"### {heading}: service {package}.{name}", ""]
            if text := comment():
                out += [text, ""]
            if closed:
                out += ["No fields.", ""]
            else:
                inside, rows = kind, []
        elif line == "}" and inside:
            heads = {"message": ("Field", "Number", "Type", ""), "enum": ("Value", "Number", ""),
                     "service": ("Method", "Asked with", "Answered with", "")}[inside]
            out += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
            out += ["| " + " | ".join(row) + " |" for row in rows] + [""]
            inside = None
        elif inside == "message" and (found := FIELD.fullmatch(line)):
            many, kind, name, number = found.groups()
            rows.append((f"`{name}`", number, f"{many or ''}{kind}", comment()))
        elif inside == "enum" and (found := re.fullmatch(r"(\w+) = (\d+);", line)):
            rows.append((f"`{found[1]}`", found[2], comment()))
        elif inside == "service" and (found := ROUTINE.fullmatch(line)):
            rows.append((f"`{found[1]}`", found[3], found[5], comment()))
        elif line and not line.startswith("option"):
            raise SystemExit(f"{path}: a line that this script does not know: {line}")
    return out


def messages():
    out = ["# Messages of the decryption API", "", NOTE, "",
           "gRPC, proto3. What is checked, signed and answered: [decryption.md](decryption.md).", ""]
    for name, heading in (("decryption", "Own"), ("ga", "GA"), ("gb", "GB"), ("gn", "GN")):
        if (PROTOS / f"{name}.proto").exists():
            out += proto(PROTOS / f"{name}.proto", heading)
    return "\n".join(out).rstrip() + "\n"


def pages():
    """Each page's path and what it must say."""
    import yaml

    dump = subprocess.run([str(BINARY), "--experimental-dump-help"], capture_output=True, check=True, timeout=60).stdout
    return {
        ROOT / "docs" / "cli.md": command_line(json.loads(dump)),
        ROOT / "docs" / "api.md": interface(yaml.safe_load(API.read_text())),
        ROOT / "docs" / "decryption-protos.md": messages(),
    }


def main():
    stale = 0
    for path, text in pages().items():
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(ROOT)} is not current: run scripts/generate-docs.py", file=sys.stderr)
        else:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
