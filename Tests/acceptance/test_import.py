"""`kmsd import trustbloc`: keys of a TrustBloc store go on working here."""
import base64
import hashlib
import hmac as hmac_module
import os
import signal
import subprocess
import time

import pytest
import tink_store as tink
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from daemon import BINARY
from softtoken import write_private
from auth_server import TOKEN, AuthServer, split
from test_audit import records
from test_locks import aws, presenting  # noqa: F401
from test_vaults import VaultServer, pack
import zcap


def encode(data):
    return base64.b64encode(data).decode()


@pytest.fixture
def master(tmp_path):
    """The server's key, in its file as text."""
    key = os.urandom(32)
    write_private(tmp_path / "lock.key", base64.urlsafe_b64encode(key).decode() + "\n")
    return key


def bring(own, dump, tmp_path, codes=(0,)):
    return own.run_json("import", "trustbloc", dump, "--lock-key-file", tmp_path / "lock.key", codes=codes)


def test_an_ecdsa_key_over_another_hash_than_its_curves_is_left_behind(own, master, tmp_path):
    """Tink's own templates sign on P-384 over SHA-512: taken over as it is, the key would make other signatures."""
    dump = tink.Dump(master)
    main = dump.keystore("c9o5vqkv5ig3jl0q9m3g", "did:key:alice")
    curves = {2: ec.SECP256R1(), 3: ec.SECP384R1(), 4: ec.SECP521R1()}
    names = {1: "SHA-1", 2: "SHA-384", 3: "SHA-256", 4: "SHA-512", 5: "SHA-224"}
    right, left = [], {}
    for (curve, own_digest), encoding in [(each, encoding) for each in ((2, 3), (3, 2), (4, 4)) for encoding in (1, 2)]:
        for digest, name in names.items():
            key = f"k-{curve}-{encoding}-{digest}"
            private = ec.generate_private_key(curves[curve])
            dump.key(key, main, tink.keyset(1, tink.key(*tink.ecdsa(private, curve, encoding, digest), 1, tink.RAW)))
            if digest == own_digest:
                right.append(key)
            else:
                left[key] = name
    report = bring(own, dump.write(tmp_path / "dump.jsonl"), tmp_path, codes=(2,))
    assert report["keys"] == len(right) == 6
    assert {each["id"] for each in report["leftBehind"]} == set(left)
    for each in report["leftBehind"]:
        assert f"signs over {left[each['id']]}: make a new key" in each["reason"], each


