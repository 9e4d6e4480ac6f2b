"""Who may make keystores and use our own routes: bearer tokens and client certificates."""
import http.client
import os
import socket
import ssl
import time
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from daemon import free_port
from test_capabilities import BASE, Wallet
from tokens import b64, bearer, claims, compact, hs256

SECRET = os.urandom(32)
BODY = {"controller": "did:example:me"}


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "jwt.secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def guarded(own, secret_file):
    return own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=secret_file)


def create(daemon, headers=None, **more):
    return requests.post(f"{daemon.base}/v1/keystores", json=BODY, headers=headers or {}, timeout=10, **more)


def test_making_a_keystore_needs_a_token(guarded):
    refused = create(guarded)
    assert refused.status_code == 401 and refused.headers["WWW-Authenticate"] == "Bearer"
    assert refused.json()["message"] == refused.json()["errMessage"]
    assert create(guarded, bearer(hs256(SECRET))).status_code == 200
    assert create(guarded, {"X-Jwt-Token": hs256(SECRET)}).status_code == 200
    wrong = create(guarded, bearer(hs256(os.urandom(32))))
    assert wrong.status_code == 401 and "invalid signature" in wrong.json()["message"]


def test_making_a_key_that_calls_vaults_needs_a_token(guarded):
    url = f"{guarded.base}/v1/keystores/did"
    assert requests.post(url, timeout=10).status_code == 401
    assert requests.post(url, headers=bearer(hs256(SECRET)), timeout=10).status_code == 200


def test_the_name_of_a_key_is_opaque_and_leads_nowhere(guarded):
    service = {"scope": "kms:service"}
    for name in ("../../dev/null", "' OR 1=1 --", "https://issuer.example/keys/1", "a/b"):
        assert create(guarded, bearer(hs256(SECRET, claims(**service), header={"kid": name}))).status_code == 200, name


def test_bad_tokens_are_refused_quickly_and_change_nothing(guarded):
    service = {"scope": "kms:service"}
    unsigned = compact({"alg": "none"}, claims(**service), lambda _: b"")
    now = int(time.time())
    bad = [
        unsigned, unsigned.replace(b64(b'{"alg": "none"}'), b64(b'{"alg":"nOnE"}')),
        hs256(SECRET, header={"alg": "RS256"}), hs256(b"", claims()),
        hs256(SECRET, header={"jwk": {"kty": "oct", "k": b64(SECRET)}}),
        hs256(SECRET, header={"jku": f"http://127.0.0.1:{free_port()}/"}), hs256(SECRET, header={"x5u": "https://a"}),
        hs256(SECRET, header={"x5c": ["MIIB"]}), hs256(SECRET, header={"crit": ["exp"]}),
        hs256(SECRET, claims(seconds=-61)), hs256(SECRET, claims(nbf=now + 120)), hs256(SECRET, {"sub": "a"}),
        hs256(SECRET, claims(exp=str(now + 60))), hs256(SECRET, claims(exp=1e308)), hs256(SECRET, claims(exp=now - 61.5)),
        hs256(SECRET, f'{{"sub":"a","exp":1,"exp":{now + 60}}}'.encode()), hs256(SECRET, claims(pad="a" * 12_000)),
        hs256(SECRET, b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}"), hs256(SECRET, claims(aud="somebody")),
        hs256(SECRET, claims(user_id=5)), "a.b", "a.b.c", "...", "",
    ]
    start = time.monotonic()
    for token in bad:
        answer = create(guarded, bearer(token))
        assert answer.status_code == 401, (token, answer.text)
        assert answer.headers["Content-Type"] == "application/json" and token[:20] not in answer.text or not token
    assert time.monotonic() - start < 30
    listed = requests.get(f"{guarded.base}/v1/keystores", headers=bearer(hs256(SECRET, claims(**service))), timeout=10)
    assert listed.json()["keystores"] == []
    log = guarded.log()
    assert SECRET.hex() not in log and unsigned not in log


def test_own_routes_need_a_services_token(guarded):
    user, service = bearer(hs256(SECRET)), bearer(hs256(SECRET, claims(scope="openid kms:service")))
    keystore = create(guarded, user).json()["key_store_url"]
    key = requests.post(f"{guarded.base}{keystore}/keys", json={"key_type": "ED25519"}, timeout=10).json()["key_url"]
    for method, path in [("GET", "/v1/keystores"), ("GET", keystore), ("GET", f"{keystore}/keys"), ("GET", key),
                         ("POST", f"{key}/disable"), ("POST", f"{key}/enable"), ("DELETE", key),
                         ("POST", f"{key}/restore")]:
        def call(headers):
            return requests.request(method, guarded.base + path, headers=headers, timeout=10).status_code
        assert (call({}), call(user), call(service)) == (401, 403, 200), (method, path)


