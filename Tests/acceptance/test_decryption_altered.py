"""Rows of the decryption API's database that somebody wrote, and settings that changed, between a question and its repetition."""
import re
import shutil
import sqlite3
import time

import pytest
from daemon import eventually
from decryption_client import KMS, OWN, Ask, Node, Wallet
from test_audit import records
from test_decryption import Own, U8_04, vector, world  # noqa: F401

SAFE = "t061_big/FheUint8_42_safe.bin"


# The fields of a kept answer in their order, each behind its length in 4 bytes.
FIELDS = ("form", "algorithm", "signer", "keyID", "chainID", "digest", "result", "signature", "account", "handle",
          "headerHash", "appHash", "policy", "type", "height", "margin")


def altered(w, ask, change):
    """Rewrites what is kept for a question, as whoever can write the file could."""
    with sqlite3.connect(w.installation.home / "decryption.sqlite", timeout=30) as database:
        stored = database.execute("SELECT answer FROM answers WHERE request_id = ?", (ask.id,)).fetchone()[0]
        row, rest = {}, stored
        for name in FIELDS:
            length = int.from_bytes(rest[:4], "big")
            row[name], rest = rest[4:4 + length], rest[4 + length:]
        assert not rest and row["form"] == b"kmsd-answer-1"
        change(row)
        written = b"".join(len(row[name]).to_bytes(4, "big") + row[name] for name in FIELDS)
        database.execute("UPDATE answers SET answer = ? WHERE request_id = ?", (written, ask.id))
    database.close()


def lower(row):
    row["height"] = (int.from_bytes(row["height"], "big") - 1).to_bytes(8, "big")


CHANGES = {
    "another value": lambda row: row.update(result=b"+"), "another height": lower,
    "another header": lambda row: row.update(headerHash=b"\7" * 32),
    "another ciphertext": lambda row: row.update(handle=b"\7" * 32),
    "another key": lambda row: row.update(keyID=b"small"), "another signature": lambda row: row.update(signature=b"\1" * 64),
}


def test_an_answer_that_was_altered_while_the_daemon_stood_still_is_not_repeated_nor_recorded(world):
    w = world()
    ciphertext = vector(SAFE)
    height, proof = w.mark(ciphertext)
    asks = {name: Own(ciphertext, 2, height, proof, "big", format=3) for name in CHANGES}
    answers = {}
    for name, ask in asks.items():
        answers[name] = w.node.call(OWN, "PublicDecrypt", ask.bytes)
        assert ask.check(answers[name], w, "big") == 42
    w.daemon.terminate()
    for name, ask in asks.items():
        altered(w, ask, CHANGES[name])
    w.start()
    receipt = (("x-receipt-request", "1"),)
    for name, ask in asks.items():
        code, words = w.node.refused(OWN, "PublicDecrypt", ask.bytes, metadata=receipt)
        assert code == "INTERNAL" and "row-altered" in words and "new request_id" in words, (name, code, words)
    # Put right, it is repeated as it was; and a new question is answered.
    for ask in (asks["another value"], Own(ciphertext, 2, height, proof, "big", format=3)):
        altered(w, ask, lambda row: row.update(result=b"*")) if ask is asks["another value"] else None
        assert ask.check(w.node.call(OWN, "PublicDecrypt", ask.bytes), w, "big") == 42
    w.daemon.terminate()
    told = {name: [r["event"]["outcome"] for r in records(w.installation)
                   if r.get("event", {}).get("details", {}).get("request-id") == ask.id.hex()] for name, ask in asks.items()}
    assert told == {name: ["allowed"] * (2 if name == "another value" else 1) for name in CHANGES}


def test_an_answer_of_other_settings_is_not_repeated(world):
    """A receipt names chain, contract and policy: it must not name those of today for an answer of yesterday."""
    w = world()
    ciphertext = vector(SAFE)
    height, proof = w.mark(ciphertext)
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    answer = w.node.call(OWN, "PublicDecrypt", ask.bytes)
    assert ask.check(answer, w, "big") == 42
    for more in ({"KMS_DECRYPTION_ACL_CONTRACT": "0x" + "5a" * 20}, {"KMS_DECRYPTION_MAX_PROOF_AGE": "7"}):
        w.daemon.terminate()
        w.start(**more)
        code, words = w.node.refused(OWN, "PublicDecrypt", ask.bytes, metadata=(("x-receipt-request", "1"),))
        assert code == "FAILED_PRECONDITION" and "answer-of-other-settings" in words, (more, code, words)
    w.daemon.terminate()
    w.start()
    assert w.node.call(OWN, "PublicDecrypt", ask.bytes) == answer


def copy(source, target):
    target.mkdir(exist_ok=True)
    for path in target.glob("decryption.sqlite*"):
        path.unlink()
    for path in source.glob("decryption.sqlite*"):
        shutil.copy(path, target / path.name)


def edit(home, sql, *arguments):
    with sqlite3.connect(home / "decryption.sqlite", timeout=30) as database:
        changed = database.execute(sql, arguments).rowcount
    database.close()
    return changed


def state(home):
    with sqlite3.connect(home / "decryption.sqlite") as database:
        found = database.execute("SELECT state FROM heads").fetchone()[0]
    database.close()
    return found


def opened(w):
    """Starts the daemon on what there is; gives a client, which may well be refused."""
    w.daemon = w.installation.start(ready=False, **w.settings)
    found, _ = eventually(lambda: re.search(r"port=(\d+) .*decryption API listens", w.daemon.log()), 60, "the API")
    # Before it has its token, everything is refused for that.
    eventually(lambda: (found := w.daemon.readiness()) and all(p["component"] != "token" for p in found[1].get("problems", [])), 60,
               "the token")
    w.nodes.append(Node(f"127.0.0.1:{found[1]}"))
    return w.nodes[-1]


