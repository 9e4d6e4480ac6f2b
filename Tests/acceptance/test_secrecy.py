"""Canaries: a PIN and an imported key that must turn up nowhere outside their place."""
import base64
import os
import re
from pathlib import Path

import crypto
import pytest
from cryptography.hazmat.primitives import serialization
from daemon import eventually
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


def copies(pid, secret):
    """The flags of every mapping of a process that holds the secret, once for each copy (proc(5), smaps)."""
    found, regions = [], []
    with open(f"/proc/{pid}/smaps") as table:
        for line in table:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ r", line):
                regions.append(([int(part, 16) for part in line.split()[0].split("-")], []))
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                regions.append((None, []))
            elif line.startswith("VmFlags:"):
                regions[-1][1].extend(line.split()[1:])
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for place, flags in regions:
            if place is None:
                continue
            try:
                memory.seek(place[0])
                found += [flags] * memory.read(place[1] - place[0]).count(secret)
            except (OSError, OverflowError):
                continue  # vvar and vsyscall cannot be read
    return found


@pytest.mark.parametrize("ttl,expected", [("0s", 0), ("10m", 1)])
def test_secrets_leave_the_memory(own, ttl, expected):
    """After import and use: no copy of PIN or key, or the one cached copy, in locked memory that no dump contains."""
    private = crypto.make_private("ED25519")
    seed = private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                 serialization.NoEncryption())
    daemon = own.start(KMS_LOCK_TTL=ttl)
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            copies(daemon.pid, seed)
        return
    keystore = daemon.client().create_keystore()
    key = keystore.import_key(crypto.pkcs8(private), "ED25519", "canary")
    for _ in range(3):
        key.sign(b"m")
    for _ in range(20):
        keystore.create("ED25519").sign(b"m" * 200)
    eventually(lambda: len(copies(daemon.pid, seed)) <= expected, 5, "the end of the other copies", pause=0.2)
    for flags in copies(daemon.pid, seed):
        assert {"lo", "dd"} <= set(flags), "the cached copy is neither locked nor kept out of dumps"
    assert copies(daemon.pid, own.token.pin.encode()) == []
    assert copies(daemon.pid, encode(crypto.pkcs8(private))[24:60].encode()) == []
    key.sign(b"m")


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
