"""Whoever writes the stopped home puts back files or rows, or edits a number: each database is proven before it is used."""
import base64
import json
import shutil
import sqlite3

import pytest
import requests
from daemon import Installation, eventually
from split_client import SplitClient, ok
from test_rolled_back import moved, problems, put_back, take, told
from test_split_keys import SECRET, with_secret
from webkms_client import KMSError

HIGHEST = 2**63 - 1
MEANT = ["token_transfers", "token_bridging"]


def edit(path, *statements):
    with sqlite3.connect(path) as database:
        for sql, *arguments in statements:
            database.execute(sql, arguments)
    database.close()


def value(path, sql):
    with sqlite3.connect(path) as database:
        (found,), = database.execute(sql).fetchall()
    database.close()
    return found


def refuses(daemon, *words):
    """Not ready, with these words, and nothing is made."""
    def found():
        assert daemon.is_running(), daemon.log()
        return [p["message"] for p in problems(daemon) if p["code"] in ("older-database", "altered-database")]

    message = eventually(found, 30, "the database's problem on /readyz")[0][0]
    for word in words:
        assert word in message, message
    answer = requests.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=10)
    assert answer.status_code == 503, answer.text
    return message


@pytest.fixture(scope="module")
def example(provisioned, tmp_path_factory):
    """A key that was used, a copy of its database, and then the key disabled."""
    folder = tmp_path_factory.mktemp("disabled")
    own = Installation(folder / "home", like=provisioned)
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    key.sign(b"m")
    assert daemon.terminate() == 0
    own.older = take(own, folder / "older")
    daemon = own.start()
    moved(key, daemon).disable()
    assert daemon.terminate() == 0
    own.newer, own.key = take(own, folder / "newer"), key
    own.token.rest()
    yield own
    own.end()


@pytest.fixture
def disabled(example, tmp_path):
    """A copy of it for each test."""
    copied = Installation(tmp_path / "home", like=example)
    copied.older, copied.newer, copied.key, copied.database = (
        example.older, example.newer, example.key, copied.home / "kmsd.sqlite")
    yield copied
    copied.end()


def refused_use(installation, *words):
    daemon = installation.start(ready=False)
    refuses(daemon, *words)
    with pytest.raises(KMSError) as refusal:
        moved(installation.key, daemon).sign(b"m")
    # In today's file it is disabled anyway, or gone.
    assert refusal.value.status in (404, 409, 503)
    assert daemon.terminate() == 0


@pytest.mark.parametrize("epoch", [1, 2, 7, HIGHEST, HIGHEST - 1, 2**40, -1, -HIGHEST])
def test_an_older_file_with_an_edited_epoch_is_refused(disabled, epoch):
    put_back(disabled, disabled.older)
    edit(disabled.database, ("UPDATE epoch SET value = ?", epoch))
    refused_use(disabled, "kmsd.sqlite", "kmsd audit adopt-database")
    put_back(disabled, disabled.newer)
    daemon = disabled.start()
    moved(disabled.key, daemon).post("enable")
    moved(disabled.key, daemon).disable()
    assert daemon.terminate() == 0


@pytest.mark.parametrize("edited", ["epoch", "whole epoch", "seal", "no seal", "no epoch"])
def test_todays_file_with_an_edited_seal_is_refused(disabled, edited):
    if edited == "whole epoch":
        # The older file's own, with all that belongs to it.
        with sqlite3.connect(disabled.database) as database:
            database.execute("ATTACH ? AS older", (str(disabled.older / "kmsd.sqlite"),))
            database.execute("DELETE FROM epoch")
            database.execute("INSERT INTO epoch SELECT * FROM older.epoch")
        database.close()
    else:
        edit(disabled.database, [{
            "epoch": "UPDATE epoch SET value = value + 1", "seal": "UPDATE epoch SET seal = substr(seal, 2) || substr(seal, 1, 1) || '0'",
            "no seal": "UPDATE epoch SET seal = NULL, sealed_key = NULL", "no epoch": "DELETE FROM epoch"}[edited]])
    refused_use(disabled, "kmsd.sqlite", "kmsd audit adopt-database")


