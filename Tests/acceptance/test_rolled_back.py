"""Older copies put back: of the database, of the audit chain, of the token's own state; and daemons killed in between."""
import base64
import random
import shutil
import sqlite3
import threading
import time

import pytest
import requests
from daemon import Installation, eventually
from softtpm import SoftTPM
from webkms_client import KMSError

FILES = ("kmsd.sqlite", "kmsd.sqlite-wal", "kmsd.sqlite-shm")


def problems(daemon):
    answer = daemon.readiness()
    return (answer[1].get("problems") or []) if answer else []


def told(daemon, code, containing="older copy", seconds=30):
    """What /readyz says of the audit chain or of the keystores' database, once it says so."""
    def found():
        assert daemon.is_running(), daemon.log()
        return [p["message"] for p in problems(daemon) if p["component"] in ("audit", "store") and p["code"] == code
                and containing in p["message"]]

    return eventually(found, seconds, f"{code} on /readyz")[0][0]


def take(installation, to):
    to.mkdir()
    for name in FILES:
        if (installation.home / name).exists():
            shutil.copy(installation.home / name, to / name)
    return to


def put_back(installation, backup):
    for name in FILES:
        (installation.home / name).unlink(missing_ok=True)
    for path in backup.iterdir():
        shutil.copy(path, installation.home / path.name)


def epoch(installation):
    with sqlite3.connect(installation.home / "kmsd.sqlite") as database:
        (value,), = database.execute("SELECT value FROM epoch")
    database.close()
    return value


def moved(key, daemon):
    key.client = key.keystore.client = daemon.client()
    return key


CHANGES = {
    "rotate": lambda key: key.rotate(),
    "disable": lambda key: key.disable(),
    "destroy": lambda key: key.destroy(grace=0),
    "schedule": lambda key: key.destroy(grace=3600),
}


@pytest.mark.parametrize("end", ["terminate", "kill"])
@pytest.mark.parametrize("change", CHANGES)
def test_an_older_database_is_noticed(own, tmp_path, change, end):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    assert daemon.terminate() == 0
    older = take(own, tmp_path / "older")
    daemon = own.start()
    CHANGES[change](moved(key, daemon))
    getattr(daemon, end)()
    newer = take(own, tmp_path / "newer")
    assert epoch(own) == 1

    put_back(own, older)
    for uses in ("queued", "off"):
        daemon = own.start(ready=False, KMS_AUDIT_USES=uses)
        message = told(daemon, "older-database")
        for word in ("kmsd.sqlite", "epoch is 0", "tells 1", "kmsd audit adopt-database"):
            assert word in message
        for attempt in (lambda: moved(key, daemon).sign(b"m"), lambda: daemon.client().create_keystore(), key.export):
            with pytest.raises(KMSError) as refusal:
                attempt()
            assert refusal.value.status == 503 and "older copy" in str(refusal.value)
        assert daemon.terminate() == 0
    assert "older-database" in own.run("audit", "tail").stdout
    assert epoch(own) == 0
    report = own.run_json("doctor", codes=range(256))
    assert any("older copy" in check["message"] for check in report["checks"]), report

    # The newer file serves, and the key is as it was left.
    put_back(own, newer)
    daemon = own.start()
    with pytest.raises(KMSError) as refusal:
        moved(key, daemon).sign(b"m")
    assert refusal.value.status in (404, 409)
    assert daemon.terminate() == 0
    assert own.run_json("audit", "verify").get("finding") is None


def test_a_lost_database_is_noticed(own):
    daemon = own.start()
    daemon.client().create_keystore().create("ECDSAP256DER").disable()
    assert daemon.terminate() == 0
    for name in FILES:
        (own.home / name).unlink(missing_ok=True)
    assert "epoch is 0" in told(own.start(ready=False), "older-database")


def test_doctor_tells_of_a_database_that_was_made_anew_before_anything_raised_its_epoch(own):
    """Both say epoch 0, so only the seal tells them apart, which the new file has not."""
    daemon = own.start()
    daemon.client().create_keystore()
    assert daemon.terminate() == 0
    for name in FILES:
        (own.home / name).unlink(missing_ok=True)
    for _ in range(2):
        daemon = own.start(ready=False)
        assert "a seal, which it has not" in told(daemon, "older-database")
        assert daemon.terminate() == 0
        assert "a seal, which it has not" in failed(own, "database")


def failed(installation, name):
    """What doctor says of it, which it must not find good."""
    report = installation.run_json("doctor", codes=(2,))
    return " ".join(check["message"] for check in report["checks"] if check["name"] == name and check["grade"] == "fail")


