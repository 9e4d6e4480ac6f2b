#!/usr/bin/env bash
# libtpms 0.9.2: the first increment of a new NV counter gives 6 if a deleted one had stood at 5, while a living one
# at 9 does not matter.
#
# Expected: 1 for a new index of a new name; or above every other counter.
#
# Seen 2026-11-29, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1, tpm2-tools 5.4-1 (Debian 12): the TPM remembers one
# number, the largest value of the counters that were undefined. So a first value is no sign of a first use, and grows
# with every set-up and tear-down of tests.
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
value() { tpm2_nvread -s 8 "$1" -C o | od -An -v -tu8 --endian=big | tr -d ' '; }
counter() { tpm2_nvdefine -Q "$1" -C o -s 8 -a 'nt=counter|ownerread|ownerwrite'; }
count() { for _ in $(seq "$2"); do tpm2_nvincrement -Q "$1" -C o; done; }
counter 0x1500001; count 0x1500001 5; first=$(value 0x1500001)
tpm2_nvundefine -Q 0x1500001 -C o
counter 0x1500002; count 0x1500002 1; second=$(value 0x1500002)
count 0x1500002 3; living=$(value 0x1500002)
counter 0x1500003; count 0x1500003 1; third=$(value 0x1500003)
echo "deleted at $first; the next begins at $second; another, beside one that lives at $living, at $third"
[ "$second" = $((first + 1)) ] && [ "$third" = $((first + 1)) ] && [ "$living" -gt "$third" ] || exit 1
