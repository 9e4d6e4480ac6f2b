"""The record of every decision, as the command line and a stranger with the file see it."""
import base64
import json
import shlex
import shutil
import signal
import sqlite3
import threading
from urllib.parse import quote

import crypto
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from daemon import Installation, eventually


def records(installation, *arguments):
    text = installation.run("audit", "export", *arguments).stdout
    return [line for line in map(json.loads, text.splitlines()) if line["type"] == "record"]


def decisions(installation):
    return [(r["event"]["operation"], r["event"]["outcome"], r["event"]["reason"], r["event"]["subject"])
            for r in records(installation) if r["kind"] != "start"]


def problems(daemon):
    found = daemon.readiness()
    return found[1]["problems"] if found else []


def verify(installation, *arguments, codes=(0, 2), **more):
    return installation.run_json("audit", "verify", *arguments, codes=codes, **more)


def test_every_decision_is_one_record(own):
    daemon = own.start()
    kms = daemon.client()
    keystore = kms.create_keystore()
    key = keystore.create("ED25519")
    key.sign(b"payload-canary")
    assert requests.post(f"{daemon.base}{key.url}/sign", data=b"{", timeout=10).status_code == 400
    assert requests.post(f"{daemon.base}{key.url}/sign", json={"message": "aGk="}, headers={"Secret-Share": "?"},
                         timeout=10).status_code == 400
    assert requests.post(f"{daemon.base}{keystore.url}/keys/nothing/sign", json={"message": "aGk="}, timeout=10).status_code == 404
    assert requests.get(f"{daemon.base}{key.url}/export", timeout=10).status_code == 200
    assert requests.post(f"{daemon.base}{key.url}/disable", timeout=10).status_code == 200
    assert requests.post(f"{daemon.base}{key.url}/sign", json={"message": "aGk="}, timeout=10).status_code == 409
    assert requests.get(f"{daemon.base}/v1/keystores", timeout=10).status_code == 200
    for path in ("/healthcheck", "/readyz", "/livez", "/nowhere"):
        requests.get(daemon.base + path, timeout=10)
    daemon.terminate()
    name = keystore.url.rsplit("/", 1)[-1]
    id = name + "/" + key.url.rsplit("/", 1)[-1]
    assert decisions(own) == [
        ("create-keystore", "allowed", "ok", name),
        ("create-key", "allowed", "ok", id),
        ("sign", "allowed", "ok", id),
        ("sign", "refused", "malformed-body", id),
        ("sign", "refused", "request-400", id),
        ("sign", "refused", "notFound", name + "/nothing"),
        ("export", "allowed", "ok", id),
        ("disable", "allowed", "ok", id),
        ("sign", "refused", decisions(own)[8][2], id),
        ("list-keystores", "allowed", "ok", ""),
    ]
    lines = records(own)
    assert {r["token"] for r in lines} == {json.loads((own.home / "manifest.json").read_text())["token"]["serial"]}
    assert [r["index"] for r in lines] == list(range(1, len(lines) + 1))
    assert "payload-canary" not in own.run("audit", "export").stdout
    report = verify(own)
    assert report.get("finding") is None
    # SIGTERM ends with a checkpoint, so nothing is left unsigned.
    assert report["signedRecords"] == report["records"] == len(lines)


def test_the_chain_can_be_looked_at_while_the_daemon_runs(own):
    daemon = own.start()
    daemon.client().create_keystore()
    tail = own.run("audit", "tail", "--lines", "1").stdout
    assert "allowed keystore/create-keystore" in tail
    if own.token.IS_SHARED:
        assert verify(own, "--token").get("finding") is None
    else:
        refused = own.run("audit", "verify", "--token", check=False)
        assert refused.returncode == 69 and "Another process uses" in refused.stderr
    assert "Another kmsd uses" in own.refuses_to_start(codes=(69,))
    daemon.terminate()
    assert verify(own, "--token").get("finding") is None


