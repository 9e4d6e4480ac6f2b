"""Texts that say who somebody is or what is meant are compared by bytes: `Zo` + U+00EB is not `Zoe` + U+0308."""
import base64
import gzip
import json
import secrets
import socket
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import zcap
from daemon import Installation, eventually
from softtoken import MODULE, SoftToken, write_private
from split_client import SplitClient, ok, refused
from test_vaults import daemon_did, pack
from test_capabilities import BASE, Guarded, Wallet
from test_guards import create
from tokens import bearer, claims, hs256

SECRET = b"0123456789abcdef0123456789abcdef"
COMPOSED, DECOMPOSED = "Zo\u00eb", "Zoe\u0308"
KELVIN = "\u212a"
NO_NAMES = ["bob\0", "bob\0x", "\0", "bob\n", "bob\x1b[2J", "bob\x7f", "bob\x85", "bob\u202e", "bob\u2066", "bob\u2028", "b" * 2000]


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "jwt.secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def split(own, secret_file):
    return own.start(KMS_JWT_SECRET_FILE=secret_file).base


def test_users_of_equivalent_names_share_nothing(split):
    zoe, other = SplitClient(split, SECRET, COMPOSED), SplitClient(split, SECRET, DECOMPOSED)
    client = zoe.wallet()["client_id"]
    row = zoe.split(client)
    assert other.keys(client) == [] and ok(other.vault("GET", "/wallets")) == []
    for attempt in (
            lambda: other.vault("POST", f"/key/{client}"),
            lambda: other.vault("POST", "/share", {"public_key": row["public_key"], "target_user_id": "bob"}),
            lambda: other.vault("GET", "/restrictions", key=row["peer_public_key"]),
            lambda: other.vault("PUT", f"/restrictions/{client}", {"restrictions": []}, key=row["peer_public_key"]),
            lambda: other.vault("POST", f"/revoke/{client}?public_key={row['public_key']}"),
            lambda: other.vault("POST", f"/delete/{client}"),
            lambda: other.auth("POST", f"/revoke/{client}?peer_public_key={row['public_key']}", token=True),
            lambda: other.auth("PUT", f"/restrictions/{client}", {"restrictions": []}, key=row["peer_public_key"], token=True),
            lambda: other.auth("POST", f"/delete/{client}", token=True)):
        refused(attempt(), 400)
    # He is somebody else, so the key can be shared to him, and to nobody else by that.
    ok(zoe.vault("POST", "/share", {"public_key": row["public_key"], "target_user_id": DECOMPOSED}))
    assert [key["public_key"] for key in ok(other.vault("GET", "/wallets/shared"))] == [row["public_key"]]
    assert ok(zoe.vault("GET", "/wallets/shared")) == []
    refused(zoe.vault("POST", "/share", {"public_key": row["public_key"], "target_user_id": COMPOSED}), 400, "owner")


def test_restrictions_and_set_ups_of_equivalent_names(split):
    zoe, service = SplitClient(split, SECRET, COMPOSED), SplitClient(split, SECRET, "x", scope="kms:service\u0301")
    client = zoe.wallet()["client_id"]
    refused(zoe.vault("POST", f"/key/{client}", {"restrictions": ["token_bridging\u0301"]}), 400, "no group")
    refused(zoe.vault("POST", f"/key/{client}", {"suite": "bls12381-min-sig\u0301"}), 400, "suite")
    # A scope with an accent is another scope.
    refused(service.auth("POST", "/setup", {"user_id": "alice"}, token=True), 400)
    assert zoe.keys(client) == []


def test_no_name_holds_control_characters_and_none_breaks_a_list(split, own):
    alice, bob = SplitClient(split, SECRET), SplitClient(split, SECRET, "bob")
    client = alice.wallet()["client_id"]
    rows = [alice.split(client) for _ in range(3)]
    for row in rows:
        ok(alice.vault("POST", "/share", {"public_key": row["public_key"], "target_user_id": "bob"}))
    for name in NO_NAMES + [""]:
        refused(alice.vault("POST", "/share", {"public_key": rows[0]["public_key"], "target_user_id": name}), 400,
                "target_user_id")
        if name:
            assert SplitClient(split, SECRET, name).vault("GET", "/wallets").status_code == 401
    assert len(ok(bob.vault("GET", "/wallets/shared"))) == 3
    # What an earlier version stored, or somebody edited: the row does not open.
    daemon = own.daemons[-1]
    assert daemon.terminate() == 0
    with sqlite3.connect(own.home / "vault.sqlite") as database:
        changed = database.execute("UPDATE splits SET sealed = zeroblob(LENGTH(sealed)) WHERE public_key = ?",
                                   (rows[1]["public_key"],)).rowcount
    assert changed == 1
    base = own.start(KMS_JWT_SECRET_FILE=daemon.environment["KMS_JWT_SECRET_FILE"]).base
    alice, bob = SplitClient(base, SECRET), SplitClient(base, SECRET, "bob")
    good = {rows[0]["public_key"], rows[2]["public_key"]}
    assert {key["public_key"] for key in ok(bob.vault("GET", "/wallets/shared"))} == good
    # Nobody's list fails whole; the row, which no longer is what was written, is left out of both.
    assert {key["public_key"] for key in alice.keys(client)} == good
    ok(alice.vault("POST", f"/revoke/{client}?public_key={rows[0]['public_key']}"))


