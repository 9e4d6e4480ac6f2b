#!/usr/bin/env bash
# NSS softokn 3.87.1: CKA_ALLOWED_MECHANISMS, CKA_COPYABLE or CKA_DESTROYABLE in a template: fine for a session key,
# CKR_GENERAL_ERROR for a token key.
#
# Expected: one answer for both, and one that names the attribute (CKR_ATTRIBUTE_TYPE_INVALID,
# CKR_TEMPLATE_INCONSISTENT).
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12): as said, so a trial with a session key promises a token key
# that cannot be made.
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

extras = {
    "none": [], "ALLOWED_MECHANISMS": [(CKA_ALLOWED_MECHANISMS, CKM_AES_GCM.to_bytes(8, "little"))],
    "COPYABLE": [(CKA_COPYABLE, True)], "DESTROYABLE": [(CKA_DESTROYABLE, True)],
}
for name, extra in extras.items():
    answers = [refused(lambda: session.generateKey(AES + extra + [(CKA_TOKEN, token)])) for token in (False, True)]
    print(f"{name}: session key {answers[0]}, token key {answers[1]}")
    assert answers == [None, None if name == "none" else "CKR_GENERAL_ERROR"], answers
PYTHON