HOW = ["older", "older with today's epoch", "an old row", "missing", "emptied"]


@pytest.mark.parametrize("how", HOW)
def test_a_database_that_was_put_back_edited_or_removed_revives_no_disabled_key(world, tmp_path, how):
    w = world()
    home = w.installation.home
    ciphertext = vector(SAFE)
    height, proof = w.mark(ciphertext)
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    assert ask.check(w.node.call(OWN, "PublicDecrypt", ask.bytes), w, "big") == 42
    w.daemon.terminate()
    copy(home, tmp_path / "older")
    w.installation.run("decryption", "key", "disable", "big")
    copy(home, tmp_path / "newer")
    with sqlite3.connect(home / "decryption.sqlite") as database:
        epoch = database.execute("SELECT value FROM epoch").fetchone()[0]
    database.close()
    if how.startswith("older"):
        copy(tmp_path / "older", home)
        if how != "older":
            edit(home, "UPDATE epoch SET value = ?", epoch)
    elif how == "missing":
        for path in home.glob("decryption.sqlite*"):
            path.unlink()
    elif how == "emptied":
        assert edit(home, "DELETE FROM keys") == 2
    else:
        assert edit(home, "UPDATE keys SET state = 'enabled' WHERE id = 'big'") == 1
    node = opened(w)
    for question in (ask, Own(ciphertext, 2, height, proof, "big", format=3)):
        code, words = node.refused(OWN, "PublicDecrypt", question.bytes, wait_for_ready=True)
        assert code in ("UNAVAILABLE", "INTERNAL", "FAILED_PRECONDITION"), (how, code, words)
    if how != "an old row":
        told = eventually(lambda: [p for p in w.daemon.readiness()[1]["problems"] if "decryption.sqlite" in p["message"]], 60,
                          "the database's problem")[0]
        assert told[0]["code"] in ("older-database", "altered-database"), told
        assert "kmsd audit adopt-database --database decryption.sqlite" in told[0]["message"]
    w.daemon.terminate()
    # Put right, it is as it was: the key is disabled, and works once it is enabled.
    if how == "an old row":
        # The rest of that file was believed, and may be newer by now.
        assert edit(home, "UPDATE keys SET state = 'disabled' WHERE id = 'big'") == 1
    else:
        copy(tmp_path / "newer", home)
    w.start()
    assert w.node.refused(OWN, "PublicDecrypt", ask.bytes)[0] == "FAILED_PRECONDITION"
    w.daemon.terminate()
    w.installation.run("decryption", "key", "enable", "big")
    w.start()
    assert ask.check(w.node.call(OWN, "PublicDecrypt", ask.bytes), w, "big") == 42


@pytest.mark.parametrize("how", ["an older state", "another state", "no state", "another chain's state"])
def test_a_trusted_state_that_was_edited_is_not_followed(world, how):
    """An older state in today's row would take back what was verified since, such as a conflict; a made one, everything."""
    w = world()
    home = w.installation.home
    ciphertext = vector(U8_04)
    w.daemon.terminate()
    older = state(home)
    w.start()
    height, proof = w.mark(ciphertext)
    ask = Ask("GA", Wallet(), ciphertext, 1, height, proof)
    assert ask.check_decryption(w.node.call(KMS, "Decrypt", ask.bytes), w.server) == 42
    w.daemon.terminate()
    if how == "no state":
        assert edit(home, "DELETE FROM heads") == 1
    elif how == "another chain's state":
        assert edit(home, "UPDATE heads SET chain_id = 'other'") == 1
    else:
        assert len(older) > 100 and older != state(home)
        assert edit(home, "UPDATE heads SET state = ?", older if how == "an older state" else older[::-1]) == 1
    node = opened(w)

    def told():
        code, words = node.refused(KMS, "Decrypt", ask.bytes, wait_for_ready=True)
        assert code in ("UNAVAILABLE", "INTERNAL", "FAILED_PRECONDITION"), (code, words)
        return words if "decryption.sqlite" in words and "compared" not in words else None

    words = eventually(told, 60, "what is wrong with the file")[0]
    assert "is not what kmsd wrote" in words or "its seal does not hold" in words, words


def test_kept_answers_are_bounded_and_the_oldest_go_first(world):
    w = world()
    ciphertext = vector(SAFE)
    height, proof = w.mark(ciphertext)
    first = Own(ciphertext, 2, height, proof, "big", format=3)
    assert first.check(w.node.call(OWN, "PublicDecrypt", first.bytes), w, "big") == 42
    w.daemon.terminate()
    now = int(time.time())
    with sqlite3.connect(w.installation.home / "decryption.sqlite") as database:
        database.executemany(
            "INSERT INTO answers (request_id, answer, made_at) VALUES (?, x'7b7d', ?)",
            ((number.to_bytes(32, "big"), now - (60 if number < 5_000 else 30)) for number in range(104_000)))
    database.close()
    w.start()
    ask = Own(ciphertext, 2, height, proof, "big", format=3)
    answer = w.node.call(OWN, "PublicDecrypt", ask.bytes)
    with sqlite3.connect(w.installation.home / "decryption.sqlite") as database:
        count, oldest = database.execute("SELECT COUNT(*), MIN(made_at) FROM answers").fetchone()
        left = database.execute("SELECT COUNT(*) FROM answers WHERE made_at = ?", (now - 60,)).fetchone()[0]
    database.close()
    assert 98_000 < count <= 100_000 and oldest == now - 30 and left == 0
    for kept, given in ((first, None), (ask, answer)):
        again = w.node.call(OWN, "PublicDecrypt", kept.bytes)
        assert kept.check(again, w, "big") == 42 and given in (None, again)
