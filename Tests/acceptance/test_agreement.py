"""Wrapping content keys and NaCl boxes, against an implementation of its own."""
import base64
import json
import os
import struct

import pytest
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe
from joserfc.jwk import ECKey, OKPKey
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_aead_xchacha20poly1305_ietf_encrypt, crypto_box, crypto_box_open,
    crypto_sign_ed25519_pk_to_curve25519)
from nacl.public import PrivateKey, PublicKey, SealedBox

from webkms_client import base64url, okp_thumbprint

CURVES = {"NISTP256ECDHKW": (ec.SECP256R1, "P-256", 32), "NISTP384ECDHKW": (ec.SECP384R1, "P-384", 48),
          "NISTP521ECDHKW": (ec.SECP521R1, "P-521", 66)}


def b64(data):
    return base64.b64encode(data).decode()


def concat_kdf(secret, algorithm, apu, apv, bits, tag=None):
    def field(data):
        return struct.pack(">I", len(data)) + data

    info = field(algorithm.encode()) + field(apu) + field(apv) + struct.pack(">I", bits)
    if tag is not None:
        info += field(tag)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(struct.pack(">I", 1) + secret + info)
    return digest.finalize()[:bits // 8]


class Party:
    """A holder of a key agreement key outside the daemon."""

    def __init__(self, key_type):
        self.key_type = key_type
        if key_type == "X25519ECDHKW":
            self.key = x25519.X25519PrivateKey.generate()
            raw = self.key.public_key().public_bytes_raw()
            self.public = {"kid": "outside", "x": b64(raw), "curve": "X25519", "type": "OKP"}
        else:
            curve, name, size = CURVES[key_type]
            self.key = ec.generate_private_key(curve())
            numbers = self.key.public_key().public_numbers()
            self.public = {"kid": "outside", "x": b64(numbers.x.to_bytes(size, "big")),
                           "y": b64(numbers.y.to_bytes(size, "big")), "curve": name, "type": "EC"}

    def agree(self, public):
        x = base64.b64decode(public["x"])
        if self.key_type == "X25519ECDHKW":
            return self.key.exchange(x25519.X25519PublicKey.from_public_bytes(x))
        curve, _, size = CURVES[self.key_type]
        y = base64.b64decode(public["y"])
        point = b"\x04" + x.rjust(size, b"\0") + y.rjust(size, b"\0")
        return self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve(), point))


def exported(key):
    return json.loads(key.export()[0])


TYPES = [*CURVES, "X25519ECDHKW"]


@pytest.mark.parametrize("key_type", TYPES)
def test_anonymous_wrap_opens_for_a_recipient_outside(kms, keystore, key_type):
    party, cek = Party(key_type), os.urandom(32)
    answer = kms.call("POST", f"{keystore.url}/wrap", {
        "cek": b64(cek), "apu": b64(b"sender"), "apv": b64(b"recipient"), "recipient_pub_key": party.public})
    assert answer["alg"] == "ECDH-ES+A256KW"
    assert answer["kid"] == "outside"
    kek = concat_kdf(party.agree(answer["epk"]), answer["alg"], b"sender", b"recipient", 256)
    assert keywrap.aes_key_unwrap(kek, base64.b64decode(answer["encryptedcek"])) == cek


@pytest.mark.parametrize("key_type", TYPES)
def test_wrap_and_unwrap_between_two_keys(kms, keystore, key_type):
    recipient, cek = keystore.create(key_type), os.urandom(32)
    wrapped = kms.call("POST", f"{keystore.url}/wrap", {
        "cek": b64(cek), "apu": b64(b"sender"), "apv": b64(b"recipient"),
        "recipient_pub_key": exported(recipient)})
    assert base64.b64decode(recipient.post("unwrap", {"wrapped_key": wrapped})["key"]) == cek
    wrapped["encryptedcek"] = b64(bytes(40))
    assert kms.raw("POST", f"{recipient.url}/unwrap", {"wrapped_key": wrapped}).status_code == 400


