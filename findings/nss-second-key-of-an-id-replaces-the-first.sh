#!/usr/bin/env bash
# NSS softokn 3.87.1: generating a second token key with a CKA_ID that is taken removes the first, without a word.
#
# Expected: two objects (PKCS #11 asks no uniqueness of CKA_ID), or an error.
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12): CKR_OK, the same handle, the other label; what was
# encrypted with the first key no longer decrypts under that handle. A tool that uses one id for all versions of a key
# loses the old ones.
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

cbc = Mechanism(CKM_AES_CBC, bytes(16))
make = lambda label: session.generateKey(AES + [(CKA_TOKEN, True), (CKA_ID, b"\x01\x02"), (CKA_LABEL, label)])
first = make("first")
text = bytes(session.encrypt(first, bytes(16), cbc))
second = make("second")
there = [session.getAttributeValue(key, [CKA_LABEL])[0] for key in session.findObjects([(CKA_ID, b"\x01\x02")])]
same = bytes(session.encrypt(first, bytes(16), cbc)) == text
print("objects:", there, "same handle:", first.value() == second.value(), "same key behind it:", same)
assert there == ["second"] and first.value() == second.value() and not same
PYTHON