def test_capabilities_and_tokens_share_the_routes(own, secret_file):
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=secret_file, KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE)
    wallet, service = Wallet(), bearer(hs256(SECRET, claims(scope="kms:service")))
    body = {"controller": wallet.did}
    assert requests.post(f"{daemon.base}/v1/keystores", json=body, timeout=10).status_code == 401
    made = requests.post(f"{daemon.base}/v1/keystores", json=body, headers=bearer(hs256(SECRET)), timeout=10)
    keystore = made.json()["key_store_url"].removeprefix(BASE)
    assert made.json()["capability"]
    assert requests.get(daemon.base + keystore, headers=service, timeout=10).json()["controller"] == wallet.did
    # A service's token manages; it uses no key.
    assert requests.post(f"{daemon.base}{keystore}/keys", json={"key_type": "ED25519"}, headers=service,
                         timeout=10).status_code == 401


def test_dev_jwt_prints_a_token_that_works(guarded, own, secret_file):
    token = own.run("dev", "jwt", "--user", "bob", "--jwt-secret-file", secret_file).stdout.strip()
    assert create(guarded, bearer(token)).status_code == 200
    service = own.run_json("dev", "jwt", "--user", "op", "--service", "--ttl", "5m", KMS_JWT_SECRET_FILE=secret_file)
    listed = requests.get(f"{guarded.base}/v1/keystores", headers=bearer(service["jwt_token"]), timeout=10)
    assert len(listed.json()["keystores"]) == 1
    assert "jwt-secret-file" in own.run("dev", "jwt", "--user", "x", check=False).stderr
    assert own.run("dev", "jwt", "--user", "x", "--ttl", "soon", check=False).returncode == 64


def test_a_secret_in_a_variable_is_for_trying_out_only(own):
    text = "a secret that everybody can read"
    said = own.refuses_to_start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET=text)
    assert "KMS_DEV" in said or "dev" in said
    assert text not in said
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET=text, KMS_DEV="true")
    assert create(daemon, bearer(hs256(text.encode()))).status_code == 200


def test_a_secret_file_others_can_read_is_refused(own, secret_file):
    os.chmod(secret_file, 0o644)
    assert "chmod 600" in own.refuses_to_start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=secret_file)


# Client certificates


class Authority:
    """A certificate authority; its certificates are made here, right ones and wrong ones."""

    def __init__(self, folder, subject="Test CA"):
        self.folder = folder
        folder.mkdir()
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        self.certificate, self.key = self._write("ca", self.private, self._build(
            self.name, self.private, x509.BasicConstraints(True, None)))

    def _build(self, name, key, constraints, days=2, extensions=()):
        start = datetime.now(timezone.utc) - timedelta(days=1)
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(start)
                   .not_valid_after(start + timedelta(days=days)).add_extension(constraints, critical=True))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.private, hashes.SHA256())

    def _write(self, stem, key, certificate):
        paths = str(self.folder / f"{stem}.pem"), str(self.folder / f"{stem}.key")
        Path(paths[0]).write_bytes(certificate.public_bytes(Encoding.PEM))
        Path(paths[1]).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        os.chmod(paths[1], 0o600)
        return paths

    def issue(self, name, usage=ExtendedKeyUsageOID.CLIENT_AUTH, days=2):
        """Paths of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._write(name, key, self._build(
            subject, key, x509.BasicConstraints(False, None), days, [x509.ExtendedKeyUsage([usage]), address]))


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def server(authority):
    return authority.issue("server", ExtendedKeyUsageOID.SERVER_AUTH)


@pytest.fixture
def mutual(own, authority, server):
    return own.start(KMS_ADMIN_GUARD="mtls", KMS_TLS_SERVE_CERT=server[0], KMS_TLS_SERVE_KEY=server[1],
                     KMS_TLS_CLIENT_CACERTS=authority.certificate)


def test_a_client_certificate_opens_the_guarded_routes(mutual, authority):
    trust = {"verify": authority.certificate}
    operator = authority.issue("operator")
    assert create(mutual, **trust).status_code == 401
    keystore = create(mutual, cert=operator, **trust).json()["key_store_url"]
    assert requests.get(mutual.base + keystore, timeout=10, **trust).status_code == 401
    assert requests.get(mutual.base + keystore, timeout=10, cert=operator, **trust).status_code == 200
    assert requests.get(mutual.base + "/healthcheck", timeout=10, **trust).status_code == 200
    # A header cannot stand for a certificate.
    assert create(mutual, {"X-Client-Cert": "x", "X-Forwarded-Client-Cert": "x"}, **trust).status_code == 401


def test_client_certificates_of_others_are_refused(mutual, authority, tmp_path):
    stranger = Authority(tmp_path / "other")  # the same subject as the real one
    same_name = Authority(tmp_path / "self", subject="operator")
    bad = [stranger.issue("operator"), authority.issue("old", days=0.5),
           authority.issue("web", ExtendedKeyUsageOID.SERVER_AUTH), (same_name.certificate, same_name.key)]
    for certificate in bad:
        with pytest.raises(requests.exceptions.ConnectionError):
            create(mutual, cert=certificate, verify=authority.certificate)
    assert create(mutual, cert=authority.issue("operator"), verify=authority.certificate).status_code == 200


def shown_for(authority, name, seconds):
    """A client's certificate that expires soon, and when that is over."""
    pair = authority.issue(name, days=1 + seconds / 86_400)
    return pair, time.monotonic() + seconds + 2