@pytest.mark.parametrize("key_type", TYPES)
@pytest.mark.parametrize("length", [32, 48, 64])
def test_authenticated_wrap(kms, keystore, key_type, length):
    sender, recipient, cek, tag = keystore.create(key_type), keystore.create(key_type), os.urandom(length), b"tag"
    wrapped = sender.post("wrap", {
        "cek": b64(cek), "apu": b64(b"a"), "apv": b64(b"b"), "recipient_pub_key": exported(recipient),
        "tag": b64(tag)})
    assert wrapped["alg"] == {32: "ECDH-1PU+A128KW", 48: "ECDH-1PU+A192KW", 64: "ECDH-1PU+A256KW"}[length]
    body = {"wrapped_key": wrapped, "sender_pub_key": exported(sender), "tag": b64(tag)}
    assert base64.b64decode(recipient.post("unwrap", body)["key"]) == cek
    for change in ({"tag": b64(b"gat")}, {"sender_pub_key": exported(recipient)}, {"sender_pub_key": None}):
        assert kms.raw("POST", f"{recipient.url}/unwrap", {**body, **change}).status_code == 400


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("kind", ["ECDH-ES", "ECDH-1PU"])
@pytest.mark.parametrize("key_type", TYPES)
def test_every_aes_key_wrap_from_outside_unwraps(kms, keystore, key_type, kind, bits):
    recipient, ephemeral, sender = keystore.create(key_type), Party(key_type), Party(key_type)
    check_unwrap(kms, recipient, ephemeral, sender, f"{kind}+A{bits}KW", bits)


def check_unwrap(client, recipient, ephemeral, sender, algorithm, bits):
    """A content key that a known or unknown sender outside wrapped opens, and under no other name of the algorithm."""
    public, cek, known = exported(recipient), os.urandom(32), algorithm.startswith("ECDH-1PU")
    secret = ephemeral.agree(public) + (sender.agree(public) if known else b"")
    kek = concat_kdf(secret, algorithm, b"a", b"b", bits, tag=b"tag" if known else None)
    wrapped = {"kid": recipient.id, "alg": algorithm, "apu": b64(b"a"), "apv": b64(b"b"),
               "epk": {name: ephemeral.public[name] for name in ephemeral.public if name != "kid"},
               "encryptedcek": b64(keywrap.aes_key_wrap(kek, cek))}
    body = {"wrapped_key": wrapped, **({"sender_pub_key": sender.public, "tag": b64(b"tag")} if known else {})}
    assert base64.b64decode(recipient.post("unwrap", body)["key"]) == cek
    others = {f"{algorithm.split('+')[0]}+A{size}KW" for size in (128, 192, 256)} - {algorithm}
    for other in others | {"ECDH-ES+A64KW", "A128KW", "ECDH-ES", ""}:
        answer = client.raw("POST", f"{recipient.url}/unwrap", {**body, "wrapped_key": {**wrapped, "alg": other}})
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("algorithm", ["ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"])
@pytest.mark.parametrize("key_type", TYPES)
def test_the_key_of_a_strangers_jwe_unwraps(keystore, key_type, algorithm):
    """joserfc packs; the content key it chose opens what it encrypted."""
    recipient = keystore.create(key_type)
    public = exported(recipient)
    size = {"NISTP256ECDHKW": 32, "NISTP384ECDHKW": 48, "NISTP521ECDHKW": 66}.get(key_type)
    if size:
        x, y = (base64url(base64.b64decode(public[name]).rjust(size, b"\0")) for name in "xy")
        jwk = ECKey.import_key({"kty": "EC", "crv": CURVES[key_type][1], "x": x, "y": y})
    else:
        jwk = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": base64url(base64.b64decode(public["x"]))})
    token = jwe.encrypt_compact({"alg": algorithm, "enc": "A256GCM"}, b"for you", jwk, algorithms=[algorithm, "A256GCM"])
    head, key, nonce, ciphertext, tag = token.split(".")
    epk = json.loads(unpadded(head))["epk"]
    numbers = {name: b64(unpadded(epk[name])) for name in "xy" if name in epk}
    wrapped = {"alg": algorithm, "encryptedcek": b64(unpadded(key)), "apu": "", "apv": "",
               "epk": {**numbers, "curve": epk["crv"], "type": epk["kty"]}}
    cek = base64.b64decode(recipient.post("unwrap", {"wrapped_key": wrapped})["key"])
    assert AESGCM(cek).decrypt(unpadded(nonce), unpadded(ciphertext) + unpadded(tag), head.encode()) == b"for you"


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("key_type", TYPES)
def test_an_xc20pkw_wrap_from_outside_unwraps(kms, keystore, key_type):
    recipient, cek = keystore.create(key_type), os.urandom(32)
    ephemeral = Party(key_type)
    kek = concat_kdf(ephemeral.agree(exported(recipient)), "ECDH-ES+XC20PKW", b"a", b"b", 256)
    nonce = os.urandom(24)
    wrapped = {"kid": recipient.id, "alg": "ECDH-ES+XC20PKW", "apu": b64(b"a"), "apv": b64(b"b"),
               "epk": {name: ephemeral.public[name] for name in ephemeral.public if name != "kid"},
               "encryptedcek": b64(nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(cek, b"", nonce, kek))}
    assert base64.b64decode(recipient.post("unwrap", {"wrapped_key": wrapped})["key"]) == cek
    for change in ({"apv": b64(b"c")}, {"encryptedcek": b64(nonce)}, {"alg": "ECDH-ES+A256KW"}):
        answer = kms.raw("POST", f"{recipient.url}/unwrap", {"wrapped_key": {**wrapped, **change}})
        assert answer.status_code == 400


