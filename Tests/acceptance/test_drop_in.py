"""Switches for deployments that come from TrustBloc's server: its statuses, its pages, key sets of its issuers."""
import json
import subprocess
import sys
import time

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from daemon import eventually, free_port
from test_capabilities import BASE, Guarded
from test_guards import create
from tokens import b64, bearer, claims, compact, hs256


def test_failures_can_have_the_original_statuses(own):
    daemon = own.start(KMS_UPSTREAM_STATUS_CODES="true")
    url = daemon.base

    def status(method, path, body=None):
        data = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        answer = requests.request(method, url + path, data=data, timeout=10)
        if answer.status_code >= 400 and answer.text:
            assert answer.json()["message"] == answer.json()["errMessage"]
        return answer.status_code

    keystore = requests.post(f"{url}/v1/keystores", json={"controller": "did:example:a"}, timeout=10).json()[
        "key_store_url"]
    key = requests.post(f"{url}{keystore}/keys", json={"key_type": "ED25519"}, timeout=10).json()["key_url"]
    assert status("POST", "/v1/keystores", {"controller": ""}) == 400
    assert status("POST", "/v1/keystores", "not json") == 500
    assert status("POST", f"{keystore}/keys", {"key_type": "NONE"}) == 500
    assert status("POST", f"/v1/keystores/{'c' * 20}/keys", {"key_type": "ED25519"}) == 500
    assert status("POST", f"{keystore}/keys/unknown/sign", {"message": "aGk="}) == 500
    assert status("POST", f"{key}/sign", {"message": "?"}) == 500
    assert status("POST", f"{key}/verify", {"message": "aGk=", "signature": "AAAA"}) == 500
    assert status("POST", f"{key}/sign", {"message": "aGk="}) == 200
    # Our own routes have no original to compare with.
    assert status("GET", f"{keystore}/keys/unknown") == 404
    assert status("POST", f"{key}/disable") == 200
    assert status("POST", f"{key}/sign", {"message": "aGk="}) == 500


def test_pages_of_other_origins_are_let_in_only_where_something_guards(own):
    assert "auth-type" in own.refuses_to_start(KMS_CORS_ENABLE="true")
    guarded = Guarded(own.start(KMS_CORS_ENABLE="true", KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE))
    page = {"Origin": "https://wallet.example"}
    asked = requests.options(f"{guarded.url}{guarded.keystore}/keys", timeout=5, headers={
        **page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "capability-invocation"})
    assert asked.status_code == 204 and asked.headers["Access-Control-Allow-Origin"] == "*"
    assert asked.headers["Access-Control-Allow-Headers"] == "capability-invocation"
    assert asked.headers["Access-Control-Max-Age"] == "60"
    assert {"GET", "POST", "PUT"} <= set(asked.headers["Access-Control-Allow-Methods"].split(", "))
    answer = requests.post(f"{guarded.url}{guarded.keystore}/keys", headers=page, timeout=5)
    assert answer.status_code in (400, 401) and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    plain = requests.get(f"{guarded.url}/healthcheck", timeout=5)
    assert "Access-Control-Allow-Origin" not in plain.headers


def test_without_the_switch_no_page_is_let_in(daemon):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{daemon.base}/v1/keystores", headers=headers, timeout=5)
    assert answer.status_code == 405 and "Access-Control-Allow-Origin" not in answer.headers


@pytest.fixture
def issuer(tmp_path):
    """A key server in a process of its own: whatever lies in the folder is served."""
    (tmp_path / "jwks").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", tmp_path / "jwks"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    port = process.stdout.readline().split(" port ")[1].split()[0]
    yield tmp_path / "jwks", f"http://127.0.0.1:{port}/keys.json"
    process.kill()
    process.wait()


class Issuer:
    def __init__(self, kid):
        self.kid, self.key = kid, Ed25519PrivateKey.generate()
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig",
                    "x": b64(self.key.public_key().public_bytes_raw())}

    def token(self, **more):
        return compact({"alg": "EdDSA", "kid": self.kid, "typ": "JWT"}, claims(**more), self.key.sign)


def publish(folder, *issuers):
    (folder / "new").write_text(json.dumps({"keys": [issuer.jwk for issuer in issuers]}))
    (folder / "new").rename(folder / "keys.json")


def test_key_sets_are_fetched_and_removed_keys_stop(own, issuer):
    folder, url = issuer
    first, second = Issuer("first"), Issuer("second")
    publish(folder, first)
    settings = {"KMS_ADMIN_GUARD": "jwt", "KMS_JWT_JWKS_URL": url, "KMS_JWT_JWKS_REFRESH": "1s"}
    assert "KMS_JWT_JWKS_URL" in own.refuses_to_start(**settings)
    away = own.start(**{**settings, "KMS_JWT_JWKS_URL": f"https://localhost:{free_port()}/keys.json"})
    answer = create(away, bearer(first.token()))
    assert answer.status_code == 503 and "fetched" in answer.json()["message"], answer.text
    assert away.terminate() == 0
    daemon = own.start(**settings, KMS_OUTBOUND_ALLOW=url.split("/")[2])
    assert create(daemon, bearer(first.token())).status_code == 200
    assert create(daemon, bearer(second.token())).status_code == 401
    public = second.key.public_key().public_bytes_raw()
    for forged in (hs256(public, claims()), hs256(first.jwk["x"].encode(), claims())):
        assert create(daemon, bearer(forged)).status_code == 401
    publish(folder, second)
    time.sleep(1.1)
    assert create(daemon, bearer(first.token())).status_code == 401
    assert create(daemon, bearer(second.token())).status_code == 200


