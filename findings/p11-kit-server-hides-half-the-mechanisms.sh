#!/usr/bin/env bash
# p11-kit 0.24.1: through its server a SoftHSM token has 36 of its 70 mechanisms; AES-GCM, key wrapping, ECDH and
# EdDSA are gone.
#
# Expected: the token's list, or a note in the manual that the protocol carries only mechanisms whose parameters it
# can serialise.
#
# Seen 2026-11-29, p11-kit 0.24.1-2, p11-kit-modules 0.24.1-2, libsofthsm2 2.6.1-2.1 (Debian 12): as said, without a
# word in any log.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'libsofthsm2=2.6.1-2.1' 'p11-kit=0.24.1-2' 'p11-kit-modules=0.24.1-2' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyKCS11==1.5.20
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$dir" >softhsm2.conf
export SOFTHSM2_CONF=$dir/softhsm2.conf P11_KIT_PRIVATEDIR=$dir/root/usr/libexec/p11-kit XDG_RUNTIME_DIR=$dir
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

import os, subprocess, time

direct = {str(name) for name in lib.getMechanismList(slot)} - {"CKM_ML_DSA"}  # which PyKCS11 1.5.20 adds to every list
session.logout()
server = subprocess.Popen([
    "root/usr/libexec/p11-kit/p11-kit-server", "-f", "-n", os.path.abspath("socket"),
    "--provider", os.path.abspath("root/usr/lib/softhsm/libsofthsm2.so"), "pkcs11:"], stdout=subprocess.DEVNULL)
try:
    for _ in range(100):
        if os.path.exists("socket"):
            break
        time.sleep(0.1)
    os.environ["P11_KIT_SERVER_ADDRESS"] = "unix:path=" + os.path.abspath("socket")
    client = PyKCS11Lib()
    client.load("root/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so")
    first = client.getSlotList(tokenPresent=True)[0]
    assert client.getTokenInfo(first).label.startswith("trial")
    through = {str(name) for name in client.getMechanismList(first)}
finally:
    server.terminate()
    server.wait(10)
gone = direct - through
print(len(direct), "mechanisms, through the server", len(through & direct))
assert {"CKM_AES_GCM", "CKM_AES_KEY_WRAP_PAD", "CKM_ECDH1_DERIVE", "CKM_EDDSA", "CKM_SHA256_RSA_PKCS_PSS"} <= gone
assert "CKM_ECDSA" in through and len(gone) > 30
PYTHON
