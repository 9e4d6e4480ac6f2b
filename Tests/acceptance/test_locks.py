"""Locks of keystores: shares of the user and an Auth server, AWS KMS, a passphrase, and the choice among them."""
import base64
import concurrent.futures
import gzip
import json
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from auth_server import TOKEN, AuthServer, combine_field_product, split
from daemon import eventually, free_port
from test_capabilities import BASE, Guarded, Wallet
from test_secrecy import assert_absent
from tokens import claims, hs256


@pytest.fixture
def auth():
    # A port of our own, which is ours again after a while without a server.
    server = AuthServer(free_port())
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
    assert status == 503 and "fetch secret share" in message
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
    answer = sign(alice, key)
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "1"


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
    assert "KMS_AUTH_SERVER_URL" in log and "outbound-allow" in log


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
    daemon = bare.start(ready=False, **settings)
    eventually(lambda: "does not open with the secret lock" in str(daemon.readiness()), 30, "the wrong passphrase told")
    answer = sign(daemon.client(), key)
    assert answer.status_code == 503 and "does not open with the secret lock" in answer.text, answer.text
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
    client = daemon.client()

    def told():
        status, message = refusal(client, "POST", "/v1/keystores", {"controller": "did:example:a"})
        assert status == 503
        return "AWS KMS" in message

    # Before the first try has ended, the answer is 503 too, and cannot say why yet.
    eventually(told, 30, "an answer that names the lock")


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


def retold(shares, number):
    """Another pair of shares of the same secret."""
    one, two = shares
    mask = bytes([number]) * (len(one) - 1)
    # f(x) = s + r x: another r with the same s, at the same x.
    return [bytes(value ^ combine_field_product(m, x) for value, m in zip(share, mask)) + bytes([x])
            for share, x in ((one, 1), (two, 2))]


def test_after_a_resplit_the_new_pair_opens_at_once_and_the_old_one_no_longer(shamir, auth, shares):
    """The Auth server is asked once before a share is refused; then what the old pair opened is closed everywhere."""
    daemon = shamir.start()
    old = presenting(daemon, "alice", shares[0])
    keys = [make_key(old)[1] for _ in range(2)]
    for key in keys:
        assert sign(old, key).status_code == 200
    new_shares = retold(shares, 7)
    auth.give("alice", new_shares[1])
    new = presenting(daemon, "alice", new_shares[0])
    assert sign(new, keys[0]).status_code == 200
    for key in keys:
        status, message = refusal(old, "POST", key + "/sign", {"message": "aGVsbG8="})
        assert status == 403 and "does not open" in message
        assert sign(new, key).status_code == 200
    # Others' keystores stay open.
    bobs = split(os.urandom(32), os.urandom(32))
    auth.give("bob", bobs[1])
    bob = presenting(daemon, "bob", bobs[0])
    bobs_key = make_key(bob)[1]
    asked = auth.asked().count("bob")
    again = retold(new_shares, 9)
    auth.give("alice", again[1])
    assert sign(presenting(daemon, "alice", again[0]), keys[1]).status_code == 200
    assert sign(bob, bobs_key).status_code == 200 and auth.asked().count("bob") == asked


@pytest.mark.parametrize("ttl", ["10m", "1s"])
def test_a_resplit_closes_what_the_old_pair_opened_although_the_auth_server_failed_meanwhile(shamir, auth, shares, ttl):
    daemon = shamir.start(KMS_SHAMIR_SECRET_CACHE_TTL=ttl)
    old = presenting(daemon, "alice", shares[0])
    _, key = make_key(old)
    assert sign(old, key).status_code == 200
    new_shares = retold(shares, 7)
    auth.give("alice", new_shares[1])
    new = presenting(daemon, "alice", new_shares[0])
    auth.behave("redirect")
    assert sign(new, key).status_code in (403, 502)
    auth.behave("serve")
    eventually(lambda: sign(new, key).status_code == 200, 10, "the new pair opens", pause=0.5)
    assert sign(old, key).status_code == 403
    assert sign(new, key).status_code == 200


