#!/usr/bin/env bash
# openCryptoki 3.8.1: every software token has the serial number "123", before and after each initialisation.
#
# Expected: CK_TOKEN_INFO's serialNumber tells tokens apart, and a token that is initialised anew, all its keys gone, gets
# another one, as with SoftHSM; that is what pkcs11: URIs with serial= (RFC 7512) rely on.
#
# Seen 2026-11-30, opencryptoki 3.8.1+dfsg-3.2+b3 (Debian 12): manufacturer, model and serial number are constants, so only
# the label tells two machines' tokens, or a token and its empty successor, apart.
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


def serial():
    return lib.getTokenInfo(slot).serialNumber.strip()


serials = [serial()]
for label in ("first", "second"):
    lib.initToken(slot, "87654321", label.ljust(32))
    serials.append(serial())
print("blank, first, second:", serials)
assert serials == ["123", "123", "123"], serials
PYTHON