def test_keys_of_every_kind_go_on_working(own, master, tmp_path):
    dump = tink.Dump(master)
    main = dump.keystore("c9o5vqkv5ig3jl0q9m3g", "did:key:alice")
    aes, old_aes, mac = os.urandom(32), os.urandom(32), os.urandom(32)
    signer, ecdsa = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    agreement = ec.generate_private_key(ec.SECP256R1())
    dump.key("cipher", main, tink.keyset(
        22, tink.key(*tink.aes_gcm(old_aes), 11, tink.TINK), tink.key(*tink.aes_gcm(aes), 22, tink.TINK)))
    dump.key("mac", main, tink.keyset(0xFEDCBA98, tink.key(*tink.hmac(mac), 0xFEDCBA98, tink.TINK)))
    dump.key("signer", main, tink.keyset(1, tink.key(*tink.ed25519_key(signer), 1, tink.RAW)))
    dump.key("ecdsa", main, tink.keyset(1, tink.key(*tink.ecdsa(ecdsa, 2, 2), 1, tink.RAW)))
    dump.key("agreement", main, tink.keyset(1, tink.key(*tink.nist_agreement(agreement), 1, tink.RAW)))
    report = bring(own, dump.write(tmp_path / "dump.jsonl"), tmp_path)
    assert report == {"keystores": 1, "keys": 5, "alreadyHere": 0, "serversOwn": 1, "passedOver": 0, "leftBehind": []}
    # Each is a record, made once.
    store = "c9o5vqkv5ig3jl0q9m3g"
    bring(own, tmp_path / "dump.jsonl", tmp_path)
    made = [(record["event"]["operation"], record["event"]["subject"], record["event"]["front"]) for record in records(own)
            if record["event"]["operation"].startswith("import-")]
    assert sorted(made) == sorted([("import-keystore", store, "admin")] + [
        ("import-key", f"{store}/{name}", "admin") for name in ("cipher", "mac", "signer", "ecdsa", "agreement")])
    assert own.run_json("audit", "verify").get("finding") is None

    client = own.start().client()
    keystore = "/v1/keystores/c9o5vqkv5ig3jl0q9m3g"
    metadata = client.call("GET", keystore)
    assert (metadata["controller"], metadata["created_at"][:19]) == ("did:key:alice", "2023-05-06T07:08:09")
    assert {key["provenance"] for key in client.pages(keystore + "/keys", "keys", {})} == {"imported"}

    # What the old server encrypted, with either version, and its MACs with their prefix.
    for key in (aes, old_aes):
        nonce = os.urandom(12)
        body = {"ciphertext": encode(AESGCM(key).encrypt(nonce, b"secret", b"ad")), "nonce": encode(nonce),
                "associated_data": encode(b"ad")}
        assert client.call("POST", keystore + "/keys/cipher/decrypt", body)["plaintext"] == encode(b"secret")
    tag = b"\x01\xfe\xdc\xba\x98" + hmac_module.new(mac, b"data", hashlib.sha256).digest()
    assert client.raw("POST", keystore + "/keys/mac/verifymac",
                      {"mac": encode(tag), "data": encode(b"data")}).status_code == 200
    assert client.call("POST", keystore + "/keys/mac/computemac", {"data": encode(b"data")})["mac"] == encode(tag)
    signature = client.call("POST", keystore + "/keys/signer/sign", {"message": encode(b"m")})["signature"]
    signer.public_key().verify(base64.b64decode(signature), b"m")
    from cryptography.hazmat.primitives import hashes
    signature = client.call("POST", keystore + "/keys/ecdsa/sign", {"message": encode(b"m")})["signature"]
    ecdsa.public_key().verify(base64.b64decode(signature), b"m", ec.ECDSA(hashes.SHA256()))
    assert client.raw("GET", keystore + "/keys/agreement/export").status_code == 200


def test_what_cannot_be_brought_is_told_and_the_rest_comes(own, master, tmp_path):
    dump = tink.Dump(master)
    main = dump.keystore("good", "did:key:alice")
    stranger = tink.Dump(os.urandom(32))
    stranger.keystore("foreign", "did:key:bob")
    dump.lines += stranger.lines
    dump.shared_keystore("shares", "did:key:carol")
    dump.key("works", main, tink.keyset(1, tink.key(*tink.aes_gcm(os.urandom(32)), 1, tink.TINK)))
    dump.key("locked", os.urandom(32), tink.keyset(1, tink.key(*tink.aes_gcm(os.urandom(32)), 1, tink.TINK)))
    dump.key("odd", main, tink.keyset(1, tink.key(tink.ARIES + "CLCredDefKey", b"", 1, tink.RAW)))
    dump.key("disabled", main, tink.keyset(
        1, tink.key(*tink.aes_gcm(os.urandom(32)), 1, tink.TINK, tink.DISABLED)))
    dump.put("kmsdb", "garbage", "{}")
    dump.put("ldcontexts", "https://example.com", "{}")
    report = bring(own, dump.write(tmp_path / "dump.jsonl"), tmp_path, codes=(2,))
    assert (report["keystores"], report["keys"], report["passedOver"]) == (1, 1, 1)
    left = {(item["kind"], item["id"]): item["reason"] for item in report["leftBehind"]}
    assert set(left) == {("keystore", "foreign"), ("keystore", "shares"), ("key", "locked"), ("key", "odd"),
                         ("key", "disabled"), ("key", "garbage")}
    assert "CLCredDefKey" in left["key", "odd"] and "shares" in left["keystore", "shares"]