@pytest.mark.parametrize("how", ["row", "row with today's number", "row beside today's", "removed"])
def test_an_old_row_in_todays_file_is_refused(disabled, how):
    columns = "state, destroy_at, public_key, authenticator" + ("" if "number" in how else ", serial, stamp")
    with sqlite3.connect(disabled.database) as database:
        database.execute("ATTACH ? AS older", (str(disabled.older / "kmsd.sqlite"),))
        if how == "removed":
            database.execute("DELETE FROM key_versions")
            database.execute("DELETE FROM keys")
        elif how == "row beside today's":
            database.execute("PRAGMA foreign_keys = OFF")
            database.execute("UPDATE keys SET id = id || 'x'")
            database.execute("INSERT INTO keys SELECT * FROM older.keys")
        else:
            database.execute(f"UPDATE keys SET ({columns}) = (SELECT {columns} FROM older.keys)")
    database.close()
    if "number" in how:
        # That row alone is of no use, and the others go on.
        daemon = disabled.start()
        with pytest.raises(KMSError) as refusal:
            moved(disabled.key, daemon).sign(b"m")
        assert refusal.value.status == 500 and "damaged" in str(refusal.value)
        daemon.client().create_keystore().create("ED25519").sign(b"m")
        assert daemon.terminate() == 0
    else:
        refused_use(disabled, "its seal does not hold")
        assert "check-database kmsd.sqlite" in disabled.run("audit", "tail").stdout


def test_an_operator_accepts_an_edited_file_and_disabling_works(disabled):
    put_back(disabled, disabled.older)
    edit(disabled.database, ("UPDATE epoch SET value = ?", HIGHEST))
    refused_use(disabled, str(HIGHEST))
    shown = disabled.run("audit", "adopt-database", check=False)
    assert shown.returncode == 64 and f"epoch {HIGHEST}" in shown.stdout and "epoch 1, with a seal" in shown.stdout
    assert "epoch 2" in disabled.run("audit", "adopt-database", "--yes").stdout
    daemon = disabled.start()
    moved(disabled.key, daemon).sign(b"m")
    moved(disabled.key, daemon).disable()
    with pytest.raises(KMSError):
        moved(disabled.key, daemon).sign(b"m")
    assert daemon.terminate() == 0
    assert value(disabled.database, "SELECT value FROM epoch") == 3
    report = disabled.run_json("audit", "verify", "--token")
    assert report.get("finding") is None
    (adoption,) = report["adoptions"]
    assert adoption["operation"] == "adopt-database" and adoption["subject"] == "kmsd.sqlite"
    assert adoption["details"]["chain-epoch"] == "1" and adoption["details"]["new-epoch"] == "2"


def test_a_seal_that_was_taken_away_with_the_chain_is_missed(disabled):
    """As an earlier version left it: no seals, no stamps, and a chain that tells the epoch alone."""
    for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
        (disabled.home / name).unlink(missing_ok=True)
    edit(disabled.database,
         ("UPDATE epoch SET seal = NULL, lock_kind = NULL, lock_identity = NULL, sealed_key = NULL",),
         ("UPDATE keys SET serial = NULL, stamp = NULL",), ("UPDATE keystores SET serial = NULL, stamp = NULL",))
    disabled.run("audit", "adopt", "--yes")
    daemon = disabled.start(ready=False)
    # The token remembers that there was a seal, and who removes one is no earlier version.
    refuses(daemon, "kmsd.sqlite")
    assert daemon.terminate() == 0


