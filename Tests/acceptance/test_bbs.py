"""BBS+ signatures and proofs, against an implementation of its own."""
import os

import bbs
import pytest
import ursa_bbs_signatures as ursa
from webkms_client import KMSError, base64url, thumbprint

MESSAGES = [b"message1", b"message2", b"", bytes(range(256))]


def refused(status, call, *arguments):
    with pytest.raises(KMSError) as refusal:
        call(*arguments)
    assert refusal.value.status == status, refusal.value
    return refusal.value.message


@pytest.fixture
def key(keystore):
    return keystore.create("BLS12381G2")


def test_the_id_is_the_thumbprint_of_the_public_key(key):
    assert key.export() == (key.public_key, "BLS12381G2") and len(key.public_key) == 96
    assert key.id == thumbprint({"crv": "Bls12381g2", "kty": "OKP", "x": base64url(key.public_key)})


def test_signatures_and_proofs_go_round_and_verify_elsewhere(key):
    issuer = bbs.Issuer(key.public_key)
    signature = key.sign_multi(MESSAGES)
    key.verify_multi(signature, MESSAGES)
    assert issuer.verifies(signature, MESSAGES)
    proof = key.derive_proof(signature, MESSAGES, [0, 2], b"nonce")
    key.verify_proof(proof, [MESSAGES[0], MESSAGES[2]], b"nonce")
    assert issuer.accepts(proof, [MESSAGES[0], MESSAGES[2]], b"nonce")
    assert not issuer.accepts(proof, [MESSAGES[0], MESSAGES[2]], b"ecnon")


def test_a_proof_made_elsewhere_is_accepted(key):
    proof = bbs.Issuer(key.public_key).prove(key.sign_multi(MESSAGES), MESSAGES, [1, 3], b"nonce")
    key.verify_proof(proof, [MESSAGES[1], MESSAGES[3]], b"nonce")
    refused(400, key.verify_proof, proof, [MESSAGES[3], MESSAGES[1]], b"nonce")


def test_two_signatures_and_two_proofs_of_the_same_differ(key):
    signature = key.sign_multi(MESSAGES)
    assert signature != key.sign_multi(MESSAGES)
    assert key.derive_proof(signature, MESSAGES, [0], b"n") != key.derive_proof(signature, MESSAGES, [0], b"n")


def test_wrong_signatures_and_proofs_are_refused(keystore, key):
    signature = key.sign_multi(MESSAGES)
    proof = key.derive_proof(signature, MESSAGES, [0], b"n")
    for wrong in (MESSAGES[::-1], MESSAGES[:-1], MESSAGES + [b""]):
        refused(400, key.verify_multi, signature, wrong)
        refused(400, key.derive_proof, signature, wrong, [0], b"n")
    for wrong in (b"", signature[:-1], signature + b"x", bytes(112), b"\xc0" + bytes(111)):
        refused(400, key.verify_multi, wrong, MESSAGES)
        refused(400, key.derive_proof, wrong, MESSAGES, [0], b"n")
    for wrong in (b"", b"\0\4", proof[:-1], proof + b"x", b"\xff\xff" + proof[2:], bytes(len(proof))):
        refused(400, key.verify_proof, wrong, MESSAGES[:1], b"n")
    refused(400, key.verify_proof, proof, [], b"n")
    refused(400, key.verify_proof, proof, MESSAGES[:2], b"n")
    other = keystore.create("BLS12381G2")
    refused(400, other.verify_multi, signature, MESSAGES)
    refused(400, other.verify_proof, proof, MESSAGES[:1], b"n")


@pytest.mark.parametrize("indexes", [[], [4], [-1], [0, 0], [2 ** 31], [2 ** 70], [0.5], ["0"], None, "0", {}])
def test_indexes_that_name_no_message_are_refused(key, indexes):
    signature = key.sign_multi(MESSAGES)
    message = refused(400, key.derive_proof, signature, MESSAGES, indexes, b"n")
    assert "revealed_indexes" in message


def stranger(key, messages):
    """What ursa-bbs-signatures, whose messages are texts, says of signatures and proofs over this many messages."""
    pair = ursa.BlsKeyPair(key.public_key)
    return pair, pair.get_bbs_key(len(messages))


def holds(key, signature, messages):
    texts = [message.decode() for message in messages]
    return ursa.verify(ursa.VerifyRequest(stranger(key, messages)[0], signature, texts))


def test_the_message_that_was_hashed_wrongly_verifies_elsewhere(key):
    messages = [b"msg 2"]
    signature = key.sign_multi(messages)
    assert bbs.Issuer(key.public_key).verifies(signature, messages) and holds(key, signature, messages)