def test_many_wrong_shares_make_few_questions(shamir, auth, shares):
    daemon = shamir.start()
    alice = presenting(daemon, "alice", shares[0])
    _, key = make_key(alice)
    before, start = len(auth.asked()), time.monotonic()
    for number in range(1, 41):
        wrong = bytes([shares[0][0] ^ number]) + shares[0][1:]
        assert sign(presenting(daemon, "alice", wrong), key).status_code == 403
    # Four at once and one in five seconds after them.
    assert before < len(auth.asked()) <= before + 4 + (time.monotonic() - start) / 5
    assert sign(alice, key).status_code == 200


def test_a_keystore_made_after_a_resplit_is_locked_with_the_new_pair(shamir, auth, shares):
    """Nothing could tell that the remembered half belongs to the old pair, so it is not used for sealing."""
    daemon = shamir.start()
    make_key(presenting(daemon, "alice", shares[0]))
    new_shares = retold(shares, 3)
    auth.give("alice", new_shares[1])
    new = presenting(daemon, "alice", new_shares[0])
    _, key = make_key(new)
    assert daemon.terminate() == 0
    daemon = shamir.start()
    assert sign(presenting(daemon, "alice", new_shares[0]), key).status_code == 200


def test_the_verb_forgets_one_user(shamir, auth, shares, tmp_path):
    """After `share forget` the old share opens nothing from memory, though nobody presented the new one."""
    secret = tmp_path / "jwt.secret"
    secret.write_bytes(b"an HS256 secret of the tests, long enough")
    secret.chmod(0o600)
    daemon = shamir.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=str(secret))
    user = hs256(secret.read_bytes(), claims("operator"))
    service = hs256(secret.read_bytes(), claims("operator", scope="kms:service"))
    old = presenting(daemon, "alice", shares[0])
    old.http.headers["Authorization"] = f"Bearer {user}"
    _, key = make_key(old)
    assert sign(old, key).status_code == 200
    auth.give("alice", retold(shares, 5)[1])
    assert sign(old, key).status_code == 200

    def forget(*arguments, token=service, codes=(0,)):
        more = {"KMS_CLI_AUTH_TOKEN": token} if token else {}
        result = shamir.run("share", "forget", *arguments, "--url", daemon.base, check=False, **more)
        assert result.returncode in codes, result.stdout + result.stderr
        return result.stdout + result.stderr

    for token in (None, user):
        forget("alice", token=token, codes=(77,))
        assert sign(old, key).status_code == 200
    asked = len(auth.asked())
    forget("bob")
    forget("al%69ce")
    assert sign(old, key).status_code == 200 and len(auth.asked()) == asked
    assert "alice" in forget("alice")
    assert sign(old, key).status_code == 403
    headers = {"Authorization": f"Bearer {service}"}
    for path, status in (("alice", 200), ("%C3%BC%2Fx", 200), ("%ff", 400), ("a%C3", 400), ("a" * 1025, 400), ("", 404), ("a/b", 404)):
        answer = requests.delete(f"{daemon.base}/v1/shares/{path}", headers=headers, timeout=10)
        assert answer.status_code == status, (path, answer.text)
    assert requests.get(f"{daemon.base}/v1/shares/alice", headers=headers, timeout=10).status_code == 405
    records = [json.loads(line) for line in shamir.run("audit", "export").stdout.splitlines()]
    assert "forget-shares" in json.dumps(records)


@pytest.mark.parametrize("length,status", [(1, 400), (8, 400), (15, 400), (16, 200), (32, 200)])
def test_short_secrets_lock_nothing(shamir, auth, length, status):
    pair = split(os.urandom(length), os.urandom(length))
    auth.give("alice", pair[1])
    daemon = shamir.start()
    alice = presenting(daemon, "alice", pair[0])
    answer = alice.raw("POST", "/v1/keystores", {"controller": "did:example:alice"})
    assert answer.status_code == status, answer.text
    if status == 400:
        assert f"{length} bytes" in answer.json()["message"] and "16 bytes or more" in answer.json()["message"]
        assert alice.keystores() == []


