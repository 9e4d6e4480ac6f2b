#!/usr/bin/env bash
# swtpm 0.7.1: SIGTERM ends it without TPM2_Shutdown, and the TPM counts that as a wrong authorization.
#
# Expected: a service that is stopped the ordinary way leaves its TPM in an ordinary state.
#
# Seen 2026-11-29, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1, tpm2-tools 5.4-1 (Debian 12): after one *right* use of
# a key with dictionary-attack protection, each such stop and start raises TPM_PT_LOCKOUT_COUNTER by one and clears
# the clock's "safe"; three of them lock the key with its right authorization. Call tpm2_shutdown before stopping.
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
start() {
    swtpm socket --tpm2 --tpmstate dir=state --server "type=tcp,port=$port" --ctrl "type=tcp,port=$((port + 1))" --flags not-need-init &
    tpm=$!
    for _ in $(seq 100); do tpm2_startup -c 2>start.log && return; sleep 0.1; done
    cat start.log; exit 1
}
stop() { kill "-$1" "$tpm"; wait "$tpm" 2>/dev/null || true; }
tpm=
trap '[ -z "$tpm" ] || kill "$tpm" 2>/dev/null || true; rm -rf "$dir"' EXIT
start
tpm2_createprimary -Q -C o -G ecc -c parent.ctx
tpm2_create -Q -C parent.ctx -G ecc -p right -u key.pub -r key.priv -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
tpm2_flushcontext -Q -t; tpm2_load -Q -C parent.ctx -u key.pub -r key.priv -c key.ctx; tpm2_flushcontext -Q -t
tpm2_evictcontrol -Q -C o -c key.ctx 0x81010001
sign() { printf data >data; tpm2_sign -Q -c 0x81010001 -p right -g sha256 -o signature data 2>sign.log; }
counter() { tpm2_getcap properties-variable | sed -n 's/^TPM2_PT_LOCKOUT_COUNTER: //p'; }
seen=$(counter)
for _ in 1 2 3; do
    sign || true
    stop TERM; start
    seen="$seen $(counter)"
done
locked=no; sign || { grep -qi '0x921' sign.log && locked=yes; }
echo "failures counted: $seen; locked out: $locked"
[ "$seen" = '0x0 0x1 0x2 0x3' ] && [ "$locked" = yes ] || exit 1
