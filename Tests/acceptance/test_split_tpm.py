"""Wallets whose infrastructure share is a key of a TPM, judged by another implementation of the curve."""
import secrets

import bn254
import bnp256
import pytest
from daemon import Installation, eventually
from softtoken import SoftToken
from softtpm import SoftTPM
from split_client import SplitClient, ok, refused
from test_split_hardware import copy_stores
from test_split_keys import SECRET, with_secret

SUITE = {"suite": "bls-tpm-bn256"}


@pytest.fixture
def home(tmp_path):
    installation = with_secret(Installation(tmp_path / "home", token=SoftTPM)).init()
    yield installation
    installation.end()
    installation.token.end()


def half(row, payload, purpose="msg"):
    return bnp256.sign(bnp256.secret_from_text(row["private_key"]), bnp256.split_message(purpose, payload))


def sign(client, row, payload, signature=None):
    body = {"hash": payload.hex(), "signature": signature or half(row, payload), "client_id": row["client_id"]}
    return client.auth("POST", "/sign/msg", body, key=row["public_key"])


def signs(client, row):
    payload = secrets.token_bytes(32)
    signature = ok(sign(client, row, payload))["sig"]
    message = bnp256.split_message("msg", payload)
    assert len(signature) == 66 and bnp256.verify(row["client_key"], message, signature)
    return payload, signature


def test_setup_sign_restart_revoke(home):
    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    wallet = ok(client.vault("POST", "/wallet", SUITE))
    assert wallet["suite"] == "bls-tpm-bn256" and wallet["protection"] == "anchored"
    assert wallet["client_id"] == bnp256.client_id(wallet["client_key"])
    rows = [client.split(wallet["client_id"]) for _ in range(2)]
    for row in rows:
        assert row["suite"] == "bls-tpm-bn256" and row["protection"] == "anchored"
        assert bnp256.public_key(bnp256.secret_from_text(row["private_key"])) == row["public_key"]
        assert bnp256.add_public_keys(row["public_key"], row["peer_public_key"]) == wallet["client_key"]
        signs(client, row)
    # One wallet's key signs one message in one way, whichever split key asks.
    payload, signature = signs(client, rows[0])
    assert ok(sign(client, rows[1], payload))["sig"] == signature
    # A signature for another purpose is no signature.
    assert not bnp256.verify(wallet["client_key"], bnp256.split_message("txn", payload), signature)

    assert daemon.terminate() == 0
    client = SplitClient(home.start().base, SECRET)
    for row in rows:
        signs(client, row)
    ok(client.vault("POST", f"/revoke/{wallet['client_id']}?public_key={rows[0]['public_key']}"))
    refused(sign(client, rows[0], payload), 400, "revoked")
    signs(client, rows[1])
    ok(client.vault("POST", f"/delete/{wallet['client_id']}"))
    assert sign(client, rows[1], payload).status_code != 200


def test_transactions_are_signed_for_their_purpose(home):
    client = SplitClient(home.start().base, SECRET)
    row = client.split(ok(client.vault("POST", "/wallet", SUITE))["client_id"], restrictions=["token_transfers"])
    # The client signs with its own curve; only the hash of it is used.
    body = client.transaction(row | {"private_key": bn254.secret_to_text(1)}, '{"name":"transfer","input":{}}', receiver="11" * 32,
                              value=5)
    digest = bytes.fromhex(body["hash"])
    right, wrong = ({**body, "signature": half(row, digest, purpose)} for purpose in ("txn", "msg"))
    refused(client.auth("POST", "/sign/txn", wrong, key=row["public_key"]), 400)
    signature = ok(client.auth("POST", "/sign/txn", right, key=row["public_key"]))
    assert bnp256.verify(row["client_key"], bnp256.split_message("txn", digest), signature)


def test_bad_halves_are_refused_and_release_nothing(home):
    client = SplitClient(home.start().base, SECRET)
    wallet = ok(client.vault("POST", "/wallet", SUITE))["client_id"]
    row, other = client.split(wallet), client.split(wallet)
    payload = secrets.token_bytes(32)
    right = half(row, payload)
    x = next(x for x in range(1, 100) if bnp256.root_mod_p(x**3 + 3) is None)
    for wrong in (half(other, payload), half(row, secrets.token_bytes(32)), "00" * 33, f"02{x:064x}",
                  f"02{bnp256.P:064x}", "04" + right[2:], right[:-2], right + "00", "g" * 66,
                  ("03" if right.startswith("02") else "02") + right[2:]):
        refused(sign(client, row, payload, wrong), 400)
    # A share of another curve is not one of this.
    refused(sign(client, row, payload, bn254.sign(bn254.random_secret(), payload)), 400)
    # A key outside the subgroup names nothing.
    y, real = None, 0
    while y is None:
        real += 1
        x2 = bnp256.F2(real, 1)
        y = (x2 * x2 * x2 + bnp256.B2).root()
    outside = bnp256.g2_to_text((x2, y))
    body = {"client_id": bnp256.client_id(outside), "client_key": outside, "public_key": outside,
            "peer_public_key": outside, "private_key": bnp256.secret_to_text(1)}
    refused(client.auth("POST", "/setup", body, token=True), 400, "subgroup")
    signs(client, row)


