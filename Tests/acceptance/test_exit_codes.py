"""The table of exit codes in docs/operator.md, each row produced with each of its verbs."""
import contextlib
import os
import re
import socket
import sqlite3
from pathlib import Path

import pytest
from daemon import ROOT, free_port
from test_certificates import KEYS, certificate, private
from test_limits import without_the_right_to_lock

DOCUMENT = ROOT / "docs" / "operator.md"
ROW = re.compile(r"^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \| (\d+) \|$", re.MULTILINE)
CASES = [(name, verb, int(code)) for name, verbs, code in ROW.findall(DOCUMENT.read_text())
         for verb in re.findall(r"`([^`]+)`", verbs)]


class Faults:
    """By case: what makes it, as settings; or as arguments behind the verb and settings."""

    def __init__(self, own, folder):
        self.own, self.folder = own, folder

    def file(self, name, content, mode=0o600):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(mode)
        return str(path)

    def configuration(self, text="log-level: info\n", mode=0o600):
        return {"KMS_CONFIG": self.file("kmsd.yaml", text.encode(), mode)}

    def link(self, path):
        link = self.folder / "link"
        link.symlink_to(path)
        return str(link)

    def pin(self, path):
        return {"KMS_TOKEN_URI": self.own.token.uri().replace(str(self.own.token.pin_file), str(path))}

    def secret(self, path):
        return {"KMS_ADMIN_GUARD": "jwt", "KMS_JWT_SECRET_FILE": str(path)}

    def lock(self, path):
        return {"KMS_SECRET_LOCK_TYPE": "local", "KMS_SECRET_LOCK_KEY_PATH": path}

    def tls(self, mode=0o600, other=False):
        key = KEYS["P-256"]()
        shown = KEYS["P-256"]() if other else key
        return {"KMS_TLS_SERVE_CERT": self.file("tls.crt", certificate(shown)),
                "KMS_TLS_SERVE_KEY": self.file("tls.key", private(key), mode)}

    unknown_flag = ("--nobody-knows", "this")
    unknown_verb = ()
    unreadable_operand = ("/nonexistent/file",)
    unreadable_chain = ("--file", "/nonexistent/chain")

    def unknown_variable(self):
        return {"KMS_LOCK_TLL": "1m"}

    def bad_value(self):
        return {"KMS_LOCK_TTL": "soon"}

    def unknown_key(self):
        return self.configuration("lock-tll: 1m\n")

    def no_configuration_file(self):
        return {"KMS_CONFIG": "/nonexistent/kmsd.yaml"}

    def open_configuration_file(self):
        return self.configuration(mode=0o666)

    def linked_configuration_file(self):
        return {"KMS_CONFIG": self.link(self.configuration()["KMS_CONFIG"])}

    def no_token(self):
        return {"KMS_TOKEN_URI": None}

    def no_home(self):
        return {"KMSD_HOME": str(self.folder / "nowhere")}

    def open_home(self):
        self.own.home.chmod(0o755)
        return {}

    def busy_home(self):
        self.own.start()
        return {}

    def no_pin(self):
        return self.pin("/nonexistent/pin")

    def open_pin(self):
        return self.pin(self.file("pin", b"123456", 0o644))

    def linked_pin(self):
        return self.pin(self.link(self.own.token.pin_file))

    def short_pin(self):
        return self.pin(self.file("pin", b"1"))

    def no_module_initialisation(self):
        return {"KMS_TOKEN_MODULE_INIT_FILE": "/nonexistent/file"}

    def open_module_initialisation(self):
        return {"KMS_TOKEN_MODULE_INIT_FILE": self.file("nss.init", b"configdir=/x", 0o644)}

    def no_secret(self):
        return self.secret("/nonexistent/secret")

    def open_secret(self):
        return self.secret(self.file("secret", os.urandom(32), 0o644))

    def short_secret(self):
        return self.secret(self.file("secret", b"short"))

    def open_lock_key(self):
        return self.lock(self.file("lock.key", bytes(range(200, 232)), 0o644))

    def bad_lock_key(self):
        return self.lock(self.file("lock.key", b"short"))

    def open_tls_key(self):
        return self.tls(0o644)

    def wrong_tls_key(self):
        return self.tls(other=True)

    def no_tls_certificate(self):
        return {**self.tls(), "KMS_TLS_SERVE_CERT": "/nonexistent/tls.crt"}

    def odd_tls_certificate(self):
        return {**self.tls(), "KMS_TLS_SERVE_CERT": self.file("odd.crt", b"hello")}

    def odd_tls_authority(self):
        return {"KMS_TLS_CACERTS": self.file("odd.crt", b"hello")}

    def odd_url(self):
        return {"KMS_BASE_URL": "https://user@kms.example"}

    def little_lockable_memory(self):
        return {**self.secret(self.file("secret", os.urandom(32))), "memlock": 65536}

    def no_lockable_memory(self):
        return {**self.secret(self.file("secret", os.urandom(32))), "memlock": 0}

    def no_server(self):
        return {"KMS_CLI_URL": f"http://127.0.0.1:{free_port()}"}

    def no_server_named(self):
        return {"KMS_CLI_URL": ""}

    def second_init(self):
        return {}

    def databases(self, change):
        """Both, after a start that made them."""
        assert self.own.start().terminate() == 0
        for name in ("kmsd.sqlite", "audit.db"):
            change(self.own.home / name)
        return {}

    def damaged_database(self):
        return self.databases(lambda path: path.write_bytes(b"this is not a database" * 1000))

    def cut_database(self):
        return self.databases(lambda path: path.write_bytes(path.read_bytes()[:6000]))

    def newer_database(self):
        return self.databases(lambda path: self.edit(path, "PRAGMA user_version = 99"))

    def changed_database(self):
        return self.databases(lambda path: self.edit(path, "CREATE TABLE more (id INTEGER)"))

    def open_database(self):
        return self.databases(lambda path: path.chmod(0o644))

    def linked_database(self):
        def link(path):
            path.rename(self.folder / path.name)
            path.symlink_to(self.folder / path.name)

        return self.databases(link)

    @staticmethod
    def edit(path, statement):
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute(statement)
            db.commit()

    def refused_server(self):
        return {"KMS_ADMIN_GUARD": "jwt", "KMS_JWT_JWKS_URL": f"http://127.0.0.1:{free_port()}/keys"}


