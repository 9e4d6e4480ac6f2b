"""The acceptance list of the split-key specification, §10, with a curve of our own."""
import concurrent.futures
import secrets
import threading
import time

import bn254
import pytest
from daemon import Installation, eventually
from split_client import SplitClient, ok, refused
from tokens import claims, hs256

SECRET = b"an HS256 secret of the tests, long enough"

# Vector src-zauth-01: the key of 0Chain's own API tests.
OFFICIAL = {
    "client_id": "03df8919e4d76f6ffa9e23c388576f0baa02360d6e903a84d69689e0b2b5a28c",
    "client_key": "ff132aaf4eeb517478c7bdd19ba887dbd909c4527b78ac989f723e5b5c349f03"
                  "dc5a737071040edd5ba7a593e12264d895ad9cace1a50321886653ca8c366e13",
    "peer_public_key": "f06fe5513831714965ca33080052b3873bb2e785c5d2abd88a2f958e74872617"
                       "adf6e8c5fe5cb8ed0e0c218cde796707c0a9ef8f7e77756032eada0d5f3c9d00",
    "private_key": "863f94d6deacc75c658db3e22d27c31944fc562aeef6e5b97a31d9e25294111a",
}
HASH = "7a8950d472c3a5a7cf0f27019c4507275d24e0bd3a97e1dedc7d77a132d9d6d3"
HALF = "5d65c31f8bcf64c259c3e155b78bb4c7c5ea2dae1d0d6da1a8b735f2bda2db84"
COMBINED = "ce2bc5f96d058db808456f2bb325628b0ff66617f8e3df2ee1fc7ee945f06b03"
# Vector src-mnemonic-02.
MASTER = "04e57640c99339b7ca75e880722788d5d18d5127b37deabcab0ad39e40b84b1e"
MASTER_ID = "48f28b641e4e14764c7d3906b4743e8ef8c281259138e338298fbb7eca9d0b5b"
STORAGE = "6dba10422e368813802877a85039d3985d96760ed844092319743fb3a76712d7"
CANCEL = '{"name":"cancel_allocation","input":null}'


def with_secret(installation):
    path = installation.home / "jwt.secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    installation.settings["KMS_JWT_SECRET_FILE"] = str(path)
    return installation


@pytest.fixture(scope="module", params=["one process", "two processes"])
def split(request, tmp_path_factory):
    """A client of both roles, in one daemon or in two with tokens of their own."""
    homes = []
    try:
        if request.param == "one process":
            home = with_secret(Installation(tmp_path_factory.mktemp("split") / "home")).init()
            homes.append(home)
            yield SplitClient(home.start().base, SECRET)
            return
        authority = with_secret(Installation(tmp_path_factory.mktemp("auth") / "home", KMS_ROLE="auth")).init()
        homes.append(authority)
        base = authority.start().base
        vault = with_secret(Installation(
            tmp_path_factory.mktemp("vault") / "home", KMS_ROLE="vault", KMS_SPLIT_AUTH_URL=base + "/zauth",
            KMS_OUTBOUND_ALLOW=base.removeprefix("http://"))).init()
        homes.append(vault)
        yield SplitClient(vault.start().base, SECRET, authority=base)
    finally:
        for home in homes:
            home.end()


def as_user(split, user):
    return SplitClient(split.base, SECRET, user=user, authority=split.authority)


def setup(split, **more):
    """0Chain's test gives the wallet's key as public_key."""
    return split.auth("POST", "/setup", {**OFFICIAL, "user_id": "alice", "public_key": OFFICIAL["client_key"],
                                         "restrictions": [], "expired_at": 0, **more}, token=True)


def official_transaction(**more):
    return {"hash": HASH, "client_id": OFFICIAL["client_id"], "public_key": OFFICIAL["client_key"],
            "transaction_data": CANCEL, "signature": HALF, "transaction_value": 0, "creation_date": 1, **more}


