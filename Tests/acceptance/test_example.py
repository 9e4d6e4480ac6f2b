"""The example of the README's reader: a wallet's whole journey by curl-level calls."""
import os
import subprocess
import sys

import pytest

from daemon import ROOT, Installation
from test_wallet import MNEMONIC


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    home = tmp_path_factory.mktemp("example") / "home"
    installation = Installation(home)
    secret = home / "jwt.secret"
    secret.touch(mode=0o600)
    secret.write_text("the example's secret of HS256 tokens")
    installation.settings["KMS_JWT_SECRET_FILE"] = str(secret)
    try:
        installation.init().start()
        yield installation
    finally:
        installation.end()


def journey(service, tmp_path, *arguments, user="alice"):
    token = tmp_path / "jwt"
    token.write_text(service.run("dev", "jwt", "--user", user).stdout)
    return subprocess.run(
        [sys.executable, "-B", str(ROOT / "examples" / "split_wallet.py"), "--url", service.daemons[0].base,
         "--jwt-file", str(token), *map(str, arguments)],
        env={"PATH": os.environ["PATH"]}, text=True, capture_output=True, timeout=120)


def test_a_generated_wallet(service, tmp_path):
    result = journey(service, tmp_path)
    assert result.returncode == 0 and result.stdout.endswith("ok\n"), result.stdout + result.stderr
    for word in ("curl", "/zvault/wallet", "/zauth/sign/msg", "/zauth/sign/txn", "/zvault/revoke/"):
        assert word in result.stdout


def test_a_stored_wallet_whose_secrets_are_not_shown(service, tmp_path):
    words = tmp_path / "words"
    words.write_text(MNEMONIC["mnemonic"])
    result = journey(service, tmp_path, "--mnemonic-file", words, user="bob")
    assert result.returncode == 0, result.stdout + result.stderr
    assert MNEMONIC["client_id"] in result.stdout
    for secret in (MNEMONIC["secret_key"], MNEMONIC["mnemonic"], (tmp_path / "jwt").read_text().strip()):
        assert secret not in result.stdout


def test_what_goes_wrong_is_said(service, tmp_path):
    token = tmp_path / "jwt"
    token.write_text("no.real.token")
    result = subprocess.run(
        [sys.executable, "-B", str(ROOT / "examples" / "split_wallet.py"), "--url", service.daemons[0].base,
         "--jwt-file", str(token)], text=True, capture_output=True, timeout=60)
    assert result.returncode == 1 and "refused: 401" in result.stderr