def test_a_database_of_an_earlier_version_is_sealed_at_its_first_start(own):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ECDSAP256DER")
    assert daemon.terminate() == 0
    # A home without a chain that tells of seals: its own, made anew beside a token that remembers nothing.
    other = Installation(own.home.parent / "other", KMS_SECRET_LOCK_TYPE="local", KMS_TOKEN_URI=None)
    try:
        lock = other.home / "lock.key"
        lock.write_bytes(base64.urlsafe_b64encode(bytes(range(32))))
        lock.chmod(0o600)
        other.settings["KMS_SECRET_LOCK_KEY_PATH"] = str(lock)
        daemon = other.start()
        key = daemon.client().create_keystore().create("ED25519")
        moved(key, daemon).disable()
        assert daemon.terminate() == 0
        for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
            (other.home / name).unlink(missing_ok=True)
        edit(other.home / "kmsd.sqlite",
             ("UPDATE epoch SET seal = NULL, lock_kind = NULL, lock_identity = NULL, sealed_key = NULL",),
             ("UPDATE keys SET serial = NULL, stamp = NULL",), ("UPDATE keystores SET serial = NULL, stamp = NULL",))
        daemon = other.start()
        eventually(lambda: "seal-database kmsd.sqlite" in other.run("audit", "tail").stdout, 10, "the seal's record")
        moved(key, daemon).post("enable")
        moved(key, daemon).sign(b"m")
        assert daemon.terminate() == 0
        assert value(other.home / "kmsd.sqlite", "SELECT count(*) FROM keys WHERE stamp IS NULL") == 0
        # Without a token too, an edited number is noticed.
        edit(other.home / "kmsd.sqlite", ("UPDATE epoch SET value = value + 1",))
        daemon = other.start(ready=False)
        refuses(daemon, "its seal does not hold")
        assert daemon.terminate() == 0
        other.run("audit", "adopt-database", "--yes")
        daemon = other.start()
        moved(key, daemon).sign(b"m")
        assert daemon.terminate() == 0
    finally:
        other.end()


def test_of_a_missing_database_nothing_is_told(disabled):
    """Not even that a key or a keystore is not there: the file that was made in its place knows nothing."""
    for path in disabled.home.glob("kmsd.sqlite*"):
        path.unlink()
    daemon = disabled.start(ready=False)
    refuses(daemon, "kmsd.sqlite", "is missing and was made anew")
    key = moved(disabled.key, daemon)
    for call in (lambda: key.sign(b"m"), key.metadata, key.export, key.disable, key.destroy, key.keystore.metadata,
                 key.keystore.keys, lambda: daemon.client().keystores(controller="did:key:dummy-sample:sudesh")):
        with pytest.raises(KMSError) as refusal:
            call()
        assert refusal.value.status == 503, refusal.value
    assert daemon.terminate() == 0


REENABLES = """CREATE TRIGGER other AFTER UPDATE OF state ON keys WHEN new.state = 'disabled' BEGIN UPDATE keys SET
    state = old.state, authenticator = old.authenticator WHERE keystore = new.keystore AND id = new.id; END"""
SCHEMAS = [
    ("kmsd.sqlite", REENABLES),
    ("kmsd.sqlite", "CREATE TRIGGER other BEFORE UPDATE ON keys BEGIN SELECT RAISE(IGNORE); END"),
    ("kmsd.sqlite", "CREATE TRIGGER other AFTER UPDATE ON epoch BEGIN UPDATE epoch SET value = old.value; END"),
    ("kmsd.sqlite", "CREATE VIEW other AS SELECT * FROM keys"),
    ("kmsd.sqlite", "CREATE TABLE other (id INTEGER)"),
    ("kmsd.sqlite", "CREATE INDEX other ON keys (id)"),
    ("kmsd.sqlite", "DROP INDEX keys_pending"),
    ("kmsd.sqlite", "ALTER TABLE keys ADD COLUMN other TEXT GENERATED ALWAYS AS (state) VIRTUAL"),
    ("kmsd.sqlite", "DROP TABLE probe"),
    ("kmsd.sqlite", ["PRAGMA writable_schema = ON",
                     "UPDATE sqlite_master SET sql = replace(sql, 'CHECK (id = 1)', '') WHERE name = 'epoch'"]),
    ("audit.db", "CREATE TRIGGER other AFTER INSERT ON revocations BEGIN DELETE FROM revocations; END"),
    ("audit.db", "ALTER TABLE checkpoints RENAME TO other"),
]


