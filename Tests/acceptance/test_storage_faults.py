"""The database damaged, swapped, full, read-only: refused or told, never a wrong key and nothing half stored."""
import itertools
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import crypto
import pytest
from daemon import Installation, eventually
from requests import RequestException
from webkms_client import Key, Keystore, KMSError


def database(installation):
    found = sorted(installation.home.glob("*.sqlite"))
    assert len(found) == 1, found
    return found[0]


def fold(path):
    """Everything in the main file, nothing in the log beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Cell:
    """One value of one row, found again by the row's primary key."""

    def __init__(self, table, column, where, value):
        self.table, self.column, self.where, self.value = table, column, where, value

    def write(self, path, value):
        condition = " AND ".join(f'"{name}" = ?' for name in self.where)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            done = connection.execute(f'UPDATE "{self.table}" SET "{self.column}" = ? WHERE {condition}',
                                      (value, *self.where.values()))
            assert done.rowcount == 1
        fold(path)


def cells(path, kinds):
    """Every value of the kinds given, in the order of tables, columns and keys."""
    found = []
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in tables:
            columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
            key = [column["name"] for column in columns if column["pk"]]
            rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
            found += [Cell(table, column["name"], {name: row[name] for name in key}, row[column["name"]])
                      for column in columns for row in rows if isinstance(row[column["name"]], kinds)]
    assert found
    return found


def first_of_each_column(found):
    return list({(cell.table, cell.column): cell for cell in reversed(found)}.values())


def changed(value):
    if isinstance(value, bytes):
        places = sorted({0, 1, len(value) // 2, len(value) - 1}) if value else []
        flips = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1:] for at in places]
        return flips + [value[:-1], value + b"\x00"]
    if isinstance(value, str):
        return [value[:-1] + ("x" if value[-1:] != "x" else "y"), ""]
    return [value + 1, 0 if value else 1, -1] if isinstance(value, int) else []


class Stored:
    """Two keystores with keys whose right answers are known, and the database as it was then."""

    def __init__(self, installation):
        self.installation = installation
        daemon = installation.start()
        client = daemon.client()
        first, second = client.create_keystore("did:example:a"), client.create_keystore("did:example:b")
        self.privates, self.keys = {}, []
        for keystore, name in ((first, "one"), (first, "two"), (second, "one"), (second, "three")):
            private = crypto.make_private("ED25519")
            key = keystore.import_key(crypto.pkcs8(private), "ED25519", name)
            key.expected = private.sign(b"m")
            self.keys.append(key)
        aead = first.create("AES256GCM")
        self.aead, self.sealed = aead, aead.encrypt(b"plain", b"aad")
        assert daemon.terminate() == 0
        self.path = database(installation)
        fold(self.path)
        self.original = self.path.read_bytes()

    def reset(self):
        for name in self.path.parent.glob(self.path.name + "*"):
            name.unlink()
        self.path.write_bytes(self.original)
        self.path.chmod(0o600)

    def answers(self):
        """For each key: True if it gives the right answer, False if it refuses. A wrong answer fails the test."""
        daemon = self.installation.start(ready=False)
        try:
            eventually(lambda: not daemon.is_running() or settled(daemon), 30, "an answer of /readyz")
            if not daemon.is_running():
                assert daemon.process.returncode in (1, 69, 78), daemon.log()
                return None
            client, outcome = daemon.client(), []
            for key in self.keys:
                try:
                    assert Key(Keystore(client, key.keystore.url), key.url, key.type).sign(b"m") == key.expected
                    outcome.append(True)
                except KMSError as error:
                    assert error.status in (400, 404, 409, 500, 503), error
                    outcome.append(False)
            aead = Key(Keystore(client, self.aead.keystore.url), self.aead.url, self.aead.type)
            try:
                assert aead.decrypt(*self.sealed, b"aad") == b"plain"
                outcome.append(True)
            except KMSError as error:
                assert error.status in (400, 404, 409, 500, 503), error
                outcome.append(False)
            assert daemon.terminate() == 0
            return outcome
        finally:
            daemon.kill()


