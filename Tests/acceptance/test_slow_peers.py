"""Servers that callers name and that keep the daemon waiting: what they take is theirs, not everybody's."""
import socket
import threading

import pytest
import requests
import zcap
from daemon import eventually
from test_gnap import Client
from test_gnap import server  # noqa: F401 - fixtures
from test_gnap import settings  # noqa: F401 - fixtures
from test_vaults import VaultServer, pack, vault_of

# More than the daemon has calls of all kinds under way.
STALLED = 160


class Silence:
    """Takes connections at an address of its own, and never says anything."""

    def __init__(self, host):
        self.socket, self.taken = socket.create_server((host, 0), backlog=256), []
        self.host = "%s:%d" % self.socket.getsockname()
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        try:
            while True:
                self.taken.append(self.socket.accept()[0])
        except OSError:
            pass

    def end(self):
        self.socket.close()
        while self.taken:
            self.taken.pop().close()


@pytest.fixture
def silence():
    silence = Silence("127.0.0.2")
    yield silence
    silence.end()


@pytest.fixture
def vaults():
    server = VaultServer()
    yield server
    server.stop()


def test_a_tenants_silent_vault_holds_up_neither_tokens_nor_other_vaults(own, settings, server, silence, vaults):  # noqa: F811
    allowed = f"{settings['KMS_OUTBOUND_ALLOW']},{silence.host},127.0.0.1:{vaults.port}"
    daemon = own.start(**{**settings, "KMS_OUTBOUND_ALLOW": allowed, "KMS_EDV_TIMEOUT": "10m"})
    mallory, alice = Client(daemon, server, "mallory"), Client(daemon, server, "alice")

    def did(client):
        return client.call("POST", "/v1/keystores/did", {}).json()["did"]

    stalled = {"vault_url": f"http://{silence.host}/vault",
               "capability": pack(zcap.issue(zcap.Key(), "vault", did(mallory)))}
    answered = []

    def stall(number):
        try:
            answered.append(mallory.call("POST", "/v1/keystores", {"controller": f"did:example:m{number}", "edv": stalled}))
        except requests.RequestException as error:
            answered.append(error)

    before = len(server.calls())
    threads = [threading.Thread(target=stall, args=(number,), daemon=True) for number in range(STALLED)]
    for thread in threads:
        thread.start()
    # Each was let in, and none of them will be answered.
    eventually(lambda: silence.taken and len(server.calls()) - before >= STALLED, 60, "the calls to the silent vault")

    # The last of them come to their vault while these are answered.
    for _ in range(20):
        answer = alice.call("POST", "/v1/keystores", {"controller": "did:example:alice"})
        assert answer.status_code == 200, answer.text
    answer = alice.call("POST", "/v1/keystores", {
        "controller": "did:example:alice", "edv": vault_of(None, vaults, did=did(alice))})
    assert answer.status_code == 200, answer.text
    assert [getattr(one, "text", one) for one in answered] == [], "the calls to the silent vault must be waiting still"
    daemon.kill()
    for thread in threads:
        thread.join(60)
