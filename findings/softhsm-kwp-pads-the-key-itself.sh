#!/usr/bin/env bash
# SoftHSM 2.6.1: a secret of 12, 20 or 33 bytes that travels by CKM_AES_KEY_WRAP_PAD arrives longer than it left.
#
# Expected: RFC 5649 exists so that any length survives; the padding is the wrapping's and comes off again.
#
# Seen 2026-11-29, libsofthsm2 2.6.1-2.1 (Debian 12): the value is filled with zeros to a multiple of eight before it
# is wrapped, so the blob tells the longer length: 12 -> 16, 20 -> 24, 33 -> 40 bytes. Another implementation gets the
# longer key, too.
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

kek = session.generateKey(
    [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 32), (CKA_WRAP, True), (CKA_UNWRAP, True)])
readable = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_GENERIC_SECRET), (CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True)]
pad = Mechanism(CKM_AES_KEY_WRAP_PAD)
seen = {}
for length in (12, 16, 20, 32, 33):
    value = bytes(range(1, length + 1))
    key = session.createObject(readable + [(CKA_VALUE, value)])
    back = session.unwrapKey(kek, bytes(session.wrapKey(kek, key, pad)), readable, pad)
    arrived = bytes(session.getAttributeValue(back, [CKA_VALUE])[0])
    assert arrived == value + bytes(len(arrived) - length)
    seen[length] = len(arrived)
print("bytes in: bytes out", seen)
assert seen == {12: 16, 16: 16, 20: 24, 32: 32, 33: 40}, seen
PYTHON
