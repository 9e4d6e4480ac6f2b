#!/usr/bin/env bash
# openCryptoki 3.8.1: after C_Logout and C_Login the handle of a private token key is refused until C_FindObjects finds the
# key, and then it is the old number that works.
#
# Expected: either the handle stays good, or a search gives a new one; SoftHSM and NSS softokn do one or the other.
#
# Seen 2026-11-30, opencryptoki 3.8.1+dfsg-3.2+b3 (Debian 12), its software token: encrypting with the kept handle answers
# CKR_KEY_HANDLE_INVALID; a search for the key returns the same number, and from then on the kept handle encrypts again. A
# program that compares the handle before and after to see whether it must look anew concludes that it need not.
set -euo pipefail
# Needs root: the module's directories are fixed, so they are laid over the system's in namespaces of their own.
if [ "${1:-}" != inside ]; then exec unshare --mount --ipc "$0" inside; fi
dir=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; umount -l /etc /usr/lib /usr/sbin /var/lib /run 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'opencryptoki=3.8.1+dfsg-3.2+b3' 'libopencryptoki0=3.8.1+dfsg-3.2+b3' libtspi1 libitm1 libldap-2.5-0 \
    libsasl2-2 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyKCS11==1.5.20
grep -v '^pkcs11:' /etc/group >root/etc/group
echo 'pkcs11:x:65001:root' >>root/etc/group
printf 'version opencryptoki-3.1\nslot 0\n{\nstdll = libpkcs11_sw.so\n}\n' >root/etc/opencryptoki/opencryptoki.conf
for path in etc usr/lib usr/sbin; do mount -t overlay overlay -o "lowerdir=$dir/root/$path:/$path" "/$path"; done
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /run
mkdir -p /var/lib/opencryptoki/swtok/TOK_OBJ /run/lock/opencryptoki/swtok
chown -R root:65001 /var/lib/opencryptoki /run/lock/opencryptoki
chmod -R 770 /var/lib/opencryptoki /run/lock/opencryptoki
pkcsslotd
for _ in $(seq 100); do [ ! -s /run/pkcsslotd.pid ] || break; sleep 0.1; done
daemon=$(cat /run/pkcsslotd.pid)
venv/bin/python - <<'PYTHON'
from PyKCS11 import *

lib = PyKCS11Lib()
lib.load("/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so.0.0.0")
slot = lib.getSlotList(tokenPresent=True)[0]
lib.initToken(slot, "87654321", "trial".ljust(32))
session = lib.openSession(slot, CKF_RW_SESSION | CKF_SERIAL_SESSION)
session.login("87654321", CKU_SO)
session.initPin("1234")
session.logout()
session.login("1234")


def refused(call):
    """The name of the error that the call raises, or None."""
    try:
        call()
    except PyKCS11Error as error:
        return str(error).split()[0]


key = session.generateKey(
    [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 32), (CKA_ENCRYPT, True), (CKA_TOKEN, True),
     (CKA_PRIVATE, True), (CKA_SENSITIVE, True), (CKA_LABEL, "trial")], Mechanism(CKM_AES_KEY_GEN))
session.logout()
session.login("1234")


def encrypt():
    session.encrypt(key, bytes(16), Mechanism(CKM_AES_ECB))


before = refused(encrypt)
found = session.findObjects([(CKA_LABEL, "trial")])
after = refused(encrypt)
print("before the search:", before, "same number:", [one.value() for one in found] == [key.value()], "after it:", after or "works")
assert before == "CKR_KEY_HANDLE_INVALID" and len(found) == 1 and found[0].value() == key.value() and after is None
session.closeSession()
PYTHON
