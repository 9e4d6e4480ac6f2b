#!/usr/bin/env bash
# moto 5.2.5: KMS keys that are disabled, pending deletion or of another usage encrypt and decrypt as before.
#
# Expected: DisabledException, KMSInvalidStateException and InvalidKeyUsageException, as AWS KMS answers.
#
# Seen 2026-11-29, moto 5.2.5, boto3 1.43.11 (PyPI), in process: three times success. Tests of what a program does
# when its key is taken away pass against moto without the program ever seeing a refusal.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[kms]==5.2.5' boto3==1.43.11
venv/bin/python - <<'PYTHON'
import os
import boto3
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="eu-west-1")
with mock_aws():
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    disabled = kms.decrypt(CiphertextBlob=blob)["Plaintext"]
    state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    pending = kms.decrypt(CiphertextBlob=blob)["Plaintext"]
    signer = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    usage = bool(kms.encrypt(KeyId=signer, Plaintext=b"text")["CiphertextBlob"])
print(state, "decrypts:", disabled, "pending deletion:", pending, "a key for signing encrypts:", usage)
assert state == "Disabled" and disabled == pending == b"text" and usage
PYTHON
