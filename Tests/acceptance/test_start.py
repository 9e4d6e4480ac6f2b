"""Configuration: what is refused, in words that help, and what takes precedence."""
import os
import signal
import socket
import ssl
import subprocess

import pytest
import requests
from daemon import BINARY, ROOT, eventually, free_port
from webkms_client import Client, Key, Keystore

OUTSIDE = ("0.0.0.0", "[::]", "192.0.2.1", "", "kms.example")


@pytest.mark.parametrize("address", OUTSIDE)
def test_only_loopback_is_served(own, certificate, address):
    """Requests are not authorised, so not even TLS opens the port to others."""
    host = f"{address}:{free_port()}"
    assert "127.0.0.1" in own.refuses_to_start(KMS_HOST=host)
    own.refuses_to_start(KMS_HOST=host, KMS_TLS_SERVE_CERT=certificate[0], KMS_TLS_SERVE_KEY=certificate[1])


def write_configuration(own, text, mode=0o600):
    path = own.home / "kmsd.yaml"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("wrong,near", [
    ("hots", "host"), ("token-url", "token-uri"), ("lock-tll", "lock-ttl"), ("max-bodi", "max-body")])
def test_unknown_key_is_refused_with_the_nearest_name(own, wrong, near):
    said = own.refuses_to_start(KMS_CONFIG=write_configuration(own, f"{wrong}: x\n"))
    assert wrong in said and near in said.replace(wrong, "")


@pytest.mark.parametrize("text", [
    "host: [1, 2]\n", "host: 127.0.0.1:1\nhost: 127.0.0.1:2\n", "- host\n", "{", "host: {a: b}\n", "lock-ttl: soon\n"])
def test_bad_file_is_refused(own, text):
    assert own.refuses_to_start(KMS_HOST=None, KMS_CONFIG=write_configuration(own, text)).strip()


def test_missing_file_is_named(own):
    assert "nowhere.yaml" in own.refuses_to_start(KMS_CONFIG=str(own.home / "nowhere.yaml"))


@pytest.mark.parametrize("name,value", [
    ("KMS_LOCK_TTL", "soon"), ("KMS_LOCK_TTL", "-5s"), ("KMS_MAX_BODY", "big"), ("KMS_TOKEN_SESSIONS", "0"),
    ("KMS_TOKEN_SESSIONS", "many"), ("KMS_DESTROY_GRACE", "x"), ("KMS_DATABASE_TYPE", "mongodb"),
    ("KMS_DATABASE_TYPE", "couchdb"), ("KMS_SECRET_LOCK_TYPE", "noop"), ("KMS_SECRET_LOCK_TYPE", "aws"),
    ("KMS_HOST", "127.0.0.1"), ("KMS_HOST", "127.0.0.1:99999"), ("KMS_LOG_LEVEL", "loud")])
def test_bad_value_is_refused_and_named(own, name, value):
    said = own.refuses_to_start(**{name: value})
    assert value in said or name in said, said


def test_local_lock_needs_its_key_file(own):
    """No key file never means no lock."""
    assert own.refuses_to_start(KMS_SECRET_LOCK_TYPE="local").strip()
    assert own.refuses_to_start(KMS_SECRET_LOCK_TYPE="local", KMS_SECRET_LOCK_KEY_PATH="/nonexistent/key").strip()
    file, link = own.home / "lock.key", own.home / "link.key"
    link.symlink_to(file)

    def refusal(path=file):
        return own.refuses_to_start(KMS_SECRET_LOCK_TYPE="local", KMS_SECRET_LOCK_KEY_PATH=str(path))

    for content in (b"", b"\n", b"=", b"short", bytes(31), bytes(33), b"A" * 600):
        file.write_bytes(content)
        file.chmod(0o600)
        assert str(file) in refusal(), content
    file.write_bytes(b"k" * 32)
    file.chmod(0o644)
    assert str(file) in refusal()
    file.chmod(0o600)
    assert str(link) in refusal(link)
    assert str(own.home) in refusal(own.home)


def test_unknown_flag_and_verb_are_usage_errors(own):
    assert own.run("start", "--hots", "x", check=False).returncode == 64
    assert own.run("strat", check=False).returncode == 64