def test_an_import_keeps_to_most_keystores_and_goes_on_when_it_is_raised(own, master, tmp_path):
    """The bound is the server's, whoever makes the keystores; that of callers is none of an operator's."""
    daemon = own.start(KMS_MOST_KEYSTORES="3", KMS_KEYSTORES_PER_CALLER="1")
    daemon.client().create_keystore()
    daemon.terminate()
    dump = tink.Dump(master)
    for number in range(4):
        main = dump.keystore(f"store{number}", "did:key:alice")
        dump.key(f"key-{number}", main, tink.keyset(1, tink.key(*tink.aes_gcm(os.urandom(32)), 1, tink.TINK)))
    path = dump.write(tmp_path / "dump.jsonl")
    few = {"KMS_MOST_KEYSTORES": "3", "KMS_KEYSTORES_PER_CALLER": "1"}
    for again in (False, True):
        report = own.run_json("import", "trustbloc", path, "--lock-key-file", tmp_path / "lock.key", codes=(2,), **few)
        assert (report["keystores"], report["keys"], report["alreadyHere"]) == ((0, 0, 4) if again else (2, 2, 0))
        left = {(item["kind"], item["id"]): item["reason"] for item in report["leftBehind"]}
        assert set(left) == {("keystore", "store2"), ("keystore", "store3"), ("key", "key-2"), ("key", "key-3")}
        assert "most-keystores" in left["keystore", "store2"] and "left behind" in left["key", "key-2"]
    few["KMS_MOST_KEYSTORES"] = "5"
    report = own.run_json("import", "trustbloc", path, "--lock-key-file", tmp_path / "lock.key", **few)
    assert (report["keystores"], report["keys"], report["alreadyHere"], report["leftBehind"]) == (2, 2, 4, [])
    client = own.start(**few).client()
    refused = client.raw("POST", "/v1/keystores", {"controller": "did:example:a"})
    assert refused.status_code == 429 and "most-keystores" in refused.json()["message"]