@pytest.mark.parametrize("value,words", [(-1, "no epoch can be"), (2**63 - 1, "no epoch can be"), (2**40, "no daemon made so many")])
def test_doctor_tells_of_an_epoch_that_a_start_refuses(own, value, words):
    daemon = own.start()
    daemon.client().create_keystore()
    assert daemon.terminate() == 0
    with sqlite3.connect(own.home / "kmsd.sqlite") as database:
        database.execute("UPDATE epoch SET value = ?", (value,))
    database.close()
    assert words in failed(own, "database")
    daemon = own.start(ready=False)
    assert words in told(daemon, "altered-database", words)


def test_an_operator_adopts_an_older_database(own, tmp_path):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    assert daemon.terminate() == 0
    older = take(own, tmp_path / "older")
    daemon = own.start()
    moved(key, daemon).disable()
    assert daemon.terminate() == 0
    newer = take(own, tmp_path / "newer")
    put_back(own, older)

    assert own.run("audit", "adopt-database", check=False).returncode == 64
    assert "epoch 2" in own.run("audit", "adopt-database", "--yes").stdout
    tail = own.run("audit", "tail").stdout
    assert "adopt-database" in tail and "chain-epoch=1" in tail and "database-epoch=0" in tail
    assert "nothing was changed" in own.run("audit", "adopt-database", "--yes").stdout
    daemon = own.start()
    moved(key, daemon).sign(b"m")
    assert daemon.terminate() == 0
    # What was given up stays given up.
    put_back(own, newer)
    daemon = own.start(ready=False)
    assert "epoch is 1" in told(daemon, "older-database")
    assert daemon.terminate() == 0
    assert own.run_json("audit", "verify", "--token").get("finding") is None


def test_an_adoption_does_not_stand_in_for_a_chain_that_is_not_trusted(own, tmp_path):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    moved(key, daemon).disable()
    assert daemon.terminate() == 0
    chain = tmp_path / "audit.db"
    shutil.copy(own.home / "audit.db", chain)
    assert own.start().terminate() == 0
    shutil.copy(chain, own.home / "audit.db")
    for name in ("audit.db-wal", "audit.db-shm"):
        (own.home / name).unlink(missing_ok=True)
    refused = own.run("audit", "adopt-database", "--yes", check=False)
    assert refused.returncode != 0 and "kmsd audit adopt" in refused.stderr


def test_a_chain_that_nobody_signed_does_not_stand_in_for_one_that_was(own, tmp_path):
    """Made by a daemon without a token, it pins no audit key; the token remembers another chain all the same."""
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    assert daemon.terminate() == 0
    older = take(own, tmp_path / "older")
    daemon = own.start()
    moved(key, daemon).disable()
    assert daemon.terminate() == 0
    put_back(own, older)
    lock = tmp_path / "lock.key"
    lock.write_bytes(base64.urlsafe_b64encode(bytes(range(32))))
    lock.chmod(0o600)
    other = Installation(tmp_path / "other", KMS_SECRET_LOCK_TYPE="local", KMS_SECRET_LOCK_KEY_PATH=str(lock),
                         KMS_TOKEN_URI=None)
    try:
        daemon = other.start()
        for _ in range(40):
            daemon.client().create_keystore()
        assert daemon.terminate() == 0
        for name in ("audit.db-wal", "audit.db-shm"):
            (own.home / name).unlink(missing_ok=True)
        shutil.copy(other.home / "audit.db", own.home / "audit.db")
    finally:
        other.end()
    daemon = own.start(ready=False)
    told(daemon, "untrusted", "token remembers")
    with pytest.raises(KMSError) as refusal:
        moved(key, daemon).sign(b"m")
    assert refusal.value.status == 503
    assert daemon.terminate() == 0
    # Who adopts it gives up what the other one told, but for what the token remembers of the databases.
    shown = own.run("audit", "adopt", check=False)
    assert shown.returncode == 64 and "given up" in shown.stdout
    own.run("audit", "adopt", "--yes")
    daemon = own.start(ready=False)
    told(daemon, "older-database", "epoch")
    assert daemon.terminate() == 0


