#!/usr/bin/env bash
# SoftHSM 2.6.1: X25519 keys exist, but only under the names of Edwards keys.
#
# Expected: CKM_EC_MONTGOMERY_KEY_PAIR_GEN and CKK_EC_MONTGOMERY (PKCS #11 3.0), which the list of mechanisms lacks,
# so that a caller concludes that there is no X25519.
#
# Seen 2026-11-29, libsofthsm2 2.6.1-2.1 (Debian 12): CKM_EC_EDWARDS_KEY_PAIR_GEN with the OID of X25519 makes a key
# of type CKK_EC_EDWARDS, and CKM_ECDH1_DERIVE gives the secret that two of them share.
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


x25519 = bytes.fromhex("06032b656e")


def pair(kind, mechanism):
    return session.generateKeyPair(
        [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, kind), (CKA_EC_PARAMS, x25519)],
        [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, kind), (CKA_DERIVE, True)], mecha=Mechanism(mechanism))


def agreed(private, public):
    point = bytes(session.getAttributeValue(public, [CKA_EC_POINT])[0])
    key = session.deriveKey(private, [
        (CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_GENERIC_SECRET), (CKA_VALUE_LEN, 32), (CKA_SENSITIVE, False),
        (CKA_EXTRACTABLE, True)], ECDH1_DERIVE_Mechanism(point))
    return bytes(session.getAttributeValue(key, [CKA_VALUE])[0])


montgomery = refused(lambda: pair(0x41, 0x1056))
mine, yours = pair(CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN), pair(CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN)
equal = agreed(mine[1], yours[0]) == agreed(yours[1], mine[0])
print("by its own name:", montgomery, "- by the name of Edwards:", equal)
assert montgomery == "CKR_MECHANISM_INVALID" and equal
PYTHON