def test_a_second_run_and_a_run_after_a_crash_bring_each_key_once(own, master, tmp_path):
    dump = tink.Dump(master)
    names = []
    for store in range(5):
        main = dump.keystore(f"store{store}", "did:key:alice")
        for number in range(60):
            names.append((f"store{store}", f"key-{store}-{number}"))
            dump.key(names[-1][1], main, tink.keyset(1, tink.key(*tink.aes_gcm(os.urandom(32)), 1, tink.TINK)))
    path = dump.write(tmp_path / "dump.jsonl")
    for delay in (0.5, 0.8):
        run = subprocess.Popen(
            [str(BINARY), "import", "trustbloc", str(path), "--lock-key-file", str(tmp_path / "lock.key")],
            env=own.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.wait()
        own.token.mend()
    report = bring(own, path, tmp_path)
    assert report["keystores"] + report["keys"] + report["alreadyHere"] == 305
    assert bring(own, path, tmp_path)["alreadyHere"] == 305
    client = own.start().client()
    for store, name in names:
        assert client.raw("POST", f"/v1/keystores/{store}/keys/{name}/encrypt",
                          {"message": "aGVsbG8="}).status_code == 200


def test_a_wrong_lock_key_and_a_wrong_dump_change_nothing(own, master, tmp_path):
    dump = tink.Dump(master)
    dump.keystore("good", "did:key:alice")
    path = dump.write(tmp_path / "dump.jsonl")
    write_private(tmp_path / "lock.key", base64.urlsafe_b64encode(os.urandom(32)).decode())
    report = bring(own, path, tmp_path, codes=(2,))
    assert report["keystores"] == 0
    path.write_text('{"store":"kmsdb"}\n')
    failure = own.run("import", "trustbloc", path, "--lock-key-file", tmp_path / "lock.key", check=False)
    assert failure.returncode == 64 and "line 1" in failure.stderr
    daemon = own.start()
    failure = own.run("import", "trustbloc", path, "--lock-key-file", tmp_path / "lock.key", check=False)
    assert failure.returncode != 0
    assert daemon.client().keystores() == []


def cipher_keys(dump, main, names):
    """AES keys of these names; gives their bytes."""
    keys = {name: os.urandom(32) for name in names}
    for name, secret in keys.items():
        dump.key(name, main, tink.keyset(1, tink.key(*tink.aes_gcm(secret), 1, tink.TINK)))
    return keys


def opens(client, keystore, name, secret):
    """Whether what the old server encrypted with the key opens."""
    nonce = os.urandom(12)
    body = {"ciphertext": encode(AESGCM(secret).encrypt(nonce, b"old", b"")), "nonce": encode(nonce)}
    answer = client.raw("POST", f"/v1/keystores/{keystore}/keys/{name}/decrypt", body)
    return answer.status_code, answer.json().get("plaintext")


def test_a_server_whose_lock_is_of_aws(own, aws, tmp_path):  # noqa: F811
    url, call = aws
    arn = call("CreateKey")["KeyMetadata"]["Arn"]

    def lock(key):
        return lambda text: base64.b64decode(
            call("Encrypt", KeyId=key, Plaintext=encode(text))["CiphertextBlob"])

    dump = tink.Dump(lock(arn))
    keys = cipher_keys(dump, dump.keystore("good", "did:key:alice"), ["one", "two"])
    stranger = tink.Dump(os.urandom(32))
    stranger.keystore("foreign", "did:key:bob")
    stranger.key("lost", os.urandom(32), tink.keyset(1, tink.key(*tink.aes_gcm(os.urandom(32)), 1, tink.TINK)))
    dump.lines += stranger.lines
    dump.put("kmsdb", "edv-helper", tink.record(
        tink.keyset(1, tink.key(*tink.hmac(os.urandom(32)), 1, tink.TINK)), lock(arn)))
    path = dump.write(tmp_path / "dump.jsonl")
    settings = {"KMS_SECRET_LOCK_AWS_KEY_URI": f"aws-kms://{arn}", "KMS_SECRET_LOCK_AWS_ENDPOINT": url,
                "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "b",
                "KMS_OUTBOUND_ALLOW": url.removeprefix("http://")}

    failure = own.run("import", "trustbloc", path, "--lock-aws", check=False)
    assert failure.returncode == 78 and "secret-lock-aws-key-uri" in failure.stderr
    own.settings |= settings | {"KMS_SECRET_LOCK_AWS_ENDPOINT": "http://127.0.0.1:1", "KMS_OUTBOUND_ALLOW": "127.0.0.1:1"}
    failure = own.run("import", "trustbloc", path, "--lock-aws", check=False)
    assert failure.returncode == 69 and "AWS KMS" in failure.stderr
    own.settings |= settings
    report = own.run_json("import", "trustbloc", path, "--lock-aws", codes=(2,))
    assert (report["keystores"], report["keys"], report["serversOwn"]) == (1, 2, 3)
    assert {(item["kind"], item["id"]) for item in report["leftBehind"]} == {("keystore", "foreign"), ("key", "lost")}
    for name in settings:
        del own.settings[name]
    client = own.start().client()
    for name, secret in keys.items():
        assert opens(client, "good", name, secret) == (200, encode(b"old"))


@pytest.fixture
def auth():
    server = AuthServer()
    yield server
    server.end()


def test_keystores_of_shares(own, master, auth, tmp_path):
    """They stay locked by the same shares: neither the import nor the daemon opens them without the user."""
    secrets = {user: os.urandom(32) for user in ("alice", "bob", "carol", "dora")}
    shares = {user: split(secret, os.urandom(32)) for user, secret in secrets.items()}
    for user, (_, theirs) in shares.items():
        auth.give(user, theirs)
    dump = tink.Dump(master)
    plain = cipher_keys(dump, dump.keystore("plain", "did:key:dan"), ["dans"])
    keys = {}
    del secrets["dora"]
    for user, secret in secrets.items():
        dump.shared_keystore(f"{user}s", f"did:key:{user}")
        keys[user] = cipher_keys(dump, tink.shamir_lock(secret), [f"{user}-{number}" for number in range(3)])
    dump.shared_keystore("empty", "did:key:dora")
    path = dump.write(tmp_path / "dump.jsonl")
    file, lock = tmp_path / "shares", tmp_path / "lock.key"

    def give(*lines):
        write_private(file, "".join(f"{name}\t{user}\t{encode(share)}\n" for name, user, share in lines))

    def run(*arguments):
        return own.run("import", "trustbloc", path, *arguments, check=False)

    assert run().returncode == 64
    give(("alices", "alice", shares["alice"][0]))
    failure = run("--shares", file)
    assert failure.returncode == 78 and "auth-server-url" in failure.stderr
    write_private(tmp_path / "auth.token", TOKEN)
    own.settings |= {"KMS_AUTH_SERVER_URL": auth.url, "KMS_AUTH_SERVER_TOKEN_FILE": str(tmp_path / "auth.token"),
                     "KMS_OUTBOUND_ALLOW": f"127.0.0.1:{auth.port}"}
    for text, code, reason in (
            ("alices\talice\n", 64, "line 1"), ("\n\talice\tAAAA\n", 64, "line 2"), ("a\tb\t*\n", 64, "line 1"),
            ("a\tb\tAAAA\na\tb\tAAAA\n", 64, "line 2"), ("alices\tnobody\tAAAA\n", 69, "unknown user")):
        write_private(file, text)
        failure = run("--shares", file)
        assert failure.returncode == code and reason in failure.stderr, (text, failure.stderr)
    file.chmod(0o644)
    assert run("--shares", file).returncode == 77

    file.unlink()
    give(("alices", "alice", shares["alice"][0]), ("empty", "alice", shares["alice"][0]))
    failure = run("--shares", file)
    assert failure.returncode == 78 and "'alices' and 'empty' have the same shares" in failure.stderr

    # Bob's are right, Carol's are Alice's, nobody gives Alice's own; an empty keystore cannot prove its shares.
    give(("bobs", "bob", shares["bob"][0]), ("carols", "carol", shares["alice"][0]),
         ("empty", "dora", shares["dora"][0]))
    report = own.run_json("import", "trustbloc", path, "--lock-key-file", lock, "--shares", file, codes=(2,))
    assert (report["keystores"], report["keys"]) == (2, 4)
    left = {(item["kind"], item["id"]) for item in report["leftBehind"]}
    names = [name for user in ("alice", "carol") for name in keys[user]]
    assert left == {("keystore", "alices"), ("keystore", "carols"), ("keystore", "empty"), *(("key", n) for n in names)}
    give(("alices", "alice", shares["alice"][0]), ("carols", "carol", shares["carol"][0]),
         ("bobs", "bob", shares["bob"][0]))
    report = own.run_json("import", "trustbloc", path, "--shares", file, codes=(2,))
    # Without the server's lock what it locks stays behind; it is here already.
    assert (report["keystores"], report["keys"], report["alreadyHere"]) == (2, 6, 4)
    assert {item["id"] for item in report["leftBehind"]} == {"plain", "dans", "empty"}

    daemon = own.start()
    client = daemon.client()
    assert opens(client, "plain", "dans", plain["dans"]) == (200, encode(b"old"))
    for user, secrets in keys.items():
        right, wrong = presenting(daemon, user, shares[user][0]), presenting(daemon, user, shares[user][0][:-2] + b"xy")
        assert client.raw("GET", f"/v1/keystores/{user}s").status_code == 400
        for name, secret in secrets.items():
            assert opens(right, f"{user}s", name, secret) == (200, encode(b"old"))
            assert opens(wrong, f"{user}s", name, secret)[0] == 403
            assert opens(client, f"{user}s", name, secret)[0] == 400
        slots = right.call("GET", f"/v1/keystores/{user}s")["lock_slots"]
        assert [slot["kind"] for slot in slots] == ["shamir"]


@pytest.fixture
def vaults():
    server = VaultServer()
    yield server
    server.stop()


class OldVaults:
    """What a server of the second generation left behind: keystores in the dump, their keys in the vault's server."""

    def __init__(self, dump, server):
        self.dump, self.server, self.owner, self.documents = dump, server, zcap.Key(), {}
        self.invoker = zcap.Key()
        dump.invoker(self.invoker.private)

    def keystore(self, name, main=""):
        url, vault, root = self.server.vault(self.owner)
        edv = {"vault_url": url, "capability": pack(zcap.issue(self.owner, vault, self.invoker.did, parent=root))}
        keystore = tink.VaultKeystore(self.dump, name, "did:key:alice", edv, main)
        keystore.vault = vault
        self.documents[vault] = {}
        return keystore

    def keys(self, keystore, *names, lock=None):
        secrets = {name: os.urandom(32) for name in names}
        for name, secret in secrets.items():
            identifier, document = keystore.document(
                name, tink.keyset(1, tink.key(*tink.aes_gcm(secret), 1, tink.TINK)), lock)
            self.documents[keystore.vault][identifier] = document
        self.server.replace(self.documents)
        return secrets


def test_keystores_in_vaults(own, master, vaults, auth, tmp_path):
    """Their keys are fetched with the old server's keys and stay in the vault, under names that the old one cannot make."""
    dump, secret = tink.Dump(master), os.urandom(32)
    old = OldVaults(dump, vaults)
    vaulted, shared, unlisted = old.keystore("vaulted", "main-vaulted"), old.keystore("shared"), old.keystore(
        "unlisted", "main-unlisted")
    keys = old.keys(vaulted, "one", "two")
    keys_of_shares = old.keys(shared, "three", lock=tink.shamir_lock(secret))
    old.keys(vaulted, "foreign", lock=tink.key_lock(os.urandom(32)))
    plain = cipher_keys(dump, dump.keystore("plain", "did:key:dan"), ["dans"])
    path, listed, shares = dump.write(tmp_path / "dump.jsonl"), tmp_path / "vault-keys", split(secret, os.urandom(32))
    auth.give("alice", shares[1])
    write_private(tmp_path / "auth.token", TOKEN)
    write_private(tmp_path / "shares", f"shared\talice\t{encode(shares[0])}\n")
    own.settings |= {"KMS_AUTH_SERVER_URL": auth.url, "KMS_AUTH_SERVER_TOKEN_FILE": str(tmp_path / "auth.token"),
                     "KMS_OUTBOUND_ALLOW": f"127.0.0.1:{auth.port},127.0.0.1:{vaults.port}"}

    def run(*lines, codes=(2,)):
        listed.write_text("".join(line + "\n" for line in lines))
        report = own.run_json("import", "trustbloc", path, "--lock-key-file", tmp_path / "lock.key", "--shares",
                              tmp_path / "shares", "--vault-keys", listed, codes=codes)
        return report, {(item["kind"], item["id"]) for item in report["leftBehind"]}

    for wrong in ("vaulted\tone\tx\n", "\tone\n", "vaulted\tone\nvaulted\tone\n", "v\xe4\tone\n"):
        listed.write_text(wrong)
        failure = own.run("import", "trustbloc", path, "--lock-key-file", tmp_path / "lock.key", "--vault-keys", listed,
                          check=False)
        assert failure.returncode == 64 and "line " in failure.stderr, failure.stderr
    vaults.mode(status=503)
    report, left = run("vaulted\tone", "shared\tthree")
    assert (report["keystores"], report["keys"]) == (1, 1)
    assert left == {("keystore", "vaulted"), ("keystore", "shared"), ("keystore", "unlisted")}
    vaults.mode()

    report, left = run("vaulted\tone", "vaulted\ttwo", "vaulted\tforeign", "vaulted\tgone", "shared\tthree",
                       "stranger\tkey")
    assert (report["keystores"], report["keys"], report["alreadyHere"]) == (2, 3, 2)
    assert left == {("keystore", "unlisted"), ("keystore", "stranger"), ("key", "foreign"), ("key", "gone")}
    report, _ = run("vaulted\tone", "vaulted\ttwo", "shared\tthree")
    assert (report["keystores"], report["keys"], report["alreadyHere"]) == (0, 0, 7)
    documents = vaults.documents
    assert all(documents[vault].items() >= before.items() for vault, before in old.documents.items())
    assert len(documents[vaulted.vault]) == 3 + 2 and len(documents[shared.vault]) == 1 + 1

    # The old documents may go; the keys work without them, and new ones join them.
    vaults.replace({vault: {name: document for name, document in documents[vault].items() if name not in before}
                    for vault, before in old.documents.items()})
    daemon = own.start()
    client = daemon.client()
    assert opens(client, "plain", "dans", plain["dans"]) == (200, encode(b"old"))
    for name, key in keys.items():
        assert opens(client, "vaulted", name, key) == (200, encode(b"old"))
    user = presenting(daemon, "alice", shares[0])
    assert opens(user, "shared", "three", keys_of_shares["three"]) == (200, encode(b"old"))
    assert opens(client, "shared", "three", keys_of_shares["three"])[0] == 400
    metadata = client.call("GET", "/v1/keystores/vaulted")
    assert metadata["vault_url"].endswith(vaulted.vault) and metadata["controller"] == "did:key:alice"
    client.call("POST", "/v1/keystores/vaulted/keys", {"key_type": "ED25519"})
    assert len(vaults.documents[vaulted.vault]) == 3
