"""/readyz and /healthcheck answer within a second, whatever holds up the databases or the token."""
import concurrent.futures
import contextlib
import os
import sqlite3
import time

import pytest
import requests
from daemon import eventually
from split_client import SplitClient
from test_split_keys import SECRET, with_secret

# The daemon gives itself 0.7 s; whoever waited for the database would wait five.
LATE = 4
STORES = {"kmsd.sqlite": "store", "audit.db": "audit", "vault.sqlite": "store", "shares.sqlite": "store"}


@contextlib.contextmanager
def held(path):
    """The database's write lock, as another process has it."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def ask(daemon, path):
    start = time.monotonic()
    answer = requests.get(daemon.base + path, timeout=10)
    return answer, time.monotonic() - start


@pytest.mark.parametrize("file", STORES)
def test_readyz_tells_within_a_second_that_another_process_holds_a_database(own, file):
    daemon = with_secret(own).start()
    with held(own.home / file):
        def told():
            answer, elapsed = ask(daemon, "/readyz")
            assert elapsed < LATE, f"{answer.status_code} after {elapsed:.2f} s"
            return [answer] if answer.status_code == 503 else None

        (answer,), _ = eventually(told, 10, "/readyz tells")
        problems = answer.json()["problems"]
        assert [problem["component"] for problem in problems] == [STORES[file]], problems
        assert "another process holds the database" in problems[0]["message"]
        times = [ask(daemon, path)[1] for path in ("/readyz", "/healthcheck", "/livez") for _ in range(5)]
        assert max(times) < LATE, times
        assert ask(daemon, "/healthcheck")[0].status_code == 200
    eventually(lambda: ask(daemon, "/readyz")[0].status_code == 200, 10, "ready again")
    assert daemon.terminate() == 0


def test_many_who_ask_while_a_database_is_held_wait_no_longer(own):
    daemon = own.start()
    with held(own.home / "kmsd.sqlite"), concurrent.futures.ThreadPoolExecutor(16) as pool:
        time.sleep(1.1)  # The last good answer is good for a second.
        answers = list(pool.map(lambda _: ask(daemon, "/readyz"), range(64)))
        assert {answer.status_code for answer, _ in answers} == {503}
        assert max(elapsed for _, elapsed in answers) < LATE
    eventually(lambda: ask(daemon, "/readyz")[0].status_code == 200, 10, "ready again")


def outcomes(calls):
    """Status and time of calls that begin 0.4 s one after the other."""
    def one(number, call):
        time.sleep(0.4 * number)
        start = time.monotonic()
        answer = call()
        return answer.status_code, answer.headers.get("Retry-After"), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, range(len(calls)), calls))


def test_whoever_waits_behind_others_for_a_held_database_waits_no_longer_than_they(own):
    """Five seconds from one's own arrival, and not five for each of those before: /readyz's own write is among them."""
    daemon = with_secret(own).start()
    keystore = daemon.client().create_keystore()
    wallets = SplitClient(daemon.base, SECRET)

    def create():
        return requests.post(f"{daemon.base}{keystore.url}/keys", json={"key_type": "ED25519"}, timeout=60)

    def wallet():
        return wallets.vault("POST", "/wallet")

    for file, call in (("kmsd.sqlite", create), ("vault.sqlite", wallet)):
        with held(own.home / file):
            time.sleep(1.1)  # The last good answer of /readyz is good for a second.
            asked = outcomes([lambda: requests.get(daemon.base + "/readyz", timeout=60)] + 8 * [call])[1:]
        assert {(status, retry) for status, retry, _ in asked} == {(503, "1")}, asked
        # Whoever waited for the one before would wait ten.
        assert max(elapsed for _, _, elapsed in asked) < 9.5, asked
        eventually(lambda: ask(daemon, "/readyz")[0].status_code == 200, 10, "ready again")
        assert call().status_code == 200


@pytest.mark.parametrize("file", STORES)
@pytest.mark.parametrize("how", ["moved", "removed", "replaced", "log removed"])
def test_readyz_tells_that_a_database_was_moved_or_replaced_under_the_daemon(own, file, how):
    """What is written then would be lost with the process, so nothing is; put back, it goes on."""
    daemon = with_secret(own).start()
    client = daemon.client()
    key = client.create_keystore().create("ED25519")
    wallets = SplitClient(daemon.base, SECRET)
    path = own.home / file if how != "log removed" else own.home / f"{file}-wal"
    kept = path.with_name("kept")
    os.link(path, kept)
    if how == "moved":
        path.rename(path.with_name("elsewhere"))
    else:
        path.unlink()
        if how == "replaced":
            path.write_bytes(kept.read_bytes())
            path.chmod(0o600)

    def told():
        answer, elapsed = ask(daemon, "/readyz")
        assert elapsed < LATE
        return answer.json()["problems"] if answer.status_code == 503 else None

    problems, _ = eventually(told, 10, "/readyz tells")
    assert [problem["component"] for problem in problems] == [STORES[file]], problems
    words = "replaced" if how == "replaced" else "moved or removed"
    assert words in problems[0]["message"] and f"'{path.name}'" in problems[0]["message"], problems
    assert str(own.home) not in problems[0]["message"]

    def writes():
        if STORES[file] == "audit":
            # What waits for its record comes first: it tells the writer, which what is only queued does not wait for.
            return [lambda: client.raw("POST", key.keystore.url + "/keys", {"key_type": "ED25519"}),
                    lambda: client.raw("POST", key.url + "/sign", {"message": "aGVsbG8="})]
        if file == "kmsd.sqlite":
            return [lambda: client.raw("POST", key.keystore.url + "/keys", {"key_type": "ED25519"}),
                    lambda: client.raw("POST", "/v1/keystores", {"controller": "did:example:a"})]
        return [lambda: wallets.vault("POST", "/wallet")] if file == "vault.sqlite" else []

    for write in writes():
        answer = write()
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1"), answer.text
    if how == "replaced":
        path.unlink()
    kept.rename(path)
    eventually(lambda: ask(daemon, "/readyz")[0].status_code == 200, 10, "ready again")
    for write in writes():
        assert write().status_code == 200
    assert daemon.terminate() == 0