def no_start(installation, *words, code=78):
    said = installation.refuses_to_start(codes=(code,))
    for word in words:
        assert word in said, said
    # No dump of an object, and no shrug.
    assert "not expected" not in said


@pytest.mark.parametrize("name, change", SCHEMAS, ids=range(len(SCHEMAS)))
def test_a_schema_that_was_changed_is_refused(disabled, name, change):
    edit(disabled.home / name, *[(sql,) for sql in ([change] if isinstance(change, str) else change)])
    no_start(disabled, f"/{name}'", "schema was changed")
    report = disabled.run_json("doctor", codes=range(256))
    assert any(c["grade"] == "fail" and "schema was changed" in c["message"] for c in report["checks"]), report
    if name != "audit.db":
        assert "schema was changed" in disabled.run("audit", "adopt-database", "--yes", check=False).stderr
    put_back(disabled, disabled.newer)


def hide(path, index, table, where):
    """Takes rows out of an index and leaves them in the table, as no statement of SQL does."""
    def turn(database, *statements):
        version = database.execute("PRAGMA schema_version").fetchone()[0]
        database.execute("PRAGMA writable_schema = ON")
        for sql, *values in statements:
            database.execute(sql, values)
        database.execute(f"PRAGMA schema_version = {version + 1}")
        database.close()

    def open_file():
        return sqlite3.connect(path, isolation_level=None)

    database = open_file()
    rows = database.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()
    assert rows
    database.execute(f"DELETE FROM {table} WHERE {where}")
    columns = "type, name, tbl_name, rootpage, sql"
    line = database.execute(f"SELECT {columns} FROM sqlite_master WHERE name = ?", (index,)).fetchone()
    turn(database, ("DELETE FROM sqlite_master WHERE name = ?", index))
    database = open_file()
    for row in rows:
        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    turn(database, (f"INSERT INTO sqlite_master ({columns}) VALUES (?, ?, ?, ?, ?)", *line))


def test_an_index_that_hides_a_keystore_is_refused(disabled):
    hide(disabled.database, "keystores_by_controller", "keystores", "1")
    refused_use(disabled, "keystores_by_controller", "kmsd audit adopt-database")
    report = disabled.run_json("doctor", codes=range(256))
    assert any(c["grade"] == "fail" and "keystores_by_controller" in c["message"] for c in report["checks"]), report
    disabled.run("audit", "adopt-database", "--yes")
    daemon = disabled.start()
    assert [k["id"] for k in daemon.client().keystores(controller="did:key:dummy-sample:sudesh")] == [
        disabled.key.keystore.id]
    assert daemon.terminate() == 0


# Split keys.

SPLIT = ("shares.sqlite", "vault.sqlite")


@pytest.fixture
def home(own):
    return with_secret(own)


def copy(source, target, name):
    for path in target.glob(name + "*"):
        path.unlink()
    for path in source.glob(name + "*"):
        shutil.copy(path, target / path.name)


def tighten(client, row):
    ok(client.vault("PUT", f"/restrictions/{row['client_id']}", {"restrictions": MEANT[:1]}, key=row["peer_public_key"]))


@pytest.fixture(scope="module")
def split_example(provisioned, tmp_path_factory):
    """A split key whose restrictions were tightened after a copy of its two databases."""
    folder = tmp_path_factory.mktemp("tightened")
    home = with_secret(Installation(folder / "home", like=provisioned))
    client = SplitClient(home.start().base, SECRET)
    row = client.split(client.wallet()["client_id"], restrictions=MEANT)
    assert home.daemons[-1].terminate() == 0
    home.older, home.newer = folder / "older", folder / "newer"
    for folder in (home.older, home.newer):
        folder.mkdir()
    for name in SPLIT:
        copy(home.home, home.older, name)
    client = SplitClient(home.start().base, SECRET)
    tighten(client, row)
    assert home.daemons[-1].terminate() == 0
    for name in SPLIT:
        copy(home.home, home.newer, name)
    home.row = row
    home.token.rest()
    yield home
    home.end()