def test_official_key(split):
    peer = OFFICIAL["peer_public_key"]
    message = {"hash": HASH, "signature": HALF, "client_id": OFFICIAL["client_id"]}
    split.auth("POST", f"/delete/{OFFICIAL['client_id']}", token=True)
    refused(split.auth("POST", "/sign/msg", message, key=peer), 500)
    assert ok(setup(split)) == {"result": "success"}
    assert ok(split.auth("POST", "/sign/msg", message, key=peer)) == {"sig": COMBINED}
    refused(split.auth("POST", "/sign/txn", official_transaction(), key=peer), 400, "cancel_allocation")
    ok(setup(split, restrictions=["allocation_storage_operations"]))
    assert ok(split.auth("POST", "/sign/txn", official_transaction(), key=peer)) == COMBINED
    refused(split.auth("POST", "/sign/txn", official_transaction()), 400, "X-Peer-Public-Key")
    refused(split.auth("POST", "/sign/txn", official_transaction(), key=""), 400, "X-Peer-Public-Key")
    refused(split.auth("POST", "/sign/txn", official_transaction(signature=""), key=peer), 400, "signature")
    refused(split.auth("POST", "/sign/msg", {**message, "client_id": "0" * 64}, key=peer), 500)
    # Tests of 0Chain's send a token here; a right one does no harm, a wrong one is refused.
    assert ok(split.auth("POST", "/sign/msg", message, key=peer, token=True)) == {"sig": COMBINED}
    refused(split.auth("POST", "/sign/msg", message, key=peer, token=hs256(b"another secret of 32 bytes 12345")), 401,
            "invalid signature")
    ok(split.auth("POST", f"/delete/{OFFICIAL['client_id']}", token=True))
    refused(split.auth("POST", f"/delete/{OFFICIAL['client_id']}", token=True), 400)


def test_stored_wallet(split):
    user = as_user(split, "carol")
    assert user.store(MASTER, mnemonic="not checked")["client_id"] == MASTER_ID
    user.store(MASTER)
    refused(as_user(split, "mallory").vault("POST", "/store", {"private_key": MASTER}), 409)
    user.split(MASTER_ID)
    rows = user.keys(MASTER_ID)
    assert [row["client_id"] for row in rows] == [MASTER_ID]
    assert ok(user.vault("GET", "/wallets"))[0]["client_id"] == MASTER_ID
    user.split(MASTER_ID)
    rows = user.keys(MASTER_ID)
    assert len(rows) == 2
    for row in rows:
        assert bn254.add_public_keys(row["public_key"], row["peer_public_key"]) == row["client_key"]
        assert bn254.public_key(bn254.secret_from_text(row["private_key"])) == row["public_key"]
        assert row["mnemonics"] == "" and row["is_revoked"] is False and row["expires_at"] == 0
    ok(user.vault("POST", f"/delete/{MASTER_ID}"))
    refused(user.vault("POST", f"/delete/{MASTER_ID}"), 400)
    assert user.keys(MASTER_ID) == []


def test_both_halves_make_the_wallets_signature(split):
    wallet = split.wallet()
    assert bn254.client_id(wallet["client_key"]) == wallet["client_id"]
    row = split.split(wallet["client_id"])
    message = secrets.token_bytes(32)
    signature = ok(split.sign(row, message))["sig"]
    assert bn254.verify(row["client_key"], message, signature)
    # It is the signature by the sum of the keys, so it is the same at every key.
    other = split.split(wallet["client_id"])
    assert ok(split.sign(other, message))["sig"] == signature


def test_a_revoked_split_key_signs_no_more(split):
    wallet = split.wallet()
    first, second = split.split(wallet["client_id"]), split.split(wallet["client_id"])
    message = secrets.token_bytes(32)
    ok(split.sign(first, message))
    path = f"/revoke/{wallet['client_id']}"
    # As a form, and again as a query: idempotent.
    ok(split.http.post(f"{split.base}/zvault{path}", data={"public_key": first["public_key"]},
                       headers={"X-Jwt-Token": split.token}, timeout=60))
    ok(split.vault("POST", path, params={"public_key": first["public_key"].upper()}))
    refused(split.sign(first, message), 400, "revoked")
    assert bn254.verify(second["client_key"], message, ok(split.sign(second, message))["sig"])
    assert {row["public_key"]: row["is_revoked"] for row in split.keys(wallet["client_id"])} == {
        first["public_key"]: True, second["public_key"]: False}
    refused(split.vault("POST", path, params={"public_key": "00" * 64}), 400)
    refused(split.vault("POST", path), 400, "public_key")
    refused(split.vault("POST", "/share", {"public_key": first["public_key"], "target_user_id": "bob"}), 400)


