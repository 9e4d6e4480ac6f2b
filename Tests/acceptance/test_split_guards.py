"""What callers without a split key can cost: signing asks for no token, so anybody may try."""
import secrets

import bn254
import pytest
from split_client import SplitClient, ok, refused
from test_audit import decisions, records
from test_split_keys import SECRET, STORAGE, with_secret


@pytest.fixture
def guarded(own):
    yield with_secret(own)


def attempt(split, row, message=None, half=None):
    """A well-formed half that is not the holder's, made by a key of the attacker's own."""
    message = message or secrets.token_bytes(32)
    half = half or bn254.sign(bn254.random_secret(), message)
    return split.auth("POST", "/sign/msg", {"hash": message.hex(), "signature": half, "client_id": row["client_id"]},
                      key=row["public_key"])


def test_wrong_halves_use_up_neither_the_rate_nor_the_chain(guarded):
    daemon = guarded.start(KMS_SPLIT_RATE="2", KMS_SPLIT_WRONG_RATE="0")
    split = SplitClient(daemon.base, SECRET)
    row = split.split(split.wallet()["client_id"])
    message = secrets.token_bytes(32)
    wrong = bn254.sign(bn254.random_secret(), message)
    before = len(records(guarded))
    for number in range(40):
        refused(attempt(split, row, message, wrong), 400, "does not verify")
        if number % 20 == 0:
            refused(split.auth("POST", "/sign/msg", {"hash": message.hex(), "signature": wrong,
                                                     "client_id": row["client_id"]}, key="11" * 64), 500)
    assert len(records(guarded)) == before
    ok(split.sign(row, message))
    assert len(records(guarded)) == before + 1
    daemon.terminate()
    told = [record["event"] for record in records(guarded) if record["event"]["operation"] == "sign/msg"][-2:]
    counts = {event["reason"]: (event["subject"], event["details"]["count"], event["details"]["address"]) for event in told}
    assert counts == {"share-invalid": (f"split:{row['public_key']}", "40", "127.0.0.1"),
                      "not-found": ("split:unknown", "2", "127.0.0.1")}
    assert guarded.run("audit", "verify", check=False).returncode in (0, 2)


def test_too_many_wrong_halves_are_not_looked_at_and_lock_nobody_out(guarded):
    split = SplitClient(guarded.start(KMS_SPLIT_WRONG_RATE="1").base, SECRET)
    client = split.wallet()["client_id"]
    row, other = split.split(client), split.split(client)
    message = secrets.token_bytes(32)
    ok(split.sign(other, message))
    wrong = bn254.sign(bn254.random_secret(), message)
    statuses = [attempt(split, row, message, wrong).status_code for _ in range(60)]
    assert set(statuses) == {400, 429} and statuses[0] == 400
    response = attempt(split, row, message, wrong)
    assert response.status_code == 400 or response.headers["Retry-After"] == "1"
    # This address signed with the other key a moment ago, so its attempts at this one do not count there.
    assert bn254.verify(other["client_key"], message, ok(split.sign(other, message))["sig"])


def test_the_keys_rate_counts_right_halves(guarded):
    split = SplitClient(guarded.start(KMS_SPLIT_RATE="1").base, SECRET)
    row = split.split(split.wallet()["client_id"])
    message = secrets.token_bytes(32)
    half = bn254.sign(bn254.secret_from_text(row["private_key"]), message)
    answers = [attempt(split, row, message, half) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert all("1 times a second" in answer.text for answer in answers if answer.status_code == 429)
    # Refusals of the rate are not records of their own either.
    signed = sum(answer.status_code == 200 for answer in answers)
    assert sum(operation == "sign/msg" for operation, *_ in decisions(guarded)) == signed


def test_a_whole_transaction_as_the_answer(guarded):
    split = SplitClient(guarded.start(KMS_SPLIT_TXN_REPLY="transaction").base, SECRET)
    row = split.split(split.wallet()["client_id"], restrictions=["allocation_storage_operations"],
                      allow_message_signing=True)
    body = split.transaction(row, '{"name":"cancel_allocation","input":"\\"é\\n"}', receiver=STORAGE, chain_id="ab")
    answer = ok(split.auth("POST", "/sign/txn", body, key=row["public_key"]))
    assert {**answer, "signature": ""} == {**body, "signature": ""}
    assert bn254.transaction_hash(answer).hex() == answer["hash"]
    assert bn254.verify(row["client_key"], bytes.fromhex(answer["hash"]), answer["signature"])
    message = secrets.token_bytes(32)
    assert set(ok(split.sign(row, message))) == {"sig"}
    refused(split.auth("POST", "/sign/txn", {**body, "transaction_fee": "x"}, key=row["public_key"]), 400,
            "transaction_fee")


def test_a_correction_that_does_not_add_up_is_refused(guarded):
    split = SplitClient(guarded.start().base, SECRET)
    user, scalar, rest = (bn254.random_secret() for _ in range(3))
    client_key = bn254.public_key((user + scalar + rest) % bn254.R)
    client = bn254.client_id(client_key)
    anchor = ok(split.auth("POST", "/anchor", {"client_id": client, "scalar": bn254.secret_to_text(scalar)}, token=True))
    body = {"user_id": "alice", "client_id": client, "client_key": client_key,
            "public_key": bn254.public_key((scalar + rest) % bn254.R), "peer_public_key": bn254.public_key(user),
            "expired_at": 0, "restrictions": [], "anchor": anchor["anchor"]}
    for wrong in (scalar, (rest + 1) % bn254.R):
        refused(split.auth("POST", "/setup", {**body, "correction": bn254.secret_to_text(wrong)}, token=True), 400,
                "add up")
    refused(split.auth("POST", "/setup", {**body, "anchor": "x", "correction": bn254.secret_to_text(rest)}, token=True),
            400, "anchor")
    ok(split.auth("POST", "/setup", {**body, "correction": bn254.secret_to_text(rest)}, token=True))
    message = secrets.token_bytes(32)
    half = bn254.sign(user, message)
    answer = split.auth("POST", "/sign/msg", {"hash": message.hex(), "signature": half, "client_id": client},
                        key=body["peer_public_key"])
    assert bn254.verify(client_key, message, ok(answer)["sig"])
