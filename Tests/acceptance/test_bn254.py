"""The Python curve that judges co-signatures, judged itself by the split-key specification's vectors."""
import json
from pathlib import Path

import pytest

import bn254

VECTORS = json.loads((Path(__file__).parents[1] / "PairingTests/Vectors/bls-bn254.json").read_text())["vectors"]


def of(kind):
    return [pytest.param(v, id=v["id"]) for v in VECTORS if v["type"] == kind]


@pytest.mark.parametrize("v", of("keygen"))
def test_secret_keys_have_the_public_keys_of_the_vectors(v):
    assert bn254.public_key(bn254.secret_from_text(v["secret_key"])) == v["public_key"]
    if "client_id" in v:
        assert bn254.client_id(v["public_key"]) == v["client_id"]


@pytest.mark.parametrize("v", of("sign"))
def test_signatures_are_those_of_the_vectors(v):
    message = bytes.fromhex(v["message"])
    assert bn254.sign(bn254.secret_from_text(v["secret_key"]), message) == v["signature"]


@pytest.mark.parametrize("v", of("verify"))
def test_signatures_are_judged_as_the_vectors_say(v):
    assert bn254.verify(v["public_key"], bytes.fromhex(v["message"]), v["signature"]) is v["expected"]


@pytest.mark.parametrize("v", of("hash_to_g1"))
def test_messages_hash_to_the_points_of_the_vectors(v):
    point = bn254.hash_to_g1(bytes.fromhex(v["message"]))
    assert point == (int(v["x"], 16), int(v["y"], 16))
    assert bn254.hash_to_field(bytes.fromhex(v["message"])) == int(v["t"], 16)
    assert bn254.g1_to_text(point) == v["point"]
    assert bn254.g1_from_text(v["point"]) == point


@pytest.mark.parametrize("v", of("split"))
def test_shares_add_up_to_keys_and_signatures_of_the_vectors(v):
    shares = [bn254.secret_from_text(share) for share in v["shares"]]
    assert bn254.secret_to_text(sum(shares)) == v["master_secret_key"]
    assert [bn254.public_key(share) for share in shares] == v["share_public_keys"]
    assert bn254.add_public_keys(*v["share_public_keys"]) == v["master_public_key"]
    message = bytes.fromhex(v["message"])
    assert [bn254.sign(share, message) for share in shares] == v["partial_signatures"]
    assert bn254.add_signatures(*v["partial_signatures"]) == v["combined_signature"]
    assert bn254.verify(v["master_public_key"], message, v["combined_signature"])


@pytest.mark.parametrize("v", of("invalid_public_key"))
def test_refused_public_keys(v):
    with pytest.raises(bn254.InvalidEncoding):
        bn254.g2_from_text(v["hex"])


@pytest.mark.parametrize("v", of("invalid_signature"))
def test_refused_signatures(v):
    with pytest.raises(bn254.InvalidEncoding):
        bn254.g1_from_text(v["hex"])


@pytest.mark.parametrize("v", of("invalid_secret_key"))
def test_refused_secret_keys(v):
    with pytest.raises(bn254.InvalidEncoding):
        bn254.secret_from_text(v["hex"])


@pytest.mark.parametrize("v", of("mnemonic"))
def test_mnemonics_give_the_keys_of_the_vectors(v):
    secret = bn254.secret_of_mnemonic(v["mnemonic"], v["passphrase"])
    assert bn254.secret_to_text(secret) == v["secret_key"]
    assert bn254.public_key(secret) == v["public_key"]
    assert bn254.client_id(v["public_key"]) == v["client_id"]


@pytest.mark.parametrize("v", of("set_little_endian_masked"))
def test_masked_import(v):
    assert bn254.secret_to_text(bn254.masked_import(bytes.fromhex(v["input"]))) == v["secret_key"]


@pytest.mark.parametrize("v", of("transaction_hash"))
def test_transaction_hash(v):
    assert bn254.transaction_hash(v).hex() == v["hash"]


@pytest.mark.parametrize("v", of("zauth-sign"))
def test_co_signature(v):
    message = bytes.fromhex(v["message"])
    assert bn254.client_id(v["client_key"]) == v["client_id"]
    server = bn254.sign(bn254.secret_from_text(v["server_secret_key"]), message)
    assert server == v["server_partial_signature"]
    assert bn254.verify(v["peer_public_key"], message, v["peer_partial_signature"])
    assert bn254.add_signatures(v["peer_partial_signature"], server) == v["combined_signature"]
    assert bn254.verify(v["client_key"], message, v["combined_signature"])


def test_a_wrong_signature_key_or_message_does_not_verify():
    secret, other = bn254.random_secret(), bn254.random_secret()
    signature = bn254.sign(secret, b"m")
    assert bn254.verify(bn254.public_key(secret), b"m", signature)
    assert not bn254.verify(bn254.public_key(secret), b"n", signature)
    assert not bn254.verify(bn254.public_key(other), b"m", signature)
    assert not bn254.verify(bn254.public_key(secret), b"m", bn254.sign(other, b"m"))
    assert not bn254.verify(bn254.public_key(secret), b"m", "00" * 32)


def test_shares_add_up():
    secret = bn254.random_secret()
    for count in (2, 3, 5):
        shares = bn254.split(secret, count)
        assert len(shares) == count and sum(shares) % bn254.R == secret and all(shares)
