#!/usr/bin/env bash
# authlib 1.9.6: the JWK of one P-256 key in 128 lacks a leading zero byte, and has another thumbprint than elsewhere.
#
# Expected: x, y and d of a P-256 key have 32 bytes each (RFC 7518, 6.2.1.2 and 6.2.2.1 say "the full size"), and the
# thumbprint of RFC 7638 is the same whoever computes it.
#
# Seen 2026-11-30, authlib 1.9.6, jwcrypto 1.6.1 and joserfc 1.8.0 (PyPI): 31 bytes for a number below 2^248. jwcrypto
# and joserfc read such a JWK without a word and compute the thumbprint from its text, so they, too, give the key
# another name than they give it when they read its PEM. Keys found by thumbprint or kid are not found.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check authlib==1.9.6 jwcrypto==1.6.1 joserfc==1.8.0 cryptography==50.0.2
venv/bin/python - <<'PYTHON'
import base64, warnings

warnings.showwarning = lambda *_, **__: None  # that authlib.jose is to become joserfc
from authlib.jose import ECKey as AuthlibKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import ECKey
from jwcrypto.jwk import JWK


def width(text):
    return len(base64.urlsafe_b64decode(text + "=="))


def public_pem(scalar):
    key = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


short = []
for scalar in range(1, 1001):
    pem = public_pem(scalar)
    jwk = AuthlibKey.import_key(pem).as_dict()
    widths = width(jwk["x"]), width(jwk["y"])
    standard = JWK.from_pem(pem)
    assert {width(standard.export_public(as_dict=True)[name]) for name in "xy"} == {32}
    assert ECKey.import_key(pem).thumbprint() == standard.thumbprint()
    names = {AuthlibKey.import_key(pem).thumbprint(), standard.thumbprint()}
    assert (len(names) == 1) == (widths == (32, 32))
    if widths != (32, 32):
        short.append(scalar)
        bare = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
        assert JWK(**bare).thumbprint() == ECKey.import_key(bare).thumbprint() != standard.thumbprint()
assert 3 <= len(short) <= 20, short
print(len(short), "of 1000 public keys are short, the first with the scalar", short[0])
one = ec.derive_private_key(1000, ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
scalar = AuthlibKey.import_key(one).as_dict(is_private=True)["d"]
print("d of the scalar 1000:", width(scalar), "bytes")
assert width(scalar) == 2 and width(JWK.from_pem(one).export(as_dict=True)["d"]) == 32
PYTHON
