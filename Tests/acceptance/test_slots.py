"""Lock slots: further ways to open the keystores, while the token is there, away, or lost."""
import base64
import json
import os
import random
import secrets
import signal
import sqlite3
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from daemon import BINARY, Installation, eventually
from softtoken import write_private
from test_locks import aws  # noqa: F401, a fixture

MESSAGE = base64.b64encode(b"hello").decode()


@pytest.fixture
def passphrase(tmp_path):
    path = tmp_path / "recovery.passphrase"
    write_private(path, secrets.token_hex(16))
    return path


@pytest.fixture
def glass(tmp_path):
    """A break-glass token with a home of its own."""
    installation = Installation(tmp_path / "glass")
    yield installation
    installation.end()


def add_passphrase(own, path, **more):
    return own.run_json("slot", "add", "--kind", "passphrase", "--passphrase-file", path, **more)


def make_key(client, **more):
    keystore = client.raw("POST", "/v1/keystores", {"controller": "did:example:alice", **more}).json()["key_store_url"]
    answer = client.raw("POST", keystore + "/keys", {"key_type": "ED25519"})
    assert answer.status_code == 200, answer.text
    return answer.json()["key_url"]


def sign(daemon, key):
    answer = daemon.client().raw("POST", key + "/sign", {"message": MESSAGE})
    assert answer.status_code == 200, answer.text
    return answer.json()["signature"]


def without_token(own, **more):
    """What a daemon is started with while its own token is away: nothing of it can be reached."""
    return {"KMS_WITHOUT_TOKEN": "true", **more}


def where(installation):
    """Where a soft token of another installation is."""
    configuration = getattr(installation.token, "configuration", None)
    return {"SOFTHSM2_CONF": str(configuration)} if configuration else {}


def records(own):
    return own.run("audit", "export").stdout


def test_a_passphrase_opens_what_was_made_before_and_after_while_the_token_is_away(own, passphrase):
    daemon = own.start()
    before = make_key(daemon.client())
    signature = sign(daemon, before)
    assert daemon.terminate() == 0

    report = add_passphrase(own, passphrase)
    assert report["added"]["slot"] == 2 and report["added"]["kind"] == "passphrase"
    assert report["reach"]["reached"] == 1 and report["reach"]["waiting"] == {}

    daemon = own.start()
    after = make_key(daemon.client())
    later = sign(daemon, after)
    assert "lock slots" in daemon.log() and "1 token" in daemon.log()
    assert daemon.terminate() == 0

    own.token.hide()
    more = without_token(own, KMS_RECOVERY_PASSPHRASE_FILES=str(passphrase))
    daemon = own.start(**more)
    # Ed25519 signs alike each time, so these are the same keys.
    assert sign(daemon, before) == signature
    assert sign(daemon, after) == later
    assert "serving without the token" in daemon.log()
    meanwhile = make_key(daemon.client())
    third = sign(daemon, meanwhile)
    assert daemon.terminate() == 0

    # The token is back, compares the record of decisions, and opens what was made without it.
    own.token.bring_back()
    daemon = own.start()
    assert [sign(daemon, key) for key in (before, after, meanwhile)] == [signature, later, third]
    assert daemon.terminate() == 0
    own.run("audit", "verify")


def test_without_a_slot_or_with_a_wrong_passphrase_nothing_opens(own, passphrase, tmp_path):
    daemon = own.start()
    key = make_key(daemon.client())
    assert daemon.terminate() == 0
    own.token.hide()
    said = own.refuses_to_start(**without_token(own, KMS_RECOVERY_PASSPHRASE_FILES=str(passphrase)))
    assert "slot add" in said
    own.token.bring_back()
    add_passphrase(own, passphrase)
    wrong = tmp_path / "wrong.passphrase"
    write_private(wrong, "this is another passphrase")
    own.token.hide()
    daemon = own.start(ready=False, **without_token(own, KMS_RECOVERY_PASSPHRASE_FILES=str(wrong)))
    eventually(lambda: daemon.readiness(), 30, "an answer")
    assert daemon.readiness()[0] == 503
    answer = daemon.client().raw("POST", key + "/sign", {"message": MESSAGE})
    assert answer.status_code in (423, 500, 503), answer.text
    daemon.kill()


