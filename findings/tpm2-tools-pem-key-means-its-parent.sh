#!/usr/bin/env bash
# tpm2-tools 5.4: where a key is asked for, the file of a TSS2 private key (PEM) stands for the key's parent.
#
# Expected: tpm2_readpublic -c key.pem shows the key of the file, or refuses a file that is no saved context.
#
# Seen 2026-11-30, tpm2-tools 5.4-1, tpm2-openssl 1.1.1-1, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1 (Debian 12): it ends
# with 0 and writes the public key of the storage key above, the same for every file, beside some complaints about the
# format; tpm2_sign then fails, since a storage key signs nothing. Load the file first: tpm2_load -r key.pem -c key.ctx.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq 'swtpm=0.7.1-1.3' 'swtpm-libs=0.7.1-1.3' 'libtpms0=0.9.2-3.1+deb12u1' 'tpm2-openssl=1.1.1-1' 'tpm2-tools=5.4-1' 'libtss2-esys-3.0.2-0=3.2.1-3' 'libtss2-fapi1=3.2.1-3' 'libtss2-mu0=3.2.1-3' 'libtss2-rc0=3.2.1-3' 'libtss2-sys1=3.2.1-3' 'libtss2-tcti-cmd0=3.2.1-3' 'libtss2-tcti-device0=3.2.1-3' 'libtss2-tcti-mssim0=3.2.1-3' 'libtss2-tcti-swtpm0=3.2.1-3' 'libtss2-tctildr0=3.2.1-3' 2>download.log || { cat download.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu:$dir/root/usr/lib/x86_64-linux-gnu/swtpm
export PATH=$dir/root/usr/bin:$PATH
mkdir state
port=$(python3 -c 'import random; print(random.randrange(20000, 30000, 2))')  # and the next one, for control
export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$port" TPM2OPENSSL_TCTI="swtpm:host=127.0.0.1,port=$port"
swtpm socket --tpm2 --tpmstate dir=state --server "type=tcp,port=$port" --ctrl "type=tcp,port=$((port + 1))" --flags not-need-init &
tpm=$!
trap 'kill "$tpm" 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do tpm2_startup -c 2>start.log && break; sleep 0.1; done
provider=(-provider-path "$dir/root/usr/lib/x86_64-linux-gnu/ossl-modules" -provider tpm2 -provider default -propquery '?provider=tpm2')
public() { tpm2_readpublic -Q -c "$1" -f pem -o public.pem 2>read.log; tpm2_flushcontext -t; cat public.pem; }
for name in one two; do
    openssl genpkey "${provider[@]}" -algorithm EC -pkeyopt group:P-256 -out "$name.pem" 2>openssl.log
    openssl pkey "${provider[@]}" -in "$name.pem" -pubout -out "$name.right" 2>openssl.log
    tpm2_flushcontext -t
    public "$name.pem" >"$name.read"
    tpm2_load -Q -r "$name.pem" -c "$name.ctx" 2>load.log
    tpm2_flushcontext -t
    public "$name.ctx" >"$name.loaded"
done
same() { if cmp -s "$1" "$2"; then echo yes; else echo no; fi; }
echo "loaded first, the key of the file: $(same one.loaded one.right) $(same two.loaded two.right)"
echo "read from the file, the key of the file: $(same one.read one.right) $(same two.read two.right), of two files the same: $(same one.read two.read)"
[ "$(same one.loaded one.right)$(same two.loaded two.right)$(same one.read two.read)" = yesyesyes ]
[ "$(same one.read one.right)$(same two.read two.right)$(same one.right two.right)" = nonono ]
tpm2_readpublic -c one.pem 2>read.log | grep -A1 '^attributes' | tee attributes
grep -q 'restricted|decrypt' attributes
