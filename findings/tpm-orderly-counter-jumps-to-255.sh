#!/usr/bin/env bash
# libtpms 0.9.2: an orderly NV counter that stood at 6 stands at 255 after the TPM lost its power, and at 256 after
# the next increment.
#
# Expected: 6, or a little more; that is how the attribute is usually told ("may lose some counts").
#
# Seen 2026-11-29, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1, tpm2-tools 5.4-1 (Debian 12): the value in memory is
# rounded up to the next multiple of 256, less one, when there was no TPM2_Shutdown. A counter without the attribute
# beside it is exact. Who compares a stored number with the counter sees 249 steps that nobody made.
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
for index in 0x1500001 0x1500002; do
    extra=; [ "$index" = 0x1500001 ] && extra='|orderly'
    tpm2_nvdefine -Q "$index" -C o -s 8 -a "nt=counter|ownerread|ownerwrite$extra"
    for _ in 1 2 3 4 5 6; do tpm2_nvincrement -Q "$index" -C o; done
done
value() { tpm2_nvread -s 8 "$1" -C o | od -An -v -tu8 --endian=big | tr -d ' '; }
before="$(value 0x1500001) $(value 0x1500002)"
stop KILL
start
after="$(value 0x1500001) $(value 0x1500002)"
tpm2_nvincrement -Q 0x1500001 -C o
next=$(value 0x1500001)
echo "orderly, ordinary: $before; after the power went: $after; next: $next"
[ "$after" = "255 ${before#* }" ] && [ "$next" = 256 ] || exit 1
