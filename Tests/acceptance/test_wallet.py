"""The offline wallet: secrets from files, signatures that another implementation accepts."""
import json
import os
import stat
import subprocess

import pytest

import bn254
from daemon import BINARY
from test_bn254 import VECTORS

HASH = "7a8950d472c3a5a7cf0f27019c4507275d24e0bd3a97e1dedc7d77a132d9d6d3"
MNEMONIC = next(v for v in VECTORS if v["type"] == "mnemonic" and v["passphrase"] == bn254.PASSPHRASE)


@pytest.fixture
def wallet(tmp_path):
    def run(*arguments, code=0, **more):
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **more}
        result = subprocess.run(
            [str(BINARY), "wallet", *map(str, arguments), "--output", "json"], cwd=tmp_path, env=environment, text=True,
            capture_output=True, timeout=60, stdin=subprocess.DEVNULL, start_new_session=True)
        assert result.returncode == code, result.stdout + result.stderr
        return json.loads(result.stdout)
    return run


@pytest.fixture
def mnemonic(tmp_path):
    path = tmp_path / "mnemonic.txt"
    path.touch(mode=0o600)
    path.write_text(MNEMONIC["mnemonic"] + "\n")
    return path


def test_a_mnemonic_is_its_wallet(wallet, mnemonic):
    shown = wallet("show", "--secret-file", mnemonic)
    assert shown == {"client_id": MNEMONIC["client_id"], "client_key": MNEMONIC["public_key"]}


