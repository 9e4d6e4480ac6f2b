"""The verbs an operator types: exit codes, JSON, and words that help."""
import json
import re
import subprocess
import time

import pytest
from daemon import BINARY, ROOT
from softtoken import MODULE
from webkms_client import Key, Keystore

RESOURCES = "Sources/HTTPAPI/Resources"


def test_help_teaches(own):
    text = own.run("--help").stdout
    for verb in ("init", "start", "doctor", "token", "keystore", "key", "wallet", "completion"):
        assert verb in text


@pytest.mark.parametrize("verb", [
    ("start",), ("init",), ("doctor",), ("token", "lint"), ("token", "probe"), ("token", "list"), ("keystore", "list"),
    ("key", "list"), ("wallet", "show"), ("wallet", "split"), ("wallet", "sign"), ("wallet", "combine"),
    ("wallet", "verify")], ids=" ".join)
def test_every_verb_has_help(bare, verb):
    assert "USAGE" in bare.run(*verb, "--help").stdout.upper()


def verbs(path=()):
    """Every verb there is, by the lists of the help texts."""
    text = subprocess.run([BINARY, *path, "--help"], text=True, capture_output=True, check=True).stdout
    yield path, text
    for name in re.findall(r"^  ([a-z-]+) {2,}", text.partition("SUBCOMMANDS:")[2], re.MULTILINE):
        yield from verbs((*path, name))


def test_help_fits_the_terminal():
    """Paragraphs are broken where the terminal ends and nowhere else; lines to be typed are not broken at all."""
    texts = dict(verbs())
    assert len(texts) > 30
    for verb, text in texts.items():
        lines = text.partition("\nUSAGE:")[0].splitlines()
        for line, following in zip(lines[1:], lines[2:]):
            assert len(line) <= 80, (verb, line)
            if not line.strip() or not following.strip() or following.startswith(" "):
                continue
            assert not line.startswith(" "), (verb, "a line to be typed is broken", line)
            assert len(line) + 1 + len(following.split()[0]) >= 80, (verb, "broken early", line)


def test_listing_from_the_command_line(own):
    daemon = own.start()
    keystore = daemon.client().create_keystore("did:example:cli")
    key = keystore.create("ED25519")
    daemon.terminate()
    assert keystore.id in json.dumps(own.run_json("keystore", "list"))
    assert key.id in json.dumps(own.run_json("key", "list", keystore.id))
    assert keystore.id in own.run("keystore", "list").stdout
    assert key.id in own.run("key", "list", keystore.id).stdout


def test_doctor_is_content(own):
    own.start().terminate()
    own.run_json("doctor", codes=(0,))


def test_doctor_looks_at_every_database(own):
    """Beside its daemon too; a damaged file is named, whichever it is."""
    secret = own.home / "jwt.secret"
    secret.touch(mode=0o600)
    secret.write_text("a secret of HS256 tokens of this test")
    daemon = own.start(KMS_JWT_SECRET_FILE=str(secret))
    files = {"database": "kmsd.sqlite", "audit": "audit.db", "split keys": "vault.sqlite", "split shares": "shares.sqlite"}
    checks = {check["name"]: check["grade"] for check in own.run_json("doctor", codes=(0, 2))["checks"]}
    assert files.keys() <= checks.keys() and "fail" not in checks.values(), checks
    daemon.terminate()
    for name, file in files.items():
        path = own.home / file
        content = path.read_bytes()
        path.write_bytes(content[:100] + bytes(len(content) - 100))
        checks = {check["name"]: check["grade"] for check in own.run_json("doctor", codes=(2,))["checks"]}
        assert [other for other, grade in checks.items() if grade == "fail"] == [name], checks
        path.write_bytes(content)


def test_the_version_is_the_one_of_the_api_description(bare):
    version = re.search(r"^  version: (\S+)$", (ROOT / RESOURCES / "openapi.yaml").read_text(), re.MULTILINE)[1]
    assert bare.run("--version").stdout == f"kmsd {version}\n"


