"""Listing, metadata and the end of a key's life: what TrustBloc's server does not have."""
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import crypto
import pytest
from daemon import eventually
from test_key_types import refused
from webkms_client import Key, Keystore, KMSError


def parse(time_text):
    return datetime.fromisoformat(time_text.replace("Z", "+00:00"))


def test_keystores_are_listed_by_controller(kms):
    controller = f"did:example:{time.time_ns()}"
    made = {kms.create_keystore(controller).id for _ in range(5)}
    kms.create_keystore(controller + "x")
    assert {entry["id"] for entry in kms.keystores(controller=controller)} == made
    assert {entry["id"] for entry in kms.keystores(controller=controller, limit=2)} == made
    assert kms.keystores(controller="did:example:nobody") == []
    assert made < {entry["id"] for entry in kms.keystores(limit=3)}


def test_keystore_metadata(kms):
    keystore = kms.create_keystore("did:example:alice#key")
    metadata = keystore.metadata()
    assert metadata["id"] == keystore.id and metadata["controller"] == "did:example:alice#key"
    assert metadata["protection"] == "sealed"
    assert [slot["kind"] for slot in metadata["lock_slots"]] == ["token"]
    assert abs(parse(metadata["created_at"]).timestamp() - time.time()) < 60


def test_keys_are_listed_page_by_page(keystore):
    made = sorted(keystore.create("HMACSHA256Tag256").id for _ in range(7))
    assert [entry["id"] for entry in keystore.keys(limit=3)] == made
    assert [entry["id"] for entry in keystore.keys()] == made


def test_key_metadata(keystore):
    key = keystore.create("ECDSAP256DER")
    metadata = key.metadata()
    assert metadata["id"] == key.id and metadata["type"] == "ECDSAP256DER"
    assert metadata["state"] == "enabled" and metadata["protection"] == "sealed"
    assert metadata["provenance"] == "born-in-daemon"
    assert [version["version"] for version in metadata["versions"]] == [1]
    assert metadata == keystore.keys()[0]


def test_listing_shows_no_other_keystore(kms):
    mine, other = kms.create_keystore(), kms.create_keystore()
    key = mine.create("ED25519")
    assert other.keys() == []
    refused(404, other.key(key.id).metadata)
    refused(404, other.key(key.id).sign, b"m")
    refused(404, other.key(key.id).disable)
    refused(404, other.key(key.id).destroy)
    key.sign(b"still there")


def test_same_key_id_in_two_keystores_is_two_keys(kms):
    one, two = kms.create_keystore(), kms.create_keystore()
    first, second = crypto.make_private("ED25519"), crypto.make_private("ED25519")
    here = one.import_key(crypto.pkcs8(first), "ED25519", "same")
    there = two.import_key(crypto.pkcs8(second), "ED25519", "same")
    assert here.sign(b"m") == first.sign(b"m") and there.sign(b"m") == second.sign(b"m")


def test_disabled_key_refuses_every_use(keystore):
    signing, aead, mac = (keystore.create(name) for name in ("ED25519", "AES256GCM", "HMACSHA256Tag256"))
    signature, sealed, tag = signing.sign(b"m"), aead.encrypt(b"m"), mac.compute_mac(b"m")
    for key in (signing, aead, mac):
        assert key.disable()["state"] == "disabled"
        assert key.disable()["state"] == "disabled"
    for call in (lambda: signing.sign(b"m"), lambda: signing.verify(signature, b"m"), signing.rotate,
                 lambda: aead.encrypt(b"m"), lambda: aead.decrypt(*sealed), lambda: mac.compute_mac(b"m"),
                 lambda: mac.verify_mac(tag, b"m")):
        refused(409, call)
    for key in (signing, aead, mac):
        assert key.enable()["state"] == "enabled"
        assert key.enable()["state"] == "enabled"
    signing.verify(signature, b"m")
    assert aead.decrypt(*sealed) == b"m"
    mac.verify_mac(tag, b"m")


def test_destruction_waits_and_can_be_cancelled(keystore):
    key = keystore.create("ED25519")
    metadata = key.destroy(grace=3600)
    assert metadata["state"] == "pending-destruction"
    assert 3500 < parse(metadata["destroy_at"]).timestamp() - time.time() < 3700
    refused(409, key.sign, b"m")
    refused(409, key.enable)
    assert key.restore()["state"] == "disabled"
    assert key.enable()["state"] == "enabled"
    crypto.verify("ED25519", key.public_key, key.sign(b"m"), b"m")


def test_default_grace_is_a_day(keystore):
    metadata = keystore.create("ED25519").destroy()
    assert 86_000 < parse(metadata["destroy_at"]).timestamp() - time.time() < 86_800


def test_destroyed_at_once_is_gone_for_good(keystore):
    private = crypto.make_private("ED25519")
    key = keystore.import_key(crypto.pkcs8(private), "ED25519", "gone")
    key.sign(b"m")
    assert key.destroy(grace=0)["state"] == "destroyed"
    refused(409, key.sign, b"m")
    refused(409, key.enable)
    refused(409, key.restore)
    assert key.metadata()["state"] == "destroyed"
    refused(409, keystore.import_key, crypto.pkcs8(private), "ED25519", "gone")


def test_overdue_destruction_happens_by_itself(keystore):
    key = keystore.create("AES256GCM")
    key.destroy(grace=1)
    eventually(lambda: key.metadata()["state"] == "destroyed", 90, "the destruction", pause=0.5)


def test_restore_needs_a_pending_destruction(keystore):
    refused(400, keystore.create("ED25519").restore)


@pytest.mark.parametrize("grace", ["-1", "abc", "1e9", "99999999999999999999", "", "1.5"])
def test_bad_grace_changes_nothing(keystore, grace):
    key = keystore.create("ED25519")
    refused(400, key.destroy, grace)
    assert key.metadata()["state"] == "enabled"


def test_revocation_is_immediate_under_load(daemon, keystore):
    """Once disable has answered, no request that starts later succeeds, however many were running."""
    key = keystore.create("ED25519")
    key.sign(b"warm")
    disabled_at, late = [], []

    def signer(_):
        mine = daemon.client()
        own = Key(Keystore(mine, keystore.url), key.url, key.type)
        end = time.monotonic() + 120
        while (started := time.monotonic()) < end:
            try:
                own.sign(b"m")
            except KMSError as error:
                assert error.status == 409, error
                return
            if disabled_at and started > disabled_at[0]:
                late.append(started)
        raise AssertionError("the key signs long after it was disabled")

    with ThreadPoolExecutor(8) as pool:
        signers = [pool.submit(signer, number) for number in range(8)]
        time.sleep(0.3)
        key.disable()
        disabled_at.append(time.monotonic())
        for task in signers:
            task.result(timeout=180)
    assert late == []
