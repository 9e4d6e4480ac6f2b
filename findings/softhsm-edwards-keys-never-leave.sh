#!/usr/bin/env bash
# SoftHSM 2.6.1: an Ed25519 private key that may be extracted cannot be wrapped by anything.
#
# Expected: CKA_EXTRACTABLE true and a wrapping key, as for EC and RSA keys of the same token.
#
# Seen 2026-11-29, libsofthsm2 2.6.1-2.1 (Debian 12): C_WrapKey answers CKR_KEY_NOT_WRAPPABLE for Ed25519, with the
# mechanism that wraps a P-256 key beside it. Such a key can be moved neither by key wrap nor by RSA.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'libsofthsm2=2.6.1-2.1' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyKCS11==1.5.20
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$dir" >softhsm2.conf
export SOFTHSM2_CONF=$dir/softhsm2.conf
venv/bin/python - <<'PYTHON'
from PyKCS11 import *

lib = PyKCS11Lib()
lib.load("root/usr/lib/softhsm/libsofthsm2.so")
slot = lib.getSlotList(tokenPresent=False)[0]
lib.initToken(slot, "1234", "trial")
slot = lib.getSlotList(tokenPresent=True)[0]
session = lib.openSession(slot, CKF_RW_SESSION | CKF_SERIAL_SESSION)
session.login("1234", CKU_SO)
session.initPin("1234")
session.logout()
session.login("1234")


def refused(call):
    """The name of the error that the call raises, or None."""
    try:
        call()
    except PyKCS11Error as error:
        return str(error).split()[0]


kek = session.generateKey([(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 32), (CKA_WRAP, True)])


def wrapped(kind, oid, mechanism):
    _, private = session.generateKeyPair(
        [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, kind), (CKA_EC_PARAMS, bytes.fromhex(oid))],
        [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, kind), (CKA_SIGN, True), (CKA_SENSITIVE, True), (CKA_EXTRACTABLE, True)],
        mecha=Mechanism(mechanism))
    return {name: refused(lambda: session.wrapKey(kek, private, Mechanism(mechanism))) or "wraps"
            for name, mechanism in (("key wrap", CKM_AES_KEY_WRAP), ("with padding", CKM_AES_KEY_WRAP_PAD))}


ec = wrapped(CKK_EC, "06082a8648ce3d030107", CKM_EC_KEY_PAIR_GEN)
edwards = wrapped(CKK_EC_EDWARDS, "06032b6570", CKM_EC_EDWARDS_KEY_PAIR_GEN)
print("P-256", ec, "Ed25519", edwards)
assert ec["with padding"] == "wraps"
assert set(edwards.values()) == {"CKR_KEY_NOT_WRAPPABLE"}
PYTHON
