#!/usr/bin/env bash
# NSS softokn 3.87.1: CKM_ECDH1_DERIVE with CKA_VALUE_LEN 64 on P-256 gives 32 zeros and then the secret.
#
# Expected: refused, since the agreement has 32 bytes (SoftHSM 2.6.1: CKR_FUNCTION_FAILED).
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12): CKR_OK. A caller that asks for a 64-byte HMAC key gets one
# with half its bytes known.
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

p256 = bytes.fromhex("06082a8648ce3d030107")


def pair():
    return session.generateKeyPair(
        [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_EC_PARAMS, p256)],
        [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_DERIVE, True)], mecha=Mechanism(CKM_EC_KEY_PAIR_GEN))


mine, yours = pair(), pair()
point = ECDH1_DERIVE_Mechanism(bytes(session.getAttributeValue(yours[0], [CKA_EC_POINT])[0]))


def agreed(length):
    key = session.deriveKey(mine[1], [
        (CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_GENERIC_SECRET), (CKA_VALUE_LEN, length), (CKA_SENSITIVE, False),
        (CKA_EXTRACTABLE, True)], point)
    return bytes(session.getAttributeValue(key, [CKA_VALUE])[0])


print("64 asked:", "zeros first" if agreed(64) == bytes(32) + agreed(32) else "something else")
assert agreed(64) == bytes(32) + agreed(32)
PYTHON