def test_kills_leave_a_database_that_starts(own):
    """Changes that raise the epoch, `kill -9` at random moments: the database is never behind its chain."""
    daemon = own.start()
    keystore = daemon.client().create_keystore()
    keys = [keystore.create("ECDSAP256DER") for _ in range(6)]
    moment, acknowledged = random.Random(20), 0
    for _ in range(8):
        counts = [0] * len(keys)

        def work(number, client):
            key = keys[number]
            try:
                while True:
                    key.client = client
                    key.post("disable")
                    key.post("enable")
                    counts[number] += 2
            except (KMSError, requests.RequestException):
                return

        threads = [threading.Thread(target=work, args=(number, daemon.client(timeout=10))) for number in range(len(keys))]
        for thread in threads:
            thread.start()
        time.sleep(0.2 + moment.random())
        eventually(lambda: sum(counts) > 5, 60, "acknowledged changes")
        daemon.kill()
        for thread in threads:
            thread.join(60)
        acknowledged += sum(counts)
        assert epoch(own) >= acknowledged
        daemon = own.start()
        for key in keys:
            moved(key, daemon).post("enable")
    assert acknowledged > 20
    assert daemon.terminate() == 0
    assert own.run_json("audit", "verify", "--token").get("finding") is None


def checkpoints(installation):
    """So many signatures are in the audit chain."""
    return installation.run_json("audit", "verify")["checkpoints"]


def token_folder(installation):
    return installation.token.state if isinstance(installation.token, SoftTPM) else installation.token.tokens


def restart_token(installation, change):
    if isinstance(installation.token, SoftTPM):
        installation.token.kill()
        change()
        installation.token.start()
    else:
        change()


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_token_put_back_from_an_older_copy_is_noticed(own, tmp_path, end):
    """Its own state, with the audit chain left as it is: the chain was signed when the token had counted further."""
    assert own.start().terminate() == 0
    backup, folder = tmp_path / "token", token_folder(own)
    restart_token(own, lambda: shutil.copytree(folder, backup))
    before = checkpoints(own)
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    # A start is told to the token at once, and then signed.
    eventually(lambda: checkpoints(own) > before, 60, "the checkpoint of the start", pause=0.2)
    getattr(daemon, end)()

    def replace():
        shutil.rmtree(folder)
        shutil.copytree(backup, folder)

    restart_token(own, replace)
    report = own.run_json("audit", "verify", "--token", codes=(2,))
    assert report["finding"]["code"] == "older-token", report
    daemon = own.start(ready=False)
    message = told(daemon, "untrusted")
    assert "token's state is an older copy" in message and "kmsd audit adopt" in message
    with pytest.raises(KMSError) as refusal:
        moved(key, daemon).sign(b"m")
    assert refusal.value.status == 503
    assert daemon.terminate() == 0
    own.run("audit", "adopt", "--yes")
    daemon = own.start()
    moved(key, daemon).sign(b"m")
    assert daemon.terminate() == 0
    assert own.run_json("audit", "verify", "--token").get("finding") is None


# What is put back without the rest, by what has to be put back to the same day for it to be believed: nothing of it brings a disabled
# key back. `home` is all files beside the token's.
HOME_FILES = "kmsd.sqlite", "audit.db", "manifest.json"
PARTS = [("token",), ("kmsd.sqlite",), ("audit.db",), ("token", "kmsd.sqlite"), ("token", "audit.db"), ("kmsd.sqlite", "audit.db"),
         ("kmsd.sqlite", "manifest.json"), ("token", "manifest.json"), HOME_FILES]


def test_parts_put_back_in_any_combination_revive_nothing(own, tmp_path):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    assert daemon.terminate() == 0

    def keep(folder):
        restart_token(own, lambda: shutil.copytree(token_folder(own), folder / "token"))
        for path in own.home.iterdir():
            if path.is_file():
                shutil.copy2(path, folder / path.name)

    def put_back(folder, name):
        if name == "token":
            shutil.rmtree(token_folder(own))
            shutil.copytree(folder / "token", token_folder(own))
            return
        for path in own.home.glob(name + "*"):
            path.unlink()
        for path in folder.glob(name + "*"):
            shutil.copy2(path, own.home / path.name)

    older, newer = tmp_path / "older", tmp_path / "newer"
    older.mkdir()
    newer.mkdir()
    keep(older)
    daemon = own.start()
    moved(key, daemon).disable()
    assert daemon.terminate() == 0
    keep(newer)
    for parts in PARTS:
        restart_token(own, lambda: [put_back(older if name in parts else newer, name) for name in ("token", *HOME_FILES)])
        daemon = own.start(ready=False)
        with pytest.raises(KMSError) as refusal:
            # Waits for the comparison, as every request does at a start.
            eventually(lambda: daemon.readiness(), 30, "an answer of /readyz")
            moved(key, daemon).sign(b"m")
        assert refusal.value.status in (409, 503), (parts, refusal.value)
        assert daemon.terminate() == 0
