"""Signals: what ends the daemon and how fast, what makes it read its certificates again, and what does nothing."""
import contextlib
import os
import pty
import shutil
import signal
import socket
import sqlite3
import ssl
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from cryptography.x509.oid import ExtendedKeyUsageOID
from daemon import BINARY, Installation, eventually
from softtpm import SoftTPM
from test_guards import BODY, Authority, authority  # noqa: F401
from tokens import bearer, claims, compact

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
IGNORED = ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPWR", "SIGXCPU"]
# More than the daemon's own five seconds, for a busy machine, and below the twenty it once took.
PROMPTLY = 16


def said(daemon, text, seconds=20):
    return eventually(lambda: text in daemon.log(), seconds, f"the line '{text}'")


@pytest.mark.parametrize("name", IGNORED)
def test_a_signal_that_means_nothing_is_ignored_with_a_line(daemon, name):
    """Many times: the runtime's own way of catching signals loses them, and its thread, when two come together."""
    for _ in range(30):
        told = daemon.log().count(name)
        os.kill(daemon.pid, getattr(signal, name))
        eventually(lambda: daemon.log().count(name) > told, 20, "the line", pause=0.002)
    said(daemon, f"ignored the signal {name}")
    assert daemon.client().healthcheck()


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH,
                                    signal.SIGURG, signal.SIGCONT, signal.SIGCHLD, signal.SIGRTMIN, signal.SIGRTMAX, 32, 33])
def test_a_signal_whose_cause_is_told_elsewhere_is_ignored(daemon, number):
    told = daemon.log().count("SIGUSR1")
    os.kill(daemon.pid, number)
    os.kill(daemon.pid, signal.SIGUSR1)
    eventually(lambda: daemon.log().count("SIGUSR1") > told, 20, "the line of the signal after it")
    assert daemon.client().create_keystore().create("ED25519").sign(b"m")


# What docs/operator.md names as ending or stopping it.
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL}
FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS}


def test_every_other_number_leaves_it_serving(own):
    """Those that the C library keeps for itself included: kill(1) sends any."""
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    for number in range(1, signal.SIGRTMAX + 1):
        if number in ENDING | FAULTS | {signal.SIGSTOP}:
            continue
        os.kill(daemon.pid, number)
        key.sign(b"m")
    assert not state(daemon).startswith("T") and daemon.is_running()
    said(daemon, "ignored the signal SIGTSTP")
    assert daemon.terminate() == 0


def state(daemon):
    return Path(f"/proc/{daemon.pid}/status").read_text().split("State:")[1].strip()


def test_what_stops_it_can_be_gone_on_with(daemon):
    os.kill(daemon.pid, signal.SIGSTOP)
    eventually(lambda: state(daemon).startswith("T"), 10, "the stop")
    os.kill(daemon.pid, signal.SIGCONT)
    assert daemon.client().healthcheck()


def test_a_person_at_a_terminal_may_stop_it_and_go_on(own):
    pid, terminal = terminal_session(own, "sh", "-mc", f"{BINARY} start; sleep 120")
    try:
        until(terminal, b"kmsd ready")
        children = Path(f"/proc/{pid}/task/{pid}/children")
        child = int(children.read_text().split()[0])
        status = Path(f"/proc/{child}/status")
        os.kill(child, signal.SIGTSTP)
        eventually(lambda: status.read_text().split("State:")[1].strip().startswith("T"), 10, "the stop")
        os.kill(child, signal.SIGCONT)
        eventually(lambda: not status.read_text().split("State:")[1].strip().startswith("T"), 10, "going on")
        os.kill(child, signal.SIGTERM)
        until(terminal, b"ended")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def test_a_hundred_signals_at_once_do_not_disturb_requests(own):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    for _ in range(100):
        os.kill(daemon.pid, signal.SIGHUP)
        os.kill(daemon.pid, signal.SIGUSR2)
        key.sign(b"m")
    assert daemon.terminate() == 0


def test_a_signal_while_the_daemon_starts_does_not_end_it(own):
    daemon = own.start(ready=False)
    for _ in range(20):
        # The first moments belong to the loader, which has not yet told the system anything.
        if daemon.readiness():
            break
        if Path(f"/proc/{daemon.pid}/status").read_text().split("SigIgn:")[1].split()[0].endswith("1"):
            os.kill(daemon.pid, signal.SIGHUP)
        time.sleep(0.02)
    daemon.wait_until_ready()


