"""What is not a file in the place of one of the daemon's: nobody waits for it, and it is named."""
import os
import shutil

import pytest

KINDS = {
    "pipe": lambda path: os.mkfifo(path, 0o600),
    "directory": lambda path: path.mkdir(mode=0o700),
    "dangling link": lambda path: path.symlink_to("/nonexistent/file"),
}


@pytest.fixture
def stopped(own):
    daemon = own.start()
    daemon.client().create_keystore()
    assert daemon.terminate() == 0
    return own


# Once is enough: no token has a part in it.
@pytest.mark.pkcs11
@pytest.mark.parametrize("name", ["manifest.json", "kmsd.sqlite", "audit.db", "kmsd.sqlite-journal"])
def test_what_is_no_file_is_named_and_keeps_nobody_waiting(stopped, name):
    path = stopped.home / name
    kept = path.read_bytes() if path.exists() else None
    for kind, make in KINDS.items():
        path.unlink(missing_ok=True)
        make(path)
        said = stopped.refuses_to_start(codes=(69, 77, 78))
        assert name in said, f"{kind}: {said}"
        report = stopped.run("doctor", check=False)
        assert report.returncode == 2 and name in report.stdout, f"{kind}: {report.stdout}"
        if name == "audit.db":
            for verb in ("verify", "tail", "export"):
                assert stopped.run("audit", verb, check=False).returncode == 69, kind
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    if kept is not None:
        path.write_bytes(kept)
        path.chmod(0o600)
    stopped.start()


@pytest.mark.pkcs11
def test_a_list_of_slots_that_is_no_file_keeps_nobody_waiting(own):
    for name, verb in (("slots.json", ("slot", "list")), ("recipient.json", ("slot", "recipient"))):
        for kind, make in KINDS.items():
            path = own.home / name
            make(path)
            result = own.run(*verb, check=False)
            assert result.returncode == 78 and name in result.stderr, (kind, result.stderr)
            if name == "slots.json":
                assert name in own.refuses_to_start(codes=(78,)), kind
            path.rmdir() if kind == "directory" else path.unlink()


@pytest.mark.pkcs11
def test_a_chain_of_zeros_without_an_end_is_refused_at_once(stopped):
    """It was taken for an export of one line, and read whole into memory, without a word."""
    path = stopped.home / "audit.db"
    for begins, code in ((b"", 69), (b"{", 2)):
        path.write_bytes(begins)
        with open(path, "ab") as file:
            file.truncate(3 << 30)
        assert "audit.db" in stopped.refuses_to_start(codes=(69, 78))
        report = stopped.run("doctor", check=False, timeout=60)
        assert report.returncode == 2 and "audit.db" in report.stdout, report.stdout
        # An export is read whole, and this one has no line.
        os.truncate(path, 4 << 20)
        assert stopped.run("audit", "verify", check=False, timeout=60).returncode == code


@pytest.mark.pkcs11
def test_a_manifest_without_an_end_is_not_read(stopped):
    path = stopped.home / "manifest.json"
    with open(path, "ab") as file:
        file.truncate(8 << 30)
    for verb in (("start",), ("doctor",), ("token", "lint")):
        result = stopped.run(*verb, check=False)
        assert result.returncode == (2 if verb == ("doctor",) else 78), result.stdout + result.stderr
        assert "manifest.json" in result.stdout + result.stderr
