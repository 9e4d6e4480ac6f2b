#!/usr/bin/env bash
# anoncreds 0.2.3: a schema with the attributes "First Name" and "firstname" is made, and its credential definition
# has one base for both.
#
# Expected: two, or a refusal when the schema is made.
#
# Seen 2026-11-29, anoncreds 0.2.3 (PyPI): names are lower-cased and freed of spaces only when the definition is made;
# the bases are firstname and master_secret. Whoever counts attributes by the schema, or keeps a table by its names,
# disagrees with the key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check anoncreds==0.2.3
venv/bin/python - <<'PYTHON'
from anoncreds import CredentialDefinition, Schema

issuer = "did:sov:55GkHamhTU1ZbTbV2ab9DE"
schema = Schema.create("people", "1.0", issuer, ["First Name", "firstname"])
definition, _, _ = CredentialDefinition.create(issuer + "/anoncreds/v0/SCHEMA/people/1.0", schema, issuer, "t", "CL")
attributes, bases = schema.to_dict()["attrNames"], sorted(definition.to_dict()["value"]["primary"]["r"])
print("schema:", attributes, "definition:", bases)
assert len(attributes) == 2 and bases == ["firstname", "master_secret"]
PYTHON