def settled(daemon):
    """Ready, or unready for another reason than a token that is just being connected and asked about the audit chain."""
    found = daemon.readiness()
    return found and (found[0] == 200 or all(
        problem["code"] != "starting" and problem["component"] != "audit" for problem in found[1]["problems"]))


@pytest.fixture
def stored(own):
    return Stored(own)


def test_every_stored_secret_value_is_authenticated(stored):
    """A value of each binary column: a bit flipped, cut, lengthened. Its keys refuse, the others go on."""
    for cell in first_of_each_column(cells(stored.path, bytes)):
        if cell.table == "keystore_makers":
            continue  # how many somebody made: who can write to the file can have more of them, and that is all
        name = f"{cell.table}.{cell.column}"
        for variant in changed(cell.value):
            stored.reset()
            cell.write(stored.path, variant)
            outcome = stored.answers()
            assert outcome is not None, f"one damaged {name} keeps the daemon from starting"
            assert any(outcome), f"one damaged {name} took every key away ({cell.value!r} to {variant!r})"
            assert not all(outcome), f"a changed {name} was not noticed ({cell.value!r} to {variant!r})"


def test_changed_plain_columns_never_give_a_wrong_answer(stored):
    """Types, states, ids, versions, owners: whatever is edited, an answer is right or there is none."""
    tried = 0
    for cell in first_of_each_column(cells(stored.path, (str, int))):
        if cell.table == "epoch":
            continue  # the audit chain remembers a number that was ever higher, see test_rolled_back.py
        for variant in changed(cell.value):
            stored.reset()
            try:
                cell.write(stored.path, variant)
            except sqlite3.IntegrityError:
                continue
            assert stored.answers() is not None, f"an edited {cell.table}.{cell.column} keeps the daemon from starting"
            tried += 1
    assert tried > 10


def test_swapped_rows_do_not_open(stored):
    """The sealed bytes of two rows exchanged, within a keystore and across two: no key opens as another."""
    swaps = 0
    for column in first_of_each_column(cells(stored.path, bytes)):
        place = (column.table, column.column)
        alike = [cell for cell in cells(stored.path, bytes) if (cell.table, cell.column) == place]
        for one, other in list(itertools.combinations(alike, 2))[:4]:
            stored.reset()
            one.write(stored.path, other.value)
            other.write(stored.path, one.value)
            outcome = stored.answers()
            assert outcome is not None and not all(outcome), f"swapped {one.table}.{one.column} still opens"
            swaps += 1
    assert swaps > 8


def test_a_file_that_is_no_database_is_refused(stored):
    stored.reset()
    stored.path.write_bytes(b"this is not a database" * 1000)
    assert stored.answers() is None or not any(stored.answers())


def test_cut_database_gives_no_wrong_answer(stored):
    for part in (0.25, 0.5, 0.9):
        stored.reset()
        stored.path.write_bytes(stored.original[: int(len(stored.original) * part)])
        stored.answers()


def test_files_are_private(stored):
    for path in stored.path.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} has mode {path.stat().st_mode & 0o777:o}"


# Storage that takes no more writes.

@contextmanager
def mounted(path, size="16m"):
    """A small file system of its own, or None where mounting is not allowed."""
    path.mkdir(mode=0o700)
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={size},mode=0700,uid={os.geteuid()}"
    mount = subprocess.run([*prefix, "mount", "-t", "tmpfs", "-o", options, "kmsd-test", path], capture_output=True)
    try:
        yield None if mount.returncode else lambda how: subprocess.run(
            [*prefix, "mount", "-o", f"remount,{how}", path], check=True, capture_output=True)
    finally:
        if mount.returncode == 0:
            subprocess.run([*prefix, "umount", "-l", path], check=True, capture_output=True)