def test_an_existing_key_is_taken_in(home):
    client = SplitClient(home.start().base, SECRET)
    secret = bnp256.random_secret()
    wallet = client.store(bnp256.secret_to_text(secret), **SUITE)
    assert wallet["client_key"] == bnp256.public_key(secret) and wallet["protection"] == "anchored"
    row = client.split(wallet["client_id"])
    payload, signature = signs(client, row)
    assert signature == bnp256.sign(secret, bnp256.split_message("msg", payload))
    for wrong in (0, bnp256.R, 2**256 - 1):
        refused(client.vault("POST", "/store", {"private_key": wrong.to_bytes(32, "big").hex(), **SUITE}), 400)


def test_0chains_wallets_are_sealed_on_a_tpm_and_say_so(home):
    client = SplitClient(home.start().base, SECRET)
    wallet = client.wallet()
    assert wallet["suite"] == "bls0chain" and wallet["protection"] == "sealed"
    row = client.split(wallet["client_id"])
    payload = secrets.token_bytes(32)
    assert bn254.verify(row["client_key"], payload, ok(client.sign(row, payload))["sig"])
    refused(client.vault("POST", f"/key/{wallet['client_id']}", SUITE), 400, "suite")


def test_the_share_is_bound_to_its_tpm(home, tmp_path):
    daemon = home.start()
    client = SplitClient(daemon.base, SECRET)
    row = client.split(ok(client.vault("POST", "/wallet", SUITE))["client_id"])
    signs(client, row)
    # Killed and back, without a restart of the daemon.
    home.token.kill()
    refused(sign(client, row, secrets.token_bytes(32)), 503)
    home.token.start()
    daemon.wait_until_ready()
    eventually(lambda: sign(client, row, secrets.token_bytes(32)).status_code == 200, 30, "a signature")
    assert daemon.terminate() == 0
    # The stores on another machine sign nothing.
    thief = with_secret(Installation(tmp_path / "thief", token=SoftTPM)).init()
    try:
        copy_stores(home.home, thief.home)
        daemon = thief.start(ready=False)
        eventually(lambda: "altered-database" in str(daemon.readiness()), 30, "the foreign databases on /readyz")
        assert sign(SplitClient(daemon.base, SECRET), row, secrets.token_bytes(32)).status_code == 503
    finally:
        thief.end()
        thief.token.end()
    signs(SplitClient(home.start().base, SECRET), row)


def test_other_tokens_refuse_the_suite(tmp_path):
    installation = with_secret(Installation(tmp_path / "home", token=SoftToken)).init()
    try:
        client = SplitClient(installation.start().base, SECRET)
        refused(client.vault("POST", "/wallet", SUITE), 501, "TPM")
        refused(client.vault("POST", "/store", {"private_key": bnp256.secret_to_text(7), **SUITE}), 501, "TPM")
        assert ok(client.vault("GET", "/wallets")) == []
    finally:
        installation.end()


def test_nothing_duplicates_the_share(home, tmp_path):
    """Seen by a stranger beside the daemon: it multiplies, it does not sign, and no policy lets it out."""
    client = SplitClient(home.start().base, SECRET)
    row = client.split(ok(client.vault("POST", "/wallet", SUITE))["client_id"])
    signs(client, row)
    tool = home.token.tool
    handles = [line.strip("- ") for line in tool("tpm2_getcap", "handles-transient").stdout.split() if "0x" in line]
    shares = [(handle, shown) for handle in handles
              if "0x10\n" in (shown := tool("tpm2_readpublic", "-c", handle).stdout).split("curve-id:")[-1]]
    assert len(shares) == 1, handles
    handle, shown = shares[0]
    attributes = next(line for line in shown.splitlines() if "|" in line).split(":")[1].strip().split("|")
    assert set(attributes) == {"userwithauth", "noda", "decrypt"}
    session = tmp_path / "session"
    tool("tpm2_startauthsession", "--policy-session", "-S", str(session))
    tool("tpm2_policycommandcode", "-S", str(session), "TPM2_CC_Duplicate")
    for authorization in ([], ["-p", f"session:{session}"]):
        refusal = tool("tpm2_duplicate", "-c", handle, "-C", "null", "-G", "null", "-r", str(tmp_path / "private"),
                       "-s", str(tmp_path / "seed"), *authorization, check=False)
        assert refusal.returncode != 0 and not (tmp_path / "private").exists(), refusal
    tool("tpm2_flushcontext", str(session))
    signs(client, row)


def test_shares_follow_the_state_of_the_machine(tmp_path):
    bound = with_secret(
        Installation(tmp_path / "home", token=lambda home: SoftTPM(home, attributes="&pcrs=sha256:7,12"))).init()
    try:
        client = SplitClient(bound.start().base, SECRET)
        row = client.split(ok(client.vault("POST", "/wallet", SUITE))["client_id"])
        signs(client, row)
        bound.token.tool("tpm2_pcrextend", f"12:sha256={'11' * 32}")
        refused(sign(client, row, secrets.token_bytes(32)), 503)
        bound.token.kill()
        bound.token.start()
        eventually(lambda: sign(client, row, bytes(32)).status_code == 200, 30, "signatures in the approved state")
        signs(client, row)
    finally:
        bound.end()
        bound.token.end()