@pytest.mark.parametrize("key_type", TYPES)
def test_the_extension_wraps_with_xc20pkw(kms, keystore, key_type):
    party, cek = Party(key_type), os.urandom(17)
    answer = kms.call("POST", f"{keystore.url}/wrap", {
        "cek": b64(cek), "apu": b64(b"a"), "apv": b64(b"b"), "recipient_pub_key": party.public, "use_xc20pkw": True})
    assert answer["alg"] == "ECDH-ES+XC20PKW"
    kek = concat_kdf(party.agree(answer["epk"]), answer["alg"], b"a", b"b", 256)
    sealed = base64.b64decode(answer["encryptedcek"])
    assert crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[24:], b"", sealed[:24], kek) == cek
    sender = keystore.create(key_type)
    wrapped = sender.post("wrap", {"cek": b64(cek), "recipient_pub_key": exported(sender), "use_xc20pkw": True})
    assert wrapped["alg"] == "ECDH-1PU+XC20PKW"
    opened = sender.post("unwrap", {"wrapped_key": wrapped, "sender_pub_key": exported(sender)})
    assert base64.b64decode(opened["key"]) == cek


def private_of(party):
    if party.key_type == "X25519ECDHKW":
        return party.key.private_bytes_raw()
    value = party.key.private_numbers().private_value
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


@pytest.mark.parametrize("key_type", TYPES)
def test_the_extension_takes_the_ephemeral_key(kms, keystore, key_type):
    """One ephemeral key for all recipients of a message, as its protected header says."""
    ephemeral, cek = Party(key_type), os.urandom(32)
    sender, recipients = keystore.create(key_type), [keystore.create(key_type) for _ in range(2)]
    private = {"pubKey": ephemeral.public, "d": b64(private_of(ephemeral))}
    for recipient in recipients:
        for url in (keystore.url, sender.url):
            wrapped = kms.call("POST", f"{url}/wrap", {
                "cek": b64(cek), "recipient_pub_key": exported(recipient), "epk_private": private})
            sent = base64.b64decode(ephemeral.public["x"])
            assert base64.b64decode(wrapped["epk"]["x"]).rjust(len(sent), b"\0") == sent
            body = {"wrapped_key": wrapped, "sender_pub_key": exported(sender)}
            assert base64.b64decode(recipient.post("unwrap", body)["key"]) == cek


