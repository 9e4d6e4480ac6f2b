"""What the decryption API gives to prove things later: attestations of its keys, and receipts of its answers."""
import hashlib
import json
import os

import pytest

from decryption_client import KMS, OWN, Ask, Wallet
from test_decryption import Own, U8_04, length_fields, vector, world  # noqa: F401
from test_decryption_generations import NodeAsk
from wire import blob, fields, keccak

ASKED = (("x-receipt-request", "1"),)


def attested(w, key, nonce):
    return fields(w.node.call(OWN, "AttestKey", blob(1, key.encode()) + blob(2, nonce)))[1]


def audit_key(w):
    path = w.installation.home / "audit-public.pem"
    path.write_text(w.installation.run("audit", "key").stdout)
    return path


def test_a_tfhe_key_is_attested_like_every_other_key(world):
    w = world()
    nonce = os.urandom(32)
    file = w.installation.home / "attestation.json"
    file.write_bytes(attested(w, "big", nonce))
    statement = json.loads(file.read_bytes())["statement"]
    shown = w.installation.run_json("decryption", "key", "show", "big")[0]
    assert (statement["keystore"], statement["key"], statement["protection"], statement["provenance"]) == (
        "decryption", "big", "sealed", "imported")
    assert statement["key_type"] == ("tfhe-client-key message=4 carry=4 order=big length=2048 fingerprint="
                                     + shown["fingerprint"])
    assert [lock["kind"] for lock in statement["evidence"]["locks"]] == [shown["lock"]]
    pem = audit_key(w)
    report = w.installation.run("attest", "verify", "--nonce", nonce.hex(), "--audit-key", pem, file)
    assert report.returncode == 0
    for more in (("--nonce", os.urandom(32).hex()), ("--nonce", nonce.hex(), "--require", "born-here"),
                 ("--nonce", nonce.hex(), "--require", "resident")):
        assert w.installation.run("attest", "verify", *more, "--audit-key", pem, file, check=False).returncode == 2, more
    file.write_bytes(file.read_bytes().replace(b"order=big", b"order=low"))
    assert w.installation.run("attest", "verify", "--nonce", nonce.hex(), "--audit-key", pem, file,
                              check=False).returncode == 2
    for key, length, code in (("nobody", 32, "NOT_FOUND"), ("../big", 32, "INVALID_ARGUMENT"), ("big", 15, "INVALID_ARGUMENT"),
                              ("big", 65, "INVALID_ARGUMENT"), ("big", 0, "INVALID_ARGUMENT")):
        request = blob(1, key.encode()) + blob(2, bytes(length))
        assert w.node.refused(OWN, "AttestKey", request)[0] == code, (key, length)
    # A key that is not in service is not vouched for.
    w.daemon.terminate()
    w.installation.run("decryption", "key", "disable", "big")
    w.start()
    assert w.node.refused(OWN, "AttestKey", blob(1, b"big") + blob(2, nonce))[0] == "FAILED_PRECONDITION"
    w.daemon.terminate()
    records = [json.loads(line).get("event", {}) for line in w.installation.run("audit", "export").stdout.splitlines()]
    made = [r for r in records if r.get("operation") == "attestation" and r.get("outcome") == "allowed"]
    assert [r["subject"] for r in made] == ["big"] and made[0]["details"]["fingerprint"] == shown["fingerprint"]


def receipt(w, service, method, request, metadata=ASKED):
    answer, call = w.node.channel.unary_unary(f"/{service}/{method}").with_call(request, timeout=30, metadata=metadata)
    return answer, dict(call.initial_metadata()).get("x-receipt")


def verified(w, text, pem):
    file = w.installation.home / "receipt.json"
    file.write_text(text)
    assert w.installation.run("receipt", "verify", "--key", pem, file).returncode == 0
    return json.loads(text)


@pytest.mark.parametrize("generation", ["GA", "GB", "GN", "own"])
def test_an_answer_comes_with_a_receipt_where_one_is_asked_for(world, generation):
    w = world("GA" if generation == "own" else generation)
    wallet = Wallet()
    name, early = (U8_04, 1) if generation == "GA" else ("t061_small/FheUint32_3735928559.bin", 4)
    ciphertext = vector(name)
    opened = w.mark(ciphertext)
    given = w.mark(ciphertext, wallet.address)

    def ask(purpose):
        height, proof = opened if purpose == "Decrypt" else given
        authorization = b"" if purpose == "Decrypt" else wallet.authorization()
        if generation == "own":
            own = Own(ciphertext, early, height, proof, "small", 2, None if purpose == "Decrypt" else wallet, authorization)
            return OWN, own.method, own
        if generation == "GN":
            content = b"" if purpose == "Decrypt" else bytes(wallet.box.public_key)
            return KMS, purpose, NodeAsk(ciphertext, early, height, proof, content, authorization)
        return KMS, purpose, Ask(generation, wallet, ciphertext, early, height, proof, purpose, "small", authorization)

    pem = audit_key(w)
    shown = w.installation.run_json("decryption", "key", "show", "small")[0]
    policies = set()
    for purpose in ("Decrypt", "Reencrypt"):
        service, method, question = ask(purpose)
        answer, text = receipt(w, service, method, question.bytes)
        found = verified(w, text, pem)
        assert found["subject"] == f"tfhe:small:{shown['fingerprint']}"
        assert f"chain:{w.chain.chain_id}" in found["restrictions"]
        assert f"contract:0x{w.chain.contract.hex()}" in found["restrictions"]
        whom = "decrypt" if purpose == "Decrypt" else f"reencrypt:0x{wallet.address.hex()}"
        assert f"permission:{whom}" in found["restrictions"] and f"height:{question.height}" in found["restrictions"]
        policies.add(found["policy"])
        if purpose == "Reencrypt" and generation != "own":
            # What lies in the box stays in it: the receipt is of the box.
            box = fields(answer)[{"GA": 4, "GB": 6, "GN": 1}[generation]]
            assert found["message"] == hashlib.sha256(box).hexdigest()
        _, nothing = receipt(w, service, method, ask(purpose)[2].bytes, ())
        assert nothing is None
        assert receipt(w, service, method, ask(purpose)[2].bytes, (("x-receipt-request", "0"),))[1] is None
    assert len(policies) == 1
    # The chain has the record that the receipt names.
    w.daemon.terminate()
    checked = w.installation.run("receipt", "verify", "--key", pem, "--chain", w.installation.home / "audit.db",
                                 w.installation.home / "receipt.json")
    assert checked.returncode == 0


def test_the_hash_in_a_receipt_of_the_own_service_is_of_what_was_signed(world):
    w = world()
    ciphertext = vector("t061_big/FheUint8_42_safe.bin")
    height, proof = w.mark(ciphertext)
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    answer, text = receipt(w, OWN, "PublicDecrypt", ask.bytes)
    assert ask.check(answer, w, "big") == 42
    found, verdict = fields(answer), fields(fields(answer)[4])
    body = length_fields("kmsd/decryption/answer/v1", "public-decrypt", ask.digest, "big", keccak(ciphertext), 2, found[3], b"",
                         w.chain.chain_id, height, verdict[3], verdict[4])
    assert json.loads(text)["message"] == hashlib.sha256(length_fields("kmsd/result/v1", body)).hexdigest()
    # A repeated answer has a receipt of its own record.
    again, second = receipt(w, OWN, "PublicDecrypt", ask.bytes)
    assert again == answer and json.loads(second)["index"] > json.loads(text)["index"]
