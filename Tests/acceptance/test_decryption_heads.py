"""Heads of the chain that do not move, or that go back: what was permitted then may have been taken back since."""
import time

import pytest
from daemon import eventually
from decryption_client import KMS, Ask, Wallet
from test_decryption import U8_04, vector, world  # noqa: F401
from wire import fields, keccak


@pytest.mark.parametrize("light_client", ["embedded", "proxy"])
def test_a_node_that_keeps_newer_blocks_back_is_not_served_from_for_long(world, light_client):
    """A permission that was taken back would hold for as long as the node says that nothing is newer."""
    w = world(age=60, KMS_DECRYPTION_MAX_HEAD_AGE="1h", KMS_DECRYPTION_LIGHT_CLIENT=light_client)
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    w.daemon.terminate()
    w.start(is_followed=False, KMS_DECRYPTION_MAX_HEAD_AGE="1s")
    eventually(lambda: b"chain-stale" in w.status().get(4, b""), 60, "that the head is too old")
    code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
    assert code == "UNAVAILABLE" and "seconds old" in words, (code, words)
    assert fields(w.node.call("grpc.health.v1.Health", "Check", b"")) == {1: 2}
    assert "chain-stale" in w.daemon.log()
    w.daemon.terminate()
    w.start(KMS_DECRYPTION_MAX_HEAD_AGE="2m", KMS_DECRYPTION_POLL="10m")
    fresh = w.chain.make(1, moment=(int(time.time()) - 5, 0))
    ask = Ask("GA", Wallet(), ciphertext, 1, fresh, w.chain.proof(fresh, keccak(ciphertext)))
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def test_a_light_proxy_whose_chain_goes_back_has_to_catch_up_first(world):
    """What was permitted then and is not any more would be proven again against the older head."""
    w = world(KMS_DECRYPTION_LIGHT_CLIENT="proxy", KMS_DECRYPTION_MAX_PROOF_AGE="3")
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    w.chain.revoke(keccak(ciphertext))
    w.chain.make(6)
    w.followed()
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == "FAILED_PRECONDITION", "too old a proof"
    newest = dict(w.chain.blocks)
    for gone in range(height + 1, w.chain.height + 1):
        w.chain.blocks.pop(gone)
    eventually(lambda: b"went back" in w.status().get(4, b""), 60, "the proxy's step back")
    code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
    assert code == "UNAVAILABLE" and "went back" in words, (code, words)
    w.chain.blocks.update(newest)
    w.followed()
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == "FAILED_PRECONDITION"
