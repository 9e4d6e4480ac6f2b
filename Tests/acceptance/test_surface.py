"""What strangers rely on, frozen: routes with their statuses and members, audit words, metrics, capability actions,
verbs with their options, settings, exit codes, stored formats. A difference is either a mistake or a change that users
must be told of; KMSD_WRITE_SURFACE=1 writes the file anew, and the diff belongs into the change log."""
import json
import os
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest
import requests
import yaml
from daemon import BINARY, ROOT, Installation, eventually, free_port
from decryption_client import OWN
from decryption_front import Front
from split_client import SplitClient
from test_audit import records
from test_capabilities import BASE, Guarded
from test_split_keys import SECRET, with_secret

FILE = Path(__file__).parent / "surface.json"
METHODS = ("GET", "POST", "PUT", "DELETE")
PARTS = ("routes", "audit", "metrics", "decryption metrics", "actions", "verbs", "settings", "exit codes", "databases", "manifest")


def members(value, depth=3):
    """The names in a JSON answer, without its values; of a list its first element's."""
    if isinstance(value, dict) and depth:
        return {name: members(inner, depth - 1) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [members(value[0], depth)] if value else []
    return type(value).__name__


def told(answer):
    allow = ", ".join(sorted(answer.headers["Allow"].split(", "))) if "Allow" in answer.headers else None
    try:
        body = members(answer.json())
    except ValueError:
        body = answer.headers.get("Content-Type", "nothing") if answer.content else "nothing"
    return {"status": answer.status_code, "answer": body, **({"allow": allow} if allow else {})}


def routes(daemon):
    """Every published route and method with an empty body, at a keystore and a key that exist."""
    document = yaml.safe_load((ROOT / "Sources/HTTPAPI/Resources/openapi.yaml").read_text())
    keystore = daemon.client().create_keystore()
    key = keystore.create("ED25519")
    wallet = SplitClient(daemon.base, SECRET).wallet()["client_id"]
    paths = sorted(document["paths"])
    # First generation: the same places under another prefix, and two of its own.
    paths += [path.replace("/v1/", "/kms/") for path in paths if path.startswith("/v1/")]
    paths += ["/kms/keystores/{keystore}/import", "/kms/keystores/{keystore}/capability"]
    found = {}
    for path in paths:
        url = path
        for name, value in (("{keystore}", keystore.url.rsplit("/", 1)[1]), ("{key}", key.url.rsplit("/", 1)[1]),
                            ("{client_id}", wallet)):
            url = url.replace(name, value)
        for method in METHODS:
            # An empty message is refused everywhere but where nothing is asked for: those would change the key's state.
            if method == "DELETE" and "{key}" in path or re.search("(disable|restore|revoke|delete)", path):
                if "zvault" not in path and "zauth" not in path:
                    url = url.replace(key.url.rsplit("/", 1)[1], "0" * 20)
            body = None if method == "GET" else "{}"
            answer = requests.request(method, daemon.base + url, data=body, timeout=20,
                                      headers={"Content-Type": "application/json"} if body else {})
            found[f"{method} {path}"] = told(answer)
    return found


def words(home):
    """What the record of decisions called all of that."""
    return sorted({": ".join(record["event"][name] for name in ("operation", "outcome", "reason"))
                   for record in records(home) if record["kind"] != "start"})


def metrics(address):
    text = requests.get(f"http://{address}/metrics", timeout=10).text
    kinds = dict(line.split(" ")[2:] for line in text.splitlines() if line.startswith("# TYPE "))
    labels = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name = re.match("[a-z_]+", line)[0]
            labels.setdefault(name, set()).update(re.findall('([a-z]+)="', line))
    return {"kinds": kinds, "labels": {name: sorted(found) for name, found in labels.items()},
            "routes": sorted(set(re.findall('kms_http_requests_count{path="([^"]*)"}', text)))}


def decryption_metrics(home, others):
    """What the page has beside the others with the decryption API on."""
    front = Front(home)
    node = front.node()
    node.call(OWN, "ListKeys", b"", timeout=60)
    node.refused(OWN, "GetKey", b"")
    node.close()
    eventually(lambda: "light_client_failures_total{" in front.page(), 60, "a failure of the light client")
    found = metrics(front.metrics)
    front.daemon.terminate()
    return {part: {name: value for name, value in found[part].items() if name not in others[part]}
            for part in ("kinds", "labels")}


def verbs(command, path=""):
    """Every verb with its options, from what the parser of arguments says of itself."""
    name = f"{path} {command['commandName']}".strip()
    options = sorted("--" + given["name"] if given["kind"].startswith("long") else "-" + given["name"]
                     for argument in command.get("arguments", []) for given in argument.get("names", []))
    values = [argument["valueName"] for argument in command.get("arguments", []) if argument["kind"] == "positional"]
    found = {name: {"options": options, "values": values}}
    for inner in command.get("subcommands", []):
        if inner["commandName"] != "help":
            found.update(verbs(inner, name))
    return found


def settings():
    """Names, variables and defaults, as the manual has them (a test compares the manual with the daemon)."""
    text = (ROOT / "config" / "kmsd.yaml.example").read_text()
    return {"names": sorted(re.findall(r"^#?([a-z0-9-]+): ", text, re.M)),
            "variables": sorted(set(re.findall(r"\b(?:KMS|KMSD|AWS)_[A-Z0-9_]+\b", text)))}


def exit_codes(home):
    cases = {
        "--version": {}, "no-such-verb": {}, "start --no-such-flag": {}, "token probe": {"KMS_TOKEN_URI": "nonsense"},
        "start": {"KMS_MAX_BODY": "1"}, "key list nowhere": {}, "audit verify --file /nowhere": {},
        "doctor": {"KMS_TOKEN_URI": home.token.uri().replace("token=", "token=no")}, "audit adopt": {},
    }
    return {f"{words} {sorted(more) if more else ''}".strip(): home.run(*words.split(), check=False, **more).returncode
            for words, more in cases.items()}


def databases(home):
    found = {}
    for path in sorted(home.home.glob("*.sqlite")) + sorted(home.home.glob("*.db")):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            tables = database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
            found[path.name] = {
                "application": database.execute("PRAGMA application_id").fetchone()[0],
                "tables": {f"{kind} {name}": " ".join((sql or "").split()) for kind, name, sql in tables
                           if not name.startswith("sqlite_")}}
    return found


@pytest.fixture(scope="module")
def surface(tmp_path_factory):
    address = f"127.0.0.1:{free_port()}"
    home = with_secret(Installation(tmp_path_factory.mktemp("surface") / "home", KMS_METRICS_HOST=address,
                                    KMS_LEGACY_G1_ROUTES="true")).init()
    try:
        daemon = home.start()
        help = subprocess.run([BINARY, "--experimental-dump-help"], capture_output=True, check=True, timeout=60)
        found = {
            "routes": routes(daemon), "audit": words(home), "metrics": metrics(address),
            "verbs": verbs(json.loads(help.stdout)["command"]),
            "settings": settings(), "exit codes": exit_codes(home), "databases": databases(home),
            "manifest": members(json.loads((home.home / "manifest.json").read_text())),
        }
        daemon.terminate()
        found["decryption metrics"] = decryption_metrics(home, found["metrics"])
        guarded = Guarded(home.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE))
        found["actions"] = guarded.capability["allowedAction"]
    finally:
        home.end()
    if os.environ.get("KMSD_WRITE_SURFACE"):
        FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    return found


@pytest.mark.parametrize("part", PARTS)
def test_nothing_that_strangers_rely_on_has_changed(surface, part):
    frozen = json.loads(FILE.read_text())
    assert sorted(frozen) == sorted(PARTS)
    assert len(frozen[part]) > 1
    assert surface[part] == frozen[part]