def test_callers_words_stay_one_harmless_line(own):
    daemon = own.start()
    wild = "evil%1b[2J%0d%0aallowed%e2%80%ae"
    requests.post(f"{daemon.base}/v1/keystores/{wild}/keys/{wild}/sign", json={"message": "aGk="}, timeout=10)
    with requests.Session() as session:
        request = requests.Request("POST", f"{daemon.base}/v1/keystores/x/keys/y/sign", data=b"{}").prepare()
        request.url = f"{daemon.base}/v1/keystores/\u00e9\u202e/keys/" + "k" * 5000 + "/sign"
        session.send(request, timeout=10)
    daemon.terminate()
    text = own.run("audit", "tail", "--lines", "100").stdout
    assert all(character == "\n" or character.isprintable() for character in text)
    exported = own.run("audit", "export").stdout
    assert all(character == "\n" or " " <= character <= "~" for character in exported)
    assert len(text.splitlines()) == len(records(own))
    assert max(map(len, text.splitlines())) < 3000


def test_kill_leaves_one_sequence(own):
    """64 clients, `kill -9` again and again: no gap, no double, and nothing answered durably is missing."""
    made = []
    for _ in range(3):
        daemon = own.start()
        stop = threading.Event()

        def work():
            client = daemon.client()
            while not stop.is_set():
                try:
                    made.append(client.create_keystore().url)
                except Exception:  # the daemon is killed in the middle of requests, or a busy machine was too slow
                    if daemon.process.poll() is not None:
                        return

        threads = [threading.Thread(target=work) for _ in range(64)]
        for thread in threads:
            thread.start()
        want = len(made) + 200
        eventually(lambda: len(made) >= want, 60, "keystores being made")
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
    report = verify(own)
    assert report.get("finding") is None
    lines = records(own)
    assert [r["index"] for r in lines] == list(range(1, len(lines) + 1))
    created = [r for r in lines if r["event"]["operation"] == "create-keystore"]
    assert len(created) >= len(made)
    assert len([r for r in lines if r["kind"] == "start"]) == 3


@pytest.fixture
def signed(own):
    daemon = own.start()
    for _ in range(12):
        daemon.client().create_keystore()
    daemon.terminate()
    return own


EDITS = {
    "flip": ("UPDATE records SET hash = zeroblob(32) WHERE idx = 5", 5),
    "drop": ("DELETE FROM records WHERE idx = 5", 5),
    "reorder": ("UPDATE records SET idx = CASE idx WHEN -5 THEN 6 ELSE 5 END WHERE idx < 0", 5),
    "truncate": ("DELETE FROM records WHERE idx > 9", 10),
    "forge": ("UPDATE checkpoints SET signature = zeroblob(64) WHERE idx = 13", 13),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edits_are_found_and_refused(signed, edit):
    sql, index = EDITS[edit]
    with sqlite3.connect(signed.home / "audit.db") as database:
        if edit == "reorder":
            database.execute("UPDATE records SET idx = -idx WHERE idx IN (5, 6)")
        database.execute(sql)
    database.close()
    report = verify(signed, codes=(2,))
    assert report["finding"]["index"] == index, report
    if edit in ("truncate", "forge"):
        # What a start looks at: the end of the chain.
        assert "audit verify" in signed.refuses_to_start(codes=(78,))


def test_a_head_kept_elsewhere_tells_an_older_copy(own, tmp_path):
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    backup = tmp_path / "backup.db"
    shutil.copy(own.home / "audit.db", backup)
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    head = tmp_path / "head.json"
    assert verify(own, "--write-head", head).get("finding") is None

    shutil.copy(backup, own.home / "audit.db")
    for name in ("audit.db-wal", "audit.db-shm"):
        (own.home / name).unlink(missing_ok=True)
    assert verify(own).get("finding") is None, "nothing in the file itself tells"
    assert verify(own, "--expect-head", head, codes=(2,))["finding"]["code"] == "truncated"
    assert verify(own, "--token", codes=(2,))["finding"]["code"] == "truncated"

    # The daemon asks the token, and allows nothing.
    daemon = own.start(ready=False)
    found, _ = eventually(
        lambda: [p for p in problems(daemon) if p["component"] == "audit"
                 and "older copy" in p["message"]], 20, "readiness to tell")
    assert found[0]["code"] == "untrusted"
    answer = requests.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=10)
    assert answer.status_code == 503 and "older copy" in answer.json()["message"]
    daemon.terminate()

    assert own.run("audit", "adopt", check=False).returncode == 64
    own.run("audit", "adopt", "--yes")
    assert decisions(own)[-1][:2] == ("adopt", "allowed")
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    assert verify(own, "--token").get("finding") is None


