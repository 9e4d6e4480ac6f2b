"""Behind proxies that take a prefix off the path and write another Host: what callers sign is the public URL.

The proxies' sections are those of docs/proxies.md, read from there."""
import base64
import gzip
import json
import re
import subprocess
import time

import pytest
import requests
from daemon import ROOT, free_port
from programs import haproxy, nginx, started  # noqa: F401
from test_capabilities import FULL, Guarded, Wallet, refused
from test_gnap import MESSAGE, AuthorizationServer
from test_gnap import Client as GNAPClient

HOST = "kms.example.test"
BASE = f"https://{HOST}/keys"
DOCUMENT = (ROOT / "docs" / "proxies.md").read_text()


def section(name):
    """The block of code under a heading of the document."""
    return re.search(rf"## {re.escape(name)}\n.*?```\w*\n(.*?)```", DOCUMENT, re.DOTALL).group(1)


class Behind(Guarded):
    """A strict daemon's keystore, called through a proxy, signed for the public URL."""

    def __init__(self, daemon, port):
        self.url, self.direct, self.wallet = f"http://127.0.0.1:{port}", daemon.base, Wallet()
        answer = requests.post(f"{self.url}/keys/v1/keystores", json={"controller": self.wallet.did}, timeout=10)
        assert answer.status_code == 200, answer.text
        self.keystore = answer.json()["key_store_url"].removeprefix(f"https://{HOST}")
        assert self.keystore.startswith("/keys/v1/keystores/")
        self.capability = json.loads(gzip.decompress(base64.b64decode(answer.json()["capability"])))

    def send(self, path, *, host=HOST, signed=None, to=None, sent_host=HOST, action="createKey", body=None, method="POST",
             ahead=0):
        data = json.dumps(body or {"key_type": "ED25519"}).encode()
        headers = self.wallet.headers(self.capability, action, covered=FULL, method=method, path=signed or path, host=host,
                                      body=data, created=int(time.time()) + ahead)
        return requests.request(method, (to or self.url) + path, data=data, timeout=10,
                                headers={**headers, **({"Host": sent_host} if sent_host else {})})


def through_nginx(started, daemon, folder, rewrites):
    lines = section("nginx").replace("127.0.0.1:8074", f"127.0.0.1:{daemon.port}")
    if rewrites:
        lines = "".join(line for line in lines.splitlines(True) if "Host" not in line)
    return nginx(started, folder, lines)


def through_haproxy(started, daemon, folder, rewrites):
    port = free_port()
    lines = section("HAProxy").replace("127.0.0.1:8074", f"127.0.0.1:{daemon.port}")
    lines = re.sub(r"bind .*", f"bind 127.0.0.1:{port}", lines)
    if rewrites:
        lines = lines.replace("backend kmsd\n", "backend kmsd\n    http-request set-header Host inside.example:1\n")
    return haproxy(started, folder, lines, port)


@pytest.fixture(params=["nginx", "nginx that rewrites Host", "haproxy", "haproxy that rewrites Host"])
def proxied(own, started, tmp_path, request):  # noqa: F811
    def start(**settings):
        daemon = own.start(KMS_BASE_URL=BASE, **settings)
        start_proxy = through_nginx if "nginx" in request.param else through_haproxy
        return daemon, start_proxy(started, daemon, tmp_path, "rewrites" in request.param)

    return start


def test_strict_capabilities_name_the_public_url(proxied):
    daemon, port = proxied(KMS_AUTH_TYPE="ZCAP", KMS_ZCAP_STRICT="true")
    behind = Behind(daemon, port)
    keys = f"{behind.keystore}/keys"
    inner = keys.removeprefix("/keys")
    made = behind.send(keys)
    assert made.status_code == 200, made.text
    key = made.json()["key_url"].removeprefix(f"https://{HOST}")
    assert behind.send(f"{key}/sign", action="sign", body={"message": "aGk="}).status_code == 200
    # Another path or host than the public ones, and any mixture of what is public and what arrives.
    for host, signed in ((HOST, inner), (HOST, "/other" + inner), ("other.example", keys), ("other.example", inner),
                         ("inside.example:1", inner), (f"127.0.0.1:{daemon.port}", keys), (HOST, keys + "?x")):
        refused(behind.send(keys, host=host, signed=signed))
    # Straight to the daemon with the public name: the signature must still name the public path.
    # Dated some seconds ahead, since a signature over the same text in the same second is the same and counts once.
    assert behind.send(inner, signed=keys, to=behind.direct, ahead=9).status_code == 200
    refused(behind.send(inner, signed=inner, to=behind.direct))
    # Whoever sends chooses Host, so a signature for another server is not made good by sending its name.
    refused(behind.send(inner, host="other.example", sent_host="other.example", to=behind.direct))
    # Who calls the daemon itself signs the address he calls.
    own_name = f"127.0.0.1:{daemon.port}"
    assert behind.send(inner, host=own_name, sent_host=None, to=behind.direct).status_code == 200
    refused(behind.send(inner, host=own_name, signed=keys, sent_host=None, to=behind.direct))
    refused(behind.send(inner, host=HOST, signed=inner, sent_host=None, to=behind.direct))


