"""Canaries: a PIN and an imported key that must turn up nowhere outside their place."""
import base64
import re
from pathlib import Path

import crypto
import pytest
from cryptography.hazmat.primitives import serialization
from webkms_client import KMSError, encode


def forms(secret):
    """A secret as it could leak: raw, hexadecimal, base64 at each alignment, base64url."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + secret)[4 if shift else 0:-4]
        found |= {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in found if len(form) >= 16}


def assert_absent(secrets, data, where):
    for name, secret in secrets.items():
        for form in forms(secret):
            assert form not in data, f"the {name} is in {where}"


def test_canaries_stay_where_they_belong(own, tmp_path):
    private = crypto.make_private("ED25519")
    ec = crypto.make_private("ECDSAP256DER")
    seed = private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                 serialization.NoEncryption())
    secrets = {
        "user PIN": own.token.pin.encode(), "imported Ed25519 seed": seed,
        "imported P-256 scalar": ec.private_numbers().private_value.to_bytes(32, "big"),
    }
    daemon = own.start(KMS_LOG_LEVEL="debug")
    client = daemon.client()
    keystore = client.create_keystore("did:example:canary")
    bodies = []
    key = keystore.import_key(crypto.pkcs8(private), "ED25519", "canary")
    keystore.import_key(crypto.pkcs8(ec), "ECDSAP256DER", "canary-p256")
    key.sign(b"m")
    for attempt in (
        lambda: keystore.import_key(crypto.pkcs8(private), "ED25519", "canary"),
        lambda: keystore.import_key(crypto.pkcs8(private), "ECDSAP256DER", "wrong-type"),
        lambda: keystore.import_key(crypto.pkcs8(private)[:-1], "ED25519", "cut"),
        lambda: keystore.import_key(crypto.pkcs8(private) + b"\x00", "ED25519", "long"),
        lambda: client.call("PUT", f"{keystore.url}/keys", {"key": {"d": encode(seed)}, "key_type": "ED25519"}),
        lambda: client.call("PUT", f"{keystore.url}/keys/{encode(seed).replace('/', '_')}", {}),
        lambda: client.call("POST", f"{keystore.url}/keys", {"key_type": encode(crypto.pkcs8(private))}),
    ):
        try:
            bodies.append(str(attempt()))
        except KMSError as error:
            bodies.append(error.message)
        except AssertionError as error:
            bodies.append(str(error))
    process = Path(f"/proc/{daemon.pid}")
    assert_absent(secrets, (process / "cmdline").read_bytes(), "the command line")
    assert_absent(secrets, own_environment(process), "the environment")
    assert re.search(r"^Max core file size +0 +0 ", (process / "limits").read_text(), re.MULTILINE)
    while_running = {path: path.read_bytes() for path in files(own.home)}
    assert daemon.terminate() == 0
    for path, data in {**while_running, **{path: path.read_bytes() for path in files(own.home)}}.items():
        assert_absent(secrets, data, path.name)
    assert_absent(secrets, daemon.log().encode(), "the log")
    assert_absent({name: value for name, value in secrets.items() if "PIN" in name}, "\n".join(bodies).encode(),
                  "an answer")
    lint = own.run("token", "lint", "--output", "json", check=False)
    doctor = own.run("doctor", "--output", "json", check=False)
    assert_absent(secrets, (lint.stdout + lint.stderr + doctor.stdout + doctor.stderr).encode(), "a verb")


def own_environment(process):
    """Not dumpable means that only root may look."""
    try:
        return (process / "environ").read_bytes()
    except PermissionError:
        return b""


def files(home):
    return [path for path in home.rglob("*") if path.is_file() and not path.name.endswith(".pin")]


def test_other_processes_of_the_same_user_cannot_look_inside(daemon):
    """Not dumpable: the kernel gives /proc/PID/mem to root, and to nobody else."""
    for name in ("mem", "environ", "maps"):
        assert Path(f"/proc/{daemon.pid}/{name}").stat().st_uid == 0


def test_health_answers_name_no_key_and_no_token(kms, keystore, shared):
    key = keystore.create("ED25519")
    for path in ("/healthcheck", "/livez", "/readyz"):
        text = kms.raw("GET", path).text
        for word in (key.id, keystore.id, str(shared.home), shared.token.pin, "libsofthsm2"):
            assert word not in text, (path, word)


@pytest.mark.parametrize("verb", ["sign", "verify", "export"])
def test_unknown_and_foreign_keys_look_the_same(kms, verb):
    """A key of somebody else's and one that never was: same status, same words."""
    mine, theirs = kms.create_keystore(), kms.create_keystore()
    foreign = theirs.import_key(crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "aaaaaaaa")
    answers = set()
    for name in (foreign.id, "bbbbbbbb"):
        method = "GET" if verb == "export" else "POST"
        response = kms.raw(method, f"{mine.url}/keys/{name}/{verb}", None if method == "GET" else {
            "message": encode(b"m"), "signature": encode(b"s" * 64)})
        answers.add((response.status_code, response.text.replace(name, "NAME")))
    assert len(answers) == 1 and answers.pop()[0] == 404
