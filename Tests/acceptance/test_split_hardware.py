"""The infrastructure share is bound to the token: seen by a stranger, lost with the token, useless when copied."""
import hashlib
import json
import secrets
import shutil
import sqlite3
import threading

import bn254
import pytest
from daemon import Installation, eventually
from split_client import SplitClient, ok, refused
from test_split_keys import SECRET, with_secret


@pytest.fixture
def home(tmp_path):
    installation = with_secret(Installation(tmp_path / "home")).init()
    yield installation
    installation.end()


def copy_stores(source, target):
    for path in list(target.glob("vault.sqlite*")) + list(target.glob("shares.sqlite*")):
        path.unlink()
    for path in list(source.glob("vault.sqlite*")) + list(source.glob("shares.sqlite*")):
        shutil.copy(path, target / path.name)


@pytest.mark.pkcs11
def test_anchored_keys_say_so_and_the_token_keeps_them(home):
    daemon = home.start(KMS_SPLIT_ANCHORS="anchored", KMS_SPLIT_ANCHOR_STORAGE="object")
    client = SplitClient(daemon.base, SECRET)
    wallet = client.wallet()
    assert wallet["protection"] == "anchored"
    row = client.split(wallet["client_id"])
    message = secrets.token_bytes(32)
    assert bn254.verify(row["client_key"], message, ok(client.sign(row, message))["sig"])
    anchors = [entry for entry in home.token.objects()
               if entry["kind"].startswith("Private Key") and "anchor" in entry.get("label", "")]
    assert len(anchors) == 1, home.token.objects()
    access = [word.strip() for word in anchors[0]["access"].split(",")]
    assert "sensitive" in access and "extractable" not in access, anchors
    assert [word.strip() for word in anchors[0]["usage"].split(",")] == ["derive"], anchors
    # Deleting the wallet destroys the object.
    ok(client.vault("POST", f"/delete/{wallet['client_id']}"))
    assert not [entry for entry in home.token.objects() if "anchor" in entry.get("label", "")
                and entry["kind"].startswith("Private Key")]


def test_receipts_are_checked_offline(home, tmp_path):
    client = SplitClient(home.start().base, SECRET)
    row = client.split(client.wallet()["client_id"], restrictions=["token_bridging"], allow_message_signing=True)
    message = secrets.token_bytes(32)
    half = bn254.sign(bn254.secret_from_text(row["private_key"]), message)
    body = {"hash": message.hex(), "signature": half, "client_id": row["client_id"]}
    client.http.headers["X-Receipt-Request"] = "1"
    answer = client.auth("POST", "/sign/msg", body, key=row["public_key"])
    ok(answer)
    receipt = json.loads(answer.headers["X-Receipt"])
    assert receipt["restrictions"] == ["token_bridging"]
    assert receipt["message"] == hashlib.sha256(message).hexdigest()
    home.daemons[-1].terminate()
    key, good, bad = tmp_path / "audit.pem", tmp_path / "good.json", tmp_path / "bad.json"
    key.write_text(home.run("audit", "key").stdout)
    good.write_text(answer.headers["X-Receipt"])
    bad.write_text(answer.headers["X-Receipt"].replace("token_bridging", "token_transfers"))
    home.run("receipt", "verify", "--key", key, "--chain", home.home / "audit.db", good)
    assert home.run("receipt", "verify", "--key", key, bad, check=False).returncode != 0


def test_sealed_keys_say_so(home):
    client = SplitClient(home.start(KMS_SPLIT_ANCHORS="sealed").base, SECRET)
    wallet = client.wallet()
    assert wallet["protection"] == "sealed"
    row = client.split(wallet["client_id"])
    message = secrets.token_bytes(32)
    assert bn254.verify(row["client_key"], message, ok(client.sign(row, message))["sig"])


def test_restart_keeps_everything(home):
    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    row = client.split(client.wallet()["client_id"])
    message = secrets.token_bytes(32)
    signature = ok(client.sign(row, message))["sig"]
    daemon.kill()
    client = SplitClient(home.start().base, SECRET)
    assert ok(client.sign(row, message))["sig"] == signature
    assert [item["public_key"] for item in client.keys(row["client_id"])] == [row["public_key"]]