def test_no_signature_after_the_revocations_answer(split):
    wallet = split.wallet()
    row = split.split(wallet["client_id"])
    message = secrets.token_bytes(32)
    half = bn254.sign(bn254.secret_from_text(row["private_key"]), message)
    body = {"hash": message.hex(), "signature": half, "client_id": row["client_id"]}
    answered, late, signed = threading.Event(), [], []

    def work():
        client = as_user(split, "alice")
        for _ in range(200):
            before = answered.is_set()
            response = client.auth("POST", "/sign/msg", body, key=row["public_key"])
            if response.status_code == 200:
                (late if before else signed).append(response.status_code)
            elif before:
                return

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    eventually(lambda: signed, 120, "a signature")
    ok(split.vault("POST", f"/revoke/{wallet['client_id']}", params={"public_key": row["public_key"]}))
    answered.set()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert signed and not late


def at_once(calls):
    """The answers to calls that begin together, each after a pause of its own."""
    barrier = threading.Barrier(len(calls))

    def one(pair):
        barrier.wait(60)
        time.sleep(pair[0])
        return pair[1]()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_a_key_that_is_made_while_its_wallet_is_deleted_is_lost_and_signs_nothing(split):
    """Whoever loses is told so; nothing is unavailable, and no half stays behind that would co-sign."""
    for number in range(12):
        client = split.wallet()["client_id"]
        split.split(client)
        pauses = [0.004 * number * part for part in (0.5, 1, 1.5, 2)]
        deleted, *made = at_once([(0, lambda: split.vault("POST", f"/delete/{client}"))] + [
            (pause, lambda: as_user(split, "alice").vault("POST", f"/key/{client}")) for pause in pauses])
        assert deleted.status_code == 200, deleted.text
        for answer in made:
            # A wallet that went before, or one that went meanwhile: nothing was wrong with the request.
            assert answer.status_code in (200, 409) or (answer.status_code, answer.text) == (400, "there is no such wallet\n"), (
                answer.status_code, answer.text)
            if answer.status_code == 200:
                assert split.sign(answer.json(), bytes(32)).status_code != 200
        assert split.keys(client) == []


def test_a_revocation_is_not_undone_by_what_was_begun_before_it(split):
    for number in range(12):
        client = split.wallet()["client_id"]
        row = split.split(client)
        key, name = {"key": row["public_key"]}, {"public_key": row["public_key"], "target_user_id": "bob"}
        pause = 0.001 * number
        answers = at_once([
            (0.006, lambda: split.vault("POST", f"/revoke/{client}?public_key={row['public_key']}")),
            *[(pause, lambda: as_user(split, "alice").vault("PUT", f"/restrictions/{client}", {"restrictions": []}, **key))] * 2,
            *[(pause, lambda: as_user(split, "alice").vault("POST", "/share", name))] * 2])
        assert answers[0].status_code == 200 and all(answer.status_code < 500 for answer in answers), [
            (answer.status_code, answer.text) for answer in answers]
        assert [found["is_revoked"] for found in split.keys(client)] == [True]


