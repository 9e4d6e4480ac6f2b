#!/usr/bin/env bash
# SoftHSM 2.6.1: CKA_VALUE of one P-256 private key in 256 has 31 bytes, not 32.
#
# Expected: a scalar has the width of its field, as in SEC 1, PKCS #8 and JWK, and as NSS softokn keeps it.
#
# Seen 2026-11-29, libsofthsm2 2.6.1-2.1 (Debian 12): leading zeros are left out; within 8,000 keys some are short.
# Code that copies the value into a fixed field without padding makes another key, for few users, later.
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
public = [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_EC_PARAMS, p256)]
private = [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True)]
for count in range(1, 8001):
    pair = session.generateKeyPair(public, private, mecha=Mechanism(CKM_EC_KEY_PAIR_GEN))
    value = session.getAttributeValue(pair[1], [CKA_VALUE])[0]
    for key in pair:
        session.destroyObject(key)
    if len(value) != 32:
        break
print("key", count, "has", len(value), "bytes")
assert len(value) < 32
PYTHON
