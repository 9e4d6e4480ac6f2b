#!/usr/bin/env bash
# SoftHSM 2.6.1: a secret shorter than the digest can be stored for HMAC and cannot be used.
#
# Expected: HMAC takes keys of any length (RFC 2104); NSS softokn signs with 16 bytes.
#
# Seen 2026-11-29, libsofthsm2 2.6.1-2.1 (Debian 12): CKM_SHA256_HMAC with 31 bytes and CKM_SHA512_HMAC with 32 answer
# CKR_KEY_SIZE_RANGE at C_SignInit; creating the key warned of nothing.
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


def signs(length, mechanism):
    key = session.createObject([
        (CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_GENERIC_SECRET), (CKA_VALUE, bytes(range(length))), (CKA_SIGN, True)])
    return refused(lambda: session.sign(key, b"message", Mechanism(mechanism))) or "signs"


seen = {(name, length): signs(length, mechanism)
        for name, mechanism in (("SHA-256", CKM_SHA256_HMAC), ("SHA-512", CKM_SHA512_HMAC)) for length in (16, 31, 32, 64)}
for case, answer in seen.items():
    print(*case, answer)
short = "CKR_KEY_SIZE_RANGE"
assert list(seen.values()) == [short, short, "signs", "signs", short, short, short, "signs"]
PYTHON