def shown(daemon, **more):
    """The certificate that a new connection sees, as DER."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", daemon.port), timeout=10)) as wrapped:
        return wrapped.getpeercert(binary_form=True)


def der(path):
    return ssl.PEM_cert_to_DER_cert(Path(path).read_text())


class Files:
    """The two files a daemon was told, and new ones in their place."""

    def __init__(self, folder, authority):  # noqa: F811
        self.authority, self.cert, self.key = authority, folder / "tls.crt", folder / "tls.key"
        self.renew("one")

    def settings(self):
        return {"KMS_TLS_SERVE_CERT": str(self.cert), "KMS_TLS_SERVE_KEY": str(self.key)}

    def renew(self, name):
        cert, key = self.authority.issue(name, SERVER)
        for new, old in ((cert, self.cert), (key, self.key)):
            shutil.copy(new, f"{old}.new")
            os.replace(f"{old}.new", old)
        self.key.chmod(0o600)


@pytest.fixture
def files(tmp_path, authority):  # noqa: F811
    return Files(tmp_path, authority)


def test_a_renewed_certificate_is_served_after_sighup_and_old_connections_go_on(own, files):
    daemon = own.start(**files.settings())
    assert shown(daemon) == der(files.cert)
    said(daemon, "valid until")
    session, trust = requests.Session(), files.authority.certificate
    assert session.post(f"{daemon.base}/v1/keystores", json=BODY, timeout=10, verify=trust).status_code == 200
    kept = session.get_adapter(daemon.base).poolmanager.pools
    files.renew("two")
    os.kill(daemon.pid, signal.SIGHUP)
    eventually(lambda: shown(daemon) == der(files.cert), 20, "the new certificate")
    said(daemon, "renewed: the certificate is now sha256 ")
    # The same connection as before: its handshake is done, so it knows nothing of the new certificate.
    made = sum(pool.num_connections for pool in (kept[key] for key in kept.keys()))
    assert session.get(f"{daemon.base}/healthcheck", timeout=10, verify=trust).status_code == 200
    assert sum(pool.num_connections for pool in (kept[key] for key in kept.keys())) == made
    os.kill(daemon.pid, signal.SIGHUP)
    said(daemon, "nothing changed")


def test_a_renewed_certificate_is_served_without_a_signal(own, files):
    daemon = own.start(**files.settings())
    files.renew("two")
    eventually(lambda: shown(daemon) == der(files.cert), 90, "the new certificate", pause=1)


def test_bad_renewed_files_change_nothing(own, files, authority):  # noqa: F811
    daemon = own.start(**files.settings())
    before = shown(daemon)
    right = files.cert.read_bytes(), files.key.read_bytes()
    other = Path(authority.issue("other", SERVER)[1]).read_bytes()
    for cert, key, mode, word in [
            (b"", right[1], 0o600, "tls-serve-cert"), (right[0], b"", 0o600, "tls-serve-key"),
            (right[0][:100], right[1], 0o600, "tls-serve-cert"), (right[0], other, 0o600, "another certificate"),
            (right[0], right[1], 0o644, "chmod 600")]:
        files.cert.write_bytes(cert)
        files.key.write_bytes(key)
        files.key.chmod(mode)
        lines = daemon.log().count("the ones before stay")
        os.kill(daemon.pid, signal.SIGHUP)
        eventually(lambda: daemon.log().count("the ones before stay") > lines, 20, f"the refusal of {word}")
        assert word in daemon.log().rpartition("the ones before stay")[2]
        assert shown(daemon) == before
    files.key.unlink()
    os.kill(daemon.pid, signal.SIGHUP)
    eventually(lambda: "No such file" in daemon.log(), 20, "the refusal of no file")
    files.renew("two")
    os.kill(daemon.pid, signal.SIGHUP)
    eventually(lambda: shown(daemon) == der(files.cert), 20, "the new certificate")


def test_new_authorities_of_clients_count_after_sighup(own, files, authority, tmp_path):  # noqa: F811
    trusted = tmp_path / "clients.pem"
    shutil.copy(authority.certificate, trusted)
    daemon = own.start(KMS_ADMIN_GUARD="mtls", KMS_TLS_CLIENT_CACERTS=str(trusted), **files.settings())
    other = Authority(tmp_path / "other", subject="Other CA")
    old, new = authority.issue("operator"), other.issue("operator")

    def create(certificate):
        try:
            return requests.post(f"{daemon.base}/v1/keystores", json=BODY, cert=certificate, timeout=10,
                                 verify=authority.certificate).status_code
        except requests.exceptions.ConnectionError:
            return None

    assert (create(old), create(new)) == (200, None)
    shutil.copy(other.certificate, trusted)
    os.kill(daemon.pid, signal.SIGHUP)
    said(daemon, "the authorities of clients are now 1")
    assert (create(old), create(new)) == (None, 200)


class Issuer:
    """An HTTPS server with an empty key set."""

    def __init__(self, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answered = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError, ssl.SSLError), self.context.wrap_socket(plain, server_side=True) as wrapped:
                wrapped.settimeout(5)
                wrapped.recv(4096)
                wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n"
                                b"Connection: close\r\n\r\n" + b'{"keys":[]}')
                self.answered += 1


def unknown_token():
    return bearer(compact({"alg": "RS256", "kid": "nobody"}, claims(), lambda _: b"x" * 256))


def test_new_authorities_of_other_servers_count_after_sighup(own, authority, tmp_path):  # noqa: F811
    issuer = Issuer(*authority.issue("issuer", SERVER))
    trusted = tmp_path / "servers.pem"
    shutil.copy(Authority(tmp_path / "other", subject="Other CA").certificate, trusted)
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=f"https://127.0.0.1:{issuer.port}/jwks",
                       KMS_TLS_CACERTS=str(trusted), KMS_OUTBOUND_ALLOW=f"127.0.0.1:{issuer.port}")

    def create():
        return requests.post(f"{daemon.base}/v1/keystores", json=BODY, headers=unknown_token(), timeout=20).status_code

    assert create() == 503 and issuer.answered == 0
    shutil.copy(authority.certificate, trusted)
    os.kill(daemon.pid, signal.SIGHUP)
    said(daemon, "the authorities of other servers are now 1")
    eventually(lambda: create() == 401, 60, "a key set that can be fetched", pause=0.5)
    assert issuer.answered > 0
    issuer.listener.close()


def ends(daemon, number=signal.SIGTERM, seconds=PROMPTLY):
    start = time.monotonic()
    daemon.process.send_signal(number)
    code = daemon.wait(seconds)
    return code, time.monotonic() - start


def stalled(daemon, head, rest=b""):
    connection = socket.create_connection(("127.0.0.1", daemon.port), timeout=30)
    connection.sendall(head + rest)
    return connection


POST = b"POST /v1/keystores HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize("sent", [
    b"", b"POST /v1/key", POST[:-2], POST, POST + b'{"controller":', POST.replace(b"1000", b"40") + b"{}",
    POST.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked") + b"5\r\n{",
    b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"])
def test_a_request_that_stalls_does_not_delay_the_end(own, sent):
    daemon = own.start()
    connections = [stalled(daemon, sent) for _ in range(5)]
    assert daemon.client().healthcheck()
    assert ends(daemon)[0] == 0
    assert daemon.log().rstrip().endswith("ended")
    for connection in connections:
        connection.close()


def test_a_stalled_request_under_tls_does_not_delay_the_end(own, files):
    daemon = own.start(**files.settings())
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    silent = socket.create_connection(("127.0.0.1", daemon.port), timeout=30)
    wrapped = context.wrap_socket(socket.create_connection(("127.0.0.1", daemon.port), timeout=30))
    wrapped.sendall(POST)
    daemon.client(verify=False).healthcheck()
    assert ends(daemon)[0] == 0
    silent.close()
    wrapped.close()


def test_an_answer_nobody_reads_does_not_delay_the_end(own):
    daemon = own.start()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", daemon.port))
        reader.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(400):
                reader.sendall(b"GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n")
        assert ends(daemon)[0] == 0


def test_a_request_that_moves_is_finished(own):
    daemon = own.start()
    body = b'{"controller":"did:example:me"}'
    connection = stalled(daemon, POST.replace(b"1000", b"%d" % len(body)), body[:1])
    assert daemon.client().healthcheck()
    daemon.process.send_signal(signal.SIGTERM)
    said(daemon, "ending")
    for index in range(1, len(body)):
        connection.sendall(body[index:index + 1])
        time.sleep(0.05)
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert daemon.wait(PROMPTLY) == 0
    connection.close()


def test_a_request_without_end_is_cut_off(own):
    daemon = own.start(KMS_SHUTDOWN_TIMEOUT="3s")
    connection = stalled(daemon, POST, b"{")
    over = threading.Event()

    def trickle():
        with contextlib.suppress(OSError):
            while not over.wait(0.1):
                connection.sendall(b" ")

    writer = threading.Thread(target=trickle, daemon=True)
    writer.start()
    assert daemon.client().healthcheck()
    code, took = ends(daemon)
    over.set()
    writer.join(5)
    assert code == 0 and took > 1.5
    connection.close()


def test_the_time_can_be_chosen_and_is_bounded(own):
    for wrong in ("0s", "500ms", "11m", "soon"):
        assert "SHUTDOWN_TIMEOUT" in own.refuses_to_start(KMS_SHUTDOWN_TIMEOUT=wrong, codes=(78,))


@pytest.mark.parametrize("first,second", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT),
                                          (signal.SIGTERM, signal.SIGINT), (signal.SIGQUIT, signal.SIGQUIT)])
def test_a_second_signal_ends_at_once(own, first, second):
    daemon = own.start(KMS_SHUTDOWN_TIMEOUT="10m")
    connection = stalled(daemon, POST, b"{")
    over = threading.Event()

    def trickle():
        with contextlib.suppress(OSError):
            while not over.wait(0.1):
                connection.sendall(b" ")

    writer = threading.Thread(target=trickle, daemon=True)
    writer.start()
    daemon.client().healthcheck()
    daemon.process.send_signal(first)
    said(daemon, "ending")
    assert daemon.is_running()
    code, _ = ends(daemon, second)
    over.set()
    writer.join(5)
    assert code == -second
    connection.close()
    # What was made before is there: the next daemon starts.
    own.start()


def test_a_call_to_another_server_that_hangs_does_not_delay_the_end(own):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=f"http://127.0.0.1:{port}/jwks",
                           KMS_OUTBOUND_ALLOW=f"127.0.0.1:{port}")

        def create():
            with contextlib.suppress(requests.exceptions.RequestException):
                requests.post(f"{daemon.base}/v1/keystores", json=BODY, headers=unknown_token(), timeout=30)

        client = threading.Thread(target=create, daemon=True)
        client.start()
        silent.settimeout(20)
        called, _ = silent.accept()
        assert ends(daemon)[0] == 0
        called.close()
        client.join(30)


def test_a_locked_database_does_not_delay_the_end(own):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    other = sqlite3.connect(own.home / "kmsd.sqlite", timeout=10, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def disable():
        with contextlib.suppress(Exception):
            key.disable()

    client = threading.Thread(target=disable, daemon=True)
    client.start()
    time.sleep(0.3)
    code, _ = ends(daemon)
    assert code in (0, 69)
    other.close()
    client.join(30)
    own.start()


def test_a_token_that_hangs_does_not_delay_the_end(tmp_path):
    installation = Installation(tmp_path / "home", token=SoftTPM).init()
    try:
        daemon = installation.start(KMS_LOCK_TTL="0s")
        key = daemon.client().create_keystore().create("ECDSAP256DER")
        installation.token.process.send_signal(signal.SIGSTOP)

        def sign():
            with contextlib.suppress(Exception):
                key.sign(b"m")

        client = threading.Thread(target=sign, daemon=True)
        client.start()
        time.sleep(0.3)
        code, _ = ends(daemon)
        assert code in (0, 69)
        client.join(30)
        installation.token.process.send_signal(signal.SIGCONT)
    finally:
        installation.end()


def terminal_session(own, *command):
    """A daemon in the foreground of a terminal; gives its pid and the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, own.environment(KMS_HOST="127.0.0.1:0"))
    return pid, terminal


def until(terminal, word, seconds=60):
    text, end = b"", time.monotonic() + seconds
    while word not in text:
        assert time.monotonic() < end, text
        text += os.read(terminal, 4096)
    return text


def ended(pid):
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def test_a_terminal_that_goes_ends_what_runs_in_its_foreground(own):
    pid, terminal = terminal_session(own, str(BINARY), "start")
    until(terminal, b"kmsd ready")
    os.kill(pid, signal.SIGHUP)
    until(terminal, b"nothing changed")
    os.close(terminal)
    eventually(lambda: ended(pid), 20, "the end")
