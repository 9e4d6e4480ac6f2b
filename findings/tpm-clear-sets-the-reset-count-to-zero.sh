#!/usr/bin/env bash
# libtpms 0.9.2: TPM2_Clear sets resetCount to 0, and leaves the endorsement key with its Name while keys below it no
# longer load.
#
# Expected: resetCount counts resets for as long as the endorsement seed lives, and a parent that has the same Name
# loads the same children.
#
# Seen 2026-11-29, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1, tpm2-tools 5.4-1 (Debian 12): resetCount 3, then 0;
# the Names are equal; loading a key that was made below it answers 0x1DF (integrity). A pinned Name of a parent does
# not prove that what was sealed below it is still to be had.
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
stop KILL; start; stop KILL; start
resets() { tpm2_readclock | sed -n 's/.*reset_count: //p'; }
primary() { tpm2_createprimary -Q -C e -G ecc -c "$1.ctx"; tpm2_flushcontext -Q -t; tpm2_readpublic -Q -c "$1.ctx" -n "$1.name"; tpm2_flushcontext -Q -t; }
primary one
tpm2_create -Q -C one.ctx -G ecc -u key.pub -r key.priv
tpm2_flushcontext -Q -t; tpm2_load -Q -C one.ctx -u key.pub -r key.priv -c key.ctx; tpm2_flushcontext -Q -t
before=$(resets)
tpm2_clear -Q -c p
after=$(resets)
primary two
loads=yes
tpm2_load -Q -C two.ctx -u key.pub -r key.priv -c again.ctx 2>load.log || loads=no
echo "resets: $before, after the clear: $after; same Name: $(cmp -s one.name two.name && echo yes); the key loads: $loads"
[ "$before" -gt 0 ] && [ "$after" = 0 ] && cmp -s one.name two.name && [ "$loads" = no ] && grep -qi '0x1df' load.log || exit 1