def test_a_key_set_like_those_of_large_issuers_is_read(own, issuer):
    """Names with slashes, keys for encryption, old small ones, doubled ones and new types; times with fractions."""
    folder, url = issuer
    good, url_named = Issuer("5h/K+3Rk1/eXAMPLE="), Issuer("https://id.example/keys/1?v=2#now")
    spare = Issuer("spare")
    bad = [{"kty": "RSA", "kid": "old", "alg": "RS256", "n": b64(b"\xff" * 128), "e": "AQAB"},
           {"kty": "RSA", "kid": "enc", "use": "enc", "n": b64(b"\xff" * 256), "e": "AQAB"},
           {"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": "AAAA"}, {"kty": "EC", "crv": "P-256", "kid": "bad"},
           {"kty": "OKP", "crv": "Ed448", "kid": "448", "x": "AA"}, good.jwk, 7, {**spare.jwk, "x": "AA"}]
    (folder / "keys.json").write_text(json.dumps({"keys": [*bad, good.jwk, url_named.jwk]}))
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=url, KMS_JWT_JWKS_REFRESH="1s",
                       KMS_OUTBOUND_ALLOW=url.split("/")[2])
    for issuer_ in (good, url_named):
        now = time.time()
        assert create(daemon, bearer(issuer_.token(exp=now + 60.25, iat=now - 1.5, nbf=now - 1.5))).status_code == 200
    assert create(daemon, bearer(spare.token())).status_code == 401
    assert create(daemon, bearer(good.token(exp=time.time() - 61.5))).status_code == 401
    time.sleep(1.1)
    assert create(daemon, bearer(good.token())).status_code == 200

    def lines():
        return [line for line in daemon.log().splitlines() if "keys of the key set are not used" in line]

    told, _ = eventually(lines, 20, "a line about the keys that are not used")
    assert len(told) == 1 and "'old'" in told[0] and "1024" in told[0] and "'pq'" in told[0], daemon.log()
    # Two different keys of one name mean nothing.
    rival = Issuer(good.kid)
    publish(folder, good, url_named, rival)
    time.sleep(1.1)
    fresh = create(daemon, bearer(url_named.token()))
    assert fresh.status_code == 200, "the last good set serves on"
    daemon.kill()
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=url, KMS_OUTBOUND_ALLOW=url.split("/")[2])

    def refusal():
        answer = create(daemon, bearer(url_named.token()))
        assert answer.status_code == 503, answer.text
        return "same kid" in answer.json()["message"]

    eventually(refusal, 20, "the refusal of a set with two different keys of one name")


def test_a_key_set_that_cannot_be_read_lets_nobody_in(own, issuer):
    folder, url = issuer
    first = Issuer("first")
    (folder / "keys.json").write_text(json.dumps({"keys": [first.jwk]}) + " " * (2 << 20))
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=url, KMS_OUTBOUND_ALLOW=url.split("/")[2])
    assert create(daemon, bearer(first.token())).status_code == 503


def test_listed_origins_may_call_the_split_key_api(own, tmp_path):
    secret = tmp_path / "jwt.secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    secret.chmod(0o600)
    daemon = own.start(KMS_JWT_SECRET_FILE=str(secret), KMS_CORS_ORIGINS="https://wallet.example,https://b.example:8443")

    def preflight(origin, path="/zvault/wallets"):
        return requests.options(daemon.base + path, timeout=5, headers={
            "Origin": origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-jwt-token"})

    asked = preflight("https://wallet.example")
    assert asked.status_code == 204 and asked.headers["Access-Control-Allow-Origin"] == "https://wallet.example"
    assert {"X-Jwt-Token", "X-Peer-Public-Key", "Content-Type"} <= set(
        asked.headers["Access-Control-Allow-Headers"].split(", "))
    assert asked.headers["Vary"] == "Origin"
    for origin, path in [("https://evil.example", "/zvault/wallets"), ("https://wallet.example.evil", "/zauth/setup"),
                         ("http://wallet.example", "/zvault/wallets"), ("null", "/zvault/wallets"),
                         ("https://wallet.example", "/v1/keystores")]:
        assert "Access-Control-Allow-Origin" not in preflight(origin, path).headers, (origin, path)
    page = {"Origin": "https://b.example:8443", "X-Jwt-Token": hs256(secret.read_bytes())}
    answer = requests.get(f"{daemon.base}/zvault/wallets", headers=page, timeout=10)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://b.example:8443"
