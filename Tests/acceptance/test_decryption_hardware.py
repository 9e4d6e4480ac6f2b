"""What the decryption API does with every token: results of the own service, its boxes, attestations and receipts."""
import json
import os

from daemon import Installation
from decryption_client import KMS, OWN, Ask, Wallet
from test_decryption import Own, vector, world  # noqa: F401
from test_decryption_evidence import attested, audit_key, receipt, verified


def test_the_tokens_own_curve_signs_public_and_boxed_results(world):
    w = world()
    # Here no TPM has secp256k1, and SoftHSM does.
    assert w.algorithm == ("ES256" if "ECDSASecp256k1IEEEP1363" in Installation.default_token.ABSENT_TYPES else "ES256K")
    ciphertext, wallet = vector("t061_big/FheUint8_42_safe.bin"), Wallet()
    height, proof = w.mark(ciphertext)
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    assert ask.check(w.node.call(OWN, "PublicDecrypt", ask.bytes), w, "big") == 42
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Own(ciphertext, 2, height, proof, "big", 3, wallet, wallet.authorization())
    assert ask.check(w.node.call(OWN, "UserDecrypt", ask.bytes), w, "big") == 42
    # Generations that know secp256k1 only say so where the token has none.
    ask = Ask("GA", wallet, ciphertext, 1, height, proof)
    code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
    assert ("P-256" in words) == (w.algorithm == "ES256"), (code, words)


def test_tfhe_keys_are_attested_and_answers_receipted_by_every_token(world):
    w = world()
    pem, nonce = audit_key(w), os.urandom(20)
    file = w.installation.home / "attestation.json"
    file.write_bytes(attested(w, "big", nonce))
    assert w.installation.run("attest", "verify", "--nonce", nonce.hex(), "--audit-key", pem, file).returncode == 0
    ciphertext = vector("t061_big/FheUint8_42_safe.bin")
    height, proof = w.mark(ciphertext)
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    answer, text = receipt(w, OWN, "PublicDecrypt", ask.bytes)
    assert ask.check(answer, w, "big") == 42
    assert verified(w, text, pem)["subject"].startswith("tfhe:big:")
    assert json.loads(file.read_text())["statement"]["protection"] == "sealed"
