"""Keystores guarded by GNAP tokens, from a client written after the wire description alone."""
import base64
import hashlib
import json
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tokens import b64, bearer, claims, hs256

BASE = "https://kms.example.test"


class AuthorizationServer:
    def __init__(self):
        script = Path(__file__).parent / "support" / "introspection_server.py"
        self.process = subprocess.Popen([sys.executable, "-B", script], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def says(self, token, **answer):
        requests.put(f"{self.url}/tokens/{token}", json=answer, timeout=10)

    def mode(self, mode):
        requests.put(f"{self.url}/mode", json=mode, timeout=10)

    def calls(self):
        return requests.get(f"{self.url}/calls", timeout=10).json()

    def end(self):
        self.process.kill()
        self.process.wait()


class Client:
    """A wallet with a key, a token bound to it, and HTTP message signatures of its own making."""

    def __init__(self, daemon, server, subject="alice"):
        self.daemon, self.server = daemon, server
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.token = secrets.token_urlsafe(24)
        self.activate(subject)

    def activate(self, subject):
        numbers = self.key.public_key().public_numbers()
        jwk = {"kty": "EC", "crv": "P-256", "kid": "wallet", "alg": "ES256",
               **{name: b64(getattr(numbers, name).to_bytes(32, "big")) for name in "xy"}}
        data = {"subject_data": {"sub": subject}} if subject else {}
        self.server.says(self.token, active=True, access=[], key={"proof": "httpsig", "jwk": jwk}, flags=[], **data)

    def headers(self, method, path, body=b"", *, components=None, created=None, token=None, base=BASE):
        headers = {"Authorization": f"GNAP {token or self.token}"}
        names = ["@method", "@target-uri", "authorization"]
        if body:
            headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
            names.append("content-digest")
        names = names if components is None else components
        values = {"@method": method, "@target-uri": base + path, "authorization": headers["Authorization"],
                  "content-digest": headers.get("Content-Digest", "")}
        listed = " ".join(f'"{name}"' for name in names)
        parameters = f'({listed});created={int(time.time()) if created is None else created};keyid="wallet"'
        lines = [f'"{name}": {values[name]}' for name in names] + [f'"@signature-params": {parameters}']
        r, s = decode_dss_signature(self.key.sign("\n".join(lines).encode(), ec.ECDSA(hashes.SHA256())))
        signature = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
        return {**headers, "Signature-Input": f"sig1={parameters}", "Signature": f"sig1=:{signature}:"}

    def call(self, method, path, value=None, *, headers=None, send=None, **more):
        body = json.dumps(value).encode() if value is not None else b""
        headers = self.headers(method, path, body, **more) if headers is None else headers
        return requests.request(method, self.daemon.base + path, data=body if send is None else send, headers=headers,
                                timeout=20)

    def keystore(self, controller="did:example:alice"):
        answer = self.call("POST", "/v1/keystores", {"controller": controller})
        assert answer.status_code == 200, answer.text
        assert "capability" not in answer.json()
        return answer.json()["key_store_url"].removeprefix(BASE)

    def create(self, keystore):
        answer = self.call("POST", f"{keystore}/keys", {"key_type": "ED25519"})
        assert answer.status_code == 200, answer.text
        return answer.json()["key_url"].removeprefix(BASE), base64.b64decode(answer.json()["public_key"])


@pytest.fixture
def server():
    server = AuthorizationServer()
    yield server
    server.end()


@pytest.fixture
def settings(own, server, tmp_path):
    path = tmp_path / "gnap.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", path], check=True,
                   capture_output=True)
    path.chmod(0o600)
    return {"KMS_AUTH_TYPE": "GNAP", "KMS_BASE_URL": BASE, "KMS_AUTH_SERVER_URL": server.url,
            "KMS_GNAP_SIGNING_KEY": str(path), "KMS_OUTBOUND_ALLOW": server.url.removeprefix("http://")}


@pytest.fixture
def daemon(own, settings):
    return own.start(**settings)


@pytest.fixture
def alice(daemon, server):
    return Client(daemon, server)


MESSAGE = {"message": base64.b64encode(b"hello").decode()}


def refused(answer, text="unauthorized", status=401):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.text.startswith(text), answer.text


def test_gnap_guarded_create_and_sign(alice):
    key, public = alice.create(alice.keystore())
    answer = alice.call("POST", f"{key}/sign", MESSAGE)
    assert answer.status_code == 200
    Ed25519PublicKey.from_public_bytes(public[-32:]).verify(base64.b64decode(answer.json()["signature"]), b"hello")
    assert alice.call("GET", f"{key}/export").status_code == 200
    assert len(alice.server.calls()) == 4