@pytest.mark.parametrize("count", [2, 3])
def test_shares_sign_together_and_strangers_agree(wallet, mnemonic, tmp_path, count):
    split = wallet("split", "--secret-file", mnemonic, "--directory", "shares", "--count", count)
    assert split["client_id"] == MNEMONIC["client_id"] and split["client_key"] == MNEMONIC["public_key"]
    assert len(split["shares"]) == count
    secrets, partials = [], []
    for share in split["shares"]:
        path = tmp_path / share["file"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        secrets.append(bn254.secret_from_text(path.read_text().strip()))
        assert bn254.public_key(secrets[-1]) == share["public_key"]
        partials.append(wallet("sign", "--secret-file", share["file"], "--hash", HASH)["signature"])
        assert partials[-1] == bn254.sign(secrets[-1], bytes.fromhex(HASH))
    assert sum(secrets) % bn254.R == bn254.secret_from_text(MNEMONIC["secret_key"])
    key = split["client_key"]
    combined = wallet("combine", "--hash", HASH, "--public-key", key, *partials)["signature"]
    assert bn254.verify(key, bytes.fromhex(HASH), combined)
    assert combined == wallet("sign", "--secret-file", mnemonic, "--hash", HASH)["signature"]
    assert wallet("verify", "--hash", HASH, "--public-key", key, "--signature", combined) == {"valid": True}
    assert wallet("verify", "--hash", HASH, "--public-key", key, "--signature", partials[0], code=2) == {"valid": False}
    refused = wallet("combine", "--hash", "00" * 32, "--public-key", key, *partials, code=1)
    assert refused["error"]["code"] == "does-not-verify"


def test_shares_are_never_overwritten(wallet, mnemonic, tmp_path):
    (tmp_path / "shares").mkdir()
    (tmp_path / "shares" / "share-2.key").write_text("precious")
    wallet("split", "--secret-file", mnemonic, "--directory", "shares", code=1)
    assert (tmp_path / "shares" / "share-2.key").read_text() == "precious"
    assert not (tmp_path / "shares" / "share-1.key").exists(), "all shares or none"


def test_secrets_are_refused_where_others_read_them(wallet, mnemonic):
    mnemonic.chmod(0o644)
    assert "600" in wallet("show", "--secret-file", mnemonic, code=77)["error"]["message"]


def test_without_a_terminal_a_file_is_needed(wallet):
    assert "--secret-file" in wallet("show", code=64)["error"]["message"]


@pytest.mark.parametrize("content", ["", "one two three", "zz" * 32, "00" * 32, "ff" * 32, "11" * 31])
def test_bad_secrets_are_refused_without_repeating_them(wallet, tmp_path, content):
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text(content)
    error = wallet("show", "--secret-file", "secret", code=77 if not content else 64)["error"]
    assert not content or content not in error["message"]


@pytest.mark.parametrize("arguments", [
    ("--hash", "00", "--public-key", MNEMONIC["public_key"], "--signature", "00" * 32),
    ("--hash", HASH, "--public-key", "00" * 64, "--signature", "00" * 32),
    ("--hash", HASH, "--public-key", MNEMONIC["public_key"], "--signature", "00" * 32),
    ("--hash", HASH, "--public-key", MNEMONIC["public_key"], "--signature", "0" * 63)])
def test_what_is_no_signature_is_a_wrong_use(wallet, arguments):
    assert wallet("verify", *arguments, code=64)["error"]["code"] == "invalid-input"


def test_secrets_may_be_credentials_as_those_of_the_daemon(wallet, tmp_path):
    """A directory by flag, by variable or as systemd names it; the flag wins, and an empty one says nothing."""
    folder, empty = tmp_path / "credentials", tmp_path / "empty"
    for path in (folder, empty):
        path.mkdir(mode=0o755)
    for name, text in (("words", MNEMONIC["mnemonic"]), ("passphrase", MNEMONIC["passphrase"])):
        (folder / name).write_text(text)
        (folder / name).chmod(0o400)
    secret = ("--secret-file", "credential:words", "--passphrase-file", "credential:passphrase")
    expected = {"client_id": MNEMONIC["client_id"], "client_key": MNEMONIC["public_key"]}
    flag = ("--credentials-directory", folder)
    assert wallet("show", *secret, *flag) == expected
    assert wallet("show", *secret, *flag, KMS_CREDENTIALS_DIRECTORY=str(empty)) == expected
    assert wallet("show", *secret, KMS_CREDENTIALS_DIRECTORY=str(folder), CREDENTIALS_DIRECTORY=str(empty)) == expected
    assert wallet("show", *secret, KMS_CREDENTIALS_DIRECTORY="", CREDENTIALS_DIRECTORY=str(folder)) == expected
    assert "signature" in wallet("sign", *secret, *flag, "--hash", HASH)
    assert len(wallet("split", *secret, *flag, "--directory", "shares")["shares"]) == 2
    # The rules are those of the daemon too.
    assert "credentials-directory" in wallet("show", *secret, code=77)["error"]["message"]
    assert "KMS_CREDENTIALS_DIRECTORY" in wallet("show", *secret, code=78, KMS_CREDENTIALS_DIRECTORY="here")["error"]["message"]
    (folder / "words").chmod(0o444)
    assert "credentials-world-readable" in wallet("show", *secret, *flag, code=77)["error"]["message"]
    for said in ({"KMS_CREDENTIALS_WORLD_READABLE": "T"}, {}):
        more = () if said else ("--credentials-world-readable", "true")
        assert wallet("show", *secret, *flag, *more, **said) == expected
    assert "true or false" in wallet("show", *secret, *flag, code=78, KMS_CREDENTIALS_WORLD_READABLE="perhaps")["error"]["message"]


def test_a_share_for_a_server_may_be_a_credential(tmp_path):
    """What is wrong with it is told before the server is called."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o755)
    (folder / "share").write_text("AAAA")
    (folder / "share").chmod(0o444)
    result = subprocess.run(
        [str(BINARY), "keystore", "create", "--controller", "a", "--url", "http://127.0.0.1:1", "--share-user", "a",
         "--share-file", "credential:share", "--credentials-directory", str(folder)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, text=True, capture_output=True, timeout=60)
    assert result.returncode == 77 and "credentials-world-readable" in result.stderr, result.stderr
