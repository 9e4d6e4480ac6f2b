#!/usr/bin/env bash
# NSS softokn 3.87.1: C_WrapKey with CKM_AES_KEY_WRAP_KWP answers a length that is too small for its own result.
#
# Expected: the length query (no buffer) gives what the second call needs, or more.
#
# Seen 2026-11-29, libnss3 2:3.87.1-1+deb12u4 (Debian 12), through PyKCS11 1.5.20, which asks first and calls with
# that buffer: CKR_BUFFER_TOO_SMALL for AES keys of every size; CKM_AES_KEY_WRAP and CKM_AES_KEY_WRAP_PAD of the same
# token give theirs. Give the buffer eight bytes more.
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

kek = session.generateKey(AES)
for length in (16, 24, 32):
    key = session.createObject([
        (CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(range(length))), (CKA_EXTRACTABLE, True)])
    answers = {hex(kind): refused(lambda: session.wrapKey(kek, key, Mechanism(kind))) for kind in (0x2109, 0x210A, 0x210B)}
    buffer = ckbytelist([0] * (length + 16))
    roomy = session.lib.C_WrapKey(session.session, Mechanism(0x210B).to_native(), kek, key, buffer)
    print(length, "bytes:", answers, "with room:", CKR[roomy], len(buffer), "bytes")
    assert answers == {"0x2109": None, "0x210a": None, "0x210b": "CKR_BUFFER_TOO_SMALL"}
    assert roomy == CKR_OK and len(buffer) == length + 8
PYTHON
