#!/usr/bin/env bash
# moto 5.2.5: KMS Sign with MessageType DIGEST hashes the digest once more.
#
# Expected: as AWS KMS: the digest is signed, so the signature verifies over the message, with MessageType RAW or with
# any library.
#
# Seen 2026-11-29, moto 5.2.5, cryptography 50.0.2 (PyPI): the signature verifies over the digest as if that were the
# message. Code that hashes by itself looks wrong against moto and is right against AWS; a program tested here alone
# has it the other way round.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[kms]==5.2.5' boto3==1.43.11 cryptography==50.0.2
venv/bin/python - <<'PYTHON'
import hashlib, os
import boto3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="eu-west-1")
digest = hashlib.sha256(b"message").digest()
with mock_aws():
    kms = boto3.client("kms")
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    signature = kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")["Signature"]


def verifies(message):
    try:
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


print("over the message:", verifies(b"message"), "over the digest as a message:", verifies(digest))
assert not verifies(b"message") and verifies(digest)
PYTHON