def test_a_shared_split_key_is_seen_by_its_new_user(split):
    wallet = split.wallet()
    row = split.split(wallet["client_id"])
    bob = as_user(split, "bob-" + wallet["client_id"][:8])
    target = "bob-" + wallet["client_id"][:8]
    assert ok(bob.vault("GET", "/wallets/shared")) == []
    ok(split.vault("POST", "/share", {"public_key": row["public_key"], "target_user_id": target}))
    shared = ok(bob.vault("GET", "/wallets/shared"))
    assert [item["public_key"] for item in shared] == [row["public_key"]]
    assert shared[0]["private_key"] == row["private_key"] and shared[0]["shared_to"] == target
    refused(split.vault("POST", "/share", {"public_key": row["public_key"], "target_user_id": "alice"}), 400, "owner")
    refused(split.vault("POST", "/share", {"public_key": "11" * 64, "target_user_id": "bob"}), 400)


def test_restrictions_hold_as_soon_as_they_are_answered(split):
    wallet = split.wallet()
    row = split.split(wallet["client_id"], restrictions=["allocation_storage_operations"])
    peer = row["peer_public_key"]
    assert ok(split.vault("GET", "/restrictions", key=peer)) == ["allocation_storage_operations"]
    body = split.transaction(row, CANCEL, receiver=STORAGE)
    signature = ok(split.auth("POST", "/sign/txn", body, key=row["public_key"]))
    assert bn254.verify(row["client_key"], bytes.fromhex(body["hash"]), signature)
    path = f"/restrictions/{wallet['client_id']}"
    ok(split.vault("PUT", path, {"restrictions": ["token_bridging"]}, key=peer))
    refused(split.auth("POST", "/sign/txn", body, key=row["public_key"]), 400, "cancel_allocation")
    refused(split.vault("PUT", path, {"restrictions": ["no such group"]}, key=peer), 400, "no such group")
    refused(split.vault("GET", "/restrictions", key="22" * 64), 400)
    refused(split.vault("GET", "/restrictions"), 400, "X-Peer-Public-Key")
    assert ok(split.vault("GET", "/restrictions", key=peer)) == ["token_bridging"]


def test_transactions_of_keys_born_here_are_hashed_again(split):
    row = split.split(split.wallet()["client_id"], restrictions=["allocation_storage_operations", "token_transfers"])
    key = row["public_key"]
    refused(split.auth("POST", "/sign/txn", split.transaction(row, CANCEL, receiver=STORAGE, hash="ab" * 32), key=key),
            400, "hash")
    refused(split.auth("POST", "/sign/txn", split.transaction(row, CANCEL, receiver="ab" * 32), key=key), 400,
            "contract")
    for data in ['{"Name":"cancel_allocation"}', '{"name":"cancel_allocation","Name":"mint"}', "cancel_allocation", "",
                 '["cancel_allocation"]', '{"name":"cancel_allocation","name":"cancel_allocation"}', '{"name":1}']:
        refused(split.auth("POST", "/sign/txn", split.transaction(row, data, receiver=STORAGE), key=key), 400, "name")
    transfer = split.transaction(row, '{"name":"transfer","input":null}', receiver="ab" * 32, value=2**64 - 1)
    ok(split.auth("POST", "/sign/txn", transfer, key=key))


def test_switches_of_a_key(split):
    client = split.wallet()["client_id"]
    message = secrets.token_bytes(32)
    row = split.split(client, allow_message_signing=False, return_user_share_once=True)
    refused(split.sign(row, message), 400, "restrictions")
    assert [item["private_key"] for item in split.keys(client)] == [""]
    refused(split.vault("POST", f"/key/{client}", {"expires_at": 1}), 400, "expires_at")
    refused(split.vault("POST", f"/key/{client}", {"suite": "rsa"}), 400, "suite")
    refused(split.vault("POST", f"/key/{client}", {"restrictions": ["x"]}), 400)
    refused(split.vault("POST", f"/key/{'0' * 64}"), 400)


