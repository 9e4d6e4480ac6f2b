#!/usr/bin/env bash
# betterproto2 0.10.0: from_json() reads bytes in base64url without their - and _, as other, shorter bytes.
#
# Expected: the JSON form of protobuf takes both alphabets, with or without padding; a reader that takes one refuses the
# other.
#
# Seen 2026-11-30, betterproto2 0.10.0, protobuf 7.36.2 (PyPI): of 2000 compressed public keys (33 bytes, 44 letters) in
# base64url protobuf reads all, betterproto2 a quarter, the ones without - and _; it raises for most of the rest, and
# one in thirty, those with four such letters, becomes 30 bytes without a word. Send base64, and look at lengths.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check betterproto2==0.10.0 protobuf==7.36.2
venv/bin/python - <<'PYTHON'
import base64, binascii, collections, dataclasses, hashlib, json
import betterproto2
from google.protobuf import json_format, wrappers_pb2


@dataclasses.dataclass(eq=False, repr=False)
class Key(betterproto2.Message):
    value: bytes = betterproto2.field(1, betterproto2.TYPE_BYTES)


def read(text):
    try:
        return Key.from_json(json.dumps({"value": text})).value
    except binascii.Error:
        return None


seen = collections.Counter()
for number in range(2000):
    key = bytes([2 + number % 2]) + hashlib.sha256(b"%d" % number).digest()
    text = base64.urlsafe_b64encode(key).decode()
    assert json_format.Parse(json.dumps(text), wrappers_pb2.BytesValue()).value == key
    assert read(base64.b64encode(key).decode()) == key
    answer = read(text)
    special = text.count("-") + text.count("_")
    assert (answer == key) == (special == 0)
    if special == 4:
        assert answer == base64.b64decode(text.replace("-", "").replace("_", "")) and len(answer) == 30
    seen["right" if answer == key else "refused" if answer is None else "30 other bytes"] += 1
print(dict(seen))
assert seen["right"] > 300 and seen["30 other bytes"] > 30
PYTHON