class Faulty(ThreadingHTTPServer):
    """AWS KMS or an Auth server of the test's own: answers by a script, then by its habit, and counts."""
    daemon_threads = True

    def __init__(self, habit):
        self.calls, self.script, self.habit = [], [], habit
        super().__init__(("127.0.0.1", 0), FaultyHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"


class FaultyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = (self.headers.get("X-Amz-Target") or self.path).split(".")[-1]
        self.server.calls.append((operation, time.monotonic()))
        fault = self.server.script.pop(0) if self.server.script else self.server.habit
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        status, value, *more = fault(operation, body) if callable(fault) else fault
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        for name, text in (more[0] if more else {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, *_):
        pass


def working(operation, body):
    members = json.loads(body)
    context = base64.b64encode(json.dumps(members.get("EncryptionContext"), sort_keys=True).encode()).decode()
    if operation == "Encrypt":
        return 200, {"CiphertextBlob": base64.b64encode(json.dumps([context, members["Plaintext"]]).encode()).decode()}
    sealed = json.loads(base64.b64decode(members["CiphertextBlob"]))
    if sealed[0] != context:
        return 400, {"__type": "InvalidCiphertextException"}
    return 200, {"Plaintext": sealed[1]}


@pytest.fixture
def faulty():
    server = Faulty(working)
    yield server
    server.shutdown()
    server.server_close()


def aws_settings(server):
    return {"KMS_SECRET_LOCK_TYPE": "aws", "KMS_TOKEN_URI": None, "KMS_OUTBOUND_ALLOW": server.url.removeprefix("http://"),
            "KMS_SECRET_LOCK_AWS_KEY_URI": "aws-kms://arn:aws:kms:eu-central-1:123456789012:key/1",
            "KMS_SECRET_LOCK_AWS_ENDPOINT": server.url, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "b"}


THROTTLED = (400, {"__type": "com.amazonaws.kms#ThrottlingException", "message": "slow down"})
# The forms in which the protocol lets a service name its error.
NAMED = [(400, {"__type": "ThrottlingException:http://internal.amazon.com/coral/com.amazonaws.kms/"}),
         (400, {"__type": "com.amazonaws.kms#ThrottlingException:x#y"}), (400, {"code": "ThrottlingException"}),
         (400, {}, {"x-amzn-ErrorType": "ThrottlingException:http://internal.amazon.com/"}),
         (400, {"__type": "LimitExceededException"})]
PASSING = [*NAMED, THROTTLED, (429, {}), (500, {"__type": "KMSInternalException"}), (503, {}), (400, {"__type": "DependencyTimeoutException"}),
           "reset"]


@pytest.mark.parametrize("fault", PASSING, ids=["address behind", "both", "code", "header", "limit", "throttled", "429", "500", "503", "dependency", "reset"])
def test_aws_is_asked_again_when_it_throttles_or_stumbles(bare, faulty, fault):
    daemon = bare.start(**aws_settings(faulty))
    client = daemon.client()
    before = len(faulty.calls)
    faulty.script[:] = [fault, fault]
    answer = client.raw("POST", "/v1/keystores", {"controller": "did:example:a"})
    assert answer.status_code == 200, answer.text
    times = [when for _, when in faulty.calls[before:]]
    assert len(times) == 3 and all(0.05 <= later - earlier < 5 for earlier, later in zip(times, times[1:]))
    faulty.script[:] = [fault] * 3
    answer = client.raw("POST", "/v1/keystores", {"controller": "did:example:a"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1"), answer.text
    assert len(faulty.calls) == before + 6
    assert len(client.keystores()) == 1
    assert client.readyz()[0] == 200


LASTING = ["DisabledException", "KMSInvalidStateException", "AccessDeniedException", "NotFoundException",
           "UnrecognizedClientException"]


@pytest.mark.parametrize("kind", LASTING)
def test_a_lasting_refusal_of_aws_is_told_once_and_stands_in_readyz(bare, faulty, kind):
    daemon = bare.start(**aws_settings(faulty))
    client = daemon.client()
    faulty.habit = (400, {"__type": kind, "message": "arn:aws:kms:…"})
    before = len(faulty.calls)
    answer = client.raw("POST", "/v1/keystores", {"controller": "did:example:a"})
    assert answer.status_code == 502 and kind in answer.json()["message"]
    assert len(faulty.calls) == before + 1
    for _ in range(20):
        status, body = client.readyz()
        assert status == 503 and kind in json.dumps(body) and "arn:" not in json.dumps(body)
    assert len(faulty.calls) == before + 1
    # The key is enabled again: a keystore's success ends it at once, nobody's question does before its time.
    faulty.habit = working
    assert client.raw("POST", "/v1/keystores", {"controller": "did:example:a"}).status_code == 200
    assert daemon.wait_for_readiness(200)[1] < 9, "a question of its own would be due in ten"


@pytest.mark.parametrize("answer", [{}, {"CiphertextBlob": ""}, {"CiphertextBlob": "!"}, {"CiphertextBlob": None}, [],
                                    {"CiphertextBlob": base64.b64encode(bytes(6145)).decode()}], ids=str)
def test_an_answer_of_aws_that_seals_nothing_makes_no_keystore_and_stands_in_readyz(bare, faulty, answer):
    daemon = bare.start(**aws_settings(faulty))
    client = daemon.client()
    faulty.habit = (200, answer)
    refused = client.raw("POST", "/v1/keystores", {"controller": "did:example:a"})
    assert refused.status_code == 502 and "no CiphertextBlob" in refused.json()["message"]
    assert client.keystores() == []
    status, body = client.readyz()
    assert status == 503 and "no CiphertextBlob" in json.dumps(body)
    faulty.habit = working
    assert client.raw("POST", "/v1/keystores", {"controller": "did:example:a"}).status_code == 200
    assert daemon.wait_for_readiness(200)[1] < 9, "a question of its own would be due in ten"


def test_a_damaged_lock_record_says_nothing_of_the_key_of_all(bare, faulty):
    """AWS refuses a ciphertext of an impossible length as a malformed request, which is not to be taken for its key's end."""
    def strict(operation, body):
        if operation == "Decrypt" and not 1 <= len(base64.b64decode(json.loads(body)["CiphertextBlob"])) <= 6144:
            return 400, {"__type": "ValidationException"}
        return working(operation, body)

    faulty.habit = strict
    daemon = bare.start(**aws_settings(faulty))
    made = [make_key(daemon.client()) for _ in range(3)]
    assert daemon.terminate() == 0
    with sqlite3.connect(bare.home / "kmsd.sqlite") as database:
        for (keystore, _), sealed in zip(made, (b"", bytes(6145))):
            name = keystore.split("/")[-1]
            (record,) = database.execute("SELECT lock_record FROM keystores WHERE id = ?", (name,)).fetchone()
            record = json.loads(record)
            record["slots"][0]["sealed"] = base64.b64encode(sealed).decode()
            database.execute("UPDATE keystores SET lock_record = ? WHERE id = ?", (json.dumps(record).encode(), name))
    daemon = bare.start(**aws_settings(faulty))
    client = daemon.client()
    assert [sign(client, key).status_code for _, key in made] == [409, 409, 200]
    assert client.readyz()[0] == 200


def test_readyz_spends_no_quota(bare, faulty):
    """Forty at once and four hundred in a row: one call in ten seconds at most, whether it works or not."""
    daemon = bare.start(**aws_settings(faulty))
    start = time.monotonic()
    for habit in (working, THROTTLED):
        faulty.habit = habit
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda _: requests.get(f"{daemon.base}/readyz", timeout=30).status_code, range(200)))
    made = len(faulty.calls)
    # The first at the start; a call that fails in passing is tried three times.
    assert made <= 1 + 3 * (1 + (time.monotonic() - start) // 10), faulty.calls


def test_the_auth_server_is_asked_again_when_it_stumbles_and_never_by_readyz(shamir, faulty, shares):
    share = base64.b64encode(shares[1]).decode()
    faulty.habit = (200, {"secret": share})
    daemon = shamir.start(KMS_AUTH_SERVER_URL=faulty.url, KMS_OUTBOUND_ALLOW=faulty.url.removeprefix("http://"),
                          KMS_SHAMIR_SECRET_CACHE_TTL="0s")
    alice = presenting(daemon, "alice", shares[0])
    _, key = make_key(alice)
    for fault in ((500, {}), (429, {}), (503, {}), "reset"):
        before = len(faulty.calls)
        faulty.script[:] = [fault, fault]
        assert sign(alice, key).status_code == 200
        assert len(faulty.calls) == before + 3
        faulty.script[:] = [fault] * 3
        answer = sign(alice, key)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    before = len(faulty.calls)
    for fault in ((400, {"message": "unknown user"}), (403, {}), (404, {}), (200, {})):
        faulty.script[:] = [fault]
        assert sign(alice, key).status_code == 502
    assert len(faulty.calls) == before + 4
    before = len(faulty.calls)
    assert [daemon.client().readyz()[0] for _ in range(20)] == [200] * 20
    assert len(faulty.calls) == before
