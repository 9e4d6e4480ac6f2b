"""The chain closed into archives: one chain still, on its own and together, whatever interrupts it."""
import concurrent.futures
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest
import requests
from daemon import BINARY, eventually
from test_audit import problems, records, verify


def grow(daemon, key, count):
    """Records, one for each use of the key."""
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=16))

        def sign(_):
            return session.post(f"{daemon.base}{key}/sign", json={"message": "aGk="}, timeout=30).status_code

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            assert set(pool.map(sign, range(count))) == {200}


def status(daemon, key):
    return requests.post(f"{daemon.base}{key}/sign", json={"message": "aGk="}, timeout=10).status_code


def last_index(installation):
    return records(installation)[-1]["index"]


def test_archives_and_the_live_chain_are_one(own, tmp_path):
    daemon = own.start()
    keystore = daemon.client().create_keystore()
    key, gone = keystore.create("ED25519").url, keystore.create("ED25519").url
    assert requests.post(f"{daemon.base}{gone}/disable", timeout=10).status_code == 200
    grow(daemon, key, 30)
    refused = own.run("audit", "rotate", check=False)
    assert refused.returncode == 69 and "Another kmsd uses" in refused.stderr
    daemon.terminate()
    own.run("audit", "key")
    pem = tmp_path / "audit.pem"
    pem.write_text(own.run("audit", "key").stdout)
    head = tmp_path / "head.json"
    own.run("audit", "verify", "--write-head", head)
    before = last_index(own)

    first = own.run_json("audit", "rotate")
    assert first["firstRecord"] == 1 and first["lastRecord"] > before and first["isResumed"] is False
    daemon = own.start()
    assert problems(daemon) == [] and status(daemon, key) == 200 and status(daemon, gone) == 409
    grow(daemon, key, 10)
    daemon.terminate()
    said = own.run("audit", "rotate")
    assert "audit.db goes on from there" in said.stdout and "\r" not in said.stderr, "no progress bar into a pipe"
    daemon = own.start()
    assert status(daemon, key) == 200 and status(daemon, gone) == 409
    daemon.terminate()

    report = verify(own)
    assert report.get("finding") is None and report["firstRecord"] == 1 and len(report["archives"]) == 2
    assert verify(own, "--token").get("finding") is None
    assert verify(own, "--expect-head", head).get("finding") is None
    archives = sorted((own.home / "audit-archive").iterdir())
    assert [path.name for path in archives][0] == "audit-000000000001.db" and len(archives) == 2
    assert first["archive"] == str(archives[0])

    # Each on its own, by a stranger with the public key, from a place that takes no writing.
    elsewhere = tmp_path / "cold"
    shutil.copytree(own.home / "audit-archive", elsewhere)
    for path in elsewhere.iterdir():
        path.chmod(0o400)
    elsewhere.chmod(0o500)
    moved = sorted(elsewhere.iterdir())
    for path in moved:
        alone = verify(own, "--archive", path, "--key", pem, KMSD_HOME=str(tmp_path / "nowhere"), KMS_TOKEN_URI=None)
        assert alone.get("finding") is None and alone["signedRecords"] == alone["records"], alone
    both = verify(own, "--archive", moved[1], moved[0], "--key", pem, KMSD_HOME=str(tmp_path / "nowhere"),
                  KMS_TOKEN_URI=None)
    assert both.get("finding") is None and both["firstRecord"] == 1

    # Moved away, they are missed; named, they are found.
    shutil.rmtree(own.home / "audit-archive")
    missing = verify(own, codes=(2,))
    assert missing["finding"]["code"] == "missing" and "audit-000000000001.db" in missing["finding"]["message"]
    assert "--archive" in missing["finding"]["message"]
    assert verify(own, "--part").get("finding") is None
    whole = verify(own, "--archive", moved[0], moved[1], "--file", own.home / "audit.db")
    assert whole.get("finding") is None and whole["firstRecord"] == 1 and whole["records"] == report["records"]
    assert verify(own, "--archive", moved[1], "--file", own.home / "audit.db", codes=(2,))["finding"]["code"] == "missing"
    assert verify(own, "--archive", moved[0], "--file", own.home / "audit.db", codes=(2,))["finding"]["code"] == "missing"
    # The daemon does not need them.
    daemon = own.start()
    assert problems(daemon) == [] and status(daemon, gone) == 409
    daemon.terminate()
    elsewhere.chmod(0o700)


def test_tail_and_export_say_where_older_records_are(own, tmp_path):
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    assert own.run("audit", "export").stderr == ""
    result = own.run_json("audit", "rotate")
    for verb in (("tail", "--lines", "100"), ("export",)):
        said = own.run("audit", *verb)
        assert result["archive"] in said.stderr and f"before {result['lastRecord']}" in said.stderr
    assert own.run("audit", "tail", "--lines", "1").stderr == ""
    old = own.run("audit", "export", "--file", result["archive"])
    assert "create-keystore" in old.stdout and old.stderr == ""
    assert "create-keystore" not in own.run("audit", "export").stdout
    # Exports are one chain, too.
    (tmp_path / "old.jsonl").write_text(old.stdout)
    (tmp_path / "new.jsonl").write_text(own.run("audit", "export").stdout)
    assert verify(own, "--file", tmp_path / "new.jsonl", codes=(2,))["finding"]["code"] == "missing"
    whole = verify(own, "--file", tmp_path / "new.jsonl", "--archive", tmp_path / "old.jsonl")
    assert whole.get("finding") is None and whole["firstRecord"] == 1


