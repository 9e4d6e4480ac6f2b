"""The offline wallet with keys on the TPM's curve: shares sign together, and with a server's half that a TPM holds."""
import secrets

import bn254
import bnp256
import pytest
from softtoken import write_private
from test_wallet import HASH, wallet  # noqa: F401

SUITE = ("--suite", "bls-tpm-bn256")


@pytest.mark.parametrize("purpose", ["msg", "txn"])
def test_shares_sign_together_and_strangers_agree(wallet, tmp_path, purpose):  # noqa: F811
    secret = bnp256.random_secret()
    path = tmp_path / "wallet.key"
    write_private(path, bnp256.secret_to_text(secret))
    key = bnp256.public_key(secret)
    shown = wallet("show", "--secret-file", path, *SUITE)
    assert shown == {"client_id": bnp256.client_id(key), "client_key": key}
    split = wallet("split", "--secret-file", path, "--directory", "shares", "--count", 3, *SUITE)
    message = bnp256.split_message(purpose, bytes.fromhex(HASH))
    partials, scalars = [], []
    for share in split["shares"]:
        scalars.append(bnp256.secret_from_text((tmp_path / share["file"]).read_text().strip()))
        assert bnp256.public_key(scalars[-1]) == share["public_key"]
        partials.append(wallet("sign", "--secret-file", share["file"], "--hash", HASH, "--purpose", purpose,
                               *SUITE)["signature"])
        assert partials[-1] == bnp256.sign(scalars[-1], message)
    assert sum(scalars) % bnp256.R == secret
    common = ("--hash", HASH, "--public-key", key, "--purpose", purpose, *SUITE)
    combined = wallet("combine", *common, *partials)["signature"]
    assert combined == bnp256.sign(secret, message)
    assert wallet("verify", *common, "--signature", combined) == {"valid": True}
    assert wallet("verify", *common, "--signature", partials[0], code=2) == {"valid": False}
    other = [item if item != purpose else {"msg": "txn", "txn": "msg"}[purpose] for item in common]
    assert wallet("verify", *other, "--signature", combined, code=2) == {"valid": False}
    assert wallet("combine", *common, *partials[:2], code=1)["error"]["code"] == "does-not-verify"


def test_keys_and_signatures_of_another_suite_are_refused(wallet, tmp_path):  # noqa: F811
    path = tmp_path / "wallet.key"
    write_private(path, "ff" * 32)
    assert wallet("show", "--secret-file", path, *SUITE, code=64)["error"]["code"] == "invalid-input"
    path.unlink()
    write_private(path, " ".join(["abandon"] * 12))
    assert "hexadecimal" in wallet("show", "--secret-file", path, *SUITE, code=64)["error"]["message"]
    key = bnp256.public_key(bnp256.random_secret())
    signature = bn254.sign(bn254.random_secret(), secrets.token_bytes(32))
    wallet("verify", "--hash", HASH, "--public-key", key, "--signature", signature, *SUITE, code=64)
    wallet("verify", "--hash", HASH, "--public-key", key, "--signature", signature, code=64)
