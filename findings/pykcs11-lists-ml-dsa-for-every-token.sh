#!/usr/bin/env bash
# PyKCS11 1.5.20: getMechanismList() has CKM_ML_DSA for a token that knows no such mechanism.
#
# Expected: the list is the module's.
#
# Seen 2026-11-29, PyKCS11 1.5.20 with libsofthsm2 2.6.1-2.1 (of 2020, long before ML-DSA): the list contains 0x1d,
# and getMechanismInfo of it raises CKR_MECHANISM_INVALID, so the usual loop over the list ends with an error.
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


listed = lib.getMechanismList(slot)
odd = {str(name): refused(lambda: lib.getMechanismInfo(slot, name)) for name in listed}
odd = {name: error for name, error in odd.items() if error}
print(len(listed), "listed, without information:", odd)
assert odd == {"CKM_ML_DSA": "CKR_MECHANISM_INVALID"}, odd
PYTHON
