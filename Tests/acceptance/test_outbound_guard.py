"""Threat I21: whatever names a server, a loopback address is called only if the operator listed it."""
import socket
import threading

import pytest
import requests
import zcap
from daemon import eventually, free_port
from softtoken import write_private
from test_drop_in import Issuer, bearer
from test_gnap import server, settings  # noqa: F401 - fixtures
from test_vaults import daemon_did, pack


class Trap:
    """Listens, and counts who comes."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.visits = self.socket.getsockname()[1], 0
        threading.Thread(target=self.count, daemon=True).start()

    def count(self):
        try:
            while True:
                self.socket.accept()[0].close()
                self.visits += 1
        except OSError:
            pass


@pytest.fixture
def trap():
    trap = Trap()
    socket.create_connection(("127.0.0.1", trap.port), 5).close()
    eventually(lambda: trap.visits, 5, "the trap")
    trap.visits = 0
    yield trap
    trap.socket.close()


def urls(port):
    """The trap's address in several spellings, and addresses that are nobody's business."""
    return [f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port}", f"https://localhost:{port}",
            f"https://2130706433:{port}", f"https://0x7f.1:{port}", f"https://0177.0.0.1:{port}",
            f"https://[::ffff:127.0.0.1]:{port}", f"https://user@127.0.0.1:{port}", "https://169.254.169.254",
            "https://[fe80::1]", "https://10.0.0.1", "file:///etc/passwd", "gopher://127.0.0.1"]


def test_settings_that_are_read_at_the_start(own, trap, tmp_path):
    write_private(tmp_path / "token", "x" * 20)
    for url in urls(trap.port):
        if "localhost" not in url:  # a name is looked up when it is called
            # An unusual spelling is refused by the variable's name, an address by the setting's.
            told = own.refuses_to_start(KMS_AUTH_SERVER_URL=url, KMS_AUTH_SERVER_TOKEN_FILE=str(tmp_path / "token"))
            assert "auth-server-url" in told or "KMS_AUTH_SERVER_URL" in told, url
            told = own.refuses_to_start(
                KMS_SECRET_LOCK_AWS_KEY_URI="aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1",
                KMS_SECRET_LOCK_AWS_ENDPOINT=url, AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="b")
            assert "secret-lock-aws-endpoint" in told or "KMS_SECRET_LOCK_AWS_ENDPOINT" in told, url
            assert "KMS_JWT_JWKS_URL" in own.refuses_to_start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=url), url
            assert "KMS_SPLIT_AUTH_URL" in own.refuses_to_start(KMS_ROLE="vault", KMS_SPLIT_AUTH_URL=url), url
            assert "KMS_AUTH_SERVER_URL" in own.refuses_to_start(
                KMS_AUTH_TYPE="GNAP", KMS_BASE_URL="https://kms.example", KMS_GNAP_SIGNING_KEY="/nonexistent/key",
                KMS_AUTH_SERVER_URL=url), url
            assert "KMS_KEY_MANAGER_STORAGE_URL" in own.refuses_to_start(KMS_KEY_MANAGER_STORAGE_URL=url), url
    assert trap.visits == 0


def test_a_users_vault(own, trap):
    kms, owner = own.start().client(), zcap.Key()
    capability = pack(zcap.issue(owner, "vault", daemon_did(kms)))
    for url in urls(trap.port):
        answer = kms.raw("POST", "/v1/keystores", {
            "controller": "did:example:trap", "edv": {"vault_url": url + "/vault", "capability": capability}})
        assert answer.status_code in (400, 502), f"{url}: {answer.text}"
    assert kms.keystores(controller="did:example:trap") == []
    assert trap.visits == 0


def test_a_key_set(own, trap):
    # The names of hosts are looked up when they are called.
    for url in (f"https://localhost:{trap.port}/keys.json", f"https://ip6-localhost:{trap.port}/keys.json"):
        daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_JWKS_URL=url)
        answer = requests.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=10,
                               headers=bearer(Issuer("first").token()))
        assert answer.status_code == 503, answer.text
        assert daemon.terminate() == 0
    assert trap.visits == 0


def test_an_authorization_server(own, settings, trap):  # noqa: F811
    daemon = own.start(**{**settings, "KMS_AUTH_SERVER_URL": f"https://localhost:{trap.port}",
                          "KMS_OUTBOUND_ALLOW": f"127.0.0.1:{free_port()}"})
    answer = requests.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=10,
                           headers={"Authorization": "GNAP token"})
    assert answer.status_code == 502, answer.text
    assert trap.visits == 0


def test_a_vaults_name_tells_nothing_about_names_inside(own, trap):
    """Of a name that leads inside and one that nobody has the caller hears the same, when a keystore is made and later."""
    kms, owner = own.start(KMS_UPSTREAM_STATUS_CODES=None).client(), zcap.Key()
    capability = pack(zcap.issue(owner, "vault", daemon_did(kms)))
    inside = ["localhost", "ip6-localhost", socket.gethostname()]
    outside = ["no-such-name.invalid", "a.b.no-such-name.invalid"]

    def answered(host):
        answer = kms.raw("POST", "/v1/keystores", {
            "controller": "did:example:looking",
            "edv": {"vault_url": f"https://{host}:{trap.port}/vault", "capability": capability}})
        return answer.status_code, answer.text, sorted(set(answer.headers) - {"Date", "X-Request-Id"})

    answers = {host: answered(host) for host in inside + outside}
    assert len({str(answer) for answer in answers.values()}) == 1, answers
    status, text, _ = answers["localhost"]
    assert status == 400 and "outbound-allow" in text and not any(host in text for host in answers)
    assert trap.visits == 0