def test_slots_are_listed_tested_and_removed_each_with_a_record(own, passphrase, tmp_path):
    assert own.run_json("slot", "list") == {"reach": {"byShares": 0, "damaged": 0, "reached": 0, "waiting": {}}, "slots": []}
    add_passphrase(own, passphrase)
    listed = own.run_json("slot", "list")["slots"]
    assert [(slot["slot"], slot["kind"], slot["isOwn"]) for slot in listed] == [(1, "token", True), (2, "passphrase", False)]

    trials = own.run_json("slot", "test", "--recovery-passphrase-files", passphrase)
    assert [(trial["slot"], trial["outcome"]) for trial in trials] == [(1, "opens"), (2, "opens")]
    trials = own.run_json("slot", "test")
    assert [(trial["slot"], trial["outcome"]) for trial in trials] == [(1, "opens"), (2, "not-at-hand")]
    wrong = tmp_path / "wrong.passphrase"
    write_private(wrong, "this is another passphrase")
    trials = own.run_json("slot", "test", "--slot", 2, "--recovery-passphrase-files", wrong, codes=(2,))
    assert trials[0]["outcome"] == "does-not-open"

    for arguments, code, words in [
        (["remove", "1"], 1, "own lock"), (["remove", "9"], 64, "no lock slot 9"),
        (["test", "--slot", "9"], 64, "no lock slot 9"),
        (["add", "--kind", "own"], 1, "already"),
        (["add", "--kind", "passphrase"], 64, "--passphrase-file"),
    ]:
        result = own.run("slot", *arguments, check=False)
        assert result.returncode == code and words in result.stderr, (arguments, result.returncode, result.stderr)

    assert "later ones too" in own.run("slot", "remove", 2).stdout
    assert [slot["slot"] for slot in own.run_json("slot", "list")["slots"]] == [1]
    own.token.hide()
    daemon = own.start(ready=False, **without_token(own, KMS_RECOVERY_PASSPHRASE_FILES=str(passphrase)))
    eventually(lambda: daemon.readiness(), 30, "an answer")
    assert daemon.readiness()[0] == 503
    daemon.kill()
    own.token.bring_back()
    operations = records(own)
    for operation in ("slot-add", "slot-fill", "slot-test", "slot-remove"):
        assert operation in operations, operation


def test_a_token_in_a_safe_opens_what_was_sealed_to_its_public_key(own, glass):
    glass.init()
    known = glass.run_json("slot", "recipient")
    assert known["recipient"].startswith("age1tagpq1") and known["isNew"]
    assert glass.run_json("slot", "recipient") == known | {"isNew": False}
    # What somebody put in its place is not shown as this token's, or every keystore would be sealed to him.
    path = glass.home / "recipient.json"
    right = path.read_text()
    strange = json.loads(right) | {"recipient": own.run_json("slot", "recipient") and json.loads(
        (own.home / "recipient.json").read_text())["recipient"]}
    for text in ((own.home / "recipient.json").read_text(), json.dumps(strange)):
        path.write_text(text)
        result = glass.run("slot", "recipient", check=False)
        assert result.returncode == 78 and "age1tagpq1" not in result.stdout and "backup" in result.stderr, result
    path.write_text(right)

    daemon = own.start()
    key = make_key(daemon.client())
    signature = sign(daemon, key)
    assert daemon.terminate() == 0
    # The key must be confirmed, and the token is not needed to seal to it.
    command = ("slot", "add", "--kind", "hybrid", "--recipient", known["recipient"])
    glass.token.hide()
    result = own.run(*command, check=False)
    assert result.returncode == 64 and known["fingerprint"] in result.stderr
    result = own.run(*command, "--fingerprint", "00" * 32, check=False)
    assert result.returncode == 1 and "another one" in result.stderr
    altered = known["recipient"][:700] + ("q" if known["recipient"][700] != "q" else "p") + known["recipient"][701:]
    result = own.run("slot", "add", "--kind", "hybrid", "--recipient", altered, "--fingerprint", known["fingerprint"],
                     check=False)
    assert result.returncode == 64 and "check sum" in result.stderr
    assert not (own.home / "slots.json").exists()
    assert own.run_json(*command, "--fingerprint", known["fingerprint"])["added"]["kind"] == "hybrid"
    result = own.run(*command, "--fingerprint", known["fingerprint"], check=False)
    assert result.returncode == 1 and "already" in result.stderr

    # The safe is opened: that token alone is there.
    glass.token.bring_back()
    own.token.hide()
    more = without_token(own, KMS_RECOVERY_HOME=str(glass.home), KMS_RECOVERY_TOKEN_URI=glass.token.uri(),
                         **where(glass))
    daemon = own.start(**more)
    assert sign(daemon, key) == signature
    assert daemon.terminate() == 0
    trials = own.run_json("slot", "test", "--slot", 2, **more)
    assert trials[0]["outcome"] == "opens"


