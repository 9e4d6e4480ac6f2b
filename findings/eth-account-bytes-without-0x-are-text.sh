#!/usr/bin/env bash
# eth-account 0.14.0: a string for a bytes member of typed data is hexadecimal with 0x and text without.
#
# Expected: one reading, or an error; JSON of wallets and servers has such values as strings, with and without the
# prefix.
#
# Seen 2026-11-29, eth-account 0.14.0 (PyPI): "abcd" is signed as the four letters, "0xabcd" as two bytes; no warning.
# A public key sent without 0x gives a signature over its spelling.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check eth-account==0.14.0
venv/bin/python - <<'PYTHON'
from eth_account.messages import encode_typed_data

types = {"Reencrypt": [{"name": "publicKey", "type": "bytes"}]}


def digest(value):
    return encode_typed_data({"name": "Authorization"}, types, {"publicKey": value}).body.hex()[:12]


plain, prefixed = digest("abcd"), digest("0xabcd")
print("abcd:", plain, "0xabcd:", prefixed)
assert plain == digest(b"abcd") and prefixed == digest(bytes.fromhex("abcd")) and plain != prefixed
PYTHON
