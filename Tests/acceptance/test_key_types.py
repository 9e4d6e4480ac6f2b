"""Every key type: ids, encodings and results, checked by another implementation of the same cryptography."""
import json
import re
import subprocess

import coincurve
import crypto
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import utils
from daemon import Installation
from joserfc.jwk import ECKey, OKPKey
from webkms_client import AGREEMENT, ALL_TYPES, IMPORTABLE, MAC, SIGNING, SYMMETRIC, KMSError, base64url, decode

NONCES = {"XChaCha20Poly1305": 24}
MESSAGES = (b"", b"\x00", b"test message", bytes(range(256)) * 40)


def refused(status, call, *arguments):
    with pytest.raises(KMSError) as refusal:
        call(*arguments)
    assert refusal.value.status == status, refusal.value
    return refusal.value


def flipped(data, index):
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1:]


@pytest.mark.parametrize("key_type", SIGNING)
def test_signatures_verify_elsewhere(keystore, key_type):
    key = keystore.create(key_type)
    assert key.export() == (key.public_key, key_type)
    for message in MESSAGES:
        signature = key.sign(message)
        crypto.verify(key_type, key.public_key, signature, message)
        key.verify(signature, message)


@pytest.mark.parametrize("key_type", SIGNING)
def test_created_signing_keys_are_named_by_their_thumbprint(keystore, key_type):
    key = keystore.create(key_type)
    assert key.id == crypto.key_id(key_type, key.public_key)


@pytest.mark.parametrize("key_type", SIGNING)
def test_wrong_signatures_are_refused(keystore, key_type):
    key = keystore.create(key_type)
    signature = key.sign(b"message")
    refused(400, key.verify, signature, b"massage")
    refused(400, key.verify, flipped(signature, len(signature) - 1), b"message")
    refused(400, key.verify, signature[:-1], b"message")
    refused(400, key.verify, signature + b"\x00", b"message")
    refused(400, key.verify, b"", b"message")
    refused(400, keystore.create(key_type).verify, signature, b"message")


SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize(
    "protection", ["sealed"] + ["resident"] * ("ECDSASecp256k1IEEEP1363" not in Installation.default_token.ABSENT_TYPES))
def test_libsecp256k1_accepts_every_secp256k1_signature(kms, protection):
    """Libraries of chains take a low s only; with the other half of them a high s verifies here all the same."""
    keystore = kms.create_keystore(protection=protection)
    for key in (keystore.create("ECDSASecp256k1IEEEP1363"), keystore.create("ECDSASecp256k1IEEEP1363").rotate()):
        public = coincurve.PublicKey(key.export()[0])
        for index in range(40):
            message = bytes([index])
            signature = key.sign(message)
            raw = signature[crypto.PREFIX:]
            r, s = (int.from_bytes(raw[i:i + 32], "big") for i in (0, 32))
            assert s <= SECP256K1_ORDER // 2
            assert public.verify(utils.encode_dss_signature(r, s), message)
        other = utils.encode_dss_signature(r, SECP256K1_ORDER - s)
        assert not public.verify(other, message)
        high = raw[:32] + (SECP256K1_ORDER - s).to_bytes(32, "big")
        key.verify(high, message)
        key.verify(signature[:crypto.PREFIX] + high, message)


def test_secp256k1_signatures_verify_with_and_without_prefix(keystore):
    """Software other than TrustBloc's server writes the bare 64 bytes."""
    key = keystore.create("ECDSASecp256k1IEEEP1363")
    signature = key.sign(b"m")
    key.verify(signature[crypto.PREFIX:], b"m")
    refused(400, key.verify, b"\x01\x00\x00\x00\x00" + signature[crypto.PREFIX:], b"m")


@pytest.mark.parametrize(
    "protection", ["sealed"] + ["resident"] * ("ECDSASecp256k1IEEEP1363" not in Installation.default_token.ABSENT_TYPES))
def test_secp256k1_signatures_are_raw_if_so_configured(own, protection):
    own.settings["KMS_RAW_SECP256K1_SIGNATURES"] = "true"
    keystore = own.start().client().create_keystore(protection=protection)
    key = keystore.create("ECDSASecp256k1IEEEP1363")
    signature = key.sign(b"m")
    assert len(signature) == 64
    crypto.verify("ECDSASecp256k1IEEEP1363", key.public_key, b"\x01" + bytes(4) + signature, b"m")
    key.verify(signature, b"m")
    other = keystore.create("ECDSAP256IEEEP1363")
    crypto.verify("ECDSAP256IEEEP1363", other.public_key, other.sign(b"m"), b"m")


@pytest.mark.parametrize("key_type", SIGNING)
def test_rotated_signing_key_verifies_old_and_signs_new(keystore, key_type):
    old = keystore.create(key_type)
    old_signature = old.sign(b"before")
    new = old.rotate()
    new_public, _ = new.export()
    assert new.id == crypto.key_id(key_type, new_public)
    new_signature = new.sign(b"after")
    crypto.verify(key_type, new_public, new_signature, b"after")
    with pytest.raises(InvalidSignature):
        crypto.verify(key_type, old.public_key, new_signature, b"after")
    new.verify(old_signature, b"before")
    new.verify(new_signature, b"after")
    refused(404, old.sign, b"again")