@pytest.mark.parametrize("command", [("slot", "add", "--kind", "passphrase"), ("slot", "remove", "2"), ("slot", "fill")])
def test_a_slot_verb_that_is_killed_leaves_the_old_list_or_the_new_one(own, passphrase, command):
    daemon = own.start()
    keys = [make_key(daemon.client()) for _ in range(8)]
    signatures = [sign(daemon, key) for key in keys]
    assert daemon.terminate() == 0
    if command[1] != "add":
        add_passphrase(own, passphrase)
    else:
        command = (*command, "--passphrase-file", str(passphrase))
    start = time.monotonic()
    whole = own.run(*command, check=False)
    took = time.monotonic() - start
    assert whole.returncode == 0, whole.stderr
    for attempt in range(10):
        if command[1] == "remove" and len(own.run_json("slot", "list")["slots"]) == 1:
            slot = add_passphrase(own, passphrase)["added"]["slot"]
            command = ("slot", "remove", str(slot))
        process = subprocess.Popen([str(BINARY), *command], env=own.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        time.sleep(took * random.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
        own.token.mend()
        own.run_json("slot", "list")
    own.run("slot", "fill")
    reach = own.run_json("slot", "list")["reach"]
    assert reach["reached"] == 8 and reach["waiting"] == {}
    daemon = own.start()
    assert [sign(daemon, key) for key in keys] == signatures
    assert daemon.terminate() == 0


def test_a_slot_verb_does_not_run_beside_the_daemon_and_a_full_disk_is_told(own, passphrase):
    daemon = own.start()
    result = own.run("slot", "add", "--kind", "passphrase", "--passphrase-file", passphrase, check=False)
    assert result.returncode == 69 and "Another kmsd" in result.stderr
    assert own.run_json("slot", "list")["slots"] == []
    assert daemon.terminate() == 0
    add_passphrase(own, passphrase)
    before = (own.home / "slots.json").read_bytes()
    # The list cannot be written: its place aside is taken by a directory.
    (own.home / "slots.json.new").mkdir()
    result = own.run("slot", "remove", 2, check=False)
    assert result.returncode == 1 and "slots.json.new" in result.stderr
    assert (own.home / "slots.json").read_bytes() == before
    (own.home / "slots.json.new").rmdir()
    assert "not-written" in records(own)


def test_an_edited_list_of_slots_seals_nothing_to_a_stranger(own, passphrase):
    add_passphrase(own, passphrase)
    path = own.home / "slots.json"
    right = json.loads(path.read_text())
    for change in (
        lambda record: record | {"next": 9},
        lambda record: record | {"slots": record["slots"][::-1]},
        lambda record: record | {"authenticator": base64.b64encode(os.urandom(32)).decode()},
        lambda record: record | {"slots": record["slots"][:1]},
    ):
        path.write_text(json.dumps(change(right)))
        trials = own.run_json("slot", "test", codes=(1, 2, 69, 78))
        assert "error" in trials or trials[0]["outcome"] == "does-not-open"
    for text in ("", "{}", json.dumps(right | {"version": 2}), json.dumps(right | {"recipient": "AAAA"}),
                 json.dumps(right | {"slots": []}), " " * 300_000):
        path.write_text(text)
        result = own.run("slot", "list", check=False)
        assert result.returncode == 78 and "slots.json" in result.stderr, result.stderr
    path.write_text(json.dumps(right))
    assert len(base64.b64decode(right["recipient"])) == 1249
    assert own.run_json("slot", "test")[0]["outcome"] == "opens"


def test_no_passphrase_and_no_private_half_is_in_files_or_answers(own, passphrase):
    report = own.run("slot", "add", "--kind", "passphrase", "--passphrase-file", passphrase)
    said = report.stdout + report.stderr + own.run("slot", "list").stdout
    words = passphrase.read_text()
    assert words not in said
    for path in own.home.rglob("*"):
        if path.is_file() and path != passphrase:
            assert words.encode() not in path.read_bytes(), path


def test_doctor_tells_slots_and_who_is_not_reached(own, passphrase):
    daemon = own.start()
    make_key(daemon.client())
    assert daemon.terminate() == 0
    add_passphrase(own, passphrase)
    found = own.run_json("doctor", codes=(0, 2))["checks"]
    slots = [check for check in found if check["name"] == "slots"]
    assert slots and slots[0]["grade"] == "ok" and "2 passphrase" in slots[0]["message"]
    with sqlite3.connect(own.home / "kmsd.sqlite") as database:
        assert "recovery" in database.execute("SELECT CAST(lock_record AS TEXT) FROM keystores").fetchone()[0]


def test_two_of_three_people_open_what_one_does_not(own, glass, tmp_path):
    glass.init()
    known = glass.run_json("slot", "recipient")
    people = [tmp_path / name for name in ("anna", "ben")]
    for path in people:
        write_private(path, secrets.token_hex(12))
    command = ["slot", "add", "--kind", "people", "--passphrase-file", people[0], "--passphrase-file", people[1],
               "--recipient", known["recipient"], "--fingerprint", known["fingerprint"]]
    for twin in (("--passphrase-file", people[1]), ("--recipient", known["recipient"], "--fingerprint", known["fingerprint"])):
        result = own.run(*command, *twin, "--threshold", "2", check=False)
        assert result.returncode == 64 and "count as two" in result.stderr, result.stderr
    for threshold in ("1", "4", "0"):
        result = own.run(*command, "--threshold", threshold, check=False)
        assert result.returncode == 64 and "threshold" in result.stderr, (result.returncode, result.stderr)
    daemon = own.start()
    key = make_key(daemon.client())
    signature = sign(daemon, key)
    assert daemon.terminate() == 0
    assert own.run_json(*command, "--threshold", "2")["added"]["kind"] == "people"
    own.token.hide()
    more = without_token(own, **where(glass))
    token = {"KMS_RECOVERY_HOME": str(glass.home), "KMS_RECOVERY_TOKEN_URI": glass.token.uri()}
    both = {"KMS_RECOVERY_PASSPHRASE_FILES": ",".join(map(str, people))}
    one = {"KMS_RECOVERY_PASSPHRASE_FILES": str(people[1])}
    for here in (both, one | token):
        daemon = own.start(**more, **here)
        assert sign(daemon, key) == signature
        assert daemon.terminate() == 0
    for here in (one, token):
        daemon = own.start(ready=False, **more, **here)
        eventually(lambda: daemon.readiness(), 30, "an answer")
        assert daemon.readiness()[0] == 503
        daemon.kill()


def test_retire_counts_what_needs_the_token_and_the_token_signs_it(own, passphrase):
    result = own.run("slot", "retire", check=False)
    assert result.returncode == 1 and "no lock slots" in result.stderr
    add_passphrase(own, passphrase)
    signed = own.run_json("slot", "retire")
    assert set(signed["needs"].values()) == {0}
    names = ["keystores", "resident keys", "DID keys", "server shares and anchors", "wallets and user shares",
             "decryption keys", "damaged keystores"]
    members = ["keystores", "residentKeys", "didKeys", "serverShares", "wallets", "decryptionKeys", "damaged"]

    def field(value):
        value = value.to_bytes(8, "big") if isinstance(value, int) else value.encode()
        return len(value).to_bytes(4, "big") + value

    def verify(signed):
        message = b"".join(map(field, ["kmsd/slots/token-needs/v1", signed["instance"], signed["token"], signed["time"],
                                       signed["key"]]))
        message += b"".join(field(name) + field(signed["needs"][member]) for name, member in zip(names, members))
        signature = bytes.fromhex(signed["signature"])
        key = serialization.load_pem_public_key(own.run("audit", "key").stdout.encode())
        r, s = (int.from_bytes(signature[start:start + 32], "big") for start in (0, 32))
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))

    verify(signed)
    daemon = own.start()
    client = daemon.client()
    keystore = client.raw("POST", "/v1/keystores", {"controller": "did:example:alice", "protection": "resident"}).json()
    answer = client.raw("POST", keystore["key_store_url"] + "/keys", {"key_type": "ECDSAP256DER"})
    assert answer.status_code == 200, answer.text
    assert daemon.terminate() == 0
    signed = own.run_json("slot", "retire", codes=(2,))
    assert signed["needs"]["residentKeys"] == 1 and signed["needs"]["keystores"] == 0
    verify(signed)
    text = own.run("slot", "retire", check=False).stdout
    assert "1 resident keys" in text and "still needed" in text
    assert "still-needed" in records(own)