def test_an_export_is_checked_anywhere(signed, tmp_path):
    export = tmp_path / "audit.jsonl"
    export.write_text(signed.run("audit", "export").stdout)
    key = tmp_path / "audit.pem"
    key.write_text(signed.run("audit", "key").stdout)
    nowhere = {"KMSD_HOME": str(tmp_path / "nowhere"), "KMS_TOKEN_URI": None}
    report = verify(signed, "--file", export, "--key", key, **nowhere)
    assert report.get("finding") is None and report["checkpoints"] >= 1
    export.write_text(export.read_text().replace("create-keystore", "create-keystorf", 1))
    assert verify(signed, "--file", export, "--key", key, codes=(2,), **nowhere)["finding"]["code"] == "altered"


def test_the_key_is_the_pinned_one_wherever_it_comes_from(own):
    """The chain tells it without the token, also of a daemon that was killed; another one in the chain is not believed."""
    from_token = own.run("audit", "key").stdout
    daemon = own.start()
    eventually(lambda: verify(own)["checkpoints"], 10, "the checkpoint of the start")
    daemon.kill()
    own.token.hide()
    assert own.run("audit", "key").stdout == from_token
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with sqlite3.connect(own.home / "audit.db") as database:
        database.execute("UPDATE checkpoints SET public_key = ?", (other,))
    assert own.run("audit", "key", check=False).returncode == 69
    own.token.bring_back()
    assert own.run("audit", "key").stdout == from_token


@pytest.mark.parametrize("uses", ["durable", "off"])
def test_uses_can_be_durable_or_off(own, uses):
    daemon = own.start(KMS_AUDIT_USES=uses)
    kms = daemon.client()
    key = kms.create_keystore().create("ED25519")
    key.sign(b"m")
    seen = [d[0] for d in decisions(own)]
    assert seen == ["create-keystore", "create-key"] + (["sign"] if uses == "durable" else [])
    daemon.terminate()


def test_what_cannot_be_recorded_is_refused(own):
    """The disk takes no record any more: nothing is made and nothing signed, and it heals without a restart."""
    daemon = own.start()
    kms = daemon.client()
    key = kms.create_keystore().create("ED25519")
    key.sign(b"m")
    blocker = sqlite3.connect(own.home / "audit.db", isolation_level=None, timeout=5)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        answer = requests.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=30)
        assert answer.status_code == 503 and "audit" in answer.json()["message"]
        assert requests.post(f"{daemon.base}{key.url}/sign", json={"message": "aGk="}, timeout=30).status_code == 503
        assert "audit" in [p["component"] for p in problems(daemon)]
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    daemon.wait_for_readiness(200)
    key.sign(b"m")
    daemon.terminate()
    assert verify(own).get("finding") is None


def test_a_destruction_after_the_grace_is_a_record(own):
    daemon = own.start()
    kms = daemon.client()
    key = kms.create_keystore().create("ED25519")
    key.destroy(grace=1)
    subject = "/".join(part for part in key.url.split("/") if part not in ("", "v1", "keystores", "keys"))
    found = ("destroy-key", "allowed", "grace-over", subject)
    eventually(lambda: found in decisions(own), 30, "the record of the destruction", pause=0.5)
    assert [decision for decision in decisions(own) if decision == found] == [found]


