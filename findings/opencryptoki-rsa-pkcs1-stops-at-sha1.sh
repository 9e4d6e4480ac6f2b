#!/usr/bin/env bash
# openCryptoki 3.8.1: the software token signs RSA PKCS #1 v1.5 with MD5 and SHA-1 and with no SHA-2, and PSS with all of
# them.
#
# Expected: a token that hashes with SHA-256 and signs with CKM_SHA256_RSA_PKCS_PSS has CKM_SHA256_RSA_PKCS too, the
# mechanism that certificates, RS256 and most programs ask for.
#
# Seen 2026-11-30, opencryptoki 3.8.1+dfsg-3.2+b3 (Debian 12): CKR_MECHANISM_INVALID for SHA224, SHA256, SHA384 and SHA512;
# the caller must hash, put the DigestInfo before it and use CKM_RSA_PKCS.
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


public, private = session.generateKeyPair(
    [(CKA_MODULUS_BITS, 2048), (CKA_PUBLIC_EXPONENT, (1, 0, 1)), (CKA_TOKEN, False), (CKA_VERIFY, True)],
    [(CKA_TOKEN, False), (CKA_SIGN, True), (CKA_PRIVATE, True)])
plain = {}
for name in ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"):
    mechanism = getattr(PyKCS11, f"CKM_{name}_RSA_PKCS")
    plain[name] = refused(lambda: session.sign(private, b"message", Mechanism(mechanism))) or "signs"
probabilistic = {}
for name, digest in (("SHA256", CKM_SHA256), ("SHA384", CKM_SHA384), ("SHA512", CKM_SHA512)):
    mechanism = RSA_PSS_Mechanism(
        getattr(PyKCS11, f"CKM_{name}_RSA_PKCS_PSS"), digest, getattr(PyKCS11, f"CKG_MGF1_{name}"), 32)
    probabilistic[name] = refused(lambda: session.sign(private, b"message", mechanism)) or "signs"
print("PKCS #1 v1.5:", plain)
print("PSS:", probabilistic)
assert [name for name, answer in plain.items() if answer == "signs"] == ["MD5", "SHA1"], plain
assert set(plain.values()) == {"signs", "CKR_MECHANISM_INVALID"} and set(probabilistic.values()) == {"signs"}
session.closeSession()
PYTHON
