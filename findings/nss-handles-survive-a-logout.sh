#!/usr/bin/env bash
# NSS softokn 3.87.1: after C_Logout and C_Login the handle of a private token key is the old one and works without a
# search.
#
# Expected: "the handles of private token objects become invalid" at a logout (PKCS #11 2.40, C_Logout); SoftHSM 2.6.1
# does so.
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12) and libsofthsm2 2.6.1-2.1: NSS goes on with the old handle,
# SoftHSM answers CKR_OBJECT_HANDLE_INVALID. A test of recovery that passes on NSS says nothing about other tokens.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'libnss3=2:3.87.1-1+deb12u4' 'libsofthsm2=2.6.1-2.1' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyKCS11==1.5.20
mkdir db
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$dir" >softhsm2.conf
export SOFTHSM2_CONF=$dir/softhsm2.conf
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

other = PyKCS11Lib()
other.load("root/usr/lib/softhsm/libsofthsm2.so")
other.initToken(other.getSlotList(tokenPresent=False)[0], "1234", "trial")
soft = other.openSession(other.getSlotList(tokenPresent=True)[0], CKF_RW_SESSION | CKF_SERIAL_SESSION)
soft.login("1234", CKU_SO)
soft.initPin("1234")
soft.logout()
soft.login("1234")
answers = {}
for name, opened in (("NSS", session), ("SoftHSM", soft)):
    key = opened.generateKey(AES + [(CKA_TOKEN, True), (CKA_PRIVATE, True), (CKA_ID, b"\x05")])
    opened.logout()
    opened.login("1234")
    answers[name] = refused(lambda: opened.encrypt(key, bytes(16), Mechanism(CKM_AES_ECB))) or "works"
print("old handle:", answers)
assert answers == {"NSS": "works", "SoftHSM": "CKR_OBJECT_HANDLE_INVALID"}, answers
PYTHON