def made_records(installation):
    return {r["event"]["operation"]: r["event"] for r in records(installation) if r["kind"] == "event"}


def test_records_say_what_was_made(own):
    daemon = own.start(KMS_LEGACY_G1_ROUTES="true")
    kms = daemon.client()
    keystore = kms.create_keystore()
    name = keystore.url.rsplit("/", 1)[-1]
    key = keystore.create("ED25519")
    first = key.url.rsplit("/", 1)[-1]
    second = key.rotate().url.rsplit("/", 1)[-1]
    did = requests.post(f"{daemon.base}/v1/keystores/did", timeout=10).json()["did"]
    events = made_records(own)
    assert events["create-keystore"]["subject"] == name
    assert events["create-key"]["subject"] == f"{name}/{first}"
    assert events["rotate"]["subject"] == f"{name}/{first}" and events["rotate"]["details"]["made"] == f"{name}/{second}"
    assert events["create-did"]["subject"] == did
    keystore.import_key(crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "brought")
    assert made_records(own)["import-key"]["subject"] == f"{name}/brought"
    # The first generation's routes, and what was not made.
    old = requests.post(f"{daemon.base}/kms/keystores", json={"controller": "did:example:a"}, timeout=10)
    name = old.headers["Location"].rsplit("/", 1)[-1]
    assert made_records(own)["create-keystore"]["subject"] == name
    one = requests.post(f"{daemon.base}/kms/keystores/{name}/keys", json={"keyType": "ED25519"}, timeout=10)
    assert made_records(own)["create-key"]["subject"] == f"{name}/{one.headers['Location'].rsplit('/', 1)[-1]}"
    requests.post(f"{daemon.base}/v1/keystores/{name}/keys", json={"key_type": "NONE"}, timeout=10)
    daemon.terminate()
    last = records(own)[-1]["event"]
    assert (last["operation"], last["outcome"], last["subject"]) == ("create-key", "refused", name)


def test_the_callers_request_id_and_ours_are_told_apart(own):
    daemon = own.start()
    answers = [requests.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=10,
                             headers={"X-Request-Id": given} if given else {}) for given in ("mine-1", "mine-1", None, "a b")]
    assert [answer.headers["X-Request-Id"] for answer in answers[:2]] == ["mine-1"] * 2
    daemon.terminate()
    events = [r["event"] for r in records(own) if r["event"]["operation"] == "create-keystore"]
    assert [event["details"].get("caller-request-id") for event in events] == ["mine-1", "mine-1", None, None]
    ours = [event["requestID"] for event in events]
    assert len(set(ours)) == 4 and "mine-1" not in ours
    assert ours == [answer.headers["X-Kmsd-Request-Id"] for answer in answers]
    tail = own.run("audit", "tail").stdout
    assert f"{ours[0]} caller-request-id=mine-1" in tail


def test_no_name_in_tail_reads_like_a_field(own):
    daemon = own.start()
    names = ["x allowed keystore/export", "epoch=9", "a\" by \"root", "b\u202e\u2066", "-"]
    for name in names:
        requests.post(f"{daemon.base}/v1/keystores/{quote(name, safe='')}/keys/k/sign", json={"message": "aGk="}, timeout=10)
    daemon.terminate()
    lines = own.run("audit", "tail", "--lines", "100").stdout.splitlines()
    exported = [r["event"] for r in records(own)]
    assert len(lines) == len(exported)
    for line, event in zip(lines, exported):
        # Quoted words are one each; outside of them a line has nine and its details.
        words = shlex.split(line)
        assert words[2] == event["outcome"] and words[5] == "by" and len(words) == 9 + len(event["details"]), line
        assert "\u202e" not in line and line.isprintable()