def test_a_key_of_aws_opens_while_the_token_is_away(own, aws, tmp_path):  # noqa: F811
    url, call = aws
    arn = call("CreateKey")["KeyMetadata"]["Arn"]
    credentials = tmp_path / "credentials"
    write_private(credentials, "[default]\naws_access_key_id = AKIDCANARY\naws_secret_access_key = secret/canary\n")
    settings = {"KMS_SECRET_LOCK_AWS_KEY_URI": f"aws-kms://{arn}", "KMS_SECRET_LOCK_AWS_ENDPOINT": url,
                "KMS_SECRET_LOCK_AWS_CREDENTIALS_FILE": str(credentials),
                "KMS_OUTBOUND_ALLOW": url.removeprefix("http://")}
    daemon = own.start()
    key = make_key(daemon.client())
    signature = sign(daemon, key)
    assert daemon.terminate() == 0
    result = own.run("slot", "add", "--kind", "aws", check=False)
    assert result.returncode == 78 and "secret-lock-aws-" in result.stderr
    added = own.run_json("slot", "add", "--kind", "aws", **settings)["added"]
    assert (added["kind"], added["identity"]) == ("aws", arn)
    own.token.hide()
    daemon = own.start(**without_token(own, **settings))
    assert sign(daemon, key) == signature
    assert daemon.terminate() == 0
    assert own.run_json("slot", "test", "--slot", 2, **without_token(own, **settings))[0]["outcome"] == "opens"