@pytest.mark.parametrize("change", [
    {"epk_private": {}}, {"epk_private": []}, {"epk_private": {"d": b64(bytes(31) + b"\1")}}, {"use_xc20pkw": 1},
    {"use_xc20pkw": "true"}, "zero", "other half", "other curve", "no secret", "too long"])
def test_a_bad_extension_is_a_bad_request(kms, keystore, change):
    party = Party("NISTP256ECDHKW")
    private = {"pubKey": party.public, "d": b64(private_of(party))}
    if isinstance(change, str):
        other = Party("NISTP384ECDHKW")
        change = {"epk_private": {
            "zero": {**private, "d": b64(bytes(32))}, "other half": {**private, "d": b64(bytes(31) + b"\2")},
            "other curve": {"pubKey": other.public, "d": b64(private_of(other))},
            "no secret": {"pubKey": party.public}, "too long": {**private, "d": b64(bytes(33))}}[change]}
    body = {"cek": b64(bytes(32)), "recipient_pub_key": Party("NISTP256ECDHKW").public, **change}
    answer = kms.raw("POST", f"{keystore.url}/wrap", body)
    assert answer.status_code == 400
    if "epk_private" in change:
        assert answer.json()["message"]


def test_an_ephemeral_key_off_its_curve_is_refused(kms, keystore):
    recipient = keystore.create("NISTP256ECDHKW")
    wrapped = kms.call("POST", f"{keystore.url}/wrap", {
        "cek": b64(bytes(32)), "recipient_pub_key": exported(recipient)})
    off = {**exported(recipient), "y": b64(bytes(31) + b"\x01")}
    sent = kms.call("POST", f"{recipient.url}/wrap", {"cek": b64(bytes(32)), "recipient_pub_key": exported(recipient)})
    for url, body in ((f"{recipient.url}/unwrap", {"wrapped_key": {**wrapped, "epk": off}}),
                      (f"{recipient.url}/unwrap", {"wrapped_key": sent, "sender_pub_key": off}),
                      (f"{keystore.url}/wrap", {"cek": b64(bytes(32)), "recipient_pub_key": off}),
                      (f"{recipient.url}/wrap", {"cek": b64(bytes(32)), "recipient_pub_key": off})):
        answer = kms.raw("POST", url, body)
        assert answer.status_code == 400
        # The caller is told what is wrong, not which function of a library found it.
        assert answer.json()["message"].endswith(": The public key is not a point of its curve.")


@pytest.mark.parametrize("change", [
    {"cek": b64(bytes(15))}, {"cek": "!"}, {"recipient_pub_key": None}, {"recipient_pub_key": "x"},
    {"recipient_pub_key": {"x": b64(bytes(32)), "curve": "P-999", "type": "EC"}},
    {"recipient_pub_key": {"x": b64(bytes(32)), "curve": "X25519", "type": "OKP"}}])
def test_a_bad_wrap_is_a_bad_request(kms, keystore, change):
    body = {"cek": b64(bytes(32)), "recipient_pub_key": Party("X25519ECDHKW").public, **change}
    assert kms.raw("POST", f"{keystore.url}/wrap", body).status_code == 400


def own_box_key(keystore):
    key = keystore.create("ED25519")
    return key, key.export()[0]


@pytest.mark.parametrize("through", ["wrap", "easy"])
def test_a_box_opens_outside(keystore, through):
    key, public = own_box_key(keystore)
    peer, nonce = PrivateKey.generate(), os.urandom(24)
    box = base64.b64decode(key.post(through, {
        "payload": b64(b"test payload"), "nonce": b64(nonce), "their_pub": b64(bytes(peer.public_key))}
    )["ciphertext"])
    theirs = crypto_sign_ed25519_pk_to_curve25519(public)
    assert crypto_box_open(box, nonce, theirs, bytes(peer)) == b"test payload"