def test_an_adoption_of_a_chain_shows_both_heads_and_is_about_the_chain_alone(own, tmp_path):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    daemon.terminate()
    backup = tmp_path / "backup"
    backup.mkdir()
    names = [path.name for path in own.home.glob("audit.db*")] + [path.name for path in own.home.glob("kmsd.sqlite*")]
    for name in names:
        shutil.copy(own.home / name, backup / name)
    daemon = own.start()
    client = daemon.client()
    assert requests.post(f"{daemon.base}{key.url}/disable", timeout=10).status_code == 200
    client.create_keystore()
    daemon.terminate()
    kept = records(own)[-1]
    assert own.run("audit", "adopt", "--yes").stdout.endswith("nothing was changed.\n")
    kept = records(own)[-1]

    # Both put back: the chain is accepted, the older database is not.
    for path in list(own.home.glob("audit.db*")) + list(own.home.glob("kmsd.sqlite*")):
        path.unlink()
    for name in names:
        shutil.copy(backup / name, own.home / name)
    found = records(own)[-1]
    before = (own.home / "audit.db").read_bytes()
    shown = own.run("audit", "adopt", check=False)
    assert shown.returncode == 64 and "--yes" in shown.stderr
    for end in (kept, found):
        assert f"record {end['index']}, 20" in shown.stdout and end["hash"] in shown.stdout, shown.stdout
    assert f"given up           {kept['index'] - found['index']} records" in shown.stdout
    assert (own.home / "audit.db").read_bytes() == before
    assert "Databases were not accepted" in own.run("audit", "adopt", "--yes").stdout
    event = [r["event"] for r in records(own) if r["event"]["operation"] == "adopt"][0]
    assert event["details"] == {
        "kept-index": str(kept["index"]), "kept-hash": kept["hash"], "kept-time": str(kept["time"]), "kept-revocations": "0",
        "found-index": str(found["index"]), "found-hash": found["hash"], "found-time": str(found["time"]),
        "found-revocations": "0", "given-up": str(kept["index"] - found["index"]), "revocations-given-up": "0"}
    report = verify(own, "--token")
    assert report.get("finding") is None and [a["operation"] for a in report["adoptions"]] == ["adopt"]
    assert "ADOPTED" in own.run("audit", "verify").stdout

    daemon = own.start(ready=False)
    eventually(lambda: [p for p in problems(daemon) if p["code"] == "older-database"], 20, "the older database")
    daemon.terminate()
    own.run("audit", "adopt-database", "--yes")
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    assert [a["operation"] for a in verify(own, "--token")["adoptions"]] == ["adopt", "adopt-database"]


def test_a_lost_chain_is_shown_as_lost(own):
    daemon = own.start()
    daemon.client().create_keystore().create("ED25519").disable()
    daemon.terminate()
    kept = records(own)[-1]
    for path in own.home.glob("audit.db*"):
        path.unlink()
    shown = own.run("audit", "adopt", check=False)
    assert "found in audit.db  nothing" in shown.stdout and f"given up           {kept['index']} records" in shown.stdout
    assert not (own.home / "audit.db").exists()
    own.run("audit", "adopt", "--yes")
    # The database that the token remembers is this one, so it is not refused.
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    assert verify(own, "--token").get("finding") is None


def emptied(path):
    with sqlite3.connect(path) as database:
        for table in ("records", "checkpoints", "revocations", "parts", "probe"):
            database.execute(f"DELETE FROM {table}")
    database.close()


@pytest.mark.parametrize("how", [emptied, lambda path: path.write_bytes(b"")], ids=["rows", "file"])
def test_a_chain_that_was_emptied_is_not_adopted_and_stays_as_a_trace(own, tmp_path, how):
    daemon = own.start()
    daemon.client().create_keystore().create("ED25519").disable()
    daemon.terminate()
    last = records(own)[-1]["index"]
    path = own.home / "audit.db"
    how(path)
    before = path.read_bytes()
    for arguments in ((), ("--yes",)):
        said = own.run("audit", "adopt", *arguments, check=False)
        assert said.returncode == 1 and "it was emptied" in said.stderr and "move the file away" in said.stderr, said.stderr
        assert "found in audit.db  nothing" in said.stdout and f"given up           {last} records" in said.stdout
    assert path.read_bytes() == before
    path.rename(tmp_path / "emptied.db")
    own.run("audit", "adopt", "--yes")
    own.start().client().create_keystore()


