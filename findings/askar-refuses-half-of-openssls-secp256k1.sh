#!/usr/bin/env bash
# aries-askar 0.5.0 calls about half of the secp256k1 signatures of cryptography 50.0.2 (OpenSSL) wrong.
#
# Expected: ES256K of RFC 8812 has no rule for s, so any ECDSA signature verifies.
#
# Seen 2026-11-29, aries-askar 0.5.0, cryptography 50.0.2 (PyPI): exactly those with s above n/2 are refused, with no
# error but False. Who signs for such a verifier must take the smaller s.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aries-askar==0.5.0 cryptography==50.0.2
venv/bin/python - <<'PYTHON'
import base64, json
from aries_askar import Key
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
signer = ec.generate_private_key(ec.SECP256K1())
point = signer.public_key().public_numbers()
text = lambda number: base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
verifier = Key.from_jwk(json.dumps({"kty": "EC", "crv": "secp256k1", "x": text(point.x), "y": text(point.y)}))
low = accepted = 0
for _ in range(100):
    r, s = utils.decode_dss_signature(signer.sign(b"message", ec.ECDSA(hashes.SHA256())))
    good = verifier.verify_signature(b"message", r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    assert good == (s <= N // 2)
    low, accepted = low + (s <= N // 2), accepted + good
print("of 100:", low, "with a low s,", accepted, "accepted")
assert 20 < accepted < 80
PYTHON