def test_doctor_finds_a_loose_pin_file(own):
    own.token.pin_file.chmod(0o644)
    result = own.run("doctor", check=False)
    assert result.returncode in (2, 77, 78) and "pin" in (result.stdout + result.stderr).lower()


@pytest.mark.pkcs11
def test_doctor_looks_for_the_token_before_init(bare):
    checks = {check["name"]: check for check in bare.run_json("doctor", codes=(2,))["checks"]}
    assert checks["token"]["grade"] == "ok" and checks["manifest"]["grade"] == "fail"
    uri = bare.token.uri().replace("token=", "token=no-")
    checks = {check["name"]: check for check in bare.run_json("doctor", codes=(2,), KMS_TOKEN_URI=uri)["checks"]}
    assert checks["token"]["grade"] == "fail"


@pytest.mark.pkcs11
def test_a_token_that_is_not_there_is_told_with_those_that_are(bare):
    uri, start = bare.token.uri(), time.monotonic()
    said = bare.run("init", check=False, KMS_TOKEN_URI=uri.replace("token=", "token=no-"))
    assert said.returncode == 69 and "The module shows '" in said.stderr
    bare.token.hide()
    said = bare.run("init", check=False)
    assert said.returncode == 69 and "SOFTHSM2_CONF" in said.stderr
    assert time.monotonic() - start < 8, "nobody waits for what is known at once"


@pytest.mark.pkcs11
def test_lint_tells_whose_an_object_is(own):
    """What the token remembers of the audit chain is the daemon's too."""
    own.start().terminate()
    assert "kmsd-kept/" in own.run("token", "lint").stdout
    assert "'s)" not in own.run("token", "lint").stdout
    (own.home / "manifest.json").rename(own.home / "elsewhere.json")
    assert "(another kmsd's)" in own.run("token", "lint").stdout


@pytest.mark.parametrize("uri,words", [
    ("softhsm", ("pkcs11:", "tpm:")), ("pkcs11:tokn=a?module-path=/x", ("tokn", "token")),
    ("pkcs11:token=a?modul-path=/x", ("modul-path", "module-path")),
    (f"pkcs11:token=a?module-path={MODULE}&pin-source=file:/nonexistent/pin", ("/nonexistent/pin", "No such file")),
    ("tpm:/dev/no-such-tpm?pin-source=file:{pin}", ("/dev/no-such-tpm", "No such file", "firmware")),
    ("tpm:?tcti=swtpm:path=/nonexistent/s&pin-source=file:{pin}", ("/nonexistent/s", "No such file", "swtpm"))])
def test_a_wrong_uri_is_told_with_what_to_write(bare, uri, words):
    pin = bare.home / "some.pin"
    pin.write_text("0123456789abcdef0123")
    pin.chmod(0o600)
    said = bare.run("init", check=False, KMS_TOKEN_URI=uri.format(pin=pin))
    assert said.returncode in (69, 77, 78)
    assert all(word in said.stderr for word in words), said.stderr
    # The device's code stands in the message once, not twice.
    assert said.stderr.count("from Esys_Startup") <= 1 and said.stderr.count("\n") == 1, said.stderr


@pytest.mark.pkcs11
def test_a_wrong_pin_is_told_once(bare):
    bare.token.pin_file.write_text("00000000")
    said = bare.run("init", check=False)
    assert said.returncode == 77 and "pin-source" in said.stderr
    assert said.stderr.count("CKR_PIN_INCORRECT") == 1, said.stderr


def test_a_server_must_be_named(bare):
    said = bare.run("keystore", "create", "--controller", "did:example:me", check=False)
    assert said.returncode == 64 and "KMS_CLI_URL" in said.stderr


