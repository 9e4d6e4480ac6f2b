#!/usr/bin/env bash
# NSS softokn 3.87.1: CKA_CHECK_VALUE is whatever the template said, and absent if it said nothing.
#
# Expected: the token computes it (the first three bytes of a block of zeros under the key) and refuses a wrong one.
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12): 010203 is kept for a key whose check value is dc95c0; a
# generated key shows none. Comparing check values proves nothing there, and two that are absent are equal.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'libnss3=2:3.87.1-1+deb12u4' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyKCS11==1.5.20
mkdir db
venv/bin/python - <<'PYTHON'
import ctypes, os
from PyKCS11 import *


class Arguments(ctypes.Structure):  # CK_C_INITIALIZE_ARGS; NSS wants a string in its reserved member
    _fields_ = [(name, ctypes.c_void_p) for name in "abcd"] + [("flags", ctypes.c_ulong), ("reserved", ctypes.c_char_p)]


path = os.path.abspath("root/usr/lib/x86_64-linux-gnu/libsoftokn3.so")
functions = ctypes.POINTER(ctypes.c_void_p)()
ctypes.CDLL(path).C_GetFunctionList(ctypes.byref(functions))
where = f"configdir='sql:{os.path.abspath('db')}' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
initialize = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)(functions[1])
assert initialize(ctypes.addressof(Arguments(flags=2, reserved=where.encode()))) == 0
lib = PyKCS11Lib()
lib.load(path)  # is told that it is initialised already, and goes on
session = lib.openSession(lib.getSlotList(tokenPresent=True)[1], CKF_RW_SESSION | CKF_SERIAL_SESSION)
session.login("", CKU_SO)
session.initPin("1234")
session.logout()
session.login("1234")


def refused(call):
    """The name of the error that the call raises, or None."""
    try:
        call()
    except PyKCS11Error as error:
        return str(error).split()[0]


AES = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 32), (CKA_ENCRYPT, True), (CKA_WRAP, True), (CKA_UNWRAP, True)]

key = session.createObject([
    (CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(32)), (CKA_ENCRYPT, True), (CKA_CHECK_VALUE, b"\x01\x02\x03")])
kept = bytes(session.getAttributeValue(key, [CKA_CHECK_VALUE])[0])
right = bytes(session.encrypt(key, bytes(16), Mechanism(CKM_AES_ECB)))[:3]
generated = session.getAttributeValue(session.generateKey(AES), [CKA_CHECK_VALUE])[0]
print("claimed and kept:", kept.hex(), "right:", right.hex(), "of a generated key:", generated)
assert kept == b"\x01\x02\x03" != right and generated is None
PYTHON
