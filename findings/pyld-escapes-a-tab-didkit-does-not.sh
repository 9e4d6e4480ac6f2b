#!/usr/bin/env bash
# pyld 3.3.0 refuses what didkit 0.3.3 signed if a string has a tab in it: their canonical N-Quads differ in that character.
#
# Expected: one text for one statement. URDNA2015, which both name, escapes backslash, quotation mark, line feed and carriage
# return and nothing else; its successor RDFC-1.0 escapes all control characters (\t, \b, \f, \u007F ...).
#
# Seen 2026-11-30, pyld 3.3.0, didkit 0.3.3 (PyPI): didkit writes the tab as it is, pyld as \t, and backspace and DEL as they
# are: pyld's text is that of neither standard. The name RDFC-1.0 it does not know. A signature over a document (credential,
# capability) with a tab in a string is good in one library and bad in the other; the other strings below agree.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check didkit==0.3.3 pyld==3.3.0 cryptography==50.0.2
cat >sign.py <<'PYTHON'
import asyncio, json, os, sys
import didkit


async def main():
    key = didkit.generate_ed25519_key()
    method = await didkit.key_to_verification_method("key", key)
    options = {"type": "Ed25519Signature2018", "proofPurpose": "assertionMethod", "verificationMethod": method}
    signed = []
    for text in json.load(sys.stdin):
        credential = {
            "@context": ["https://www.w3.org/2018/credentials/v1", {"note": "https://example.org/note"}],
            "type": ["VerifiableCredential"], "issuer": didkit.key_to_did("key", key), "issuanceDate": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": "urn:example:subject", "note": text}}
        answer = await didkit.issue_credential(json.dumps(credential), json.dumps(options), key)
        assert json.loads(await didkit.verify_credential(answer, "{}"))["errors"] == []
        signed.append(json.loads(answer))
    print(json.dumps({"x": json.loads(key)["x"], "signed": signed}), flush=True)


asyncio.run(main())
os._exit(0)  # didkit's own threads are of no interest
PYTHON
venv/bin/python - <<'PYTHON'
import base64, hashlib, json, subprocess
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyld import jsonld

CREDENTIALS, SECURITY = "https://www.w3.org/2018/credentials#", "https://w3id.org/security#"


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def date(value):
    return {"@value": value, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}


def canonical(document):
    return jsonld.normalize(document, {"algorithm": "URDNA2015", "format": "application/n-quads"})


def verifies(credential, key, change=lambda text: text):
    """Whether the signature is good for pyld's form of the document, in which the terms are spelled out."""
    proof, subject = credential["proof"], credential["credentialSubject"]
    document = {
        "@type": CREDENTIALS + "VerifiableCredential", CREDENTIALS + "issuer": {"@id": credential["issuer"]},
        CREDENTIALS + "issuanceDate": date(credential["issuanceDate"]),
        CREDENTIALS + "credentialSubject": {"@id": subject["id"], "https://example.org/note": subject["note"]}}
    options = {
        "@type": SECURITY + proof["type"], "http://purl.org/dc/terms/created": date(proof["created"]),
        SECURITY + "proofPurpose": {"@id": SECURITY + proof["proofPurpose"]},
        SECURITY + "verificationMethod": {"@id": proof["verificationMethod"]}}
    hashes = b"".join(hashlib.sha256(text.encode()).digest() for text in (canonical(options), change(canonical(document))))
    header, _, signature = proof["jws"].split(".")
    try:
        key.verify(decoded(signature), header.encode() + b"." + hashes)
        return True
    except InvalidSignature:
        return False


texts = ["plain", 'a"\\b', "a\nb", "a\rb", "a\bb", "a\x7fb", "a\u2028b", "a\tb"]
answer = json.loads(subprocess.run(["venv/bin/python", "sign.py"], input=json.dumps(texts), capture_output=True, text=True, check=True).stdout)
key = Ed25519PublicKey.from_public_bytes(decoded(answer["x"]))
for text, credential in zip(texts, answer["signed"], strict=True):
    good = verifies(credential, key)
    print(ascii(text), good)
    assert good == (text != "a\tb")
assert verifies(answer["signed"][-1], key, lambda lines: lines.replace("\\t", "\t"))
try:
    jsonld.normalize({}, {"algorithm": "RDFC-1.0", "format": "application/n-quads"})
    raise SystemExit("RDFC-1.0 is known")
except jsonld.JsonLdError as error:
    print(error)
PYTHON
