"""Locks of keystores: shares of the user and an Auth server, AWS KMS, a passphrase, and the choice among them."""
import base64
import gzip
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from auth_server import TOKEN, AuthServer, split
from daemon import eventually, free_port
from test_capabilities import BASE, Guarded, Wallet
from test_secrecy import assert_absent


@pytest.fixture
def auth():
    server = AuthServer()
    yield server
    server.end()


@pytest.fixture
def shares():
    return split(os.urandom(32), os.urandom(32))


@pytest.fixture
def shamir(own, auth, tmp_path, shares):
    """An installation whose new keystores are locked by shares; Alice's other share is deposited."""
    token = tmp_path / "auth.token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    own.settings |= {"KMS_AUTH_SERVER_URL": auth.url, "KMS_AUTH_SERVER_TOKEN_FILE": str(token),
                     "KMS_OUTBOUND_ALLOW": f"127.0.0.1:{auth.port}", "KMS_LOG_LEVEL": "debug"}
    auth.give("alice", shares[1])
    return own


def presenting(daemon, user=None, share=None):
    """A client that sends these headers with every request."""
    client = daemon.client()
    if user is not None:
        client.http.headers["Auth-User"] = user
    if share is not None:
        client.http.headers["Secret-Share"] = base64.b64encode(share).decode()
    return client


def refusal(client, method, path, body=None):
    answer = client.raw(method, path, body)
    assert answer.json()["message"] == answer.json()["errMessage"]
    return answer.status_code, answer.json()["message"]


def sign(client, key_path):
    return client.raw("POST", key_path + "/sign", {"message": "aGVsbG8="})


def make_key(client, **more):
    keystore = client.raw("POST", "/v1/keystores", {"controller": "did:example:alice", **more}).json()["key_store_url"]
    answer = client.raw("POST", keystore + "/keys", {"key_type": "ED25519"})
    assert answer.status_code == 200, answer.text
    return keystore, answer.json()["key_url"]


def test_a_keystore_of_shares_needs_the_right_one_with_every_request(shamir, auth, shares):
    daemon = shamir.start()
    alice = presenting(daemon, "alice", shares[0])
    keystore, key = make_key(alice)
    assert sign(alice, key).status_code == 200

    # The key is open in memory now, and still only for who presents the share.
    wrong = bytes([shares[0][0] ^ 1]) + shares[0][1:]
    auth.give("bob", split(os.urandom(32), os.urandom(32))[1])
    for user, share, status, text in (
        (None, None, 400, "create shamir secret lock: validation failed: empty user"),
        (None, shares[0], 400, "create shamir secret lock: validation failed: empty user"),
        ("alice", None, 400, "create shamir secret lock: validation failed: empty secret share"),
        ("alice", wrong, 403, "does not open"),
        ("alice", shares[1], 403, "does not open"),
        ("alice", shares[0][:-1] + b"\0", 403, "does not open"),
        ("alice", shares[0][:-2] + shares[0][-1:], 403, "does not open"),
        ("alice", b"x", 403, "does not open"),
        ("bob", shares[0], 403, "does not open"),
        ("carol", shares[0], 502, "fetch secret share: the Auth server answered 400: unknown user"),
    ):
        client = presenting(daemon, user, share)
        for method, path, body in (("POST", key + "/sign", {"message": "aGVsbG8="}), ("GET", key + "/export", None),
                                   ("POST", keystore + "/keys", {"key_type": "ED25519"})):
            found, message = refusal(client, method, path, body)
            assert found == status and text in message, f"{user} {path}: {found} {message}"
    assert sign(alice, key).status_code == 200
    assert sign(presenting(daemon, "alice", shares[0]), key).status_code == 200


def test_a_malformed_header_is_refused(shamir, shares):
    daemon = shamir.start()
    client = presenting(daemon, "alice")
    for text in ("not base64!", "A", "A" * 4000):
        client.http.headers["Secret-Share"] = text
        status, message = refusal(client, "POST", "/v1/keystores", {"controller": "did:example:alice"})
        assert status == 400 and message == "wrap request: bad request: decode secret share from header"
    client = presenting(daemon, "u" * 1025, shares[0])
    assert refusal(client, "POST", "/v1/keystores", {"controller": "did:example:alice"})[0] == 400


def test_after_a_restart_neither_the_database_nor_one_share_opens_it(shamir, auth, shares):
    daemon = shamir.start()
    _, key = make_key(presenting(daemon, "alice", shares[0]))
    assert daemon.terminate() == 0
    auth.end()
    daemon = shamir.start()
    status, message = refusal(presenting(daemon, "alice", shares[0]), "POST", key + "/sign", {"message": "aGVsbG8="})
    assert status == 502 and "fetch secret share" in message
    again = AuthServer(auth.port)
    try:
        again.give("alice", shares[1])
        assert sign(presenting(daemon, "alice", shares[0]), key).status_code == 200
    finally:
        again.end()


