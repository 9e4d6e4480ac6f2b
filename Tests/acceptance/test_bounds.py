"""What callers may use up: of the daemon, if they show nothing of who they are, and of what others have."""
import secrets
import sqlite3

import bn254
import pytest
import requests
from daemon import eventually
from requests.adapters import HTTPAdapter
from split_client import SplitClient, ok
from test_audit import records
from test_split_guards import attempt
from test_split_keys import SECRET, with_secret


def test_an_address_makes_so_many_keystores_and_did_keys_in_a_minute(own):
    daemon = own.start(KMS_MAKES_PER_MINUTE="20")
    session = requests.Session()
    statuses = []
    for number in range(60):
        if number % 2:
            answer = session.post(f"{daemon.base}/v1/keystores/did", timeout=10)
        else:
            answer = session.post(f"{daemon.base}/v1/keystores", json={"controller": f"did:example:{number}"}, timeout=10)
        statuses.append(answer.status_code)
    assert set(statuses) == {200, 429} and statuses[:20] == [200] * 20
    assert statuses.count(200) < 40
    refused = session.post(f"{daemon.base}/v1/keystores/did", timeout=10)
    assert refused.status_code == 200 or refused.headers["Retry-After"] == "1" and "minute" in refused.json()["message"]
    # Another address has a share of its own.
    other = requests.Session()
    other.mount("http://", From("127.0.0.2"))
    assert other.post(f"{daemon.base}/v1/keystores/did", timeout=10).status_code == 200


def test_a_caller_and_a_server_have_so_many_keystores(own):
    """Whatever controllers they name, and over restarts."""
    def make(daemon, number, session=requests):
        return session.post(f"{daemon.base}/v1/keystores", json={"controller": f"did:example:{number}"}, timeout=10)

    daemon = own.start(KMS_KEYSTORES_PER_CALLER="5", KMS_MOST_KEYSTORES="8")
    assert [make(daemon, number).status_code for number in range(5)] == [200] * 5
    daemon.terminate()
    daemon = own.start(KMS_KEYSTORES_PER_CALLER="5", KMS_MOST_KEYSTORES="8")
    refused = make(daemon, 5)
    assert refused.status_code == 429 and "keystores-per-caller" in refused.json()["message"]
    other = requests.Session()
    other.mount("http://", From("127.0.0.2"))
    assert [make(daemon, number, other).status_code for number in range(6, 9)] == [200] * 3
    refused = make(daemon, 9, other)
    assert refused.status_code == 429 and "most-keystores" in refused.json()["message"]
    daemon.terminate()
    daemon = own.start(KMS_KEYSTORES_PER_CALLER="6", KMS_MOST_KEYSTORES="0")
    assert [make(daemon, number).status_code for number in range(10, 12)] == [200, 429]


class From(HTTPAdapter):
    """Connections from an address of one's choice."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **more):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **more)


def test_did_keys_that_nothing_names_are_removed_and_it_is_recorded(own):
    daemon = own.start()
    for _ in range(5):
        assert requests.post(f"{daemon.base}/v1/keystores/did", timeout=10).status_code == 200
    daemon.terminate()
    with sqlite3.connect(own.home / "kmsd.sqlite") as database:
        database.execute("UPDATE did_keys SET created_at = created_at - 90000000 "
                         "WHERE did IN (SELECT did FROM did_keys LIMIT 3)")

    def left():
        with sqlite3.connect(own.home / "kmsd.sqlite") as database:
            return database.execute("SELECT COUNT(*) FROM did_keys").fetchone()[0]

    assert left() == 5
    daemon = own.start()
    eventually(lambda: left() == 2, 20, "three of five DID keys are removed")
    eventually(lambda: [record["event"]["details"] for record in records(own)
                        if record["event"]["operation"] == "remove-did-keys"] == [{"count": "3"}], 10, "the record")
    daemon.terminate()
    own.start(KMS_DID_KEY_GRACE="0s")
    assert left() == 2


def test_refusals_that_repeat_do_not_fill_the_audit_chain(own):
    daemon = own.start()
    session = requests.Session()
    before = len(records(own))
    count = 500
    for _ in range(count):
        assert session.post(f"{daemon.base}/v1/keystores", data=b"{", timeout=10).status_code == 400
        assert session.get(f"{daemon.base}/v1/keystores/{'0' * 20}", timeout=10).status_code == 404
    assert daemon.terminate() == 0
    new = [record["event"] for record in records(own)[before:] if record["event"]["outcome"] == "refused"]
    assert len(new) < 200
    told = {}
    for event in new:
        kind = event["operation"], event["reason"]
        told[kind] = told.get(kind, 0) + int(event["details"].get("count", 1))
    assert sorted(told.values()) == [count, count], told
    assert all(event["details"]["address"] == "127.0.0.1" for event in new if "count" in event["details"])
    assert own.run("audit", "verify", check=False).returncode in (0, 2)


@pytest.mark.parametrize("token", [False, True], ids=["without a token", "with the owner's token"])
def test_a_strangers_wrong_halves_do_not_lock_a_holder_out_at_a_new_address(own, token):
    split = SplitClient(with_secret(own).start(KMS_SPLIT_WRONG_RATE="1").base, SECRET)
    row = split.split(split.wallet()["client_id"])
    message = secrets.token_bytes(32)
    wrong = bn254.sign(bn254.random_secret(), message)
    statuses = [attempt(split, row, message, wrong).status_code for _ in range(40)]
    assert 429 in statuses
    for _ in range(5):
        attempt(split, row, message, wrong)
    split.http.mount("http://", From("127.0.0.1" if token else "127.0.0.3"))
    half = bn254.sign(bn254.secret_from_text(row["private_key"]), message)
    answer = ok(split.auth("POST", "/sign/msg", {"hash": message.hex(), "signature": half, "client_id": row["client_id"]},
                           key=row["public_key"], token=token))
    assert bn254.verify(row["client_key"], message, answer["sig"])