def fails_and_recovers(daemon, break_it, mend_it):
    client = daemon.client()
    keystore = client.create_keystore()
    key = keystore.create("ED25519")
    break_it()
    made = []
    try:
        with pytest.raises(KMSError) as refusal:
            for _ in range(2000):
                made.append(keystore.create("ED25519").id)
        assert refusal.value.status == 503, refusal.value
        key.sign(b"m")
        with pytest.raises(KMSError):
            keystore.import_key(crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "half")
        # The audit chain may say so first.
        eventually(lambda: "store" in {problem["component"] for problem in (daemon.readiness() or (0, {}))[1].get(
            "problems", [])}, 10, "the store's problem on /readyz")
    finally:
        mend_it()
    daemon.wait_for_readiness(200, 15)
    listed = {entry["id"] for entry in keystore.keys(limit=1000)}
    assert set(made) | {key.id} <= listed and "half" not in listed
    assert len(listed) <= len(made) + 3
    keystore.create("ED25519").sign(b"m")
    for name in listed:
        keystore.key(name, "ED25519").sign(b"m")


def test_full_disk(tmp_path):
    with mounted(tmp_path / "home") as remount:
        # A use that cannot be recorded is refused; here uses are not recorded, so that they go on.
        installation = Installation(tmp_path / "home", KMS_AUDIT_USES="off").init()
        daemon = installation.start()
        ballast = tmp_path / "home" / "ballast"

        def fill():
            if remount is None:
                return daemon.limit_file_size(4096)
            with open(ballast, "wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)) == 4096:
                        pass
                except OSError:
                    pass

        def free():
            daemon.limit_file_size(None) if remount is None else ballast.unlink()

        try:
            fails_and_recovers(daemon, fill, free)
            assert daemon.terminate() == 0
            installation.start().terminate()
        finally:
            installation.end()


def test_writes_that_fail(own):
    """The kernel refuses every write beyond the first page."""
    daemon = own.start(KMS_AUDIT_USES="off")
    fails_and_recovers(daemon, lambda: daemon.limit_file_size(4096), lambda: daemon.limit_file_size(None))


def test_read_only_directory(tmp_path):
    """Read-only from the start: the daemon ends with a reason or says it on /readyz, and makes nothing."""
    with mounted(tmp_path / "home") as remount:
        installation = Installation(tmp_path / "home").init()
        try:
            installation.start().terminate()
            if remount is None:
                installation.home.chmod(0o500)
            else:
                remount("ro")
            daemon = installation.start(ready=False)
            eventually(lambda: not daemon.is_running() or daemon.readiness(), 30, "an answer of /readyz")
            if daemon.is_running():
                if os.geteuid() != 0 or remount is not None:
                    with pytest.raises(KMSError) as refusal:
                        daemon.client().create_keystore()
                    assert refusal.value.status == 503 and daemon.readiness()[0] == 503
            else:
                assert daemon.process.returncode in (1, 69, 77, 78) and daemon.log().strip()
        finally:
            installation.home.chmod(0o700) if remount is None else remount("rw")
            installation.end()


def test_old_copy_of_the_database_beside_a_new_token_is_refused(own, tmp_path):
    """Keys sealed by one token do not open under another, however the files are put together."""
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    daemon.terminate()
    fold(database(own))
    other = Installation(tmp_path / "other").init()
    try:
        other.start().terminate()
        for path in other.home.glob("*.sqlite*"):
            path.unlink()
        shutil.copy2(database(own), other.home / database(own).name)
        daemon = other.start(ready=False)
        eventually(lambda: not daemon.is_running() or daemon.readiness(), 30, "an answer of /readyz")
        if daemon.is_running():
            with pytest.raises((KMSError, RequestException)) as refusal:
                Key(Keystore(daemon.client(), key.keystore.url), key.url, key.type).sign(b"m")
            assert refusal.value.status in (409, 500, 503)
    finally:
        other.end()