@pytest.fixture
def tightened(split_example, tmp_path):
    """A copy of it for each test."""
    copied = with_secret(Installation(tmp_path / "home", like=split_example))
    copied.older, copied.newer, copied.row = split_example.older, split_example.newer, split_example.row
    yield copied
    copied.end()


def closed(home, daemon, name):
    """Nothing is allowed, and of a file that is not believed nothing is told: not even that something is not there."""
    client = SplitClient(daemon.base, SECRET)
    wallet, key = home.row["client_id"], home.row["public_key"]
    answers = [client.vault("POST", f"/key/{wallet}"), client.sign(home.row, b"m" * 32), client.vault("POST", "/wallet"),
               client.vault("POST", f"/delete/{wallet}"), client.vault("POST", f"/revoke/{wallet}?public_key={key}"),
               client.vault("POST", "/share", {"public_key": key, "target_user_id": "bob"}),
               client.vault("PUT", f"/restrictions/{wallet}", {"restrictions": []}, key=home.row["peer_public_key"])]
    if name == "shares.sqlite":
        answers.append(client.auth("GET", f"/key/{wallet}", key=home.row["peer_public_key"], token=True))
    if name == "vault.sqlite":
        answers += [client.vault("GET", path) for path in
                    (f"/keys/{wallet}", "/wallets", "/wallets/shared")] + [
                        client.vault("GET", "/restrictions", key=home.row["peer_public_key"])]
    for answer in answers:
        assert answer.status_code == 503, (answer.request.method, answer.request.url, answer.status_code, answer.text)


@pytest.mark.parametrize("name", SPLIT)
@pytest.mark.parametrize("how", ["older", "older with today's epoch", "missing", "emptied"])
def test_an_older_or_missing_database_of_split_keys_is_refused(tightened, name, how):
    path = tightened.home / name
    if how == "emptied":
        edit(path, *[(f"DELETE FROM {table}",) for table in
                     (["shares", "anchors"] if name == SPLIT[0] else ["splits", "masters"])])
    else:
        epoch = value(path, "SELECT value FROM epoch")
        assert epoch > 0
        copy(tightened.older, tightened.home, name)
        if how == "missing":
            for file in tightened.home.glob(name + "*"):
                file.unlink()
        elif how != "older":
            edit(path, ("UPDATE epoch SET value = ?", epoch))
    report = tightened.run_json("doctor", codes=range(256))
    if how in ("older", "missing"):
        assert any(c["grade"] == "fail" and ("older copy" in c["message"] or "missing" in c["message"])
                   for c in report["checks"]), report
    daemon = tightened.start(ready=False)
    refuses(daemon, name, f"kmsd audit adopt-database --database {name}")
    closed(tightened, daemon, name)
    assert daemon.terminate() == 0

    # Accepted knowingly, by a verb for this database and no other.
    assert tightened.run("audit", "adopt-database", "--database", name, check=False).returncode == 64
    assert "goes on" in tightened.run("audit", "adopt-database", "--database", name, "--yes").stdout
    assert tightened.start().terminate() == 0
    # What was given up stays given up.
    copy(tightened.newer, tightened.home, name)
    daemon = tightened.start(ready=False)
    refuses(daemon, name)
    assert daemon.terminate() == 0
    assert tightened.run_json("audit", "verify", "--token").get("finding") is None


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_change_of_a_split_key_is_told_before_its_answer(home, tmp_path, end):
    """No record follows the last change of a process; the chain tells it all the same."""
    client = SplitClient(home.start().base, SECRET)
    row = client.split(client.wallet()["client_id"], restrictions=MEANT)
    tighten(client, row)
    getattr(home.daemons[-1], end)()
    last = [json.loads(line) for line in home.run("audit", "export").stdout.splitlines()]
    stores = [line for line in last if line["type"] == "record"][-1]["stores"]
    for name in SPLIT:
        assert stores[name] == value(home.home / name, "SELECT value FROM epoch") == 1
    daemon = home.start()
    assert SplitClient(daemon.base, SECRET).sign(row, b"m" * 32).status_code in (200, 400)
    assert daemon.terminate() == 0


