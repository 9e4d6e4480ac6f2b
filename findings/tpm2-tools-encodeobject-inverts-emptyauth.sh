#!/usr/bin/env bash
# tpm2-tools 5.4: tpm2_encodeobject writes emptyAuth the wrong way round, so keys with a password come out unusable.
#
# Expected: -p "indicates if an authorization value is needed" (its manual), and emptyAuth of the file is then FALSE; without
# it TRUE, as tpm2-openssl writes for keys without a password.
#
# Seen 2026-11-30, tpm2-tools 5.4-1, tpm2-openssl 1.1.1-1, swtpm 0.7.1-1.3, libtpms0 0.9.2-3.1+deb12u1 (Debian 12): -p gives
# TRUE, no -p FALSE. tpm2-openssl believes the file: it never asks for the password of the first, so each use is a wrong
# authorization that the TPM counts against its lockout, and asks for one for keys that have none. Say -p for keys
# WITHOUT a password.
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
empty() { tpm2_flushcontext -t; tpm2_flushcontext -l; tpm2_flushcontext -s; }  # there is no resource manager
tpm2_createprimary -Q -C o -G ecc -c parent.ctx; empty
tpm2_evictcontrol -Q -C o -c parent.ctx 0x81000001; empty
flag() { openssl asn1parse -in "$1" | sed -n 's/.*BOOLEAN *://p'; }
openssl genpkey "${provider[@]}" -algorithm EC -pkeyopt group:P-256 -out other.pem 2>openssl.log
openssl genpkey "${provider[@]}" -algorithm EC -pkeyopt group:P-256 -pkeyopt user-auth:secret -out other-secret.pem 2>openssl.log
empty
echo "emptyAuth by tpm2-openssl: $(flag other.pem) without a password, $(flag other-secret.pem) with one"
[ "$(flag other.pem) $(flag other-secret.pem)" = '1 0' ]
printf data >data
make() { # the key's password or nothing, then what to say to tpm2_encodeobject
    tpm2_create -Q -C 0x81000001 -G ecc -u key.pub -r key.priv -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign' ${1:+-p "$1"}
    rm -f key.pem
    empty; tpm2_encodeobject -C 0x81000001 -u key.pub -r key.priv "${@:2}" -o key.pem; empty
}
signs() { openssl dgst "${provider[@]}" -sha256 -sign key.pem "$@" -out signature data </dev/null >sign.log 2>&1 && echo yes || echo no; empty; }
make secret -p
with="$(flag key.pem) $(signs -passin pass:secret)"
make secret
without="$(flag key.pem) $(signs -passin pass:secret)"
make '' -p
none="$(flag key.pem) $(signs)"
make ''
bare="$(flag key.pem) $(signs)"
echo "emptyAuth by tpm2_encodeobject, and whether openssl signs when it is given what the key needs:"
echo "password, -p: $with; password, no -p: $without; none, -p: $none; none, no -p: $bare"
[ "$with; $without; $none; $bare" = '1 no; 0 yes; 1 yes; 0 no' ]
