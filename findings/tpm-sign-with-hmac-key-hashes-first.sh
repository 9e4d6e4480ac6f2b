#!/usr/bin/env bash
# libtpms 0.9.2: TPM2_Sign with an HMAC key gives HMAC(H(message)), while TPM2_HMAC with the same key gives HMAC(message).
#
# Expected: one HMAC of one message under one key, by whichever command; both are offered for the same key and scheme.
#
# Seen 2026-11-30, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1, tpm2-tools 5.4-1 (Debian 12): TPM2_Sign takes a digest
# whatever the key, and keys of HMAC then digest that digest. tpm2_sign hashes the file for it and calls the result a plain
# signature; its 32 bytes are nobody else's HMAC-SHA256 of the file. Use tpm2_hmac where others are to verify.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'swtpm=0.7.1-1.3' 'swtpm-libs=0.7.1-1.3' 'libtpms0=0.9.2-3.1+deb12u1' 'tpm2-tools=5.4-1' 'libtss2-esys-3.0.2-0=3.2.1-3' 'libtss2-fapi1=3.2.1-3' 'libtss2-mu0=3.2.1-3' 'libtss2-rc0=3.2.1-3' 'libtss2-sys1=3.2.1-3' 'libtss2-tcti-cmd0=3.2.1-3' 'libtss2-tcti-device0=3.2.1-3' 'libtss2-tcti-mssim0=3.2.1-3' 'libtss2-tcti-swtpm0=3.2.1-3' 'libtss2-tctildr0=3.2.1-3' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu:$dir/root/usr/lib/x86_64-linux-gnu/swtpm
export PATH=$dir/root/usr/bin:$PATH
mkdir state
port=$(python3 -c 'import random; print(random.randrange(20000, 30000, 2))')  # and the next one, for control
export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$port"
swtpm socket --tpm2 --tpmstate dir=state --server "type=tcp,port=$port" --ctrl "type=tcp,port=$((port + 1))" --flags not-need-init &
tpm=$!
trap 'kill "$tpm" 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do tpm2_startup -c 2>start.log && break; sleep 0.1; done
printf 'a secret of thirty-two bytes, yes' | head -c 32 >secret
printf 'message' >message
tpm2_createprimary -Q -C o -G ecc -c parent.ctx; tpm2_flushcontext -t
tpm2_import -Q -C parent.ctx -G hmac -i secret -u key.pub -r key.priv; tpm2_flushcontext -t
tpm2_load -Q -C parent.ctx -u key.pub -r key.priv -c key.ctx; tpm2_flushcontext -t
tpm2_hmac -c key.ctx -g sha256 -o hmac message; tpm2_flushcontext -t
tpm2_sign -Q -c key.ctx -g sha256 -s hmac -f plain -o signature message
python3 - <<'PYTHON'
import hashlib, hmac

key, message = (open(name, "rb").read() for name in ("secret", "message"))
plain, twice = hmac.digest(key, message, "sha256"), hmac.digest(key, hashlib.sha256(message).digest(), "sha256")
made, signed = open("hmac", "rb").read(), open("signature", "rb").read()
print("tpm2_hmac: HMAC of the message:", made == plain)
print("tpm2_sign: HMAC of the message:", signed == plain, "of its digest:", signed == twice)
assert made == plain and signed == twice
PYTHON
