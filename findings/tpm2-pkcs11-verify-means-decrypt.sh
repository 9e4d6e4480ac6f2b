#!/usr/bin/env bash
# tpm2-pkcs11 1.9.0: CKA_VERIFY on the public half of an EC pair gives the private half CKA_DECRYPT, and refuses CKA_DECRYPT false.
#
# Expected: the halves have the uses of their templates: one that verifies, one that signs and nothing else.
#
# Seen 2026-11-30, libtpm2-pkcs11-1 1.9.0-0.1+deb12u1, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1 (Debian 12), PyKCS11 1.5.20
# (PyPI): CKA_VERIFY stands for the decrypt attribute of the TPM's key. "verify; sign" makes a key with CKA_SIGN and
# CKA_DECRYPT; "verify; sign, not decrypt", the usual template of a signing pair, is CKR_GENERAL_ERROR; without CKA_VERIFY
# it is made, and its public half has CKA_ENCRYPT true and CKA_VERIFY false.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'swtpm=0.7.1-1.3' 'swtpm-libs=0.7.1-1.3' 'libtpms0=0.9.2-3.1+deb12u1' 'libtpm2-pkcs11-1=1.9.0-0.1+deb12u1' 'libsqlite3-0=3.40.1-2+deb12u2' 'libyaml-0-2=0.2.5-1' 'tpm2-tools=5.4-1' 'libtss2-esys-3.0.2-0=3.2.1-3' 'libtss2-fapi1=3.2.1-3' 'libtss2-mu0=3.2.1-3' 'libtss2-rc0=3.2.1-3' 'libtss2-sys1=3.2.1-3' 'libtss2-tcti-cmd0=3.2.1-3' 'libtss2-tcti-device0=3.2.1-3' 'libtss2-tcti-mssim0=3.2.1-3' 'libtss2-tcti-swtpm0=3.2.1-3' 'libtss2-tctildr0=3.2.1-3' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu:$dir/root/usr/lib/x86_64-linux-gnu/swtpm
export PATH=$dir/root/usr/bin:$PATH
mkdir state
port=$(python3 -c 'import random; print(random.randrange(20000, 30000, 2))')  # and the next one, for control
export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$port" TPM2_PKCS11_TCTI="swtpm:host=127.0.0.1,port=$port"
swtpm socket --tpm2 --tpmstate dir=state --server "type=tcp,port=$port" --ctrl "type=tcp,port=$((port + 1))" --flags not-need-init &
tpm=$!
trap 'kill "$tpm" 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do tpm2_startup -c 2>start.log && break; sleep 0.1; done
export TPM2_PKCS11_STORE=$dir/store TPM2_PKCS11_LOG_LEVEL=0
mkdir store
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pykcs11==1.5.20
cat >pair.py <<'PYTHON'
import sys
import PyKCS11 as p11

library = p11.PyKCS11Lib()
library.load(sys.argv[1])
if sys.argv[2] == "new":
    slot = library.getSlotList()[0]
    library.initToken(slot, "officer", "token".ljust(32))
    session = library.openSession(slot, p11.CKF_RW_SESSION)
    session.login("officer", p11.CKU_SO)
    session.initPin("user-pin")
    sys.exit()
session = library.openSession(library.getSlotList()[0], p11.CKF_RW_SESSION)
session.login("user-pin")
common = [(p11.CKA_TOKEN, True), (p11.CKA_ID, b"1")]
public = common + [(p11.CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107"))]
private = common + [(p11.CKA_SIGN, True)]
if "verify" in sys.argv[2:]:
    public.append((p11.CKA_VERIFY, True))
if "not-decrypt" in sys.argv[2:]:
    private.append((p11.CKA_DECRYPT, False))
try:
    pair = session.generateKeyPair(public, private, p11.Mechanism(p11.CKM_EC_KEY_PAIR_GEN))
except p11.PyKCS11Error as error:
    assert error.value == p11.CKR_GENERAL_ERROR, error
    sys.exit("CKR_GENERAL_ERROR")
asked = ((pair[0], p11.CKA_VERIFY), (pair[0], p11.CKA_ENCRYPT), (pair[1], p11.CKA_SIGN), (pair[1], p11.CKA_DECRYPT))
print(*[int(session.getAttributeValue(key, [attribute])[0]) for key, attribute in asked])
for key in pair:
    session.destroyObject(key)
PYTHON
module=$dir/root/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1
empty() { tpm2_flushcontext -t; tpm2_flushcontext -l; tpm2_flushcontext -s; }  # there is no resource manager
pair() { venv/bin/python pair.py "$module" "$@" 2>pair.log || grep -o CKR_GENERAL_ERROR pair.log; empty; }
pair new
echo 'public half verifies, encrypts; private half signs, decrypts:'
plain=$(pair pair); both=$(pair pair verify); refused=$(pair pair verify not-decrypt); alone=$(pair pair not-decrypt)
echo "nothing said: $plain; verify: $both; verify, not decrypt: $refused; not decrypt: $alone"
[ "$plain; $both; $refused; $alone" = '0 1 1 0; 1 1 1 1; CKR_GENERAL_ERROR; 0 1 1 0' ]
