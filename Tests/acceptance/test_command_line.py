"""The verbs an operator types: exit codes, JSON, and words that help."""
import json

import pytest


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
    assert own.run_json("token", "lint")["grade"] == "ok"


def test_the_probe_finds_nothing_that_fails(own):
    assert {entry["outcome"] for entry in own.run_json("token", "probe")["capabilities"]} == {"ok", "absent"}


@pytest.mark.parametrize("verb", [pytest.param("lint", marks=pytest.mark.pkcs11), "probe"])
def test_missing_token_is_unavailable(own, verb):
    own.token.hide()
    result = own.run("token", verb, check=False)
    assert result.returncode == 69, result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(bare, shell):
    assert "kmsd" in bare.run("completion", shell).stdout