def test_without_a_token_nothing_is_open(alice):
    keystore = alice.keystore()
    for headers in [{}, {"Authorization": "GNAP"}, {"Authorization": f"Bearer {alice.token}"},
                    {"Authorization": "GNAP a b"}]:
        refused(alice.call("POST", "/v1/keystores", {"controller": "did:example:a"}, headers=headers))
        refused(alice.call("POST", f"{keystore}/keys", {"key_type": "ED25519"}, headers=headers))
    refused(alice.call("POST", f"{keystore}/keys", {"key_type": "ED25519"}, token="unknown"))
    assert requests.get(f"{alice.daemon.base}/healthcheck", timeout=5).status_code == 200


def test_another_key_and_another_token_are_refused(alice, server):
    key, _ = alice.create(alice.keystore())
    thief = Client(alice.daemon, server, subject="mallory")
    # The right token with another key, and the right key with another token.
    refused(thief.call("POST", f"{key}/sign", MESSAGE, token=alice.token), "verify gnap request: ")
    refused(alice.call("POST", f"{key}/sign", MESSAGE, token=thief.token), "verify gnap request: ")
    # All right, but not the owner; a keystore that does not exist answers alike.
    refused(thief.call("POST", f"{key}/sign", MESSAGE))
    refused(thief.call("POST", "/v1/keystores/c0ekinlioud42c84qs9g/keys", {"key_type": "ED25519"}))
    # Another token and key of the same subject may.
    assert Client(alice.daemon, server).call("POST", f"{key}/sign", MESSAGE).status_code == 200


def test_an_inactive_token_stops_at_once(alice, server):
    key, _ = alice.create(alice.keystore())
    assert alice.call("POST", f"{key}/sign", MESSAGE).status_code == 200
    server.says(alice.token, active=False)
    refused(alice.call("POST", f"{key}/sign", MESSAGE))
    alice.activate("alice")
    assert alice.call("POST", f"{key}/sign", MESSAGE).status_code == 200


def test_every_part_must_be_signed(alice):
    key, _ = alice.create(alice.keystore())
    path, body = f"{key}/sign", json.dumps(MESSAGE).encode()
    full = ["@method", "@target-uri", "authorization", "content-digest"]
    for missing in full:
        components = [name for name in full if name != missing]
        refused(alice.call("POST", path, MESSAGE, components=components), "verify gnap request: ")
    refused(alice.call("POST", path, MESSAGE, send=body + b" "), "verify gnap request: ")
    refused(alice.call("POST", path, MESSAGE, headers=alice.headers("POST", f"{key}/verify", body)), "verify gnap")
    refused(alice.call("POST", path, MESSAGE, headers=alice.headers("PUT", path, body)), "verify gnap request: ")
    refused(alice.call("POST", path, MESSAGE, base=alice.daemon.base), "verify gnap request: ")
    refused(alice.call("POST", path, MESSAGE, created=int(time.time()) - 120), "verify gnap request: ")
    refused(alice.call("POST", path, MESSAGE, created=int(time.time()) + 120), "verify gnap request: ")
    headers = {name: value for name, value in alice.headers("POST", path, body).items() if "ignature" not in name}
    refused(alice.call("POST", path, MESSAGE, headers=headers), "verify gnap request: ")
    once = alice.headers("POST", path, body)
    assert alice.call("POST", path, MESSAGE, headers=once).status_code == 200
    refused(alice.call("POST", path, MESSAGE, headers=once), "verify gnap request: ")


def test_a_server_that_fails_lets_nobody_in(alice, server):
    key, _ = alice.create(alice.keystore())
    for mode in ("error", "redirect", "nonsense"):
        server.mode(mode)
        refused(alice.call("POST", f"{key}/sign", MESSAGE), "introspect token: ", 502)
    server.mode("ok")
    assert alice.call("POST", f"{key}/sign", MESSAGE).status_code == 200
    server.end()
    refused(alice.call("POST", f"{key}/sign", MESSAGE), "introspect token: ", 502)
    assert alice.token not in alice.daemon.log()


def test_without_a_subject_the_key_owns(alice, server):
    nobody, other = (Client(alice.daemon, server, subject=None) for _ in range(2))
    key, _ = nobody.create(nobody.keystore())
    assert nobody.call("POST", f"{key}/sign", MESSAGE).status_code == 200
    refused(other.call("POST", f"{key}/sign", MESSAGE))
    refused(alice.call("POST", f"{key}/sign", MESSAGE))