@pytest.mark.parametrize("column, edited", [("is_revoked", "1 - is_revoked"), ("restrictions", "'[]'"), ("shared_to", "'eve'")])
def test_an_edited_row_of_the_vault_is_not_believed(home, column, edited):
    client = SplitClient(home.start().base, SECRET)
    client_id = client.wallet()["client_id"]
    rows = [client.split(client_id, restrictions=MEANT) for _ in range(2)]
    assert home.daemons[-1].terminate() == 0
    edit(home.home / "vault.sqlite", (f"UPDATE splits SET {column} = {edited} WHERE public_key = ?", rows[0]["public_key"]))
    daemon = home.start()
    listed = [row["public_key"] for row in SplitClient(daemon.base, SECRET).keys(client_id)]
    assert listed == [rows[1]["public_key"]]
    assert ok(SplitClient(daemon.base, SECRET, user="eve").vault("GET", "/wallets/shared")) in ([], {"keys": []}, None)
    assert daemon.terminate() == 0


@pytest.mark.parametrize("name, change", [
    ("shares.sqlite", "CREATE TRIGGER other BEFORE INSERT ON shares BEGIN SELECT RAISE(IGNORE); END"),
    ("shares.sqlite", "CREATE TRIGGER other BEFORE DELETE ON shares BEGIN SELECT RAISE(IGNORE); END"),
    ("vault.sqlite", "CREATE TRIGGER other AFTER UPDATE ON splits BEGIN SELECT 1; END"),
    ("vault.sqlite", "DROP INDEX splits_by_grantee"),
])
def test_a_schema_of_split_keys_that_was_changed_is_refused(tightened, name, change):
    edit(tightened.home / name, (change,))
    no_start(tightened, f"/{name}'", "schema was changed")


@pytest.mark.parametrize("name, index, table", [
    ("shares.sqlite", "shares_by_client", "shares"), ("vault.sqlite", "splits_by_client", "splits"),
    ("vault.sqlite", "masters_by_user", "masters")])
def test_an_index_that_hides_a_split_key_is_refused(tightened, name, index, table):
    hide(tightened.home / name, index, table, "1")
    daemon = tightened.start(ready=False)
    refuses(daemon, name, index)
    closed(tightened, daemon, name)
    assert daemon.terminate() == 0
    tightened.run("audit", "adopt-database", "--database", name, "--yes")
    client = SplitClient(tightened.start().base, SECRET)
    assert len(ok(client.vault("GET", "/wallets"))) == 1 and len(client.keys(tightened.row["client_id"])) == 1
    assert client.vault("POST", f"/delete/{tightened.row['client_id']}").status_code == 200
    assert client.sign(tightened.row, b"m" * 32).status_code != 200


@pytest.mark.parametrize("name", SPLIT)
@pytest.mark.parametrize("how", ["zeros", "folder", "link", "another", "mode"])
def test_a_file_of_split_keys_that_is_none_is_named(tightened, name, how):
    path = tightened.home / name
    content = path.read_bytes()
    if how == "mode":
        path.chmod(0o644)
    else:
        path.unlink()
        if how == "zeros":
            path.write_bytes(bytes(8192))
        elif how == "folder":
            path.mkdir()
        elif how == "link":
            path.symlink_to(tightened.older / name)
        else:
            path.write_bytes((tightened.home / "kmsd.sqlite").read_bytes())
        if path.is_file() and not path.is_symlink():
            path.chmod(0o600)
    no_start(tightened, name, code=77 if how in ("link", "mode") else 78)
    assert content


