#!/usr/bin/env bash
# tink 1.16.1: the templates ECDSA_P384 and ECDSA_P384_IEEE_P1363 sign with SHA-512, so ES384 verifiers refuse their signatures.
#
# Expected: ECDSA with P-384 and SHA-384, as in ES384 of RFC 7518 and in certificates; ECDSA_P256 and ECDSA_P521 have the
# hashes of ES256 and ES512.
#
# Seen 2026-11-30, tink 1.16.1, cryptography 50.0.2 (PyPI): the keyset says SHA512 in its parameters, and the signature, without
# Tink's prefix, verifies with SHA-512 and not with SHA-384. The templates for ES384 are ECDSA_P384_SHA384 and
# ECDSA_P384_SHA384_IEEE_P1363. Aries made its ECDSAP384DER keys by the first of them until kms-go stopped doing so; an
# importer of keysets must read the hash, not infer it from the curve.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tink==1.16.1 cryptography==50.0.2
venv/bin/python -W ignore - <<'PYTHON'
import tink
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from tink import secret_key_access, signature
from tink.proto import common_pb2, ecdsa_pb2, tink_pb2

signature.register()
CURVES = {"P256": ec.SECP256R1(), "P384": ec.SECP384R1(), "P521": ec.SECP521R1()}
STANDARD = {"P256": hashes.SHA256(), "P384": hashes.SHA384(), "P521": hashes.SHA512()}


def verifies(key, algorithm, sealed):
    try:
        key.verify(sealed, b"message", ec.ECDSA(algorithm))
        return True
    except InvalidSignature:
        return False


seen = {}
for name in ("ECDSA_P256", "ECDSA_P384", "ECDSA_P384_IEEE_P1363", "ECDSA_P384_SHA384", "ECDSA_P384_SHA384_IEEE_P1363", "ECDSA_P521"):
    handle = tink.new_keyset_handle(getattr(signature.signature_key_templates, name))
    keyset = tink_pb2.Keyset.FromString(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
    public = ecdsa_pb2.EcdsaPrivateKey.FromString(keyset.key[0].key_data.value).public_key
    curve = name.split("_")[1]
    x, y = (int.from_bytes(number, "big") for number in (public.x, public.y))
    key = ec.EllipticCurvePublicNumbers(x, y, CURVES[curve]).public_key()
    text = handle.primitive(signature.PublicKeySign).sign(b"message")
    assert text[:5] == b"\1" + keyset.key[0].key_id.to_bytes(4, "big")
    sealed = text[5:]
    if name.endswith("P1363"):
        r, s = (int.from_bytes(half, "big") for half in (sealed[:48], sealed[48:]))
        sealed = utils.encode_dss_signature(r, s)
    seen[name] = verifies(key, STANDARD[curve], sealed)
    print(f"{name}: {common_pb2.HashType.Name(public.params.hash_type)}, by the curve's JWS algorithm: {seen[name]}")
    assert seen[name] or verifies(key, hashes.SHA512(), sealed)
assert [name for name in seen if not seen[name]] == ["ECDSA_P384", "ECDSA_P384_IEEE_P1363"]
PYTHON
