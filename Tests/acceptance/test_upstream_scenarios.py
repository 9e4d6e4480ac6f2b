"""The scenarios of the incumbent's own acceptance suite that need no capability and no key agreement."""
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlparse

import crypto
import pytest
from webkms_client import AGREEMENT, ALL_TYPES, MULTI, KMSError, decode


def test_create_keystore(kms):
    keystore = kms.create_keystore()
    assert urlparse(keystore.url).path == f"/v1/keystores/{keystore.id}"
    assert len(keystore.id) == 20 and set(keystore.id) <= set("0123456789abcdefghijklmnopqrstuv")


def test_create_ed25519_key(keystore):
    assert keystore.create("ED25519").url.startswith(f"{keystore.url}/keys/")


def test_parallel_creation_of_every_type(keystore):
    types = ALL_TYPES + AGREEMENT + MULTI
    with ThreadPoolExecutor(len(types)) as pool:
        keys = list(pool.map(keystore.create, types))
    assert len({key.id for key in keys}) == len(types)
    assert sorted(entry["type"] for entry in keystore.keys()) == sorted(types)


def test_export(keystore):
    public_key, key_type = keystore.create("ED25519").export()
    assert key_type == "ED25519" and len(public_key) == 32


def test_create_and_export_agree(keystore):
    key = keystore.create("ED25519")
    assert key.public_key == key.export()[0]


def test_import_with_id(keystore):
    private = crypto.make_private("ED25519")
    key = keystore.import_key(crypto.pkcs8(private), "ED25519", "keyID")
    assert key.url == f"{keystore.url}/keys/keyID"
    assert key.export() == (crypto.public_bytes("ED25519", private), "ED25519")


def test_sign_and_verify(keystore):
    key = keystore.create("ED25519")
    signature = key.sign(b"test message")
    key.verify(signature, b"test message")
    crypto.verify("ED25519", key.public_key, signature, b"test message")


def test_decrypt_after_rotation(keystore):
    old = keystore.create("AES256GCM")
    ciphertext, nonce = old.encrypt(b"test message")
    new = old.rotate()
    assert new.id != old.id
    assert new.decrypt(ciphertext, nonce) == b"test message"
    with pytest.raises(KMSError) as refusal:
        old.decrypt(ciphertext, nonce)
    assert refusal.value.status == 404


def test_encrypt_and_decrypt(keystore):
    key = keystore.create("AES256GCM")
    ciphertext, nonce = key.encrypt(b"test message", b"test aad")
    assert key.decrypt(ciphertext, nonce, b"test aad") == b"test message"


def test_compute_and_verify_mac(keystore):
    key = keystore.create("HMACSHA256Tag256")
    mac = key.compute_mac(b"test data")
    key.verify_mac(mac, b"test data")


def test_command_line_creates_keystore_and_key(daemon):
    def curl(path, body):
        answer = subprocess.run(["curl", "-sS", "--fail", "-d", json.dumps(body), daemon.base + path],
                                capture_output=True, text=True, check=True, timeout=30)
        return json.loads(answer.stdout)

    keystore = curl("/v1/keystores", {"controller": "did:example:cli"})["key_store_url"]
    key = curl(f"{keystore}/keys", {"key_type": "ED25519"})
    assert key["key_url"].startswith(f"{keystore}/keys/") and len(decode(key["public_key"])) == 32


def test_stress_of_many_users(daemon):
    """Twenty users at once: own keystore, own key, ten times sign and verify; nobody fails."""
    figures, lock = [], threading.Lock()

    def user(number):
        client = daemon.client()
        key = client.create_keystore(f"did:example:user-{number}").create("ED25519")
        for turn in range(10):
            message = f"{number}/{turn}".encode()
            started = time.monotonic()
            signature = key.sign(message)
            key.verify(signature, message)
            with lock:
                figures.append(time.monotonic() - started)
            crypto.verify("ED25519", key.public_key, signature, message)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(user, range(20)))
    assert len(figures) == 200
    print(f"sign and verify: min {min(figures):.4f} s, mean {sum(figures) / 200:.4f} s, max {max(figures):.4f} s")


def test_healthcheck(kms):
    answer = kms.healthcheck()
    assert answer["status"] == "success" and answer["current_time"]
