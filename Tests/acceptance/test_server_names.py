"""A server that is called by its name must have a certificate for that name; one for the address it was found at is none."""
import http.server
import json
import ssl
import threading
from ipaddress import ip_address

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from decryption_front import Front
from test_drop_in import Issuer
from test_guards import authority  # noqa: F401 - a fixture
from tokens import bearer

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
ADDRESS = x509.IPAddress(ip_address("127.0.0.1"))


def issue(authority, *names, subject="stranger"):  # noqa: F811
    """Paths of a server's certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    extensions = [x509.ExtendedKeyUsage([SERVER])] + ([x509.SubjectAlternativeName(names)] if names else [])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    return authority._write("named", key, authority._build(
        subject, key, x509.BasicConstraints(False, None), extensions=extensions))


class KeySet:
    """An issuer's key set over HTTPS, with a certificate that may be another's."""

    def __init__(self, pair, issuer):
        body = json.dumps({"keys": [issuer.jwk]}).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            asked = 0

            def do_GET(self):
                Handler.asked += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.handler = Handler
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_port

    def end(self):
        self.server.shutdown()
        self.server.server_close()


# Once is enough: no token has a part in it.
@pytest.mark.pkcs11
@pytest.mark.parametrize("names,host,is_accepted", [
    ([x509.DNSName("localhost")], "localhost", True),
    ([ADDRESS, x509.DNSName("LOCALHOST")], "localhost", True),
    ([ADDRESS], "localhost", False),
    ([ADDRESS, x509.DNSName("other.test")], "localhost", False),
    ([x509.DNSName("*")], "localhost", False),
    ([x509.DNSName("l*")], "localhost", False),
    ([ADDRESS], "127.0.0.1", True),
    ([x509.DNSName("127.0.0.1")], "127.0.0.1", False),
    # In its subject only.
    ([], "localhost", False),
])
def test_a_key_set_comes_only_from_a_server_with_a_certificate_for_its_name(own, authority, names, host, is_accepted):  # noqa: F811
    issuer = Issuer("first")
    keys = KeySet(issue(authority, *names, subject="localhost"), issuer)
    try:
        daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=f"https://{host}:{keys.port}/keys.json",
                           KMS_OUTBOUND_ALLOW=f"{host}:{keys.port}", KMS_TLS_CACERTS=authority.certificate)
        for _ in range(2):
            answer = requests.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=20,
                                   headers=bearer(issuer.token()))
            assert answer.status_code == (200 if is_accepted else 503), answer.text
        if not is_accepted:
            assert keys.handler.asked == 0 and ("for another name" if names else "subjectAltName") in answer.text
    finally:
        keys.end()


@pytest.mark.pkcs11
def test_a_certificate_for_the_address_of_the_decryption_api_is_none_for_its_name(own, authority):  # noqa: F811
    for names, hosts in (([ADDRESS], {"127.0.0.1": True, "localhost": False}),
                         ([x509.DNSName("localhost")], {"127.0.0.1": False, "localhost": True}), ([], {"localhost": False})):
        cert, key = issue(authority, *names, subject="localhost")
        front = Front(own, KMS_TLS_SERVE_CERT=cert, KMS_TLS_SERVE_KEY=key)
        for host, is_accepted in hosts.items():
            done = own.run("decryption", "status", "--server", f"{host}:{front.port}", "--tls", "--tls-cacerts",
                           authority.certificate, check=False)
            is_refused = "for another name" in done.stderr
            assert is_refused == (not is_accepted), f"{host}: {done.returncode} {done.stderr}"
            assert not is_refused or done.returncode == 69 and not done.stdout
        assert front.daemon.terminate() == 0
