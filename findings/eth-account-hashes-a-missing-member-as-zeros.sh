#!/usr/bin/env bash
# eth-account 0.14.0: typed data whose message lacks a member is signed all the same, the member's word being 32
# zeros.
#
# Expected: an error, or the hash of the type's empty value (keccak256 of nothing for bytes), since EIP-712 knows no
# absent members.
#
# Seen 2026-11-29, eth-account 0.14.0 (PyPI): no member, None: one hash; b"": another; a member that the type does not
# have is dropped without a word. A client that forgets a field, or misspells it, signs something that its server
# never computes, and only the recovered address tells.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check eth-account==0.14.0
venv/bin/python - <<'PYTHON'
from eth_account.messages import encode_typed_data

types = {"Permit": [{"name": "extraData", "type": "bytes"}, {"name": "days", "type": "uint256"}]}


def digest(message):
    return encode_typed_data({"name": "Authorization"}, types, message).body.hex()[:12]


empty, missing = digest({"extraData": b"", "days": 1}), digest({"days": 1})
misspelt = digest({"extradata": b"", "days": 1})
print("empty:", empty, "missing:", missing, "misspelt:", misspelt)
assert empty != missing == misspelt == digest({"extraData": None, "days": 1})
assert digest({"extraData": b"", "days": 1, "other": 2}) == empty
PYTHON