def test_a_compatible_signature_may_name_the_public_url_too(proxied):
    daemon, port = proxied(KMS_AUTH_TYPE="ZCAP")
    behind = Behind(daemon, port)
    keys = f"{behind.keystore}/keys"
    assert behind.send(keys).status_code == 200
    refused(behind.send(keys, signed=keys + "/x"))


def test_gnap_names_the_public_url(proxied, tmp_path):
    server = AuthorizationServer()
    try:
        pem = tmp_path / "gnap.pem"
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", pem], check=True, capture_output=True)
        pem.chmod(0o600)
        daemon, port = proxied(KMS_AUTH_TYPE="GNAP", KMS_AUTH_SERVER_URL=server.url, KMS_GNAP_SIGNING_KEY=str(pem),
                               KMS_OUTBOUND_ALLOW=server.url.removeprefix("http://"))
        client = GNAPClient(daemon, server)

        def call(path, value, base):
            body = json.dumps(value).encode()
            headers = client.headers("POST", path, body, base=base)
            return requests.post(f"http://127.0.0.1:{port}{path}", data=body, headers={**headers, "Host": HOST}, timeout=20)

        public = f"https://{HOST}"
        made = call("/keys/v1/keystores", {"controller": "did:example:alice"}, public)
        assert made.status_code == 200, made.text
        keystore = made.json()["key_store_url"].removeprefix(public)
        key = call(f"{keystore}/keys", {"key_type": "ED25519"}, public).json()["key_url"].removeprefix(public)
        assert call(f"{key}/sign", MESSAGE, public).status_code == 200
        for base in (f"http://{HOST}", f"https://{HOST}/keys", f"http://127.0.0.1:{daemon.port}", "https://other.example"):
            assert call(f"{key}/sign", MESSAGE, base).status_code == 401, base
    finally:
        server.end()


@pytest.mark.parametrize("base", ["https://kms.example.test:443/keys", "https://KMS.Example.Test/keys",
                                  "https://Kms.example.test:443/keys/"])
def test_the_public_url_may_be_written_in_any_spelling(own, tmp_path, base):
    """Libraries sign URLs in the spelling of RFC 3986, section 6.2, whatever was configured; others as they were given."""
    written = base.removeprefix("https://").split("/")[0]
    daemon = own.start(KMS_BASE_URL=base, KMS_AUTH_TYPE="ZCAP", KMS_ZCAP_STRICT="true")
    behind = Behind.__new__(Behind)
    behind.url, behind.direct, behind.wallet = daemon.base, daemon.base, Wallet()
    made = requests.post(f"{daemon.base}/v1/keystores", json={"controller": behind.wallet.did}, timeout=10).json()
    inner = "/v1" + made["key_store_url"].split("/v1")[1] + "/keys"
    behind.capability = json.loads(gzip.decompress(base64.b64decode(made["capability"])))
    for ahead, host, sent in ((1, HOST, "inside.example:1"), (2, written, "inside.example:1"), (3, HOST, HOST), (4, written, written)):
        answer = behind.send(inner, host=host, signed="/keys" + inner, sent_host=sent, ahead=ahead)
        assert answer.status_code == 200, (host, sent)
    for host in ("kms.example.test:80", "kms.example.test:8443", "inside.example:1"):
        refused(behind.send(inner, host=host, signed="/keys" + inner, sent_host="inside.example:1"))
    assert daemon.terminate() == 0

    server = AuthorizationServer()
    try:
        pem = tmp_path / "gnap.pem"
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", pem], check=True, capture_output=True)
        pem.chmod(0o600)
        client = GNAPClient(
            own.start(KMS_BASE_URL=base, KMS_AUTH_TYPE="GNAP", KMS_AUTH_SERVER_URL=server.url, KMS_GNAP_SIGNING_KEY=str(pem),
                      KMS_OUTBOUND_ALLOW=server.url.removeprefix("http://")), server)
        for signed, status in ((BASE, 200), (base.rstrip("/"), 200), (f"http://{HOST}/keys", 401), (f"https://{HOST}", 401),
                               (f"https://{HOST}:8443/keys", 401)):
            answer = client.call("POST", "/v1/keystores", {"controller": "did:example:alice"}, base=signed)
            assert answer.status_code == status, (signed, answer.text)
    finally:
        server.end()
