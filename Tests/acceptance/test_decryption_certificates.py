"""Certificates of the gRPC front: read again while it serves, and told when they are not valid."""
import os
import shutil
import signal
import socket
import ssl
import time
from pathlib import Path

import grpc
import pytest

from daemon import eventually
from decryption_client import OWN
from decryption_front import CHECK, SETTINGS, Front, status_of
from http2 import PREFACE, SETTINGS as SETTINGS_FRAME, Connection, frame, framed
from test_certificates import KEYS, certificate
from test_guards import Authority, authority, shown_for  # noqa: F401
from test_signals import Files, der, files, said  # noqa: F401


class Guarded(Front):
    """Over mutual TLS."""

    def __init__(self, own, files, trusted):
        super().__init__(own, **files.settings(), KMS_DECRYPTION_CLIENT_CACERTS=str(trusted), KMS_BASE_URL="https://127.0.0.1")
        self.files = files

    def context(self, pair, protocols=("h2",)):
        context = ssl.create_default_context(cafile=self.files.authority.certificate)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if pair:
            context.load_cert_chain(*pair)
        return context

    def connect(self, pair, **more):
        return Connection(self.port, wrap=lambda plain: self.context(pair, **more).wrap_socket(plain, server_hostname="127.0.0.1"))

    @property
    def shown(self):
        """The certificate that a new connection sees, as DER."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain:
            with self.context(None).wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
                return wrapped.getpeercert(binary_form=True)

    def status(self, pair):
        parts = [Path(path).read_bytes() for path in (self.files.authority.certificate, *(reversed(pair) if pair else ()))]
        self.credentials = grpc.ssl_channel_credentials(*parts)
        node = self.node()
        try:
            return status_of(lambda: node.call(OWN, "GetStatus", b"", timeout=30))
        finally:
            node.close()

    def hang_up(self):
        os.kill(self.daemon.pid, signal.SIGHUP)


@pytest.fixture
def trusted(tmp_path, authority):  # noqa: F811
    path = tmp_path / "nodes.pem"
    shutil.copy(authority.certificate, path)
    return path


def test_a_renewed_certificate_is_shown_after_sighup_and_old_connections_go_on(own, files, trusted):  # noqa: F811
    client = files.authority.issue("node7")
    f = Guarded(own, files, trusted)
    assert f.shown == der(files.cert)
    old = f.connect(client)
    stream = old.open(CHECK, framed(b""))
    old.until(lambda: stream in old.ended, 30, "an answer")
    files.renew("two")
    f.hang_up()
    eventually(lambda: f.shown == der(files.cert), 30, "the new certificate")
    said(f.daemon, "renewed: the certificate is now sha256 ")
    stream = old.open(CHECK, framed(b""))
    old.until(lambda: stream in old.ended, 30, "an answer on the old connection")
    assert f.status(client) == "OK"
    # Both listeners show it, and one line says so.
    assert f.daemon.log().count("renewed: the certificate is now") == 1
    f.hang_up()
    said(f.daemon, "nothing changed")


def test_new_authorities_of_clients_count_after_sighup(own, files, trusted, tmp_path):  # noqa: F811
    other = Authority(tmp_path / "other", subject="Other CA")
    old, new = files.authority.issue("node7"), other.issue("node7")
    f = Guarded(own, files, trusted)
    assert (f.status(old), f.status(new), f.status(None)) == ("OK", "UNAVAILABLE", "UNAVAILABLE")
    shutil.copy(other.certificate, trusted)
    f.hang_up()
    said(f.daemon, "the authorities of the decryption API's clients are now 1")
    assert (f.status(old), f.status(new)) == ("UNAVAILABLE", "OK")
    trusted.write_bytes(b"nonsense")
    f.hang_up()
    said(f.daemon, "the ones before stay")
    assert "decryption-client-cacerts" in f.daemon.log().rpartition("the ones before stay")[2]
    assert f.status(new) == "OK"


def test_an_expired_certificate_of_a_client_ends_what_was_begun_before(own, files, trusted, authority):  # noqa: F811
    """An open connection is closed when it expires, and a TLS session that is resumed, which no library verifies again, as well."""
    f = Guarded(own, files, trusted)
    pair, over = shown_for(authority, "short", 8)
    context = f.context(pair)

    def connect(session=None):
        plain = socket.create_connection(("127.0.0.1", f.port), timeout=30)
        return context.wrap_socket(plain, server_hostname="127.0.0.1", session=session)

    def is_greeted(connection):
        try:
            connection.sendall(PREFACE + frame(SETTINGS_FRAME, 0, 0))
            return connection.recv(9) != b""
        except ConnectionError:
            return False

    def is_closed(connection):
        try:
            while connection.recv(4096):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    with connect() as first:
        assert is_greeted(first)
        with connect(first.session) as second:
            assert is_greeted(second) and second.session_reused
        time.sleep(max(0, over - time.monotonic()))
        with connect(first.session) as third:
            assert third.session_reused and not is_greeted(third)
        assert is_closed(first)


def test_a_client_must_say_that_it_speaks_http2(own, files, trusted):  # noqa: F811
    client = files.authority.issue("node7")
    f = Guarded(own, files, trusted)
    mute = f.connect(client, protocols=())
    mute.over()
    assert f.status(client) == "OK"


def test_authorities_that_cannot_be_used_or_have_expired_are_told(own, files, trusted):  # noqa: F811
    settings = {**SETTINGS, **files.settings(), "KMS_DECRYPTION_CLIENT_CACERTS": str(trusted)}

    def examined():
        checks = own.run_json("doctor", codes=(0, 2), **settings)["checks"]
        return [(check["grade"], check["message"]) for check in checks if check["name"] == "decryption-client-cacerts"]

    assert [grade for grade, _ in examined()] == ["ok"]
    trusted.write_bytes(b"nonsense")
    assert "decryption-client-cacerts" in own.refuses_to_start(codes=(78,), **settings)
    assert [grade for grade, _ in examined()] == ["fail"]
    trusted.write_bytes(certificate(KEYS["P-256"](), -10, 5))
    (_, _), (grade, message) = examined()
    assert grade == "warn" and "decryption-client-cacerts: one expired at" in message
    assert message in own.start(**settings).log()
