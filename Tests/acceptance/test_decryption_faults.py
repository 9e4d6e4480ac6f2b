"""What goes wrong around a decryption: the token away, a kill between value and answer, a chain whose time goes back, trust
that has expired; and that nothing secret is in what is told of it."""
import contextlib
import hashlib
import os
import sqlite3
import threading
import time

import grpc
import pytest
import requests
from chain_double import proof_ops
from daemon import eventually, free_port
from decryption_client import KMS, OWN, Ask, Node, Wallet
from test_audit import records
from test_decryption import Own, U8_04, vector, world  # noqa: F401
from test_secrecy import assert_absent, files
from wire import blob, fields, keccak, message, number

SAFE = "t061_big/FheUint8_42_safe.bin"


class Asker(threading.Thread):
    """Asks new questions until it is stopped, and counts what comes back."""

    def __init__(self, world, height, proof):
        super().__init__(daemon=True)
        self.world, self.height, self.proof = world, height, proof
        self.counts, self.wrong, self.stopped = {}, [], threading.Event()

    def run(self):
        node = Node(self.world.target)
        try:
            while not self.stopped.is_set():
                ask = Own(vector(SAFE), 2, self.height, self.proof, "big", format=3)
                try:
                    if ask.check(node.call(OWN, "PublicDecrypt", ask.bytes), self.world, "big") != 42:
                        self.wrong.append("another value")
                    word = "OK"
                except grpc.RpcError as error:
                    word = error.code().name
                except Exception as error:  # a check that fails must fail the test, which runs in another thread
                    self.wrong.append(repr(error))
                    return
                self.counts[word] = self.counts.get(word, 0) + 1
        finally:
            node.close()

    def seen(self, word):
        assert not self.wrong, self.wrong
        return self.counts.get(word, 0)