@pytest.mark.parametrize("key_type", IMPORTABLE)
def test_imported_key_is_the_callers(keystore, key_type):
    private = crypto.make_private(key_type)
    key = keystore.import_key(crypto.pkcs8(private), key_type)
    assert re.fullmatch(r"[A-Za-z0-9_-]{50}", key.id)
    public = crypto.public_bytes(key_type, private)
    assert key.export() == (public, key_type)
    crypto.verify(key_type, public, key.sign(b"message"), b"message")
    assert key.metadata()["provenance"] == "imported"


def test_imported_ed25519_signs_byte_for_byte_as_elsewhere(keystore):
    private = crypto.make_private("ED25519")
    key = keystore.import_key(crypto.pkcs8(private), "ED25519", "deterministic")
    for message in MESSAGES:
        assert key.sign(message) == private.sign(message)


@pytest.mark.parametrize("key_type", IMPORTABLE)
def test_import_compares_curve_and_type(keystore, key_type):
    other = "ECDSAP384DER" if key_type != "ECDSAP384DER" and "P384" not in key_type else "ECDSAP256DER"
    refused(400, keystore.import_key, crypto.pkcs8(crypto.make_private(other)), key_type)
    assert keystore.keys() == []


@pytest.mark.parametrize("key_type", SYMMETRIC)
def test_ciphertexts_open_again_and_no_nonce_comes_twice(keystore, key_type):
    key = keystore.create(key_type)
    assert key.public_key is None and re.fullmatch(r"[A-Za-z0-9_-]{50}", key.id)
    nonces = set()
    for message in MESSAGES:
        for associated_data in (None, b"", b"test aad"):
            ciphertext, nonce = key.encrypt(message, associated_data)
            assert len(nonce) == NONCES.get(key_type, 12)
            assert len(ciphertext) == len(message) + 16
            assert key.decrypt(ciphertext, nonce, associated_data) == message
            nonces.add(nonce)
    assert len(nonces) == 3 * len(MESSAGES)


@pytest.mark.parametrize("key_type", SYMMETRIC)
def test_aead_refuses_what_it_did_not_make(keystore, key_type):
    key = keystore.create(key_type)
    ciphertext, nonce = key.encrypt(b"message", b"aad")
    texts = {
        refused(400, key.decrypt, flipped(ciphertext, 0), nonce, b"aad").message,
        refused(400, key.decrypt, flipped(ciphertext, len(ciphertext) - 1), nonce, b"aad").message,
        refused(400, key.decrypt, ciphertext, flipped(nonce, 0), b"aad").message,
        refused(400, key.decrypt, ciphertext, nonce, b"AAD").message,
        refused(400, key.decrypt, ciphertext, nonce, None).message,
        refused(400, keystore.create(key_type).decrypt, ciphertext, nonce, b"aad").message,
    }
    assert len(texts) == 1, f"the answers tell why: {texts}"
    refused(400, key.decrypt, ciphertext[:15], nonce, b"aad")
    refused(400, key.decrypt, ciphertext, nonce[:-1], b"aad")
    refused(400, key.decrypt, b"", b"", b"aad")


@pytest.mark.parametrize("key_type", SYMMETRIC)
def test_rotation_keeps_every_version_decrypting(keystore, key_type):
    key, sealed = keystore.create(key_type), []
    for turn in range(4):
        sealed.append((f"version {turn}".encode(), *key.encrypt(f"version {turn}".encode())))
        key = key.rotate()
    for message, ciphertext, nonce in sealed:
        assert key.decrypt(ciphertext, nonce) == message
    versions = key.metadata()["versions"]
    assert [version["version"] for version in versions] == [1, 2, 3, 4, 5]
    assert [version["primary"] for version in versions] == [False] * 4 + [True]


@pytest.mark.parametrize("key_type", MAC)
def test_macs_are_made_again_and_what_was_changed_is_refused(keystore, key_type):
    key = keystore.create(key_type)
    for data in MESSAGES:
        mac = key.compute_mac(data)
        assert len(mac) == 37 and mac[0] == 1
        assert key.compute_mac(data) == mac
        key.verify_mac(mac, data)
        refused(400, key.verify_mac, mac, data + b"x")
        for index in (0, 4, 5, 36):
            refused(400, key.verify_mac, flipped(mac, index), data)
    new = key.rotate()
    new.verify_mac(mac, MESSAGES[-1])
    assert new.compute_mac(MESSAGES[-1]) != mac


