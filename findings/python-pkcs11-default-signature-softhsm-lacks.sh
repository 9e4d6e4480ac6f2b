#!/usr/bin/env bash
# python-pkcs11 0.10.1: key.sign(data) without a mechanism asks for ECDSA_SHA512 (EC keys) and AES_MAC (AES keys); SoftHSM
# 2.6.1 has neither.
#
# Expected: the short form, which the library's documentation shows first, works on the token that most of its users test
# with; for RSA and Ed25519 keys it does.
#
# Seen 2026-11-30, python-pkcs11 0.10.1 and libsofthsm2 2.6.1-2.1 (Debian 12): MechanismInvalid. With mechanism=ECDSA the
# caller hashes himself, and SoftHSM signs.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'libsofthsm2=2.6.1-2.1' 'softhsm2=2.6.1-2.1' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-pkcs11==0.10.1
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$dir" >softhsm2.conf
export SOFTHSM2_CONF=$dir/softhsm2.conf
module=$dir/root/usr/lib/softhsm/libsofthsm2.so
root/usr/bin/softhsm2-util --module "$module" --init-token --free --label trial --so-pin 1234 --pin 1234 >init.log
MODULE=$module venv/bin/python - <<'PYTHON'
import os

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

token = pkcs11.lib(os.environ["MODULE"]).get_token(token_label="trial")


def answer(call):
    try:
        return f"{len(call())} bytes"
    except pkcs11.PKCS11Error as error:
        return type(error).__name__


with token.open(rw=True, user_pin="1234") as session:
    curve = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True)
    _, elliptic = curve.generate_keypair()
    _, rsa = session.generate_keypair(KeyType.RSA, 2048)
    aes = session.generate_key(KeyType.AES, 256)
    answers = {
        "EC": answer(lambda: elliptic.sign(b"message")),
        "AES": answer(lambda: aes.sign(b"message")),
        "RSA": answer(lambda: rsa.sign(b"message")),
        "EC, mechanism=ECDSA": answer(lambda: elliptic.sign(bytes(32), mechanism=Mechanism.ECDSA)),
    }
print(answers)
assert answers == {
    "EC": "MechanismInvalid", "AES": "MechanismInvalid", "RSA": "256 bytes", "EC, mechanism=ECDSA": "64 bytes"}, answers
PYTHON