def test_a_copied_database_signs_nothing_elsewhere(home, tmp_path):
    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    row = client.split(client.wallet()["client_id"])
    daemon.terminate()
    other = with_secret(Installation(tmp_path / "other")).init()
    try:
        copy_stores(home.home, other.home)
        daemon = other.start(ready=False)
        eventually(lambda: "altered-database" in str(daemon.readiness()), 30, "the foreign databases on /readyz")
        thief = SplitClient(daemon.base, SECRET)
        refused(thief.sign(row, secrets.token_bytes(32)), 503)
        refused(thief.vault("POST", f"/key/{row['client_id']}"), 503)
    finally:
        other.end()


def test_a_restored_older_database_revives_no_key(home):
    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    row = client.split(client.wallet()["client_id"])
    ok(client.sign(row, secrets.token_bytes(32)))
    daemon.terminate()
    (home.home / "old").mkdir()
    copy_stores(home.home, home.home / "old")
    client = SplitClient(home.start().base, SECRET)
    ok(client.vault("POST", f"/revoke/{row['client_id']}", params={"public_key": row["public_key"]}))
    home.daemons[-1].terminate()
    copy_stores(home.home / "old", home.home)
    daemon = home.start(ready=False)
    eventually(lambda: "older-database" in str(daemon.readiness()), 30, "the older files on /readyz")
    assert SplitClient(daemon.base, SECRET).sign(row, secrets.token_bytes(32)).status_code == 503
    assert daemon.terminate() == 0
    # Nor does an operator who accepts both files revive it: the chain remembers the revocation.
    for name in ("shares.sqlite", "vault.sqlite"):
        home.run("audit", "adopt-database", "--database", name, "--yes")
    client = SplitClient(home.start().base, SECRET)
    refused(client.sign(row, secrets.token_bytes(32)), 400, "revoked")


def test_edited_rows_sign_nothing(home):
    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    row = client.split(client.wallet()["client_id"])
    daemon.terminate()
    with sqlite3.connect(home.home / "shares.sqlite") as database:
        database.execute("UPDATE shares SET restrictions = '[\"token_transfers\"]'")
    client = SplitClient(home.start().base, SECRET)
    refused(client.sign(row, secrets.token_bytes(32)), 500, "damaged")


def test_a_lost_token_is_told_and_heals(home):
    daemon = home.start(KMS_LOCK_TTL="0s")
    client = SplitClient(daemon.base, SECRET)
    row = client.split(client.wallet()["client_id"])
    message = secrets.token_bytes(32)
    ok(client.sign(row, message))
    home.token.hide()
    eventually(lambda: client.sign(row, message).status_code == 503, 10, "503 without the token")
    assert ok(client.vault("GET", "/wallets"))[0]["client_id"] == row["client_id"]
    home.token.bring_back()
    eventually(lambda: client.sign(row, message).status_code == 200, 10, "a signature after the token's return")


@pytest.mark.parametrize("verb", ["key", "revoke", "delete"])
def test_killed_in_the_middle(home, verb):
    """Whatever the moment, a key that signs is one its owner was given, and what was revoked stays so."""
    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    client_id = client.wallet()["client_id"]
    rows = [client.split(client_id) for _ in range(6)]
    revoked = []

    def work():
        try:
            for row in rows:
                if verb == "key":
                    client.vault("POST", f"/key/{client_id}")
                elif verb == "revoke":
                    answer = client.vault("POST", f"/revoke/{client_id}", params={"public_key": row["public_key"]})
                    if answer.status_code == 200:
                        revoked.append(row["public_key"])
                else:
                    if client.vault("POST", f"/delete/{client_id}").status_code == 200:
                        revoked.extend(row["public_key"] for row in rows)
        except OSError:
            pass

    worker = threading.Thread(target=work)
    worker.start()
    threading.Event().wait(0.02 + secrets.randbelow(40) / 1000)
    daemon.kill()
    worker.join(60)
    assert not worker.is_alive()
    client = SplitClient(home.start().base, SECRET)
    message = secrets.token_bytes(32)
    listed = {row["public_key"]: row for row in client.keys(client_id)}
    for row in rows:
        answer = client.sign(row, message)
        if row["public_key"] in revoked:
            assert answer.status_code != 200
        elif verb == "key":
            assert bn254.verify(row["client_key"], message, ok(answer)["sig"])
    for row in listed.values():
        answer = client.sign(row, message)
        assert answer.status_code == 200 or row["is_revoked"] or verb != "key", answer.text