def test_a_wallet_that_was_edited_spoils_no_list_and_is_told(home):
    client = SplitClient(home.start().base, SECRET)
    wallets = [client.wallet()["client_id"] for _ in range(2)]
    rows = [client.split(wallet) for wallet in wallets]
    for row in rows:
        ok(client.vault("POST", "/share", {"public_key": row["public_key"], "target_user_id": "bob"}))
    assert home.daemons[-1].terminate() == 0
    edit(home.home / "vault.sqlite", ("UPDATE masters SET suite = suite || 'x' WHERE client_id = ?", wallets[0]))
    daemon = home.start()
    shared = SplitClient(daemon.base, SECRET, user="bob").vault("GET", "/wallets/shared")
    assert shared.status_code == 200 and rows[1]["public_key"] in shared.text and rows[0]["public_key"] not in shared.text
    eventually(lambda: "rows were edited" in daemon.log() and "masters: 1" in daemon.log(), 20, "the warning")
    eventually(lambda: "check-rows vault.sqlite" in home.run("audit", "tail").stdout, 20, "the record")
    assert daemon.terminate() == 0


CUT = "{0} || char(0)"
# A zero byte behind a text, or one of its characters exchanged for bytes that are none: it is read as it was written.
TEXTS = [("shares.sqlite", "shares", "client_id", CUT), ("shares.sqlite", "anchors", "user_id", CUT),
         ("vault.sqlite", "masters", "client_id", CUT),
         ("vault.sqlite", "splits", "user_id", "CAST(replace(CAST({0} AS BLOB), x'efbfbd', x'ff') AS TEXT)")]


def test_a_text_that_is_read_otherwise_than_it_is_looked_up_is_refused(home):
    """No look-up by that text meets the row, not even the one that removes it, and it went on signing."""
    user = "alice\ufffd"
    client = SplitClient(home.start().base, SECRET, user=user)
    wallet = client.wallet()["client_id"]
    row = client.split(wallet, restrictions=MEANT)
    assert home.daemons[-1].terminate() == 0
    right = {name: (home.home / name).read_bytes() for name in SPLIT}
    for name, table, column, change in TEXTS:
        edit(home.home / name, (f"UPDATE {table} SET {column} = {change.format(column)}",))
        assert (home.home / name).read_bytes() != right[name]
        daemon = home.start(ready=False)
        refuses(daemon, name, f"table {table} has a {column}")
        assert SplitClient(daemon.base, SECRET, user=user).vault("POST", f"/delete/{wallet}").status_code == 503
        assert daemon.terminate() == 0
        (home.home / name).write_bytes(right[name])
    client = SplitClient(home.start().base, SECRET, user=user)
    assert client.vault("POST", f"/delete/{wallet}").status_code == 200
    assert client.sign(row, b"m" * 32).status_code != 200


def test_a_text_that_is_read_otherwise_hides_no_key(disabled):
    for table, column in (("keys", "id"), ("keystores", "controller")):
        with sqlite3.connect(disabled.database) as database:
            database.execute("PRAGMA foreign_keys = OFF")
            database.execute(f"UPDATE {table} SET {column} = {CUT.format(column)}")
        database.close()
        words = f"table {table} has a {column}"
        refused_use(disabled, words)
        report = disabled.run_json("doctor", codes=range(256))
        assert any(c["grade"] == "fail" and words in c["message"] for c in report["checks"]), report
        put_back(disabled, disabled.newer)


def columns(path, table):
    """Those that neither name the row nor are its change number, for which the whole file is refused; nor what nobody goes by."""
    with sqlite3.connect(path) as database:
        found = database.execute(f"PRAGMA table_info({table})").fetchall()
    database.close()
    return [name for _, name, _, _, _, key in found if not key and name not in ("serial", "last_used")]