@pytest.mark.parametrize("through", ["keys/{}/unwrap", "easyopen"])
def test_a_box_from_outside_opens(kms, keystore, through):
    key, public = own_box_key(keystore)
    peer, nonce = PrivateKey.generate(), os.urandom(24)
    box = crypto_box(b"test payload", nonce, crypto_sign_ed25519_pk_to_curve25519(public), bytes(peer))
    body = {"ciphertext": b64(box), "nonce": b64(nonce), "their_pub": b64(bytes(peer.public_key)), "my_pub": b64(public)}
    path = f"{keystore.url}/{through.format(okp_thumbprint(public))}"
    assert base64.b64decode(kms.call("POST", path, body)["plaintext"]) == b"test payload"
    assert kms.raw("POST", path, {**body, "ciphertext": b64(bytes(len(box)))}).status_code == 400
    assert kms.raw("POST", path, {**body, "nonce": b64(bytes(23))}).status_code == 400


@pytest.mark.parametrize("through", ["keys/{}/unwrap", "sealopen"])
def test_a_sealed_box_opens(kms, keystore, through):
    key, public = own_box_key(keystore)
    sealed = SealedBox(PublicKey(crypto_sign_ed25519_pk_to_curve25519(public))).encrypt(b"test payload")
    body = {"ciphertext": b64(sealed), "my_pub": b64(public)}
    path = f"{keystore.url}/{through.format(okp_thumbprint(public))}"
    assert base64.b64decode(kms.call("POST", path, body)["plaintext"]) == b"test payload"
    sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert kms.raw("POST", path, {**body, "ciphertext": b64(sealed)}).status_code == 400


@pytest.mark.parametrize("extra", [
    {}, {"nonce": None, "their_pub": None}, {"nonce": "", "their_pub": ""}, {"nonce": b64(bytes(24)), "their_pub": None},
    {"nonce": b64(bytes(24)), "their_pub": b64(b"\x09" + bytes(31)), "wrapped_key": {"epk": {}}}])
def test_unwrap_tries_a_sealed_box_after_a_box(kms, keystore, extra):
    """With nonce and sender or without; what is neither kind of box is refused for the first reason."""
    key, public = own_box_key(keystore)
    sealed = SealedBox(PublicKey(crypto_sign_ed25519_pk_to_curve25519(public))).encrypt(b"test payload")
    body = {"ciphertext": b64(sealed), "my_pub": b64(public), **extra}
    assert base64.b64decode(key.post("unwrap", body)["plaintext"]) == b"test payload"
    assert kms.raw("POST", f"{key.url}/unwrap", {**body, "ciphertext": b64(bytes(80))}).status_code == 400
    assert kms.raw("POST", f"{key.url}/unwrap", {**body, "my_pub": None}).status_code == 400
    # The routes of one operation each do not guess.
    assert kms.raw("POST", f"{keystore.url}/easyopen", body).status_code == 400


def test_a_box_of_nothing(keystore):
    key, public = own_box_key(keystore)
    peer, nonce = PrivateKey.generate(), os.urandom(24)
    body = {"payload": None, "nonce": b64(nonce), "their_pub": b64(bytes(peer.public_key))}
    for through in ("wrap", "easy"):
        box = base64.b64decode(key.post(through, body)["ciphertext"])
        assert crypto_box_open(box, nonce, crypto_sign_ed25519_pk_to_curve25519(public), bytes(peer)) == b""


def test_a_box_key_of_another_keystore_is_not_found(kms, keystore):
    _, public = own_box_key(keystore)
    sealed = SealedBox(PublicKey(crypto_sign_ed25519_pk_to_curve25519(public))).encrypt(b"test payload")
    elsewhere = kms.create_keystore()
    assert kms.raw("POST", f"{elsewhere.url}/sealopen",
                   {"ciphertext": b64(sealed), "my_pub": b64(public)}).status_code == 404
