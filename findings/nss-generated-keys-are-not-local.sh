#!/usr/bin/env bash
# NSS softokn 3.87.1: CKA_LOCAL is false for keys that the token itself generated.
#
# Expected: true (PKCS #11 2.40); it is what tools show to tell keys born in a token from imported ones.
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12): false for an AES key and for both halves of a P-256 pair,
# while ALWAYS_SENSITIVE and NEVER_EXTRACTABLE of the same AES key are true.
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

secret = session.generateKey(AES + [(CKA_TOKEN, True), (CKA_SENSITIVE, True), (CKA_EXTRACTABLE, False), (CKA_ID, b"\x03")])
pair = session.generateKeyPair(
    [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107")), (CKA_TOKEN, True)],
    [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_SIGN, True), (CKA_TOKEN, True), (CKA_SENSITIVE, True)],
    mecha=Mechanism(CKM_EC_KEY_PAIR_GEN))
local = [session.getAttributeValue(key, [CKA_LOCAL])[0] for key in (secret, *pair)]
history = session.getAttributeValue(secret, [CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE])
print("local:", local, "always sensitive, never extractable:", history)
assert not any(local) and all(history)
PYTHON
