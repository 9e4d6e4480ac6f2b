#!/usr/bin/env bash
# SoftHSM 2.6.1: a key that was unwrapped has CKA_VALUE_LEN 0 and an empty CKA_CHECK_VALUE, and works.
#
# Expected: both are the key's, as for one that was generated or created there.
#
# Seen 2026-11-29, libsofthsm2 2.6.1-2.1 (Debian 12), PyKCS11 1.5.20: length 0, check value of no bytes; to name
# either in the template is refused (ATTRIBUTE_READ_ONLY, ATTRIBUTE_VALUE_INVALID) although the check value is the
# right one. So nobody can compare check values of a migrated key with its source, and whoever asks for the length
# takes it for a key of no bits.
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


kek = session.generateKey(
    [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 32), (CKA_WRAP, True), (CKA_UNWRAP, True)])
wrap = Mechanism(CKM_AES_KEY_WRAP)
template = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_ENCRYPT, True)]
source = session.createObject(template + [(CKA_VALUE, bytes(range(32))), (CKA_EXTRACTABLE, True)])
blob = bytes(session.wrapKey(kek, source, wrap))
key = session.unwrapKey(kek, blob, template, wrap)
gcm = AES_GCM_Mechanism(bytes(12), b"", 128)
assert bytes(session.encrypt(source, b"same", gcm)) == bytes(session.encrypt(key, b"same", gcm))
length, check = session.getAttributeValue(source, [CKA_VALUE_LEN, CKA_CHECK_VALUE])
after = session.getAttributeValue(key, [CKA_VALUE_LEN, CKA_CHECK_VALUE])
with_check = refused(lambda: session.unwrapKey(kek, blob, template + [(CKA_CHECK_VALUE, bytes(check))], wrap))
with_length = refused(lambda: session.unwrapKey(kek, blob, template + [(CKA_VALUE_LEN, 32)], wrap))
print("created:", length, bytes(check).hex(), "unwrapped:", after, with_check, with_length)
assert length == 32 and len(check) == 3
assert after == [0, ()], after
assert (with_check, with_length) == ("CKR_ATTRIBUTE_VALUE_INVALID", "CKR_ATTRIBUTE_READ_ONLY")
PYTHON
