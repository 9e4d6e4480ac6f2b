#!/usr/bin/env bash
# tpm2-pytss 3.0.0: from_pem() makes 31-byte coordinates of one P-256 key in 128, and the TPM refuses that public area.
#
# Expected: coordinates as long as the curve's field, as the TPM itself and tpm2-tools write them, and so the same Name
# for the same key.
#
# Seen 2026-11-30, tpm2-pytss 3.0.0 (PyPI, built here: needs cc), tpm2-tools 5.4-1, swtpm 0.7.1-1.3, libtpms0
# 0.9.2-3.1+deb12u1 (Debian 12): a number below 2^248 loses its zero. TPM2_LoadExternal answers TPM_RC_KEY, and the Name that
# get_name() computes without a TPM, as a verifier of certifications does, is not the one that a TPM gives the key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'swtpm=0.7.1-1.3' 'swtpm-libs=0.7.1-1.3' 'libtpms0=0.9.2-3.1+deb12u1' 'tpm2-tools=5.4-1' 'libtss2-dev=3.2.1-3' 'libtss2-esys-3.0.2-0=3.2.1-3' 'libtss2-fapi1=3.2.1-3' 'libtss2-mu0=3.2.1-3' 'libtss2-rc0=3.2.1-3' 'libtss2-sys1=3.2.1-3' 'libtss2-tcti-cmd0=3.2.1-3' 'libtss2-tcti-device0=3.2.1-3' 'libtss2-tcti-mssim0=3.2.1-3' 'libtss2-tcti-pcap0=3.2.1-3' 'libtss2-tcti-swtpm0=3.2.1-3' 'libtss2-tctildr0=3.2.1-3' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
libraries=$dir/root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$libraries:$libraries/swtpm PATH=$dir/root/usr/bin:$PATH
python3 -m venv venv
PKG_CONFIG_PATH=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dir/root CPATH=$dir/root/usr/include LIBRARY_PATH=$libraries \
    venv/bin/pip install --quiet --disable-pip-version-check tpm2-pytss==3.0.0 cryptography==50.0.2
mkdir state
port=$(python3 -c 'import random; print(random.randrange(20000, 30000, 2))')  # and the next one, for control
export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$port"
swtpm socket --tpm2 --tpmstate dir=state --server "type=tcp,port=$port" --ctrl "type=tcp,port=$((port + 1))" --flags not-need-init &
tpm=$!
trap 'kill "$tpm" 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do tpm2_startup -c 2>start.log && break; sleep 0.1; done
venv/bin/python - <<'PYTHON' 2>errors.log || { cat errors.log; exit 1; }
import hashlib, os, subprocess
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tpm2_pytss import ESAPI, TPM2B_PUBLIC, TPMA_OBJECT, TSS2_Exception

TPM_RC_KEY = 0x9C
tpm = ESAPI(os.environ["TPM2TOOLS_TCTI"])


def answer(area):
    try:
        handle = tpm.load_external(area)
    except TSS2_Exception as error:
        assert error.rc & 0xBF == TPM_RC_KEY, error
        return "refused"
    name = bytes(tpm.tr_get_name(handle))
    tpm.flush_context(handle)
    assert name == bytes(area.get_name())
    return "loaded"


def names_by_tools(pem):
    with open("key.pem", "wb") as file:
        file.write(pem)
    subprocess.run(["tpm2_loadexternal", "-Q", "-C", "o", "-G", "ecc", "-u", "key.pem", "-c", "key.ctx", "-n", "name"], check=True)
    subprocess.run(["tpm2_readpublic", "-Q", "-c", "key.ctx", "-o", "area"], check=True)
    subprocess.run(["tpm2_flushcontext", "-t"], check=True)
    return open("name", "rb").read(), TPM2B_PUBLIC.unmarshal(open("area", "rb").read())[0]


seen = {}
for number in range(1000):
    key = ec.derive_private_key(int.from_bytes(hashlib.sha256(b"%d" % number).digest(), "big") >> 1, ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    area = TPM2B_PUBLIC.from_pem(pem, objectAttributes=TPMA_OBJECT.USERWITHAUTH | TPMA_OBJECT.DECRYPT | TPMA_OBJECT.SIGN_ENCRYPT)
    point = area.publicArea.unique.ecc
    widths = len(point.x), len(point.y)
    kind = answer(area)
    assert (kind == "loaded") == (widths == (32, 32)), (kind, widths)
    seen[kind] = seen.get(kind, 0) + 1
    if seen[kind] == 1:
        name, read = names_by_tools(pem)
        other = read.publicArea.unique.ecc
        area.publicArea.objectAttributes = read.publicArea.objectAttributes
        print(kind, "with", widths, "bytes; by tpm2-tools:", (len(other.x), len(other.y)), "same Name:", bytes(area.get_name()) == name)
        assert (len(other.x), len(other.y)) == (32, 32)
        assert (bytes(area.get_name()) == name) == (kind == "loaded")
print("of 1000 keys:", seen)
assert 3 <= seen.get("refused", 0) <= 20
PYTHON