@pytest.mark.parametrize("key_type", ALL_TYPES)
def test_a_key_does_only_what_its_type_does(keystore, key_type):
    key = keystore.create(key_type)
    calls = {
        "sign": lambda: key.sign(b"m"), "verify": lambda: key.verify(b"s" * 64, b"m"),
        "encrypt": lambda: key.encrypt(b"m"), "decrypt": lambda: key.decrypt(b"c" * 16, b"n" * 12),
        "mac": lambda: key.compute_mac(b"m"), "verify_mac": lambda: key.verify_mac(b"m" * 37, b"m"),
        "export": key.export,
    }
    own = {"sign", "verify", "export"} if key_type in SIGNING else (
        {"encrypt", "decrypt"} if key_type in SYMMETRIC else {"mac", "verify_mac"})
    for name, call in calls.items():
        if name not in own:
            refused(400, call)


@pytest.mark.parametrize("key_type", SIGNING + SYMMETRIC + MAC)
def test_rotation_demands_the_same_type(keystore, key_type):
    key = keystore.create(key_type)
    other = "ED25519" if key_type != "ED25519" else "AES256GCM"
    refused(400, key.rotate, other)
    assert [entry["id"] for entry in keystore.keys()] == [key.id]
    assert len(key.metadata()["versions"]) == 1


def jwk_of(key):
    """The key's JWK as RFC 7517, 7518, 8037 and 8812 write it, from what `export` answers."""
    exported = key.export()[0]
    if key.type in AGREEMENT:
        members = json.loads(exported)
        if members["type"] == "OKP":
            return OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": base64url(decode(members["x"]))})
        curve = members["curve"].replace("NIST_P", "P-")
        size = {"P-256": 32, "P-384": 48, "P-521": 66}[curve]
        x, y = (base64url(decode(members[name]).rjust(size, b"\0")) for name in "xy")
        return ECKey.import_key({"kty": "EC", "crv": curve, "x": x, "y": y})
    public = crypto.load_public(key.type, exported)
    if key.type == "ED25519":
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": base64url(exported)})
    numbers, size = public.public_numbers(), crypto.curve_of(key.type)[3]
    name = crypto.curve_of(key.type)[2].replace("SECP256K1", "secp256k1")
    x, y = (base64url(number.to_bytes(size, "big")) for number in (numbers.x, numbers.y))
    return ECKey.import_key({"kty": "EC", "crv": name, "x": x, "y": y})


@pytest.mark.parametrize("key_type", SIGNING + AGREEMENT)
def test_describe_tells_the_thumbprint_of_the_jwk(keystore, key_type):
    key = keystore.create(key_type)
    described = key.metadata()["jwk_thumbprint"]
    assert described == jwk_of(key).thumbprint()
    assert (described == key.id) == (key_type != "ECDSASecp256k1IEEEP1363")
    rotated = key.rotate()
    assert rotated.metadata()["jwk_thumbprint"] == jwk_of(rotated).thumbprint() != described
    assert [entry["jwk_thumbprint"] for entry in keystore.keys()] == [rotated.metadata()["jwk_thumbprint"]]


@pytest.mark.parametrize("key_type", SYMMETRIC + MAC + ("BLS12381G2",))
def test_keys_without_a_registered_jwk_have_no_thumbprint(keystore, key_type):
    assert "jwk_thumbprint" not in keystore.create(key_type).metadata()


def openssl(*arguments, data):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True, timeout=30).stdout


@pytest.mark.parametrize("form", ["compressed", "hybrid", "uncompressed"])
@pytest.mark.parametrize("key_type", [name for name in IMPORTABLE if name != "ED25519"])
def test_keys_with_every_form_of_public_point_are_imported(keystore, key_type, form):
    private = crypto.make_private(key_type)
    sec1 = openssl("ec", "-inform", "DER", "-outform", "DER", "-conv_form", form, data=crypto.pkcs8(private))
    pkcs8 = openssl("pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER", data=sec1)
    key = keystore.import_key(pkcs8, key_type)
    assert key.export()[0] == crypto.public_bytes(key_type, private)
    # The point of another key in the same form is a mismatch.
    other = openssl("ec", "-inform", "DER", "-outform", "DER", "-conv_form", form,
                    data=crypto.pkcs8(crypto.make_private(key_type)))
    half = {"P256": 32, "P384": 48, "P521": 66}[key_type[5:9]]
    mixed = openssl("pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER", data=sec1)[:-half] + other[-half:]
    assert "does not belong" in refused(400, keystore.import_key, mixed, key_type).message


def test_forms_of_keys_that_are_not_accepted_are_named(keystore):
    plain = crypto.pkcs8(crypto.make_private("ECDSAP256DER"))
    for key, named in (
            (openssl("pkey", "-inform", "DER", data=plain), "it is PEM"),
            (openssl("ec", "-inform", "DER", "-outform", "DER", data=plain), "SEC 1"),
            (openssl("pkcs8", "-topk8", "-inform", "DER", "-outform", "DER", "-passout", "pass:x", data=plain), "encrypted"),
            (openssl("ec", "-inform", "DER", "-outform", "DER", "-param_enc", "explicit", data=plain), "SEC 1"),
            (plain + b"\0", "bytes follow its end"), (b"\x30\x80" + plain[3:], "indefinite length")):
        assert named in refused(400, keystore.import_key, key, "ECDSAP256DER").message
    assert keystore.keys() == []
