#!/usr/bin/env bash
# anoncreds 0.2.3: the modulus of every CL key has 2050 bits, 257 bytes.
#
# Expected: 2048 bits, as papers and the documents of the format have it.
#
# Seen 2026-11-29, anoncreds 0.2.3 (PyPI): p_key holds p and q of 1024 bits, and n = (2p + 1)(2q + 1). Columns, tokens
# and checks made for 256 bytes do not take it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check anoncreds==0.2.3
venv/bin/python - <<'PYTHON'
from anoncreds import CredentialDefinition, Schema

issuer = "did:sov:55GkHamhTU1ZbTbV2ab9DE"
schema = Schema.create("people", "1.0", issuer, ["name"])
definition, private, _ = CredentialDefinition.create(issuer + "/anoncreds/v0/SCHEMA/people/1.0", schema, issuer, "t", "CL")
n = int(definition.to_dict()["value"]["primary"]["n"])
p, q = (int(value) for value in private.to_dict()["value"]["p_key"].values())
print("n:", n.bit_length(), "bits, p and q:", p.bit_length(), q.bit_length())
assert n == (2 * p + 1) * (2 * q + 1) and n.bit_length() > 2048
PYTHON