def test_a_token_that_goes_away_is_unavailable_and_heals_without_a_restart(world):
    w = world(KMS_LOCK_TTL="0s")
    height, proof = w.mark(vector(SAFE))
    askers = [Asker(w, height, proof) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        eventually(lambda: all(a.seen("OK") > 1 for a in askers), 120, "answers")
        w.installation.token.hide()
        w.daemon.wait_for_readiness(503, 60)
        before = [a.seen("UNAVAILABLE") for a in askers]
        eventually(lambda: all(a.seen("UNAVAILABLE") > n for a, n in zip(askers, before)), 120, "refusals")
        w.installation.token.bring_back()
        w.daemon.wait_for_readiness(200, 60)
        before = [a.seen("OK") for a in askers]
        eventually(lambda: all(a.seen("OK") > n + 1 for a, n in zip(askers, before)), 120, "answers after it is back")
    finally:
        for asker in askers:
            asker.stopped.set()
        for asker in askers:
            asker.join(60)
    assert not any(a.is_alive() for a in askers)
    assert set().union(*(a.counts for a in askers)) <= {"OK", "UNAVAILABLE"}, [a.counts for a in askers]
    assert w.daemon.is_running() and len(w.installation.daemons) == 1


@pytest.mark.parametrize("kind", ["public", "user"])
def test_a_kill_between_decryption_and_answer_changes_nothing_about_the_result(world, kind):
    """The record of an answer cannot be written, so it stays in the daemon; there it is killed."""
    w = world()
    wallet = Wallet() if kind == "user" else None
    height, proof = w.mark(vector(SAFE), wallet.address if wallet else None)
    ask = Own(vector(SAFE), 2, height, proof, "big", format=3, wallet=wallet,
              authorization=wallet.authorization() if wallet else b"")
    blocker = sqlite3.connect(w.installation.home / "audit.db", isolation_level=None, timeout=30)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        future = w.node.channel.unary_unary(f"/{OWN}/{ask.method}").future(ask.bytes, timeout=120)
        # What is kept for repetition is signed, and goes out only with a record.
        kept, _ = eventually(lambda: stored(w, ask), 60, "a decryption")
        w.daemon.kill()
        assert future.exception(timeout=60).code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    w.start()
    answers = [w.node.call(OWN, ask.method, ask.bytes) for _ in range(2)]
    assert answers[0] == answers[1] and ask.check(answers[0], w, "big") == 42
    assert stored(w, ask) == kept, "the repeated question was decrypted again"
    w.daemon.terminate()
    told = [r["event"]["outcome"] for r in records(w.installation)
            if r.get("event", {}).get("details", {}).get("request-id") == ask.id.hex()]
    assert told == ["allowed", "allowed"], "one record for each answer that went out, and none for the one that did not"


def stored(world, ask):
    """What the daemon keeps for whoever repeats a question."""
    with sqlite3.connect(f"file:{world.installation.home / 'decryption.sqlite'}?mode=ro", uri=True, timeout=30) as database:
        row = database.execute("SELECT answer FROM answers WHERE request_id = ?", (ask.id,)).fetchone()
    return row and row[0]


def test_a_kill_before_an_answer_is_kept_leaves_the_question_open(world):
    w = world()
    height, proof = w.mark(vector(SAFE))
    ask = Own(vector(SAFE), 2, height, proof, "big", format=3)
    blocker = sqlite3.connect(w.installation.home / "decryption.sqlite", isolation_level=None, timeout=30)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        future = w.node.channel.unary_unary(f"/{OWN}/{ask.method}").future(ask.bytes, timeout=120)
        # Whether it has come to the locked file by then decides nothing: no answer can leave before it is kept.
        with contextlib.suppress(grpc.FutureTimeoutError, grpc.RpcError):
            future.result(timeout=2)
        w.daemon.kill()
        assert future.exception(timeout=60).code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    w.start()
    assert not stored(w, ask)
    answer = w.node.call(OWN, ask.method, ask.bytes)
    assert ask.check(answer, w, "big") == 42 and w.node.call(OWN, ask.method, ask.bytes) == answer


def test_a_header_whose_time_goes_back_is_not_followed_whoever_signs_it(world):
    w = world()
    height, proof = w.mark(vector(U8_04))
    last = w.chain.blocks[height]["header"]["time"]
    for moment in ((last[0] - 1, 0), last):
        w.chain.blocks.pop(height + 1, None)
        asked = len(w.primary.asked)
        bad = w.chain.make(1, moment=moment)
        ask = Ask("GA", Wallet(), vector(U8_04), 1, bad, w.chain.proof(bad, keccak(vector(U8_04))))
        code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
        assert code in ("UNAVAILABLE", "FAILED_PRECONDITION"), (code, words)
        assert f"/commit?height={bad}" in w.primary.asked[asked:], "the header was looked at"
        assert w.status()[2] == height
        # What was verified before still is.
        ask = Ask("GA", Wallet(), vector(U8_04), 1, height, proof)
        assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def test_trust_that_has_expired_serves_nothing_until_the_operators_vouch_anew(world):
    w = world(age=7200, KMS_DECRYPTION_MAX_HEAD_AGE="0")
    height, proof = w.mark(vector(U8_04))
    ask = Ask("GA", Wallet(), vector(U8_04), 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    w.daemon.terminate()
    # Every header is two hours old.
    w.start(is_followed=False, KMS_DECRYPTION_TRUSTING_PERIOD="1h")
    eventually(lambda: b"chain-trust-expired" in w.status().get(4, b""), 60, "that the trust has expired")
    code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
    assert code == "FAILED_PRECONDITION" and "trust-expired" in words, words
    assert fields(w.node.call("grpc.health.v1.Health", "Check", b"")) == {1: 2}
    # A fresh block alone does not help: nobody vouches for the way to it.
    fresh = w.chain.make(1, moment=(int(time.time()) - 60, 0))
    ask = Ask("GA", Wallet(), vector(U8_04), 1, fresh, w.chain.proof(fresh, keccak(vector(U8_04))))
    assert w.node.refused(KMS, "Decrypt", ask.bytes)[0] == "FAILED_PRECONDITION"
    w.daemon.terminate()
    root = w.chain.blocks[fresh]["hash"].hex()
    w.start(KMS_DECRYPTION_TRUSTING_PERIOD="1h", KMS_DECRYPTION_TRUST=f"{fresh}:{root}")
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def test_compressed_and_over_deep_proofs_are_refused_in_either_operation(world):
    w = world()
    ciphertext = vector(U8_04)
    height, proof = w.mark(ciphertext)
    key = w.chain.key(keccak(ciphertext))
    inner, outer = (fields(fields(part)[3]) for part in fields(proof)[1])
    assert set(inner) == set(outer) == {1}, "existence proofs"
    steps = fields(inner[1])[4]
    deep = blob(4, message(number(1, 1), blob(2, b"\x02\x04\x02\x20"))) * 129

    def compressed(existence):
        """cosmos.ics23.v1.CompressedBatchProof of one entry, whose steps are looked up beside it."""
        parts = fields(existence)
        entry = blob(1, blob(1, message(blob(1, parts[1]), blob(2, parts[2]), blob(3, parts[3]), blob(4, b"\0"))))
        return blob(4, message(entry, *(blob(2, step) for step in (steps if isinstance(steps, list) else [steps]))))

    plain = [blob(1, inner[1]), blob(1, outer[1])]
    assert proof_ops(plain[0], key, plain[1]) == proof, "the pieces make the proof that is taken"
    cases = {
        "compressed below": (compressed(inner[1]), plain[1]), "compressed above": (plain[0], compressed(outer[1])),
        "both compressed": (compressed(inner[1]), compressed(outer[1])),
        "compressed beside": (plain[0] + compressed(inner[1]), plain[1]),
        "batch above": (plain[0], blob(3, blob(1, blob(1, outer[1])))),
        "too deep below": (blob(1, inner[1] + deep), plain[1]), "too deep above": (plain[0], blob(1, outer[1] + deep)),
        "nothing is there": (blob(2, message(blob(1, key))), plain[1]),
    }
    for name, (first, second) in cases.items():
        ask = Ask("GA", Wallet(), ciphertext, 1, height, proof_ops(first, key, second))
        code, words = w.node.refused(KMS, "Decrypt", ask.bytes)
        assert code in ("INVALID_ARGUMENT", "PERMISSION_DENIED"), f"{name}: {code} {words}"
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42


def packed_key(path, shown):
    """The bits of a client key as the daemon keeps them, found in its file by the fingerprint that it tells."""
    data, length = vector(path), shown["length"]
    zero, one = bytes(8), (1).to_bytes(8, "little")
    at = data.find(length.to_bytes(8, "little"))
    while at >= 0:
        words = [data[at + 8 + 8 * n:at + 16 + 8 * n] for n in range(length)]
        if set(words) <= {zero, one}:
            bits = sum((word == one) << n for n, word in enumerate(words))
            packed = bits.to_bytes((length + 63) // 64 * 8, "little")
            if hashlib.sha256(packed).hexdigest() == shown["fingerprint"]:
                return packed
        at = data.find(length.to_bytes(8, "little"), at + 1)
    raise AssertionError("the key's bits are not in its file")


def test_no_key_ciphertext_or_value_is_in_metrics_errors_logs_or_files(world):
    address = f"127.0.0.1:{free_port()}"
    w = world("GB", KMS_METRICS_HOST=address, KMS_LOG_LEVEL="debug")
    ciphertext, wallet = vector("t061_small/FheUint32_3735928559.bin"), Wallet()
    shown = {key["name"]: key for key in w.installation.run_json("decryption", "key", "list")}
    secrets = {"key 'small'": packed_key("t061_small/client_key.bin", shown["small"])[:64],
               "key 'big'": packed_key("t061_big/client_key.bin", shown["big"])[:64],
               "ciphertext": ciphertext[100:132], "end of the ciphertext": ciphertext[-200:-168]}
    height, proof = w.mark(ciphertext, wallet.address)
    ask = Ask("GB", wallet, ciphertext, 4, height, proof, "Reencrypt", "small", wallet.authorization())
    assert ask.check_reencryption(w.node.call(KMS, "Reencrypt", ask.bytes), w.server) == 3735928559
    own = Own(ciphertext, 4, height, proof, "small", 2, wallet, wallet.authorization())
    assert own.check(w.node.call(OWN, "UserDecrypt", own.bytes), w, "small") == 3735928559
    words = []

    def refused(service, method, question):
        code, told = w.node.refused(service, method, question)
        words.append(f"{code} {told}")

    for spoilt in (ciphertext[:-1], ciphertext + b"\0", ciphertext[:7164], b"\xff" * 8 + ciphertext[8:], ciphertext[::-1]):
        at, shows = w.mark(spoilt)
        refused(KMS, "Decrypt", Ask("GB", wallet, spoilt, 4, at, shows, key="small").bytes)
        refused(OWN, "PublicDecrypt", Own(spoilt, 4, at, shows, "small").bytes)
    at, shows = w.mark(ciphertext)
    for fhe_type, key, format in ((4, "big", 2), (5, "small", 2), (4, "small", 1), (4, "small", 4), (77, "small", 2)):
        refused(OWN, "PublicDecrypt", Own(ciphertext, fhe_type, at, shows, key, format).bytes)
    refused(KMS, "Decrypt", Ask("GB", wallet, ciphertext, 4, at, proof, key="small").bytes)
    refused(KMS, "Reencrypt", Ask("GB", Wallet(), ciphertext, 4, height, proof, "Reencrypt", "small").bytes)
    refused(KMS, "Decrypt", os.urandom(40) + ciphertext)
    places = {
        "a refusal": "\n".join(words), "the metrics": requests.get(f"http://{address}/metrics", timeout=20).text,
        "/readyz": requests.get(w.daemon.base + "/readyz", timeout=20).text,
        "doctor": w.installation.run("doctor", "--output", "json", check=False).stdout,
        "the records": w.installation.run("audit", "export").stdout,
        "the list of keys": w.installation.run("decryption", "key", "list").stdout,
    }
    w.daemon.terminate()
    places["the log"] = w.daemon.log()
    assert len(set(words)) > 8 and len(places["the metrics"]) > 200 and "decryption API listens" in places["the log"]
    for place, text in places.items():
        assert_absent(secrets, text.encode(), place)
        assert b"3735928559" not in text.encode() and "deadbeef" not in text.lower() and "efbeadde" not in text.lower(), place
    for path in files(w.installation.home):
        assert_absent(secrets, path.read_bytes(), path.name)