def test_nothing_is_remembered_past_its_time(shamir, auth, shares):
    daemon = shamir.start(KMS_SHAMIR_SECRET_CACHE_TTL="0s")
    alice = presenting(daemon, "alice", shares[0])
    _, key = make_key(alice)
    before = len(auth.asked())
    for count in (1, 2, 3):
        assert sign(alice, key).status_code == 200
        assert len(auth.asked()) == before + count
    auth.give("alice", split(os.urandom(32), os.urandom(32))[1])
    assert sign(alice, key).status_code == 403
    auth.end()
    assert sign(alice, key).status_code == 502


def test_a_strange_auth_server_is_an_error_of_its_own(shamir, auth, shares):
    daemon = shamir.start(KMS_SHAMIR_SECRET_CACHE_TTL="0s")
    alice = presenting(daemon, "alice", shares[0])
    _, key = make_key(alice)
    for behaviour in ("redirect", "long"):
        auth.behave(behaviour)
        status, message = refusal(alice, "POST", key + "/sign", {"message": "aGVsbG8="})
        assert status == 502 and "fetch secret share" in message
    auth.behave("serve")
    assert sign(alice, key).status_code == 200


def test_an_auth_server_that_may_not_be_called_stops_the_start(shamir):
    log = shamir.refuses_to_start(KMS_OUTBOUND_ALLOW="")
    assert "auth-server-url" in log and "outbound-allow" in log


def test_shares_reach_neither_log_nor_database(shamir, auth, shares):
    daemon = shamir.start()
    alice = presenting(daemon, "alice", shares[0])
    keystore, key = make_key(alice)
    assert sign(alice, key).status_code == 200
    wrong = bytes([shares[0][0] ^ 1]) + shares[0][1:]
    answers = [sign(presenting(daemon, "alice", wrong), key).text,
               alice.raw("POST", keystore + "/keys", b"{").text, alice.raw("GET", key).text]
    secrets = {"user's share": shares[0], "Auth server's share": shares[1], "wrong share": wrong,
               "Auth server's token": TOKEN.encode()}
    for path in (f"/proc/{daemon.pid}/cmdline", f"/proc/{daemon.pid}/environ"):
        assert_absent(secrets, Path(path).read_bytes(), path)
    assert daemon.terminate() == 0
    assert_absent(secrets, daemon.log().encode(), "the log")
    assert_absent(secrets, "".join(answers).encode(), "answers")
    for file in shamir.home.rglob("*"):
        if file.is_file():
            assert_absent(secrets, file.read_bytes(), file)


def test_a_keystore_may_be_made_with_another_lock(shamir, shares):
    daemon = shamir.start()
    client = daemon.client()
    keystore, key = make_key(client, lock="token")
    assert sign(client, key).status_code == 200
    slots = client.raw("GET", keystore).json()["lock_slots"]
    assert [slot["kind"] for slot in slots] == ["token"]
    alice = presenting(daemon, "alice", shares[0])
    keystore, _ = make_key(alice)
    assert [slot["kind"] for slot in alice.raw("GET", keystore).json()["lock_slots"]] == ["shamir"]
    for lock in ("local", "aws", "none", "", "Token"):
        status, message = refusal(client, "POST", "/v1/keystores", {"controller": "did:example:a", "lock": lock})
        assert status == 400 and "'token', 'shamir'" in message


def test_the_passphrase_lock(bare, tmp_path):
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery staple\n")
    file.chmod(0o600)
    settings = {"KMS_SECRET_LOCK_TYPE": "passphrase", "KMS_SECRET_LOCK_PASSPHRASE_FILE": str(file),
                "KMS_TOKEN_URI": None}
    daemon = bare.start(**settings)
    keystore, key = make_key(daemon.client())
    assert daemon.client().raw("GET", keystore).json()["lock_slots"][0]["kind"] == "passphrase"
    assert daemon.terminate() == 0
    daemon = bare.start(**settings)
    assert sign(daemon.client(), key).status_code == 200
    assert daemon.terminate() == 0
    file.write_text("correct horse battery stable\n")
    daemon = bare.start(**settings)
    assert sign(daemon.client(), key).status_code == 409
    assert daemon.terminate() == 0
    file.chmod(0o644)
    assert "secret-lock-passphrase-file" in bare.refuses_to_start(**settings)
    file.chmod(0o600)
    file.write_text("short\n")
    assert "secret-lock-passphrase-file" in bare.refuses_to_start(**settings)


