"""Scenario 2 of TrustBloc's server: keys in the user's vault, locked by shares of the user and of an Auth server."""
import sqlite3

import pytest
import zcap
from test_locks import auth, presenting, shamir, shares  # noqa: F401  (fixtures)
from test_vaults import VaultServer, refused, vault_of
from webkms_client import Keystore


@pytest.fixture
def server():
    server = VaultServer()
    yield server
    server.stop()


def test_keys_in_a_vault_under_shares(shamir, auth, shares, server):  # noqa: F811
    """Without the user's share the daemon can neither open the keystore's keys nor name their documents in the vault."""
    allow = f"127.0.0.1:{auth.port},127.0.0.1:{server.port}"
    daemon = shamir.start(KMS_OUTBOUND_ALLOW=allow, KMS_EDV_TIMEOUT="5s")
    alice = presenting(daemon, "alice", shares[0])
    owner = zcap.Key()
    keystore = alice.create_keystore("did:example:alice", edv=vault_of(alice, server, owner))
    key = keystore.create("ED25519")
    signature = key.sign(b"m")
    ((vault, documents),) = server.documents.items()
    assert len(documents) == 1
    with sqlite3.connect(shamir.home / "kmsd.sqlite") as database:
        assert database.execute("SELECT LENGTH(sealed) FROM key_versions").fetchall() == [(0,)]

    daemon.kill()
    daemon = shamir.start(KMS_OUTBOUND_ALLOW=allow, KMS_EDV_TIMEOUT="5s")
    server.calls()
    wrong = bytes([shares[0][0] ^ 1]) + shares[0][1:]
    for client, status in ((presenting(daemon), 400), (presenting(daemon, "alice", wrong), 403)):
        refused(status, Keystore(client, keystore.url).key(key.id).sign, b"m")
        refused(status, Keystore(client, keystore.url).create, "ED25519")
    assert server.calls() == [], "the vault is not asked for somebody without the right share"
    again = Keystore(presenting(daemon, "alice", shares[0]), keystore.url)
    again.key(key.id).verify(signature, b"m")
    rotated = again.key(key.id, "ED25519").rotate()
    rotated.verify(signature, b"m")
    assert rotated.destroy(grace=0)["state"] == "destroyed"
    assert server.documents == {vault: {}}