def test_restrictions_are_not_passed_through_bare_hashes(split):
    """A key with restrictions signs no bare hash, a transaction's among them, unless it was made to."""
    client = split.wallet()["client_id"]
    group, message = ["allocation_storage_operations"], secrets.token_bytes(32)
    row = split.split(client, restrictions=group)
    assert row["allow_message_signing"] is False
    mint = split.transaction(row, '{"name":"mint","input":{}}', receiver=STORAGE)
    refused(split.auth("POST", "/sign/txn", mint, key=row["public_key"]), 400, "mint")
    refused(split.auth("POST", "/sign/msg", {"hash": mint["hash"], "signature": mint["signature"], "client_id": client},
                       key=row["public_key"]), 400, "go around")
    ok(split.auth("POST", "/sign/txn", split.transaction(row, CANCEL, receiver=STORAGE), key=row["public_key"]))
    said = split.split(client, restrictions=group, allow_message_signing=True)
    ok(split.sign(said, message))
    # Restrictions that come later count as well; what they end comes back only if somebody says so.
    free = split.split(client)
    ok(split.sign(free, message))
    path = f"/restrictions/{client}"
    ok(split.vault("PUT", path, {"restrictions": group}, key=free["peer_public_key"]))
    refused(split.sign(free, message), 400, "go around")
    ok(split.vault("PUT", path, {"restrictions": []}, key=free["peer_public_key"]))
    refused(split.sign(free, message), 400, "go around")
    ok(split.vault("PUT", path, {"restrictions": group, "allow_message_signing": True}, key=free["peer_public_key"]))
    ok(split.sign(free, message))
    refused(split.vault("PUT", path, {"restrictions": group, "allow_message_signing": 1}, key=free["peer_public_key"]), 400,
            "allow_message_signing")


def test_use_is_noted(split):
    row = split.split(split.wallet()["client_id"])
    path, peer = f"/key/{row['client_id']}", row["peer_public_key"]
    assert ok(split.auth("GET", path, key=peer, token=True)) == {"last_used": 0}
    ok(split.sign(row, secrets.token_bytes(32)))
    assert ok(split.auth("GET", path, key=peer, token=True))["last_used"] > 1_700_000_000
    refused(split.auth("GET", path, key="33" * 64, token=True), 500)


def test_tokens_that_are_not_right_are_refused(split):
    for token in ("", "x", "a.b.c", hs256(b"another secret of 32 bytes 12345"), hs256(SECRET, claims(seconds=-600)),
                  hs256(SECRET, header={"alg": "none"})):
        refused(split.vault("GET", "/wallets", token=token or False), 401)
    assert "invalid signature" in split.vault("GET", "/wallets", token=hs256(b"another secret of 32 bytes 12345")).text
    assert split.vault("GET", "/setup").status_code == 404
    assert split.auth("GET", "/setup").status_code == 405
    assert split.http.get(split.base + "/zvault/", timeout=60).status_code == 404


def test_another_users_wallet_is_absent(split):
    wallet = split.wallet()
    row = split.split(wallet["client_id"])
    client, peer = wallet["client_id"], row["peer_public_key"]
    unknown = "0" * 64
    mallory = as_user(split, "mallory")
    assert mallory.keys(client) == mallory.keys(unknown) == []
    attempts = [
        lambda name: mallory.vault("POST", f"/key/{name}"),
        lambda name: mallory.vault("POST", f"/delete/{name}"),
        lambda name: mallory.vault("POST", f"/generate/{name}"),
        lambda name: mallory.vault("POST", f"/revoke/{name}", params={"public_key": row["public_key"]}),
        lambda name: mallory.vault("PUT", f"/restrictions/{name}", {"restrictions": []}, key=peer),
        lambda name: mallory.auth("POST", f"/delete/{name}", token=True),
        lambda name: mallory.auth("POST", f"/revoke/{name}", params={"peer_public_key": row["public_key"]}, token=True),
        lambda name: mallory.auth("PUT", f"/restrictions/{name}", {"restrictions": []}, key=peer, token=True),
        lambda name: mallory.auth("GET", f"/key/{name}", key=peer, token=True),
    ]
    for attempt in attempts:
        mine, none = attempt(client), attempt(unknown)
        assert mine.status_code == none.status_code != 200
        assert mine.text == none.text
    refused(mallory.auth("POST", "/setup", {**OFFICIAL, "user_id": "alice", "public_key": OFFICIAL["client_key"]},
                         token=True), 403)
    ok(split.sign(row, secrets.token_bytes(32)))


