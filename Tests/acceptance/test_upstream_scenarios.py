"""The scenarios of TrustBloc's own acceptance suite; `ELSEWHERE` names those that other files hold."""
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlparse

import crypto
import pytest
import test_agreement
import test_bad_input
import test_bbs
import test_capabilities
import test_gnap
import test_locks
from nacl.bindings import crypto_sign_ed25519_pk_to_curve25519
from nacl.public import PublicKey, SealedBox
from webkms_client import AGREEMENT, ALL_TYPES, MULTI, KMSError, decode, encode


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


def test_a_key_is_exported_with_its_type(keystore):
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


@pytest.mark.parametrize("key_type", ["NISTP256ECDHKW", "X25519ECDHKW"])
def test_anonymous_wrap_and_unwrap(keystore, key_type):
    recipient, cek = keystore.create(key_type), os.urandom(32)
    wrapped = keystore.client.call("POST", f"{keystore.url}/wrap", {
        "cek": encode(cek), "apu": encode(b"sender"), "apv": encode(b"recipient"),
        "recipient_pub_key": json.loads(recipient.export()[0])})
    assert wrapped["alg"] == "ECDH-ES+A256KW"
    assert decode(recipient.post("unwrap", {"wrapped_key": wrapped})["key"]) == cek


def test_easy_and_easy_open_through_wrap_and_unwrap(keystore):
    """As the client asks for them: the key of `easyopen` is found by the thumbprint of `my_pub`."""
    sender, recipient, nonce = keystore.create("ED25519"), keystore.create("ED25519"), os.urandom(24)
    theirs, ours = (crypto_sign_ed25519_pk_to_curve25519(key.public_key) for key in (recipient, sender))
    box = sender.post("wrap", {"payload": encode(b"payload"), "nonce": encode(nonce), "their_pub": encode(theirs)})
    opened = recipient.post("unwrap", {"ciphertext": box["ciphertext"], "nonce": encode(nonce),
                                       "their_pub": encode(ours), "my_pub": encode(recipient.public_key)})
    assert decode(opened["plaintext"]) == b"payload"


def test_seal_open(keystore):
    recipient = keystore.create("ED25519")
    sealed = SealedBox(PublicKey(crypto_sign_ed25519_pk_to_curve25519(recipient.public_key))).encrypt(b"payload")
    opened = recipient.post("unwrap", {"ciphertext": encode(sealed), "my_pub": encode(recipient.public_key)})
    assert decode(opened["plaintext"]) == b"payload"


def test_command_line_creates_keystore_and_key(daemon, bare):
    keystore = bare.run_json("keystore", "create", "--controller", "did:example:cli", "--url", daemon.base)
    name = keystore["key_store_url"].rsplit("/", 1)[1]
    key = bare.run_json("key", "create", "--keystore", name, "--type", "ED25519", "--url", daemon.base)
    assert f"/v1/keystores/{name}/keys/" in key["key_url"] and len(decode(key["public_key"])) == 32


# The scenarios that need an authorization of their own, and the eleven that TrustBloc's suite leaves out.
ELSEWHERE = [
    (test_capabilities.test_a_new_keystore_comes_with_its_root_capability, "the capability gunzips to a root document"),
    (test_gnap.test_gnap_guarded_create_and_sign, "GNAP"),
    (test_locks.test_a_keystore_of_shares_needs_the_right_one_with_every_request, "wrong share, missing headers"),
    (test_capabilities.test_a_forged_root_opens_nothing, "forged root capability"),
    (test_capabilities.test_children_have_no_more_than_their_parent_and_their_time,
     "expired caveat, child with wider actions"),
    (test_capabilities.test_strict_mode_accepts_a_signature_once, "replay in strict mode"),
    (test_bbs.test_signatures_and_proofs_go_round_and_verify_elsewhere, "BBS+ round trip"),
    (test_agreement.test_an_xc20pkw_wrap_from_outside_unwraps, "XC20PKW unwrap"),
    (test_bad_input.test_taken_key_id, "taken key id"),
    (test_agreement.test_an_ephemeral_key_off_its_curve_is_refused, "ephemeral key off its curve"),
]


def test_every_error_has_both_members(kms, keystore):
    for method, path, body in (
            ("POST", "/v1/keystores", {}), ("POST", f"{keystore.url}/keys", {"key_type": "NONE"}),
            ("POST", f"{keystore.url}/keys/absent/sign", {"message": ""}), ("GET", f"{keystore.url}/keys/a/export", None)):
        answer = kms.raw(method, path, body)
        assert 400 <= answer.status_code < 500
        assert answer.json()["message"] == answer.json()["errMessage"] != ""


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


def test_the_healthcheck_tells_status_and_time(kms):
    answer = kms.healthcheck()
    assert answer["status"] == "success" and answer["current_time"]
