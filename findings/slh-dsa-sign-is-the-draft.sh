#!/usr/bin/env bash
# slh-dsa 0.2.5: KeyPair.sign() and verify() are SLH-DSA of the 2023 draft; FIPS 205 is sign_pure() and verify_pure().
#
# Expected: in a library named after FIPS 205 the plain method makes what FIPS 205 calls a (pure) signature.
#
# Seen 2026-11-30, slh-dsa 0.2.5 and pqcrypto 1.0.0: pqcrypto refuses the signature of sign() and takes that of sign_pure();
# slh-dsa's verify() refuses what pqcrypto signs. Lengths and keys are the same, so nothing tells the two apart but trying.
# The reason is the two bytes 00 00 (no prehash, empty context) that the final standard puts before every message.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check SLH-DSA==0.2.5 pqcrypto==1.0.0
venv/bin/python - <<'PYTHON'
import slhdsa
from pqcrypto.sign import slh_dsa_sha2_128f as other


def takes(public, signature, message=b"message"):
    try:
        other.verify(public, message, signature)
        return True
    except Exception as error:
        assert type(error).__name__ == "InvalidSignatureError", error
        return False


pair = slhdsa.KeyPair.gen(slhdsa.sha2_128f)
plain, pure = pair.sign(b"message"), pair.sign_pure(b"message")
assert len(plain) == len(pure) == other.SIGNATURE_SIZE
print("pqcrypto takes sign():", takes(pair.pub.digest(), plain), "sign_pure():", takes(pair.pub.digest(), pure))
assert not takes(pair.pub.digest(), plain) and takes(pair.pub.digest(), pure)
# The draft's signature of a message is the final standard's of the message without two zero bytes before it.
draft = pair.sign(b"\0\0message")
assert takes(pair.pub.digest(), draft)
public, secret = sorted(other.keygen(), key=len)
signature = other.sign(secret, b"message")
key = slhdsa.PublicKey.from_digest(public, slhdsa.sha2_128f)
print("verify() of pqcrypto's:", key.verify(b"message", signature), "verify_pure():", key.verify_pure(b"message", signature))
assert not key.verify(b"message", signature) and key.verify_pure(b"message", signature)
PYTHON
