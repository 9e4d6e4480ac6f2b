"""Keystores whose keys are used only inside the token."""
import crypto
import pytest
from daemon import Installation
from test_key_types import flipped, refused
from webkms_client import ALL_TYPES

RESIDENT_SIGNING = ("ED25519", "ECDSAP256DER", "ECDSAP256IEEEP1363", "ECDSAP384DER", "ECDSAP384IEEEP1363",
                    "ECDSAP521DER", "ECDSAP521IEEEP1363", "ECDSASecp256k1IEEEP1363")
MUST_WORK = [name for name in ("ECDSAP256DER", "ECDSAP256IEEEP1363", "AES256GCM", "HMACSHA256Tag256")
             if name not in Installation.default_token.ABSENT_TYPES]


def use(key):
    """Uses a key as its type allows and checks the result; returns a check of what it made."""
    if key.type in RESIDENT_SIGNING:
        public, _ = key.export()
        signature = key.sign(b"m")
        crypto.verify(key.type, public, signature, b"m")
        return lambda later: later.verify(signature, b"m")
    if key.type == "HMACSHA256Tag256":
        mac = key.compute_mac(b"m")
        assert len(mac) == 37
        return lambda later: later.verify_mac(mac, b"m")
    ciphertext, nonce = key.encrypt(b"m", b"aad")
    assert len(ciphertext) == 17
    refused(400, key.decrypt, flipped(ciphertext, 0), nonce, b"aad")
    return lambda later: later.decrypt(ciphertext, nonce, b"aad") == b"m" or pytest.fail("wrong plaintext")


@pytest.mark.parametrize("key_type", ALL_TYPES)
def test_a_type_works_in_the_token_or_is_refused(resident, key_type):
    """A refusal is a 501 that stores nothing; there is no quiet fall-back to keys in memory."""
    if key_type in Installation.default_token.ABSENT_TYPES:
        refusal = refused(501, resident.create, key_type)
        assert key_type in str(refusal) and "sealed" in str(refusal)
        assert resident.keys() == []
        return
    key = resident.create(key_type)
    check = use(key)
    check(key)
    metadata = key.metadata()
    assert metadata["protection"] == "resident" and metadata["provenance"] == "born-in-token"


@pytest.mark.parametrize("key_type", MUST_WORK)
def test_a_rotated_resident_key_still_serves_what_was_made_before(resident, key_type):
    key = resident.create(key_type)
    check = use(key)
    new = key.rotate()
    check(new)
    use(new)(new)
    refused(404, key.metadata)


def test_import_is_refused(resident):
    private = crypto.make_private("ECDSAP256DER")
    refused(501, resident.import_key, crypto.pkcs8(private), "ECDSAP256DER", "outsider")
    assert resident.keys() == []


def test_keystore_tells_its_protection(resident):
    assert resident.metadata()["protection"] == "resident"


def test_unknown_protection_is_refused(kms):
    refused(400, lambda: kms.create_keystore("did:example:strange-protection", protection="quantum"))
    assert kms.keystores(controller="did:example:strange-protection") == []


def test_keys_survive_a_restart(own):
    daemon = own.start()
    keystore = daemon.client().create_keystore(protection="resident")
    checks = [(key := keystore.create(name), use(key)) for name in MUST_WORK]
    assert daemon.terminate() == 0
    client = own.start().client()
    for key, check in checks:
        key.client.base = client.base
        check(key)
        use(key)(key)


def test_the_token_shows_no_resident_private_key(own):
    """Resident keys are not token objects another PKCS #11 program could find and use."""
    daemon = own.start()
    before = own.token.objects()
    keystore = daemon.client().create_keystore(protection="resident")
    for name in MUST_WORK:
        use(keystore.create(name))
    assert own.token.objects() == before


def test_macs_of_any_size_up_to_the_longest_body(own):
    """What a device takes in one command is no bound of the API; both kinds of token agree."""
    client = own.start(KMS_MAX_BODY="2MiB").client()
    keys = [client.create_keystore(protection=kind).create("HMACSHA256Tag256") for kind in ("resident", "sealed")]
    for size in (0, 1, 1023, 1024, 1025, 2048, 64 << 10, 1 << 20):
        data = bytes(number * 7 % 251 for number in range(size))
        for key in keys:
            mac = key.compute_mac(data)
            assert len(mac) == 37
            key.verify_mac(mac, data)
            refused(400, key.verify_mac, flipped(mac, 36), data)
            refused(400, key.verify_mac, mac, data + b"x")
            if size:
                refused(400, key.verify_mac, mac, flipped(data, size - 1))


@pytest.mark.parametrize("key_type", [name for name in ("AES256GCM", "ECDSAP256DER") if name in MUST_WORK])
def test_long_inputs_are_served_or_refused_and_never_a_failure_of_ours(own, key_type):
    key = own.start(KMS_MAX_BODY="2MiB").client().create_keystore(protection="resident").create(key_type)
    for size in (0, 1, 4096, 65537, 1 << 20):
        data = bytes(size)
        if key_type == "AES256GCM":
            ciphertext, nonce = key.encrypt(data, data[:65537])
            assert key.decrypt(ciphertext, nonce, data[:65537]) == data
        else:
            key.verify(key.sign(data), data)
