#!/usr/bin/env bash
# SoftHSM 2.6.1: an EC public key given as the bare point is stored, and calls every good signature bad.
#
# Expected: CKA_EC_POINT is the DER of an octet string (PKCS #11 2.40, ECDSA public key objects); another form is
# refused when the key is created.
#
# Seen 2026-11-29, libsofthsm2 2.6.1-2.1 (Debian 12): C_CreateObject answers CKR_OK to 04 || x || y, C_Verify then
# answers CKR_SIGNATURE_INVALID to a signature that verifies with the same point inside an octet string.
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

p256 = bytes.fromhex("06082a8648ce3d030107")
public, private = session.generateKeyPair(
    [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_EC_PARAMS, p256), (CKA_VERIFY, True)],
    [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_SIGN, True)],
    mecha=Mechanism(CKM_EC_KEY_PAIR_GEN))
point = bytes(session.getAttributeValue(public, [CKA_EC_POINT])[0])
assert point[:3] == b"\x04\x41\x04"


def stored(form):
    return session.createObject([
        (CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_EC_PARAMS, p256), (CKA_EC_POINT, form), (CKA_VERIFY, True)])


ecdsa, digest = Mechanism(CKM_ECDSA), bytes(range(32))
signature = bytes(session.sign(private, digest, ecdsa))
octets, bare = (session.verify(stored(form), digest, signature, ecdsa) for form in (point, point[2:]))
print("octet string:", octets, "bare point:", bare)
assert octets and not bare
PYTHON