@pytest.fixture
def aws(tmp_path):
    """AWS KMS as moto serves it, in a process of its own; gives its URL and a call of its API."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def call(operation, **members):
        answer = requests.post(url, json=members, timeout=30, headers={
            "X-Amz-Target": f"TrentService.{operation}", "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/eu-central-1/kms/aws4_request, "
                             "SignedHeaders=host, Signature=0"})
        answer.raise_for_status()
        return answer.json()

    def is_up():
        try:
            return requests.get(url + "/moto-api/data.json", timeout=5).ok
        except OSError:
            return False

    eventually(is_up, 60, "moto's start")
    yield url, call
    process.kill()
    process.wait()


def test_the_aws_lock(bare, aws, tmp_path):
    url, call = aws
    arn = call("CreateKey")["KeyMetadata"]["Arn"]
    credentials = tmp_path / "credentials"
    credentials.write_text("[default]\naws_access_key_id = AKIDCANARY\naws_secret_access_key = secret/canary+of+aws\n")
    credentials.chmod(0o600)
    settings = {"KMS_SECRET_LOCK_TYPE": "aws", "KMS_SECRET_LOCK_AWS_KEY_URI": f"aws-kms://{arn}",
                "KMS_SECRET_LOCK_AWS_ENDPOINT": url, "KMS_SECRET_LOCK_AWS_CREDENTIALS_FILE": str(credentials),
                "KMS_OUTBOUND_ALLOW": url.removeprefix("http://"), "KMS_TOKEN_URI": None, "KMS_LOG_LEVEL": "debug"}
    daemon = bare.start(**settings)
    keystore, key = make_key(daemon.client())
    slot = daemon.client().raw("GET", keystore).json()["lock_slots"][0]
    assert (slot["kind"], slot["identity"]) == ("aws", arn)
    assert sign(daemon.client(), key).status_code == 200
    assert daemon.terminate() == 0
    assert_absent({"secret key": b"secret/canary+of+aws"}, daemon.log().encode(), "the log")

    daemon = bare.start(**settings)
    assert sign(daemon.client(), key).status_code == 200
    assert daemon.terminate() == 0

    # A record moved to another keystore has another encryption context, which the service refuses.
    daemon = bare.start(**settings)
    other, other_key = make_key(daemon.client())
    assert daemon.terminate() == 0
    with sqlite3.connect(bare.home / "kmsd.sqlite") as database:
        database.execute("UPDATE keystores SET lock_record = (SELECT lock_record FROM keystores WHERE id = ?) "
                         "WHERE id = ?", (keystore.split("/")[-1], other.split("/")[-1]))
    daemon = bare.start(**settings)
    assert sign(daemon.client(), other_key).status_code == 409
    assert sign(daemon.client(), key).status_code == 200
    assert daemon.terminate() == 0

    assert "outbound-allow" in bare.refuses_to_start(**settings | {"KMS_OUTBOUND_ALLOW": ""})
    assert "KMS_SECRET_LOCK_AWS_KEY_URI" in bare.refuses_to_start(**settings | {"KMS_SECRET_LOCK_AWS_KEY_URI": arn})
    credentials.write_text("[other]\naws_access_key_id = A\n")
    assert "default profile" in bare.refuses_to_start(**settings)


def test_an_aws_endpoint_that_is_away_is_told(bare, tmp_path):
    port = free_port()
    daemon = bare.start(
        ready=False, KMS_SECRET_LOCK_TYPE="aws", KMS_TOKEN_URI=None, KMS_OUTBOUND_ALLOW=f"127.0.0.1:{port}",
        KMS_SECRET_LOCK_AWS_KEY_URI="aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1",
        KMS_SECRET_LOCK_AWS_ENDPOINT=f"http://127.0.0.1:{port}", AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="b")
    daemon.wait_for_readiness(503)
    status, message = refusal(daemon.client(), "POST", "/v1/keystores", {"controller": "did:example:a"})
    assert status == 502 and "AWS KMS" in message


def test_a_stranger_learns_nothing_of_a_keystore_of_shares(shamir, auth, shares):
    """Threat S17: without the right capability every request is refused alike, and the Auth server is not asked."""
    settings = {"KMS_AUTH_TYPE": "ZCAP", "KMS_BASE_URL": BASE}
    daemon = shamir.start(**settings)
    right = {"Auth-User": "alice", "Secret-Share": base64.b64encode(shares[0]).decode()}
    wrong = {**right, "Secret-Share": base64.b64encode(shares[0][:-2] + b"xy").decode()}
    guarded = Guarded.__new__(Guarded)
    guarded.wallet = Wallet()
    made = requests.post(f"{daemon.base}/v1/keystores", json={"controller": guarded.wallet.did}, headers=right, timeout=10)
    guarded.keystore = made.json()["key_store_url"].removeprefix(BASE)
    guarded.capability = json.loads(gzip.decompress(base64.b64decode(made.json()["capability"])))
    daemon.kill()
    guarded.url = shamir.start(**settings).base
    asked = len(auth.asked())

    def create(keystore, wallet, share):
        body = json.dumps({"key_type": "ED25519"}).encode()
        signed = wallet.headers(guarded.capability, "createKey", body=body) if wallet else {}
        return requests.post(f"{guarded.url}{keystore}/keys", data=body, headers={**signed, **share}, timeout=10)

    for wallet in (None, Wallet()):
        for keystore in (guarded.keystore, f"/v1/keystores/{'0' * 20}"):
            for share in ({}, wrong, right):
                answer = create(keystore, wallet, share)
                assert (answer.status_code, answer.text) == (401, "unauthorized\n")
    assert len(auth.asked()) == asked
    # Who may is told what is wrong with the share, before it was ever right and after.
    for _ in range(2):
        for share, status in (({}, 400), (wrong, 403), (right, 200)):
            answer = create(guarded.keystore, guarded.wallet, share)
            assert answer.status_code == status, answer.text