def test_start_before_init_says_what_to_do(bare):
    assert "init" in bare.refuses_to_start(codes=(1, 69, 78))


def test_second_init_changes_nothing(own):
    before = own.token.objects()
    manifest = (own.home / "manifest.json").read_bytes()
    own.run("init", check=False)
    assert own.token.objects() == before and (own.home / "manifest.json").read_bytes() == manifest


def test_flag_beats_environment_beats_file(own):
    file, environment, flag = (f"http://{name}.example" for name in ("file", "environment", "flag"))
    path = write_configuration(own, f"base-url: {file}\n")

    def url(*arguments, **more):
        daemon = own.start(arguments=arguments, KMS_CONFIG=path, **more)
        try:
            return daemon.client().call("POST", "/v1/keystores", {"controller": "did:example:x"})["key_store_url"]
        finally:
            assert daemon.terminate() == 0

    assert url().startswith(f"{file}/v1/keystores/")
    assert url(KMS_BASE_URL=environment).startswith(f"{environment}/v1/keystores/")
    assert url("--base-url", flag, KMS_BASE_URL=environment).startswith(f"{flag}/v1/keystores/")


def test_port_in_use_is_told(own):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = own.refuses_to_start(codes=(1, 69, 71, 78), KMS_HOST=f"127.0.0.1:{port}")
    assert str(port) in said and "another program listens there" in said
    assert "token unavailable" not in said, "the daemon's own end is no failure of the token"


def test_the_end_is_told(own):
    daemon = own.start()
    assert daemon.terminate() == 0
    assert daemon.log().rstrip().endswith("ended")


@pytest.fixture
def certificate(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    key.chmod(0o600)
    return str(cert), str(key)


def test_with_a_certificate_only_tls_is_served(own, certificate):
    cert, key = certificate
    daemon = own.start(KMS_TLS_SERVE_CERT=cert, KMS_TLS_SERVE_KEY=key)
    client = daemon.client(verify=cert)
    client.create_keystore().create("ED25519").sign(b"m")
    with pytest.raises(requests.exceptions.SSLError):
        daemon.client(verify=True).healthcheck()
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://127.0.0.1:{daemon.port}/healthcheck", timeout=5)
    with pytest.raises(ssl.SSLError):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.wrap_socket(socket.create_connection(("127.0.0.1", daemon.port), timeout=5))


def test_half_a_tls_configuration_is_refused(own, certificate):
    cert, key = certificate
    own.refuses_to_start(KMS_TLS_SERVE_CERT=cert)
    own.refuses_to_start(KMS_TLS_SERVE_KEY=key)
    own.refuses_to_start(KMS_TLS_SERVE_CERT=cert, KMS_TLS_SERVE_KEY="/nonexistent/key.pem")


def test_prints_ready_once_it_is(own):
    daemon = own.start()
    # The log has a writer of its own, which may be a moment behind /readyz.
    eventually(lambda: "kmsd ready" in daemon.log().splitlines(), 10, "'kmsd ready'")


def test_run_script_serves_and_ends_cleanly(tmp_path):
    """The README's first command, on the binary under test: fresh start, restart on the same state, clean end."""
    port, home = free_port(), tmp_path / "home"
    environment = {**os.environ, "KMSD_HOME": str(home), "KMSD_BIN": str(BINARY), "KMS_HOST": f"127.0.0.1:{port}"}
    client, signature = Client(f"http://127.0.0.1:{port}"), None
    for _ in range(2):
        with open(tmp_path / "out", "w+b") as out:
            process = subprocess.Popen([ROOT / "scripts" / "run"], env=environment, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.STDOUT)
            try:
                def said():
                    assert process.poll() is None, (tmp_path / "out").read_text()
                    return "kmsd ready" in (tmp_path / "out").read_text().splitlines()

                eventually(said, 60, "'kmsd ready'")
                if signature is None:
                    key = client.create_keystore().create("ED25519")
                    signature = key.sign(b"m")
                Key(Keystore(client, key.keystore.url), key.url, "ED25519").verify(signature, b"m")
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                process.kill()
                process.wait()
    assert home.stat().st_mode & 0o777 == 0o700
    for path in home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
