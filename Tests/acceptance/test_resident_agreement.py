"""Key agreement inside the token, on SoftHSM and on a TPM, against an implementation of its own."""
import base64
import os

import pytest
from cryptography.hazmat.primitives import keywrap
from daemon import Installation
from softtoken import SoftToken
from softtpm import SoftTPM
from test_agreement import CURVES, Party, b64, check_unwrap, concat_kdf, exported
from webkms_client import KMSError


@pytest.fixture(scope="module", params=[SoftToken, SoftTPM], ids=["softhsm", "tpm"])
def on_token(request, tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("agreement") / "home", token=request.param).init()
    yield installation.start().client()
    installation.end()
    if request.param is SoftTPM:
        installation.token.end()


@pytest.fixture
def stored(on_token):
    return on_token.create_keystore(protection="resident")


@pytest.mark.parametrize("key_type", CURVES)
def test_wraps_from_outside_unwrap_in_the_token(on_token, stored, key_type):
    recipient, cek, ephemeral = stored.create(key_type), os.urandom(32), Party(key_type)
    metadata = recipient.metadata()
    assert metadata["protection"] == "resident" and metadata["provenance"] == "born-in-token"
    kek = concat_kdf(ephemeral.agree(exported(recipient)), "ECDH-ES+A256KW", b"a", b"b", 256)
    wrapped = {"kid": recipient.id, "alg": "ECDH-ES+A256KW", "apu": b64(b"a"), "apv": b64(b"b"),
               "epk": {name: ephemeral.public[name] for name in ephemeral.public if name != "kid"},
               "encryptedcek": b64(keywrap.aes_key_wrap(kek, cek))}
    assert base64.b64decode(recipient.post("unwrap", {"wrapped_key": wrapped})["key"]) == cek
    # A rotated key still opens what was wrapped for its older version.
    rotated = recipient.rotate()
    assert exported(rotated)["x"] != ephemeral.public["x"]
    assert base64.b64decode(rotated.post("unwrap", {"wrapped_key": wrapped})["key"]) == cek
    other = stored.create(key_type)
    y = bytearray(base64.b64decode(wrapped["epk"]["y"]))
    y[-1] ^= 1
    for change in ({"apv": b64(b"c")}, {"encryptedcek": b64(bytes(40))}, {"epk": {**wrapped["epk"], "y": b64(y)}},
                   {"epk": Party("X25519ECDHKW").public}):
        answer = on_token.raw("POST", f"{other.url}/unwrap", {"wrapped_key": {**wrapped, **change}})
        assert answer.status_code == 400, answer.text
    assert on_token.raw("POST", f"{other.url}/unwrap", {"wrapped_key": wrapped}).status_code == 400


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("kind", ["ECDH-ES", "ECDH-1PU"])
@pytest.mark.parametrize("key_type", CURVES)
def test_every_aes_key_wrap_from_outside_unwraps_in_the_token(on_token, stored, key_type, kind, bits):
    recipient = stored.create(key_type)
    check_unwrap(on_token, recipient, Party(key_type), Party(key_type), f"{kind}+A{bits}KW", bits)


@pytest.mark.parametrize("key_type", CURVES)
def test_a_resident_sender_is_known_to_the_recipient(on_token, stored, key_type):
    sender, cek, tag = stored.create(key_type), os.urandom(64), b"tag"
    outside = Party(key_type)
    wrapped = sender.post("wrap", {
        "cek": b64(cek), "apu": b64(b"a"), "apv": b64(b"b"), "recipient_pub_key": outside.public, "tag": b64(tag)})
    assert wrapped["alg"] == "ECDH-1PU+A256KW"
    secret = outside.agree(wrapped["epk"]) + outside.agree(exported(sender))
    kek = concat_kdf(secret, wrapped["alg"], b"a", b"b", 256, tag=tag)
    assert keywrap.aes_key_unwrap(kek, base64.b64decode(wrapped["encryptedcek"])) == cek
    # Between two keys of the token, and between the token and this process's memory.
    sealed = on_token.create_keystore().create(key_type)
    for recipient in (stored.create(key_type), sealed):
        wrapped = sender.post("wrap", {"cek": b64(cek), "recipient_pub_key": exported(recipient), "tag": b64(tag)})
        body = {"wrapped_key": wrapped, "sender_pub_key": exported(sender), "tag": b64(tag)}
        assert base64.b64decode(recipient.post("unwrap", body)["key"]) == cek
        for change in ({"tag": b64(b"gat")}, {"sender_pub_key": exported(recipient)}, {"sender_pub_key": None}):
            assert on_token.raw("POST", f"{recipient.url}/unwrap", {**body, **change}).status_code == 400
    wrong = Party("NISTP384ECDHKW" if key_type != "NISTP384ECDHKW" else "NISTP256ECDHKW").public
    assert on_token.raw("POST", f"{sender.url}/wrap", {
        "cek": b64(cek), "recipient_pub_key": wrong}).status_code == 400


def test_what_the_token_cannot_is_told(on_token, stored):
    with pytest.raises(KMSError) as refusal:
        stored.create("X25519ECDHKW")
    assert refusal.value.status == 501 and stored.keys() == []
    key = stored.create("NISTP256ECDHKW")
    signed = on_token.raw("POST", f"{key.url}/sign", {"message": b64(b"m")})
    assert 400 <= signed.status_code < 500, signed.text