@pytest.mark.pkcs11
def test_verbs_that_look_at_objects(own):
    assert "kmsd" in json.dumps(own.run_json("token", "list"))
    report = own.run_json("token", "lint")
    assert report["grade"] == "ok"
    assert {entry["label"].split("/")[2] for entry in report["objects"] if entry["isManaged"]} >= {"audit", "result"}


def test_the_probe_tells_which_key_signs_results(own):
    found = {entry["name"]: entry for entry in own.run_json("token", "probe")["capabilities"]}
    kind = json.loads((own.home / "manifest.json").read_text())["keys"]["result"]["kind"]
    assert found["result-key"]["outcome"] == "ok" and found["result-key"]["detail"] == kind


def test_a_second_init_adds_the_key_that_an_earlier_version_did_not_make(own):
    """The daemon serves without it meanwhile, and what is there already stays as it is."""
    path = own.home / "manifest.json"
    whole = json.loads(path.read_text())
    before = {**whole, "keys": {role: key for role, key in whole["keys"].items() if role != "result"}}
    path.write_text(json.dumps(before))
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    signature = key.sign(b"m")
    assert own.run("init", check=False).returncode not in (0, 1), "a daemon that runs was not noticed"
    assert daemon.terminate() == 0
    said = own.run("doctor", check=False).stdout
    assert "'result'" in said and "kmsd init" in said
    assert own.run_json("init")["keys"] == [whole["keys"]["result"]["label"]]
    after = json.loads(path.read_text())
    # The key that was there is known to nobody, so it was replaced.
    assert after["keys"].pop("result")["fingerprint"] != whole["keys"]["result"]["fingerprint"]
    assert after == before
    assert own.run("init", check=False).returncode == 1
    assert "'result'" not in own.run("doctor", check=False).stdout
    if own.token.IS_LINTED:
        assert own.run_json("token", "lint")["grade"] == "ok"
    assert Key(Keystore(own.start().client(), key.keystore.url), key.url, key.type).sign(b"m") == signature


@pytest.mark.parametrize("verb", [pytest.param("lint", marks=pytest.mark.pkcs11), "probe"])
def test_missing_token_is_unavailable(own, verb):
    own.token.hide()
    result = own.run("token", verb, check=False)
    assert result.returncode == 69, result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_completion(bare, shell):
    assert "kmsd" in bare.run("completion", shell).stdout


def test_words_of_others_are_shown_escaped(own):
    """A controller that would turn the line around or move the cursor is written as escapes, in text and in JSON."""
    daemon = own.start(KMS_LOG_LEVEL="debug")
    wicked = "did:example:\u202ereversed\u2066\u200f\u009b2J"
    client = daemon.client()
    answer = client.raw("POST", "/v1/keystores", {"controller": wicked})
    # Whether such a name is taken at all is another rule; what is shown of it is this one's.
    if answer.status_code == 200:
        shown = own.run("keystore", "list").stdout
        assert "\\u{202e}reversed\\u{2066}\\u{200f}\\u{9b}2J" in shown
        listed = own.run("keystore", "list", "--output", "json").stdout
        assert json.loads(listed)[0]["controller"] == wicked
        told = client.raw("GET", "/v1/keystores").content
        assert json.loads(told)["keystores"][0]["controller"] == wicked
        for text in (shown.encode(), listed.encode(), told):
            assert not any(character.encode() in text for character in "\u202e\u2066\u200f\u009b")
    said = own.run("key", "list", "x\u202ey\x1b[2J", check=False)
    both = (said.stdout + said.stderr).encode()
    assert said.returncode != 0 and not any(character.encode() in both for character in "\u202e\x1b")
    client.raw("GET", "/v1/keystores?x=%E2%80%AE%1B")
    client.raw("POST", "/v1/keystores", {"controller": "did:example:a", "lock": "\u202e\x1b[2J"})
    log = daemon.log().encode()
    assert b"\xe2\x80\xae" not in log and b"\x1b[2J" not in log