@pytest.mark.parametrize("how", [emptied, lambda path: path.write_bytes(b""), lambda path: path.unlink()],
                         ids=["rows", "file", "gone"])
def test_a_chain_that_was_begun_anew_is_not_told_as_an_older_copy(own, how):
    """A start writes into what was emptied, as into what is not there; the operator then looks for the lost file."""
    daemon = own.start()
    daemon.client().create_keystore().create("ED25519").disable()
    daemon.terminate()
    last = records(own)[-1]["index"]
    how(own.home / "audit.db")
    daemon = own.start(ready=False)
    (told, _) = eventually(lambda: [p for p in problems(daemon) if p["code"] == "untrusted" and "not compared" not in p["message"]],
                           60, "the refusal")
    assert "begun anew" in told[0]["message"] and "token remembers" in told[0]["message"], told
    assert "the record of decisions begins anew" in daemon.log()
    daemon.terminate()
    failed = [check for check in own.run_json("doctor", codes=(2,))["checks"] if check["grade"] == "fail"]
    assert [check["name"] for check in failed] == ["audit"] and "begun anew" in failed[0]["message"], failed
    shown = own.run("audit", "adopt", check=False)
    assert shown.returncode == 64 and "begun anew" in shown.stdout and f"given up           {last} records" in shown.stdout, shown
    own.run("audit", "adopt", "--yes")
    assert own.run("doctor").returncode == 0
    own.start().terminate()


def test_doctor_compares_the_chain_with_what_the_token_remembers(own, tmp_path):
    """What a start does not serve on, the examination before it must not call good: an older copy, and an older token."""
    own.start().terminate()
    names = [path.name for path in own.home.glob("audit.db*")]
    for name in names:
        shutil.copy(own.home / name, tmp_path / name)
    daemon = own.start()
    daemon.client().create_keystore()
    # Beside the daemon, which goes on between the look at the token and the one at the file.
    if own.token.IS_SHARED:
        assert own.run("doctor").returncode == 0
    daemon.terminate()
    assert own.run("doctor").returncode == 0
    for path in own.home.glob("audit.db*"):
        path.unlink()
    for name in names:
        shutil.copy(tmp_path / name, own.home / name)
    failed = [check for check in own.run_json("doctor", codes=(2,))["checks"] if check["grade"] == "fail"]
    assert any(check["name"] == "audit" and "older copy" in check["message"] and "audit adopt" in check["remedy"]
               for check in failed), failed


def test_a_chain_that_nobody_remembers_does_not_begin_anew_without_a_word(tmp_path):
    """Without a token nothing refuses it, so the log is the only one to tell; doctor says it before the start and no more after it."""
    home = tmp_path / "home"
    lock = tmp_path / "lock.key"
    lock.write_bytes(base64.urlsafe_b64encode(bytes(range(32))))
    lock.chmod(0o600)
    installation = Installation(home, KMS_SECRET_LOCK_TYPE="local", KMS_SECRET_LOCK_KEY_PATH=str(lock), KMS_TOKEN_URI=None)
    try:
        words = "the record of decisions begins anew"
        daemon = installation.start()
        daemon.client().create_keystore()
        daemon.terminate()
        assert words not in daemon.log()
        daemon = installation.start()
        daemon.terminate()
        assert words not in daemon.log()
        for path in home.glob("audit.db*"):
            path.unlink()
        daemon = installation.start()
        eventually(lambda: words in daemon.log(), 20, "the warning")
        assert "is missing" in daemon.log() and "kmsd.sqlite" in daemon.log()
        daemon.terminate()
    finally:
        installation.end()