def test_controllers_and_key_types_of_equivalent_names(own):
    daemon = own.start()
    base = f"{daemon.base}/v1/keystores"

    def made(controller):
        return requests.post(base, json={"controller": controller}, timeout=10)

    def listed(controller):
        answer = requests.get(base, params={"controller": controller}, timeout=10)
        return answer.status_code, answer.json().get("keystores")

    urls = {name: made(f"did:example:{name}").json()["key_store_url"] for name in (COMPOSED, DECOMPOSED)}
    for name, url in urls.items():
        status, found = listed(f"did:example:{name}")
        assert status == 200 and [entry["id"] for entry in found] == [url.rsplit("/", 1)[1]]
        assert found[0]["controller"].encode() == f"did:example:{name}".encode()
    for name in NO_NAMES:
        assert made(f"did:{name}").status_code == 400 and listed(f"did:{name}")[0] == 400, name
        assert requests.get(base, params={"after": f"a{name}"}, timeout=10).status_code == 400
    keys = f"{daemon.base}{urls[COMPOSED]}/keys"
    assert requests.post(keys, json={"key_type": "NISTP256ECDHKW"}, timeout=10).status_code == 200
    assert requests.post(keys, json={"key_type": f"NISTP256ECDH{KELVIN}W"}, timeout=10).status_code == 400
    for path in (f"/v1/{KELVIN}eystores", "/v1/keystores\u0301"):
        assert requests.post(daemon.base + path, json={"controller": "a"}, timeout=10).status_code == 404
    # A keystore's id with a look-alike in it names none, before and after the right one was used.
    identifier = urls[COMPOSED].rsplit("/", 1)[1]
    assert requests.get(f"{base}/{identifier}\u0301/keys", timeout=10).status_code in (400, 404)


def test_an_audience_and_an_issuer_of_equivalent_names(own, secret_file):
    daemon = own.start(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=secret_file, KMS_JWT_AUDIENCE=COMPOSED,
                       KMS_JWT_ISSUER=f"https://id.example/{COMPOSED}")
    for audience, issuer, status in ((COMPOSED, COMPOSED, 200), (DECOMPOSED, COMPOSED, 401), (COMPOSED, DECOMPOSED, 401),
                                     ([DECOMPOSED, "x"], COMPOSED, 401), ([DECOMPOSED, COMPOSED], COMPOSED, 200)):
        token = hs256(SECRET, claims(aud=audience, iss=f"https://id.example/{issuer}"))
        assert create(daemon, bearer(token)).status_code == status, (audience, issuer)


def test_a_rotation_that_loses_a_race_is_a_conflict(own):
    """Nothing is unavailable: another caller was first."""
    daemon = own.start()
    keystore = requests.post(f"{daemon.base}/v1/keystores", json={"controller": "a"}, timeout=10).json()["key_store_url"]
    keys = f"{daemon.base}{keystore}/keys"
    seen = set()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(60):
            key = requests.post(keys, json={"key_type": "ED25519"}, timeout=10).json()["key_url"]

            def rotate(_):
                return requests.post(f"{daemon.base}{key}/rotate", json={"key_type": "ED25519"}, timeout=20)

            answers = list(pool.map(rotate, range(8)))
            statuses = [answer.status_code for answer in answers]
            assert statuses.count(200) == 1 and set(statuses) <= {200, 404, 409}, statuses
            seen |= set(statuses)
            for answer in answers:
                if answer.status_code == 409:
                    assert "another request" in answer.json()["message"] and "Retry-After" not in answer.headers
            if 409 in seen:
                return
    pytest.fail(f"no rotation lost its race in 60 rounds: {seen}")


