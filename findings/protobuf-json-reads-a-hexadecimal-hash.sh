#!/usr/bin/env bash
# protobuf 7.36.2: CometBFT's JSON is not the JSON of its protobuf messages: a hash in it parses, as 48 other bytes.
#
# Expected: an error, or the 32 bytes; the names of the members are those of the messages, so the generic parser is at
# hand.
#
# Seen 2026-11-29, protobuf 7.36.2 (PyPI): json_format takes 64 hexadecimal digits for base64 (they are valid base64)
# and gives 48 bytes; nothing is refused before a hash of the header is compared. Lengths have to be checked, or the
# JSON read by hand.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check protobuf==7.36.2
venv/bin/python - <<'PYTHON'
import base64, json
from google.protobuf import json_format, wrappers_pb2

digest = bytes(range(32))
message = json_format.Parse(json.dumps(digest.hex().upper()), wrappers_pb2.BytesValue())
right = json_format.Parse(json.dumps(base64.b64encode(digest).decode()), wrappers_pb2.BytesValue())
print("hexadecimal digits:", len(message.value), "bytes; base64:", len(right.value), "bytes")
assert len(message.value) == 48 and right.value == digest
PYTHON