def test_bad_points_and_numbers(split):
    row = split.split(split.wallet()["client_id"])
    message = secrets.token_bytes(32)
    good = {"hash": message.hex(), "client_id": row["client_id"],
            "signature": bn254.sign(bn254.secret_from_text(row["private_key"]), message)}
    # Off the curve, infinity, wrong length, not hex, odd.
    off_curve = next(text for text in (f"{x:02x}" + "00" * 31 for x in range(2, 255))
                     if bn254.fp_sqrt(bn254.G1.right_side(int(text[:2], 16))) is None)
    for signature in (off_curve, "00" * 32, good["signature"][:-2], good["signature"] + "00", "zz" * 32,
                      good["signature"][:-1], None, 7):
        refused(split.auth("POST", "/sign/msg", {**good, "signature": signature}, key=row["public_key"]), 400,
                "signature")
    for value in ("00" * 31, "00" * 33, "zz" * 32, "", None, []):
        refused(split.auth("POST", "/sign/msg", {**good, "hash": value}, key=row["public_key"]), 400, "hash")
    refused(split.auth("POST", "/sign/msg", good, key="zz" * 64), 400, "X-Peer-Public-Key")
    refused(split.auth("POST", "/sign/msg", good, key="00" * 63), 400, "X-Peer-Public-Key")
    refused(split.auth("POST", "/sign/msg", {**good, "Hash": good["hash"]}, key=row["public_key"]), 400)
    refused(split.auth("POST", "/sign/msg", b"{", key=row["public_key"]), 400)
    wrong = bn254.sign(bn254.random_secret(), message)
    refused(split.auth("POST", "/sign/msg", {**good, "signature": wrong}, key=row["public_key"]), 400, "verify")
    # Upper case is a spelling, not an error.
    upper = {**good, "hash": good["hash"].upper(), "signature": good["signature"].upper()}
    ok(split.auth("POST", "/sign/msg", upper, key=row["public_key"].upper()))
    outside = "0" * 127 + "1"
    for field, value in (("client_key", outside), ("peer_public_key", "00" * 64), ("client_id", "1" * 64),
                         ("private_key", "00" * 32), ("private_key", "ff" * 32), ("private_key", "11"),
                         ("peer_public_key", OFFICIAL["client_key"]), ("expired_at", -1), ("expired_at", 1.5),
                         ("restrictions", "x"), ("restrictions", ["x"]), ("is_revoked", True)):
        refused(setup(split, **{field: value}), 400)
    for secret in ("00" * 32, "ff" * 32, "zz" * 32, "1", ""):
        refused(split.vault("POST", "/store", {"private_key": secret}), 400, "private_key")


def test_an_expired_split_key_signs_no_more(split):
    client = split.wallet()["client_id"]
    soon = int(time.time()) + 8
    row = split.split(client, expires_at=soon)
    ok(split.sign(row, secrets.token_bytes(32)))
    time.sleep(max(0, soon - time.time()) + 0.1)
    refused(split.sign(row, secrets.token_bytes(32)), 400, "expired")


def test_legacy_wallets(split):
    wallet = ok(split.vault("POST", "/generate"))
    assert wallet["is_split"] is True and wallet["mnemonics"] == "" and wallet["version"] == "1.0"
    pair = wallet["keys"][0]
    assert bn254.add_public_keys(pair["public_key"], wallet["peer_public_key"]) == wallet["client_key"]
    again = ok(split.vault("POST", f"/generate/{wallet['client_id']}"))
    assert again["client_id"] == wallet["client_id"]
    refused(split.vault("POST", f"/generate/{'0' * 64}"), 400)


def test_the_modern_suite(split):
    wallet = ok(split.vault("POST", "/wallet", {"suite": "bls12381-min-sig"}))
    assert len(wallet["client_key"]) == 192 and wallet["protection"] == "sealed"
    row = split.split(wallet["client_id"], suite="bls12381-min-sig")
    assert len(row["public_key"]) == 192 and len(row["private_key"]) == 64