# What a verb needs beside the fault.
OPERANDS = {
    "keystore create": ("--controller", "did:example:me"), "key create": ("--keystore", "a", "--type", "ED25519"),
    "dev jwt": ("--user", "me")}


def test_every_row_is_produced_and_every_code_is_explained():
    text = DOCUMENT.read_text()
    table = text.partition("## Exit codes")[2]
    assert len(re.findall(r"^\| `", table, re.MULTILINE)) == len(ROW.findall(text)) > 20
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert {code for _, _, code in CASES} <= explained
    source = (ROOT / "Sources/KMSDaemon/Errors/ExitStatus.swift").read_text()
    assert explained == {int(code) for code in re.findall(r"case \w+ = (\d+)", source)}
    unit = (ROOT / "config/kmsd.service").read_text()
    assert {"64", "77", "78"} == set(re.search(r"RestartPreventExitStatus=(.*)", unit)[1].split())


@pytest.mark.parametrize("name,verb,code", CASES)
def test_a_refusal_has_the_code_of_the_table(own, tmp_path, name, verb, code):
    with contextlib.ExitStack() as stack:
        settings = {}
        if name == "busy-port":
            taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            settings["KMS_HOST"] = f"127.0.0.1:{taken.getsockname()[1]}"
            fault = ()
        else:
            fault = getattr(Faults(own, tmp_path), name.replace("-", "_"))
            fault = fault if isinstance(fault, tuple) else fault()
        arguments = fault if isinstance(fault, tuple) else ()
        settings |= fault if isinstance(fault, dict) else {}
        settings.setdefault("KMS_HOST", f"127.0.0.1:{free_port()}")
        if "/nonexistent/file" in arguments and verb == "receipt verify":
            arguments = ("--key", "/nonexistent/key", *arguments)
        if name == "unreadable-operand" and verb == "import trustbloc":
            arguments = ("--lock-key-file", Faults(own, tmp_path).file("lock", b"1" * 32), *arguments)
        operands = OPERANDS.get(verb, ())
        if verb == "wallet show":
            operands = ("--secret-file", Faults(own, tmp_path).file("wallet", b"1" * 64))
        limit = settings.pop("memlock", None)
        prefix = () if limit is None else without_the_right_to_lock(limit)
        try:
            result = own.run(*verb.split(), *operands, *arguments, check=False, prefix=prefix, **settings)
        finally:
            own.home.chmod(0o700)
        assert result.returncode == code, result.stdout + result.stderr
        assert result.stderr.strip() and "Fatal" not in result.stderr
        if name.startswith("unreadable-"):
            assert "No such file" in result.stderr
        # What is refused says what is wrong with what: a flag, a setting, a file or a place.
        assert any(word in result.stderr for word in ("-", "'", "KMS_", "/")), result.stderr


def test_the_examination_ends_with_2_for_what_ends_others(own, tmp_path):
    faults = Faults(own, tmp_path)
    for fault in (faults.bad_value, faults.open_configuration_file, faults.no_pin, faults.wrong_tls_key,
                  faults.odd_tls_certificate, faults.odd_tls_authority, faults.odd_url):
        result = own.run("doctor", check=False, **fault())
        assert result.returncode == 2, result.stdout
    assert Path(own.home).stat().st_mode & 0o777 == 0o700