def percent(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.fixture(params=[(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), ("K", KELVIN)], ids=["nfc", "nfd", "kelvin"])
def two_tokens(request, tmp_path):
    """A home whose module has two tokens, with labels that `String` takes for one; both have the same PIN."""
    first, second = request.param
    home = Installation(tmp_path / "home", token=lambda home: SoftToken(home, label=first))
    token = home.token
    environment = {**token.environment(), "SO_PIN": secrets.token_hex(20), "USER_PIN": token.pin}
    for arguments in (["--slot-index", "1", "--init-token", "--label", second, "--so-pin", "env:SO_PIN"],
                      ["--token-label", second, "--init-pin", "--so-pin", "env:SO_PIN", "--pin", "env:USER_PIN"]):
        subprocess.run(["pkcs11-tool", "--module", MODULE, *arguments], env=environment, check=True, capture_output=True)
    yield home, first, second
    home.end()


@pytest.mark.pkcs11
def test_tokens_of_equivalent_labels_are_two(two_tokens):
    home, first, second = two_tokens
    uris = {label: home.token.uri(label=percent(label)) for label in (first, second)}
    listed = home.run_json("token", "list", KMS_TOKEN_URI=uris[first])
    serials = {entry["label"].encode(): entry["serial"] for entry in listed
               if entry["label"].encode() in (first.encode(), second.encode())}
    assert len(serials) == 2
    home.run("init", KMS_TOKEN_URI=uris[second])
    manifest = (home.home / "manifest.json").read_text()
    assert serials[second.encode()] in manifest and serials[first.encode()] not in manifest
    # The manifest's token and no other, whatever its label looks like.
    daemon = home.start(ready=False, KMS_TOKEN_URI=uris[first])
    daemon.wait_for_readiness(503)
    eventually(lambda: "token-mismatch" in daemon.log(), 20, "the refusal of the other token")
    assert daemon.terminate() == 0
    home.start(KMS_TOKEN_URI=uris[second])


@pytest.mark.pkcs11
def test_a_label_that_is_only_equivalent_names_no_token(tmp_path):
    home = Installation(tmp_path / "home", token=lambda home: SoftToken(home, label=DECOMPOSED))
    try:
        for label in (COMPOSED, "Zoe", DECOMPOSED + "\u0301"):
            result = home.run("init", check=False, KMS_TOKEN_URI=home.token.uri(label=percent(label)))
            assert result.returncode == 69 and not (home.home / "manifest.json").exists(), result.stderr
        home.run("init", KMS_TOKEN_URI=home.token.uri(label=percent(DECOMPOSED)))
    finally:
        home.end()


@pytest.mark.pkcs11
@pytest.mark.parametrize("change", [
    lambda uri: uri.replace("token=", "token\u0301="), lambda uri: uri.replace("pin-source=", "pin-source\u0301="),
    lambda uri: uri.replace("pkcs11:", "p\u212acs11:"), lambda uri: uri.replace("module-path=", "module-path\u0301="),
    lambda uri: uri.replace("?", "\u0301?"), lambda uri: uri.replace("&", "&\u0301"),
    lambda uri: uri.replace("token=kmsd", "token=kmsd;token=kmsd\u0301")])
def test_parts_of_a_token_s_uri_are_read_by_bytes(bare, change):
    uri = change(bare.token.uri())
    for verb in (["init"], ["token", "lint"]):
        result = bare.run(*verb, check=False, KMS_TOKEN_URI=uri)
        assert result.returncode in (69, 77, 78), result.stderr
    assert not (bare.home / "manifest.json").exists()


@pytest.mark.pkcs11
def test_files_of_equivalent_names_are_two(bare):
    """A PIN's file by its bytes: the other one has another PIN, which would cost a try."""
    right, wrong = bare.home / f"{COMPOSED}.pin", bare.home / f"{DECOMPOSED}.pin"
    write_private(right, bare.token.pin)
    write_private(wrong, "0" * 40)
    assert len(list(bare.home.glob("Zo*.pin"))) == 2
    uri = bare.token.uri(pin_file=percent(str(wrong)).replace("%2F", "/"))
    assert bare.run("init", check=False, KMS_TOKEN_URI=uri).returncode == 77
    bare.run("init", KMS_TOKEN_URI=bare.token.uri(pin_file=percent(str(right)).replace("%2F", "/")))


@pytest.mark.pkcs11
def test_a_pin_s_directory_is_checked_whatever_its_file_is_called(bare):
    folder = bare.home / "open"
    folder.mkdir()
    folder.chmod(0o777)
    write_private(folder / "\u0301pin", bare.token.pin)
    uri = bare.token.uri(pin_file=f"{folder}/{percent(chr(0x301))}pin")
    refused = bare.run("init", check=False, KMS_TOKEN_URI=uri)
    assert refused.returncode == 77 and "in a directory of mode 777" in refused.stderr, refused.stderr


def test_origins_of_equivalent_names_are_not_the_listed_one(own, secret_file):
    daemon = own.start(KMS_JWT_SECRET_FILE=secret_file, KMS_CORS_ORIGINS="https://kiosk.example,https://xn--zo-jia.example")

    def allowed(origin):
        answer = requests.options(f"{daemon.base}/zvault/wallets", timeout=5, headers={
            "Origin": origin.encode(), "Access-Control-Request-Method": "GET"})
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed("https://kiosk.example") == "https://kiosk.example"
    for origin in (f"https://{KELVIN}iosk.example", f"https://kios{KELVIN}.example", "https://kiosk.example\u0301",
                   "https://KIOSK.example", f"https://{COMPOSED}.example", f"https://{DECOMPOSED}.example",
                   "https://xn--zo-jia.example\u0301", "https://kiosk.example\uff0e", "https://kiosk\uff0eexample"):
        assert allowed(origin) is None, origin


@pytest.mark.parametrize("entry", [
    f"{COMPOSED}.example", f"{DECOMPOSED}.example", f"{KELVIN}ms.example", "127.0.0.1\u0301", "\uff11\uff12\uff17.0.0.1",
    "127.0.0.1:\u0668\u0660", "10.0.0.0/\uff18", "a.example\u037e", "a\uff0eexample", "kms.example,\u0301"])
def test_a_host_that_may_be_called_is_ascii(own, entry):
    said = own.refuses_to_start(codes=(78,), KMS_OUTBOUND_ALLOW=entry)
    assert "KMS_OUTBOUND_ALLOW" in said


def test_a_vault_on_a_host_of_an_equivalent_name_is_not_called(own):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        port = trap.getsockname()[1]
        kms = own.start(KMS_OUTBOUND_ALLOW=f"localhost:{port},127.0.0.1:{port}").client()
        capability = pack(zcap.issue(zcap.Key(), "vault", daemon_did(kms)))
        for host in ("localhost\u0301", "loca\u2113host", "\uff11\uff12\uff17.0.0.1", "127.0.0.1\u0301", "lo\u0063\u0327alhost"):
            for scheme in ("http", "https"):
                answer = kms.raw("POST", "/v1/keystores", {
                    "controller": "did:example:a",
                    "edv": {"vault_url": f"{scheme}://{host}:{port}/vault", "capability": capability}})
                assert answer.status_code == 400, answer.text
        trap.settimeout(0.2)
        with pytest.raises(TimeoutError):
            trap.accept()


def kelvin(did):
    """The same identity to whoever compares as `String` does."""
    assert "K" in did
    return did.replace("K", KELVIN)


def wallet_with_a_k():
    while True:
        wallet = Wallet()
        if "K" in wallet.did:
            return wallet


def test_controllers_of_equivalent_names_in_capabilities(own):
    """U+212A is K to `String`, and every did:key may have a K: invoker, controller, key id, target and action by bytes."""
    guarded = Guarded(own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE))
    key, friend = guarded.new_key(), wallet_with_a_k()
    owner = zcap.Key()
    owner.private, owner.did = guarded.wallet.key, guarded.wallet.did
    twin = wallet_with_a_k()
    twin.key, twin.did = friend.key, kelvin(friend.did)

    def child(invoker=friend.did, actions=("sign",), target=BASE + guarded.keystore):
        return zcap.issue(owner, target, invoker, parent=guarded.capability, actions=actions, kind="urn:kms:keystore")

    def status(capability, wallet=friend, action="sign"):
        body = json.dumps({"message": "aGk="}).encode()
        headers = {name: str(value).encode() for name, value in wallet.headers(capability, action, body=body).items()}
        return requests.post(f"{guarded.url}{key}/sign", data=body, headers=headers, timeout=10).status_code

    assert status(child()) == 200
    assert status(child(invoker=kelvin(friend.did))) == 401
    assert status(child(), wallet=twin) in (400, 401)
    assert status(child(invoker=kelvin(friend.did)), wallet=twin) in (400, 401)
    assert status(child(target=BASE + guarded.keystore + "\u0301")) == 401
    assert status(child(actions=("sign\u0301",))) == 401
    assert status(child(actions=("sign\u0301",)), action="sign\u0301") in (400, 401)
    # A keystore of the twin's name is not the friend's.
    for controller, mine in ((friend.did, True), (kelvin(friend.did), False)):
        answer = requests.post(f"{guarded.url}/v1/keystores", json={"controller": controller}, timeout=10)
        if answer.status_code != 200:
            assert not mine and answer.status_code == 400
            continue
        keystore = answer.json()["key_store_url"].removeprefix(BASE)
        capability = json.loads(gzip.decompress(base64.b64decode(answer.json()["capability"])))
        made = guarded.call(f"{keystore}/keys", "createKey", {"key_type": "ED25519"}, wallet=friend, capability=capability)
        assert made.status_code == (200 if mine else 401), (controller, made.text)