def spoil(path, table, column, where, value):
    with sqlite3.connect(path) as database:
        (old,), = database.execute(f"SELECT {column} FROM {table} WHERE {where} = ?", (value,)).fetchall()
        new = {int: lambda: old + 1, str: lambda: old + "x", bytes: lambda: old[:-1] + bytes([old[-1] ^ 1]) if old else b"x",
               type(None): lambda: {"destroy_at": 1, "anchor": "x"}.get(column, b"x")}[type(old)]()
        assert database.execute(f"UPDATE {table} SET {column} = ? WHERE {where} = ?", (new, value)).rowcount == 1
    database.close()


def test_one_edited_value_in_any_column_takes_away_its_row_alone(home):
    """A row for each column of each table, one value edited in each, and all looked at in one start."""
    database, shares, vault = (home.home / name for name in ("kmsd.sqlite", *SPLIT))
    daemon = home.start()
    kms, client = daemon.client(), SplitClient(daemon.base, SECRET)
    # Before the columns can be asked for, the tables are there.
    keystores = {column: kms.create_keystore("did:example:a") for column in columns(database, "keystores")}
    owned = {column: keystore.create("ED25519") for column, keystore in keystores.items()}
    common = kms.create_keystore("did:example:a")
    keys = {column: common.create("ED25519") for column in columns(database, "keys")}
    control = common.create("ED25519")
    wallet = client.wallet()["client_id"]
    halves, splits = ({column: client.split(wallet) for column in columns(path, table)}
                      for path, table in ((shares, "shares"), (vault, "splits")))
    anchors, masters = ({column: client.split(client.wallet()["client_id"]) for column in columns(path, table)}
                        for path, table in ((shares, "anchors"), (vault, "masters")))
    kept = client.split(wallet)
    assert client.sign(kept, b"m" * 32).status_code == 200
    assert home.daemons[-1].terminate() == 0
    for column, keystore in keystores.items():
        spoil(database, "keystores", column, "id", keystore.id)
    for column, key in keys.items():
        spoil(database, "keys", column, "id", key.id)
    for column, row in halves.items():
        spoil(shares, "shares", column, "peer_key", row["public_key"])
    for column, row in splits.items():
        spoil(vault, "splits", column, "public_key", row["public_key"])
    for table, path, rows in (("anchors", shares, anchors), ("masters", vault, masters)):
        for column, row in rows.items():
            spoil(path, table, column, "client_id" if column != "client_id" else "id", row["client_id"] if column != "client_id"
                  else value(path, f"SELECT id FROM anchors WHERE client_id = '{row['client_id']}'"))

    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    for column, key in {**{f"keystores.{c}": k for c, k in owned.items()}, **{f"keys.{c}": k for c, k in keys.items()}}.items():
        with pytest.raises(KMSError) as refusal:
            moved(key, daemon).sign(b"m")
        assert refusal.value.status in (409, 500), f"{column}: {refusal.value}"
    assert moved(control, daemon).sign(b"m")
    listed = {entry["id"]: entry["state"] for entry in control.keystore.keys()}
    assert listed[control.id] == "enabled" and {listed[key.id] for key in keys.values()} == {"damaged"}
    shown = {entry["id"] for entry in daemon.client().keystores(limit=3)}
    # What the stamp does not bind is proved when the keystore is opened.
    assert common.id in shown and not shown & {keystores[column].id for column in ("authenticator", "stamp")}
    for column, keystore in keystores.items():
        with pytest.raises(KMSError) as refusal:
            keystore.metadata()
        assert refusal.value.status in (409, 500), column
    for column, row in {**halves, **{f"anchors.{c}": row for c, row in anchors.items()}}.items():
        assert client.sign(row, b"m" * 32).status_code in (400, 500), column
    assert client.sign(kept, b"m" * 32).status_code == 200
    whole = {row["public_key"] for row in client.keys(wallet) if not row.get("damaged")}
    assert kept["public_key"] in whole and not whole & {row["public_key"] for row in splits.values()}
    for column, row in masters.items():
        assert client.vault("POST", f"/key/{row['client_id']}").status_code in (400, 500), column
    assert wallet in {row["client_id"] for row in ok(client.vault("GET", "/wallets"))}
    assert daemon.terminate() == 0
