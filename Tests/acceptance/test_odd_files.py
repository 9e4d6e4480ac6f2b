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
def test_a_manifest_without_an_end_is_not_read(stopped):
    path = stopped.home / "manifest.json"
    with open(path, "ab") as file:
        file.truncate(8 << 30)
    for verb in (("start",), ("doctor",), ("token", "lint")):
        result = stopped.run(*verb, check=False)
        assert result.returncode == (2 if verb == ("doctor",) else 78), result.stdout + result.stderr
        assert "manifest.json" in result.stdout + result.stderr
