"""The verbs an operator types: exit codes, JSON, and words that help."""
import json

import pytest
from webkms_client import Key, Keystore


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


def test_doctor_finds_a_loose_pin_file(own):
    own.token.pin_file.chmod(0o644)
    result = own.run("doctor", check=False)
    assert result.returncode in (2, 77, 78) and "pin" in (result.stdout + result.stderr).lower()


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
def test_completion(bare, shell):
    assert "kmsd" in bare.run("completion", shell).stdout