def test_an_expired_client_certificate_opens_nothing_by_what_was_begun_before(mutual, authority):
    """Neither a TLS session that is resumed, which no library verifies again, nor a connection that is still open."""
    pair, over = shown_for(authority, "short", 8)
    context = ssl.create_default_context(cafile=authority.certificate)
    context.load_cert_chain(*pair)

    def connect(session=None):
        plain = socket.create_connection(("127.0.0.1", mutual.port), timeout=20)
        return context.wrap_socket(plain, server_hostname="127.0.0.1", session=session)

    def status(connection):
        connection.sendall(b"GET /v1/keystores HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        return answer.status

    with connect() as first:
        assert status(first) == 200
        with connect(first.session) as second:
            assert status(second) == 200 and second.session_reused
        time.sleep(max(0, over - time.monotonic()))
        assert status(first) == 401
        with connect(first.session) as third:
            assert third.session_reused and status(third) == 401


def test_plain_http_2_on_the_tls_port_is_refused(mutual):
    with socket.create_connection(("127.0.0.1", mutual.port), timeout=5) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        try:
            assert not plain.recv(100).startswith(b"HTTP")
        except ConnectionError:
            pass
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", mutual.port), timeout=5)) as wrapped:
            assert wrapped.selected_alpn_protocol() is None
    except ssl.SSLError:
        pass


def test_beyond_loopback_every_guard_is_needed(own, server, secret_file):
    tls = {"KMS_TLS_SERVE_CERT": server[0], "KMS_TLS_SERVE_KEY": server[1]}
    zcap = {"KMS_AUTH_TYPE": "ZCAP", "KMS_BASE_URL": BASE}
    jwt = {"KMS_ADMIN_GUARD": "jwt", "KMS_JWT_SECRET_FILE": secret_file}
    host = {"KMS_HOST": f"0.0.0.0:{free_port()}"}
    for settings, missing in [({**zcap, **jwt}, "HTTPS"), ({**tls, **jwt}, "auth-type"), ({**tls, **zcap}, "admin-guard")]:
        said = own.refuses_to_start(**host, **settings)
        assert missing in said.partition("Missing:")[2], said
    daemon = own.start(ready=False, **host, **tls, **zcap, **jwt)
    port = host["KMS_HOST"].split(":")[1]
    daemon.port, daemon.base = port, f"https://127.0.0.1:{port}"
    daemon.wait_until_ready()
    assert create(daemon, verify=False).status_code == 401
    assert create(daemon, bearer(hs256(SECRET)), verify=False).status_code == 200


def test_the_command_line_trusts_the_authorities_it_is_given(own, authority, server):
    """The names of TrustBloc's client; its system pool is off unless asked for."""
    base = own.start(KMS_TLS_SERVE_CERT=server[0], KMS_TLS_SERVE_KEY=server[1]).base
    make = ("keystore", "create", "--controller", "did:example:a", "--url", base)
    assert own.run(*make, check=False).returncode == 69
    for pool in ({}, {"KMS_CLI_TLS_SYSTEMCERTPOOL": "False"}, {"KMS_CLI_TLS_SYSTEMCERTPOOL": "1"}):
        assert "/v1/keystores/" in own.run(*make, KMS_CLI_TLS_CACERTS=authority.certificate, **pool).stdout
    assert "/v1/keystores/" in own.run(
        *make, "--tls-cacerts", authority.certificate, "--tls-systemcertpool", "true").stdout
    refused = own.run(*make, "--tls-systemcertpool", "maybe", check=False)
    assert refused.returncode == 64 and "--tls-systemcertpool" in refused.stderr
