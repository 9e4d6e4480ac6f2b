#!/usr/bin/env bash
# pyasn1 0.6.5: the DER of an empty sequence (30 00) decodes to None, not to a sequence without elements.
#
# Expected: a SequenceOf of length 0, as 30 02 04 00 gives one of length 1.
#
# Seen 2026-11-29, pyasn1 0.6.5 (PyPI), without a schema: (None, b""), so an optional list that is there and empty
# looks like no value, and the first attribute that is read of it raises.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyasn1==0.6.5
venv/bin/python - <<'PYTHON'
from pyasn1.codec.der import decoder, encoder

empty, rest = decoder.decode(bytes.fromhex("3000"))
one, _ = decoder.decode(bytes.fromhex("30020400"))
print("30 00:", empty, "- 30 02 04 00:", type(one).__name__, len(one))
assert empty is None and rest == b"" and len(one) == 1
PYTHON