def test_owners_survive_a_restart_and_controllers_own_older_keystores(own, settings, server):
    plain = own.start()
    older = requests.post(f"{plain.base}/v1/keystores", json={"controller": "alice"}, timeout=10).json()["key_store_url"]
    assert plain.terminate() == 0
    daemon = own.start(**settings)
    alice, mallory = Client(daemon, server), Client(daemon, server, subject="mallory")
    alice.create(older)
    refused(mallory.call("POST", f"{older}/keys", {"key_type": "ED25519"}))
    keystore = alice.keystore(controller="mallory")
    refused(mallory.call("POST", f"{keystore}/keys", {"key_type": "ED25519"}))
    assert daemon.terminate() == 0
    alice.daemon = own.start(**settings)
    alice.create(keystore)


def test_a_request_dated_ahead_counts_once_over_a_crash(own, settings, server):
    daemon = own.start(**settings)
    alice = Client(daemon, server)
    key, _ = alice.create(alice.keystore())
    path, data = f"{key}/sign", json.dumps(MESSAGE).encode()
    used = [alice.headers("POST", path, data, created=int(time.time()) + ahead) for ahead in (0, 1, 30, 59)]
    unused = alice.headers("POST", path, data, created=int(time.time()) + 59)
    for headers in used:
        assert alice.call("POST", path, MESSAGE, headers=headers).status_code == 200
    for _ in range(2):
        daemon.kill()
        daemon = alice.daemon = own.start(**settings)
        for headers in used:
            answer = alice.call("POST", path, MESSAGE, headers=headers)
            assert answer.status_code == 401 and answer.text.startswith("verify gnap request")
    assert alice.call("POST", path, MESSAGE, headers=unused).status_code == 200
    assert alice.call("POST", path, MESSAGE).status_code == 200


def test_a_token_that_is_away_tells_others_nothing(own, settings, server):
    """Threat S17: whose a keystore is, is looked up before it is opened."""
    daemon = own.start(**settings)
    alice, mallory = Client(daemon, server), Client(daemon, server, subject="mallory")
    keystore = alice.keystore()
    daemon.kill()
    own.token.hide()
    alice.daemon = mallory.daemon = own.start(ready=False, **settings)
    alice.daemon.wait_for_readiness(503)
    for place in (keystore, f"/v1/keystores/{'0' * 20}"):
        refused(mallory.call("POST", f"{place}/keys/any/sign", MESSAGE))
    assert alice.call("POST", f"{keystore}/keys/any/sign", MESSAGE).status_code == 503


def test_signatures_can_be_switched_off(own, settings, server):
    alice = Client(own.start(KMS_GNAP_HTTPSIG_DISABLE="true", **settings), server)
    headers = {"Authorization": f"GNAP {alice.token}"}
    body = {"controller": "did:example:a"}
    assert alice.call("POST", "/v1/keystores", body, headers=headers).status_code == 200
    refused(alice.call("POST", "/v1/keystores", body, headers={"Authorization": "GNAP unknown"}))


def test_a_configured_cache_asks_less_and_forgets(own, settings, server):
    alice = Client(own.start(KMS_GNAP_INTROSPECTION_TTL="2s", **settings), server)
    key, _ = alice.create(alice.keystore())
    for _ in range(5):
        assert alice.call("POST", f"{key}/sign", MESSAGE).status_code == 200
    assert len(server.calls()) < 7
    server.says(alice.token, active=False)
    time.sleep(2.1)
    refused(alice.call("POST", f"{key}/sign", MESSAGE))


def test_own_routes_need_the_guard(own, settings, server, tmp_path):
    secret = tmp_path / "jwt.secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    secret.chmod(0o600)
    alice = Client(own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=str(secret), **settings), server)
    keystore = alice.keystore()
    assert alice.call("GET", keystore).status_code == 401
    service = bearer(hs256(secret.read_bytes(), claims(scope="kms:service")))
    assert requests.get(alice.daemon.base + keystore, headers=service, timeout=10).status_code == 200


def test_own_routes_are_closed_without_a_guard(alice):
    refused(alice.call("GET", alice.keystore()), "forbidden", 403)


@pytest.mark.parametrize("name,hint", [
    ("KMS_AUTH_SERVER_URL", "auth-server-url"), ("KMS_GNAP_SIGNING_KEY", "gnap-signing-key"), ("KMS_BASE_URL", "base-url")])
def test_what_gnap_needs_is_named(own, settings, name, hint):
    assert hint in own.refuses_to_start(**{**settings, name: None})


def test_a_signing_key_others_can_read_or_of_another_kind_is_refused(own, settings):
    path = Path(settings["KMS_GNAP_SIGNING_KEY"])
    path.chmod(0o644)
    assert "chmod 600" in own.refuses_to_start(**settings)
    subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-out", path], check=True, capture_output=True)
    path.chmod(0o600)
    assert "gnap-signing-key" in own.refuses_to_start(**settings)
