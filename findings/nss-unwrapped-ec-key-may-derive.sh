#!/usr/bin/env bash
# NSS softokn 3.87.1: an EC key that is unwrapped with CKA_DERIVE false has CKA_DERIVE true.
#
# Expected: the attribute as the template has it (PKCS #11 2.40, 4.9; SoftHSM 2.6.1), so that a signing key that is moved is still
# one for signing only.
#
# Seen 2026-11-30, libnss3 2:3.87.1-1+deb12u4 (Debian 12): CKR_OK, and true. A generated pair keeps false, and so does the unwrapped
# key after C_SetAttributeValue. Without NSS's own attribute for the point the key is refused as CKR_TEMPLATE_INCOMPLETE.
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


def pair(derive):
    return session.generateKeyPair(
        [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_EC_PARAMS, p256)],
        [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_SIGN, True), (CKA_DERIVE, derive),
         (CKA_EXTRACTABLE, True)], mecha=Mechanism(CKM_EC_KEY_PAIR_GEN))


def derive_of(key):
    return session.getAttributeValue(key, [CKA_DERIVE])[0]


wrapping = session.generateKey(
    [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 32), (CKA_WRAP, True), (CKA_UNWRAP, True)])
public, made = pair(False)
blob = session.wrapKey(wrapping, made, Mechanism(CKM_AES_CBC_PAD, bytes(16)))
# NSS keeps the point with a private key, in an attribute of its own, and wants it here.
point = bytes(session.getAttributeValue(public, [CKA_EC_POINT])[0])
came = session.unwrapKey(
    wrapping, blob,
    [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_SIGN, True), (CKA_DERIVE, False),
     (CKA_ID, b"\x01"), (0xD5A0DB00, point)], Mechanism(CKM_AES_CBC_PAD, bytes(16)))
print("generated with false:", derive_of(made))
print("unwrapped with false:", derive_of(came))
assert not derive_of(made) and derive_of(came)
session.setAttributeValue(came, [(CKA_DERIVE, False)])
print("after C_SetAttributeValue:", derive_of(came))
assert not derive_of(came)
PYTHON
