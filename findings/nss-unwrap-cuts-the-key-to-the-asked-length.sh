#!/usr/bin/env bash
# NSS softokn 3.87.1: unwrapping a 32-byte AES key with CKA_VALUE_LEN 16 stores the first 16 bytes; with 64 it ignores
# the wish.
#
# Expected: CKR_TEMPLATE_INCONSISTENT in both cases (SoftHSM 2.6.1 refuses the attribute).
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12): CKR_OK; a stale length in a template of a migration makes
# another, shorter key.
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

AES = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 32), (CKA_ENCRYPT, True), (CKA_WRAP, True), (CKA_UNWRAP, True)]

kek, value = session.generateKey(AES), bytes(range(32))
readable = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True)]
wrap = Mechanism(CKM_AES_KEY_WRAP)
blob = bytes(session.wrapKey(kek, session.createObject(readable + [(CKA_VALUE, value)]), wrap))
for asked, expected in ((16, value[:16]), (32, value), (64, value)):
    key = session.unwrapKey(kek, blob, readable + [(CKA_VALUE_LEN, asked)], wrap)
    arrived = bytes(session.getAttributeValue(key, [CKA_VALUE])[0])
    print("asked", asked, "arrived", len(arrived), "bytes")
    assert arrived == expected
PYTHON