def test_300_messages_are_hashed_as_others_hash_them(key):
    """Their scalars are in one signature, which the implementation of these tests and ursa accept, and in one each."""
    messages = [os.urandom(12).hex().encode() for _ in range(180)] + [f"msg {i}".encode() for i in range(120)]
    signature = key.sign_multi(messages)
    assert bbs.Issuer(key.public_key).verifies(signature, messages)
    assert holds(key, signature, messages)
    wrong = [message for message in messages if not holds(key, key.sign_multi([message]), [message])]
    assert wrong == []


def test_300_nonces_and_challenges_are_hashed_as_others_hash_them(key):
    messages = [b"msg 2", b"hidden", b"msg 36"]
    texts = [message.decode() for message in messages]
    signature = key.sign_multi(messages)
    public = stranger(key, messages)[1]
    shown = [ursa.ProofMessage(text, kind) for text, kind in zip(texts, (
        ursa.ProofMessageType.Revealed, ursa.ProofMessageType.HiddenProofSpecificBlinding,
        ursa.ProofMessageType.Revealed))]
    refusals = []
    for nonce in [os.urandom(1 + i % 40) for i in range(180)] + [f"msg {i}".encode() for i in range(120)]:
        proof = key.derive_proof(signature, messages, [0, 2], nonce)
        if not ursa.verify_proof(ursa.VerifyProofRequest(public, proof, [texts[0], texts[2]], nonce)):
            refusals.append(("ours", nonce.hex()))
        made = ursa.create_proof(ursa.CreateProofRequest(public, shown, signature, nonce))
        try:
            key.verify_proof(made, [messages[0], messages[2]], nonce)
        except KMSError:
            refusals.append(("theirs", nonce.hex()))
    assert refusals == []
    assert bbs.Issuer(key.public_key).accepts(proof, [messages[0], messages[2]], nonce)


def test_a_proof_needs_the_verifiers_nonce(key):
    signature = key.sign_multi(MESSAGES)
    assert "'nonce' is missing or empty" in refused(400, key.derive_proof, signature, MESSAGES, [0], b"")
    body = {"signature": base64url(signature), "messages": ["bQ=="], "revealed_indexes": [0]}
    for more in ({}, {"nonce": None}):
        assert key.keystore.client.raw("POST", f"{key.url}/deriveproof", {**body, **more}).status_code == 400


def test_the_number_of_messages_is_bounded(key):
    refused(400, key.sign_multi, [])
    refused(400, key.sign_multi, [b""] * 1001)
    signature = key.sign_multi([b"m"] * 100)
    key.verify_multi(signature, [b"m"] * 100)


def test_null_among_the_messages_is_an_empty_one(key):
    signature = key.post("signmulti", {"messages": [None, "bQ=="]})["signature"]
    assert key.post("verifymulti", {"messages": ["", "bQ=="], "signature": signature}) is None
    refused(400, key.post, "verifymulti", {"messages": ["bQ==", None], "signature": signature})
    refused(400, key.post, "signmulti", {"messages": [None, 5]})


def test_older_versions_verify_and_prove_after_a_rotation(key):
    signature = key.sign_multi(MESSAGES)
    rotated = key.rotate()
    rotated.verify_multi(signature, MESSAGES)
    rotated.verify_proof(rotated.derive_proof(signature, MESSAGES, [1], b"n"), [MESSAGES[1]], b"n")
    assert bbs.Issuer(rotated.export()[0]).verifies(rotated.sign_multi([b"m"]), [b"m"])
    refused(404, key.sign_multi, MESSAGES)


def test_versions_are_bounded_since_each_is_tried(key):
    for _ in range(15):
        key = key.rotate()
    assert "16 versions" in refused(429, key.rotate)


def test_keys_of_this_type_are_neither_imported_nor_resident(keystore, resident):
    refused(501, resident.create, "BLS12381G2")
    refused(400, keystore.import_key, bytes(32), "BLS12381G2")


def test_other_keys_do_not_sign_lists_nor_this_key_single_messages(keystore, key):
    refused(400, keystore.create("ED25519").sign_multi, MESSAGES)
    refused(400, key.sign, b"m")
    refused(400, key.verify, b"", b"m")


@pytest.mark.parametrize("method, verb", [("POST", "blind"), ("GET", "correctnessproof"), ("POST", "signwithsecrets")])
def test_cl_signatures_are_told_to_be_absent(keystore, kms, method, verb):
    key = keystore.create("ED25519")
    with pytest.raises(KMSError) as refusal:
        kms.call(method, f"{key.url}/{verb}", {} if method == "POST" else None)
    assert refusal.value.status == 501


@pytest.mark.parametrize("key_type", ["CLCredDef", "CLMasterSecret"])
def test_keys_for_cl_signatures_are_told_to_be_absent(keystore, key_type):
    refused(501, keystore.create, key_type)
    assert keystore.keys() == []