@pytest.mark.parametrize("edit", [
    "UPDATE records SET body = CAST(substr(body, 1, 99) || x'FE' || substr(body, 101) AS BLOB) WHERE idx = 2",
    "DELETE FROM records WHERE idx = 2",
    "DELETE FROM records WHERE idx > 2; DELETE FROM checkpoints WHERE idx > 2",
    "UPDATE checkpoints SET signature = zeroblob(64)",
])
def test_an_edited_archive_is_told(own, edit):
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    path = own.run_json("audit", "rotate")["archive"]
    subprocess.run(["chmod", "600", path], check=True)
    with sqlite3.connect(path) as db:
        db.executescript(edit)
    db.close()
    assert "finding" in verify(own, codes=(2,))
    alone = verify(own, "--archive", path, codes=(2,))
    # One that was cut off behind a record that was signed does not end with the record that closed it.
    assert (alone["finding"]["code"] == "truncated") == edit.startswith("DELETE FROM records WHERE idx > 2"), alone
    assert verify(own, "--part").get("finding") is None


@pytest.mark.parametrize("edit", [
    "UPDATE parts SET last = last - 1", "DELETE FROM parts",
    "DELETE FROM checkpoints WHERE idx = (SELECT MIN(idx) FROM records)",
    "UPDATE records SET body = x'00' WHERE idx = (SELECT MIN(idx) FROM records)",
])
def test_a_chain_whose_beginning_was_edited_is_refused(own, edit):
    daemon = own.start()
    daemon.client().create_keystore()
    daemon.terminate()
    own.run("audit", "rotate")
    with sqlite3.connect(own.home / "audit.db") as db:
        db.execute(edit)
    db.close()
    assert "audit" in own.refuses_to_start(codes=(1, 69, 77, 78))
    assert "finding" in verify(own, codes=(2,))


def test_an_older_live_chain_is_noticed_after_a_rotation(own, tmp_path):
    daemon = own.start()
    keystore = daemon.client().create_keystore()
    key = keystore.create("ED25519").url
    daemon.terminate()
    backup = tmp_path / "audit.db"
    shutil.copy(own.home / "audit.db", backup)
    own.run("audit", "rotate")
    shutil.copy(backup, own.home / "audit.db")
    daemon = own.start(ready=False)
    eventually(lambda: any("older copy" in problem["message"] for problem in problems(daemon)), 60, "the older chain told")
    assert status(daemon, key) == 503
    daemon.terminate()


def test_kills_leave_the_old_or_the_new_state(own):
    daemon = own.start()
    keystore = daemon.client().create_keystore()
    key, gone = keystore.create("ED25519").url, keystore.create("ED25519").url
    assert requests.post(f"{daemon.base}{gone}/disable", timeout=10).status_code == 200
    grow(daemon, key, 2500)
    daemon.terminate()
    spread = random.Random(11)
    began = time.monotonic()
    own.run("audit", "verify")
    longest = 3 * (time.monotonic() - began) + 1
    for _ in range(8):
        process = subprocess.Popen([str(BINARY), "audit", "rotate"], env=own.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(spread.uniform(0.05, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            own.token.mend()
        report = verify(own)
        assert report.get("finding") is None, report
        assert report["firstRecord"] == 1 and report["records"] > 2500
    daemon = own.start()
    assert problems(daemon) == [] and status(daemon, gone) == 409 and status(daemon, key) == 200
    daemon.terminate()
    own.run("audit", "rotate", timeout=300)
    report = verify(own, "--token")
    assert report.get("finding") is None and report["archives"]
    assert {path.suffix for path in (own.home / "audit-archive").iterdir()} == {".db"}
    with sqlite3.connect(own.home / "audit.db") as db:
        assert db.execute("SELECT COUNT(*) FROM records").fetchone()[0] < 100
    db.close()


def test_a_daemon_rotates_by_size_and_goes_on_over_a_kill(own):
    assert "1MiB" in own.refuses_to_start(KMS_AUDIT_ROTATE_SIZE="1024")
    daemon = own.start(KMS_AUDIT_ROTATE_SIZE="1MiB")
    key = daemon.client().create_keystore().create("ED25519").url
    archives = own.home / "audit-archive"

    def count():
        return len(list(archives.glob("*.db"))) if archives.exists() else 0

    grow(daemon, key, 2500)
    eventually(lambda: count() == 1, 90, "the first archive")
    assert status(daemon, key) == 200
    grow(daemon, key, 2500)
    daemon.kill()
    daemon = own.start(KMS_AUDIT_ROTATE_SIZE="1MiB")
    eventually(lambda: count() >= 2, 90, "another archive after a kill")
    assert problems(daemon) == [] and status(daemon, key) == 200
    daemon.terminate()
    report = verify(own)
    assert report.get("finding") is None and report["firstRecord"] == 1 and report["records"] > 5000
    rotations = [json.loads(line) for line in own.run("audit", "tail", "--lines", "5000", "--output", "json").stdout.splitlines()]
    assert any(line["event"]["operation"] == "rotate" for line in rotations)


def test_an_archive_of_a_chain_that_was_given_up_is_never_written_over(own):
    """The chain that is begun anew after a loss has records of the same numbers, and its first archive the same name."""
    daemon = own.start()
    daemon.client().create_keystore().create("ED25519").disable()
    daemon.terminate()
    own.run("audit", "rotate")
    (archive,) = (own.home / "audit-archive").iterdir()
    before = archive.read_bytes()
    for path in own.home.glob("audit.db*"):
        path.unlink()
    own.run("audit", "adopt", "--yes")
    own.start().terminate()
    said = own.run("audit", "rotate", check=False)
    assert said.returncode == 78 and str(archive) in said.stderr and "move that file away" in said.stderr, said.stderr
    assert archive.read_bytes() == before
    assert own.run_json("audit", "verify", "--token").get("finding") is None
    archive.rename(own.home / "given-up.db")
    own.run("audit", "rotate")
    assert own.run_json("audit", "verify", "--token").get("finding") is None
