"""A decrypted value is a secret until the protocol says otherwise: in memory, in the audit chain, in the log and in files."""
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from coincurve import PublicKey

from daemon import eventually
from decryption_client import KMS, OWN, ORDER, Ask, Wallet
from test_decryption import Own, U8_04, vector, world  # noqa: F401
from test_secrecy import assert_absent, copies, files
from wire import der_octets, der_sequence, der_type, der_vector, sha3

# 0xDEADBEEF, little-endian, as the signed forms have it: one INTEGER for each byte.
VALUE = bytes.fromhex("020200ef020200be020200ad020200de")


@pytest.mark.parametrize("generation", ["GB", "own"])
def test_a_value_that_was_reencrypted_is_nowhere_in_the_daemons_memory(world, generation):
    w = world("GB")
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            copies(w.daemon.pid, VALUE)
        return
    ciphertext, wallet = vector("t061_small/FheUint32_3735928559.bin"), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)

    def ask(_):
        if generation == "own":
            question = Own(ciphertext, 4, height, proof, "small", 2, wallet, wallet.authorization())
            return question.check(w.node.call(OWN, "UserDecrypt", question.bytes), w, "small")
        question = Ask("GB", wallet, ciphertext, 4, height, proof, "Reencrypt", "small", wallet.authorization())
        return question.check_reencryption(w.node.call(KMS, "Reencrypt", question.bytes), w.server)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(24))) == {3735928559}
    # An answer arrives a moment before its sender has wiped what it was made of.
    eventually(lambda: copies(w.daemon.pid, VALUE) == [], 60, "the end of every copy", pause=0.2)
    # The search finds what is there: the chain's name lies in many places.
    assert copies(w.daemon.pid, w.chain.chain_id.encode())


def test_nobody_who_reads_the_audit_chain_learns_a_value_by_trying_all_of_them(world):
    w = world()
    ciphertext, wallet = vector(U8_04), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Ask("GA", wallet, ciphertext, 1, height, proof, "Reencrypt", authorization=wallet.authorization())
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 42
    w.daemon.terminate()
    told = [json.loads(line).get("event", {}) for line in w.installation.run("audit", "export").stdout.splitlines()]
    records = [event for event in told if event.get("operation") == "reencrypt"]
    assert len(records) == 1 and records[0]["outcome"] == "allowed"
    details = records[0]["details"]
    assert details["request-digest"] == ask.digest.hex() and len(details["signcryption-digest"]) == 64
    tail = sha3(der_octets(wallet.verification_key)) + sha3(der_octets(bytes(wallet.box.public_key)))
    signatures = [bytes.fromhex(text) for text in details.values() if len(text) == 128]
    for value in range(256):
        body = der_sequence(der_sequence(der_vector(bytes([value])), der_type(1)), der_vector(ask.digest)) + tail
        assert not any(signs(w.server, body, signature) for signature in signatures), value


def signs(key, data, signature):
    r, s = (int.from_bytes(signature[at:at + 32], "big") for at in (0, 32))
    assert 0 < r < ORDER and 0 < s < ORDER
    integers = b"".join(bytes([2, len(n)]) + n for n in (n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s)))
    return PublicKey(key).verify(bytes([0x30, len(integers)]) + integers, data)


def test_neither_log_nor_files_nor_refusals_hold_a_value_or_a_ciphertext(world):
    w = world("GB", KMS_LOG_LEVEL="debug")
    ciphertext, wallet = vector("t061_small/FheUint32_3735928559.bin"), Wallet()
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Ask("GB", wallet, ciphertext, 4, height, proof, "Reencrypt", "small", wallet.authorization())
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 3735928559
    words = [w.node.refused(KMS, "Decrypt", Ask("GB", wallet, ciphertext[:-n], 4, height, proof, key="small").bytes)[1]
             for n in (1, 60, 5000)]
    secrets = {"value": VALUE, "ciphertext": ciphertext[100:132], "end of the ciphertext": ciphertext[-200:-168]}
    eventually(lambda: "decryption API listens" in w.daemon.log(), 10, "the log")
    assert_absent(secrets, w.daemon.log().encode() + "\n".join(words).encode(), "the log or a refusal")
    for path in files(w.installation.home):
        assert_absent(secrets, path.read_bytes(), path.name)
