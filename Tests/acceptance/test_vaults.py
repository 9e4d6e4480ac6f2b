"""Keystores whose keys are kept in the user's vault, with a vault server that verifies every call by itself."""
import base64
import copy
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import crypto
import pytest
import requests
import zcap
from daemon import eventually, free_port
from webkms_client import KMSError, Keystore

SERVER = Path(__file__).parent / "support" / "edv_server.py"
VECTORS = Path(__file__).resolve().parents[1] / "CapabilitiesTests" / "Vectors" / "zcap.json"


class VaultServer:
    """The vault server as a process, ended by its own id."""

    def __init__(self):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, "-B", SERVER, str(self.port)], stdin=subprocess.DEVNULL)
        eventually(self.answers, 20, "the vault server's start")

    def answers(self):
        try:
            return self.test("calls") is not None
        except requests.RequestException:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def test(self, name, body=None):
        response = requests.request("GET" if body is None else "PUT", f"{self.base}/test/{name}",
                                    data=None if body is None else json.dumps(body), timeout=10)
        return response.json()

    def mode(self, **mode):
        self.test("mode", mode)

    @property
    def documents(self):
        """By vault, then by id."""
        return self.test("documents")

    def replace(self, documents):
        self.test("documents", documents)

    def calls(self):
        """Method and path of each call since the last question, without the part that every path has."""
        return [(method, path.split("/documents")[1]) for method, path in self.test("calls") if "/documents" in path]

    def vault(self, owner):
        """A new vault: its URL, its id and the owner's root capability."""
        response = requests.post(f"{self.base}/encrypted-data-vaults", json={"controller": owner.did}, timeout=10)
        assert response.status_code == 201
        url = response.headers["Location"]
        return url, url.rsplit("/", 1)[1], response.json()


@pytest.fixture
def server():
    server = VaultServer()
    yield server
    server.stop()


@pytest.fixture
def settings(server):
    return {"KMS_OUTBOUND_ALLOW": f"127.0.0.1:{server.port}", "KMS_EDV_TIMEOUT": "10s"}


@pytest.fixture
def kms(own, settings):
    return own.start(**settings).client()


def pack(document):
    return base64.b64encode(json.dumps(document).encode()).decode()


def daemon_did(kms):
    return kms.call("POST", "/v1/keystores/did")["did"]


def vault_of(kms, server, owner=None, did=None, **more):
    """The `edv` member for a new vault whose owner delegates to a key of the daemon's."""
    owner = owner or zcap.Key()
    url, vault, root = server.vault(owner)
    child = zcap.issue(owner, vault, did or daemon_did(kms), parent=root, **more)
    return {"vault_url": url, "capability": pack(child)}


@pytest.fixture
def keystore(kms, server):
    return kms.create_keystore("did:example:vaulted", edv=vault_of(kms, server))


@pytest.fixture
def restart(own, settings):
    """The same keystore through a daemon with empty caches."""
    def restart(keystore, **more):
        own.daemons[-1].kill()
        return Keystore(own.start(**{**settings, **more}).client(), keystore.url)
    return restart


def refused(status, call, *arguments, **more):
    with pytest.raises(KMSError) as refusal:
        call(*arguments, **more)
    assert refusal.value.status == status, refusal.value
    return refusal.value.message


def test_the_tests_own_capabilities_fit_the_vectors():
    vectors = json.loads(VECTORS.read_text())
    for name in ("root_capability", "delegated_capability"):
        vector = vectors[name]
        document = json.loads(vector["document_json"])
        proof = {key: value for key, value in document["proof"][0].items() if key != "jws"}
        assert zcap.signing_input(document, proof).hex() == vector["jws_signing_input_hex"]


def test_keys_live_in_the_vault(own, kms, server, keystore, restart):
    """Scenario 2 without shares: the daemon's database has no sealed byte of a key, the vault nothing it can read."""
    server.calls()
    key = keystore.create("ED25519")
    (get, path), *rest = server.calls()
    assert get == "GET" and rest == [("POST", ""), ("POST", path)]
    crypto.verify("ED25519", key.public_key, key.sign(b"m"), b"m")
    assert server.calls() == [("GET", path)]
    signature = key.sign(b"m")
    assert server.calls() == []

    (documents,) = server.documents.values()
    (document,) = documents.values()
    assert path == "/" + document["id"] and len(zcap.base58_decode(document["id"])) == 16
    assert document["sequence"] == 0
    assert document["indexed"] == [{"sequence": 0, "hmac": {"id": "", "type": ""}, "attributes": []}]
    header = json.loads(zcap.un64(document["jwe"]["protected"]))
    assert list(header) == ["alg", "apu", "enc", "epk", "kid", "typ"]
    assert (header["alg"], header["enc"], header["typ"]) == ("ECDH-ES+A256KW", "A256GCM", "EDVEncryptedDocument")
    assert set(header["epk"]) == {"kty", "crv", "x", "y"} and header["epk"]["crv"] == "P-256"
    text = json.dumps(server.documents)
    assert key.id not in text and keystore.id not in text
    plain = kms.create_keystore("did:example:vaulted")
    (vault,) = server.documents
    assert kms.call("GET", f"/v1/keystores/{keystore.id}")["vault_url"].endswith("/" + vault)
    assert ["vault_url" in each for each in (kms.call("GET", f"/v1/keystores/{plain.id}"), *kms.keystores(
        controller="did:example:vaulted"))] == [False, True, False]

    again = restart(keystore)
    again.key(key.id).verify(signature, b"m")
    assert server.calls() == [("GET", path)]
    with sqlite3.connect(own.home / "kmsd.sqlite") as database:
        assert database.execute("SELECT key, LENGTH(sealed) FROM key_versions").fetchall() == [(key.id, 0)]
    # KMSE begins every envelope; those of the keystore's own keys for the vault stand there as base64.
    assert b"KMSE" not in b"".join(file.read_bytes() for file in own.home.glob("kmsd.sqlite*"))


def test_the_whole_life_of_keys(server, keystore, restart):
    signing, cipher, mac = (keystore.create(name) for name in ("ECDSAP256DER", "AES256GCM", "HMACSHA256Tag256"))
    imported = keystore.import_key(crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "mine")
    refused(409, keystore.import_key, crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "mine")
    sealed, tag = cipher.encrypt(b"old", b"a"), mac.compute_mac(b"d")
    rotated = cipher.rotate()
    refused(404, cipher.encrypt, b"m")
    assert len(next(iter(server.documents.values()))) == 4
    again = restart(keystore)
    assert again.key(rotated.id).decrypt(*sealed, b"a") == b"old"
    again.key(mac.id).verify_mac(tag, b"d")
    public, _ = again.key(imported.id).export()
    crypto.verify("ED25519", public, again.key(imported.id).sign(b"m"), b"m")
    assert again.key(signing.id).disable()["state"] == "disabled"
    refused(409, again.key(signing.id).sign, b"m")
    assert again.key(signing.id).destroy(grace=0)["state"] == "destroyed"
    assert len(next(iter(server.documents.values()))) == 3
    assert {key["id"]: key["state"] for key in again.keys()} == {
        signing.id: "destroyed", rotated.id: "enabled", mac.id: "enabled", "mine": "enabled"}


def test_what_cannot_be_a_vault_is_refused_and_stores_nothing(kms, server, own):
    did, owner = daemon_did(kms), zcap.Key()
    url, vault, root = server.vault(owner)
    good = zcap.issue(owner, vault, did, parent=root)
    stranger = zcap.Key()

    def edv(capability=good, at=url):
        return {"vault_url": at, "capability": pack(capability)}

    def message(edv):
        return refused(400, kms.create_keystore, "did:example:refused", edv=edv)

    assert "no key of this daemon" in message(edv(zcap.issue(owner, vault, stranger.did, parent=root)))
    assert "invoker" in message(edv({name: value for name, value in good.items() if name != "invoker"}))
    assert "write" in message(edv(zcap.issue(owner, vault, did, parent=root, actions=["read"])))
    assert "another vault" in message(edv(at=url + "x"))
    # Delegated by somebody the vault's root does not name: the vault's server refuses it, and is believed.
    assert "does not accept" in message(edv(zcap.issue(stranger, vault, did, parent=root)))
    assert "does not accept" in message(edv({**good, "proof": root["proof"]}))
    for bad in ({"vault_url": url}, {"capability": pack(good)}, {"vault_url": url, "capability": "%"},
                {"vault_url": 7, "capability": pack(good)}, [], "x", {"vault_url": url, "capability": pack([])},
                {"vault_url": url, "capability": base64.b64encode(b"{" * 5000).decode()}):
        message(bad)
    assert "sealed" in refused(501, kms.create_keystore, "did:example:refused", edv=edv(), protection="resident")
    assert kms.keystores() == []


@pytest.mark.parametrize("host", [
    "http://127.0.0.1:1", "http://localhost:{port}", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]",
    "https://[::ffff:127.0.0.1]", "https://2130706433", "https://0x7f.1", "https://0.0.0.0", "ftp://127.0.0.1:{port}",
    "https://user@127.0.0.1:{port}", "http://example.com"])
def test_addresses_that_may_not_be_called(kms, server, host):
    """Threat I21 at the creation of a keystore: the guard of outbound calls decides, and nothing is stored."""
    owner = zcap.Key()
    url, vault, root = server.vault(owner)
    server.calls()
    edv = {"vault_url": host.format(port=server.port) + "/encrypted-data-vaults/" + vault,
           "capability": pack(zcap.issue(owner, vault, daemon_did(kms), parent=root))}
    refused(400, kms.create_keystore, "did:example:refused", edv=edv)
    assert server.calls() == [] and kms.keystores() == []


def test_changed_documents_are_refused(server, keystore, restart):
    """Every member of a document changed in turn: refused as the vault's fault, never used as another key."""
    key = keystore.create("ED25519")
    sound = server.documents
    ((vault, documents),) = sound.items()
    ((name, document),) = documents.items()
    again = restart(keystore, KMS_LOCK_TTL="0s").key(key.id)
    again.sign(b"m")
    for member in ("protected", "encrypted_key", "iv", "ciphertext", "tag"):
        changed = copy.deepcopy(document)
        text = changed["jwe"][member]
        changed["jwe"][member] = ("A" if text[0] != "A" else "B") + text[1:]
        server.replace({vault: {name: changed}})
        refused(502, again.sign, b"m")
    for changed in ({}, {**document, "id": "x"}, {**document, "jwe": None}):
        server.replace({vault: {name: changed}})
        refused(502, again.sign, b"m")
    server.replace({vault: {}})
    refused(404, again.sign, b"m")
    server.replace(sound)
    crypto.verify("ED25519", key.public_key, again.sign(b"m"), b"m")


def test_exchanged_documents_are_refused(kms, server, keystore, restart):
    """Between two keys of a keystore, and between two keystores, with names changed to the ones that are asked for."""
    keys = [keystore.create("ED25519"), keystore.create("ED25519")]
    other = kms.create_keystore("did:example:vaulted", edv=vault_of(kms, server))
    keys.append(other.create("ED25519"))
    sound = server.documents
    places = [(vault, name) for vault, documents in sound.items() for name in documents]
    assert len(places) == 3
    again = restart(keystore, KMS_LOCK_TTL="0s")
    use = [again.key(keys[0].id), again.key(keys[1].id), Keystore(again.client, other.url).key(keys[2].id)]
    for key in use:
        key.sign(b"m")
    for turn in (1, 2):
        exchanged = {vault: {} for vault in sound}
        for index, (vault, name) in enumerate(places):
            source = places[(index + turn) % 3]
            exchanged[vault][name] = {**sound[source[0]][source[1]], "id": name}
        server.replace(exchanged)
        for key in use:
            refused(502, key.sign, b"m")
    server.replace(sound)
    for key, original in zip(use, keys):
        crypto.verify("ED25519", original.public_key, key.sign(b"m"), b"m")


def test_old_documents_bring_nothing_back(server, keystore, restart):
    """A vault that keeps everything: destroyed, disabled and rotated keys stay what the daemon's own rows say."""
    destroyed, disabled, rotated = (keystore.create("ED25519") for _ in range(3))
    mine = keystore.import_key(crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "mine")
    everything = server.documents
    ((vault, _),) = everything.items()
    disabled.disable()
    destroyed.destroy(grace=0)
    new = rotated.rotate()
    mine.rotate()
    second = crypto.make_private("ED25519")
    keystore.import_key(crypto.pkcs8(second), "ED25519", "mine")
    server.replace({vault: {**server.documents[vault], **everything[vault]}})
    again = restart(keystore)
    refused(409, again.key(destroyed.id).sign, b"m")
    refused(409, again.key(disabled.id).sign, b"m")
    refused(404, again.key(rotated.id).sign, b"m")
    # The old key's document under the new key's name: noticed, because the daemon knows the public key.
    refused(502, again.key("mine").sign, b"m")
    again.key(new.id).sign(b"m")


def test_a_vault_that_is_away(server, keystore, own, restart):
    """Known keys serve, others answer 503, the daemon stays ready, and all is well when the vault returns."""
    key = keystore.create("ED25519")
    key.sign(b"m")
    documents = server.documents
    server.stop()
    key.sign(b"m")
    for call in (lambda: keystore.create("ED25519"), key.rotate,
                 lambda: keystore.import_key(crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "mine")):
        assert "vault" in refused(503, call)
    again = restart(keystore)
    refused(503, again.key(key.id).sign, b"m")
    assert [listed["id"] for listed in again.keys()] == [key.id]
    assert again.key(key.id).metadata()["state"] == "enabled"
    assert again.client.readyz()[0] == 200
    assert "out of use" in refused(503, again.key(key.id).destroy, grace=0)
    refused(409, again.key(key.id).sign, b"m")
    assert again.key(key.id).metadata()["state"] == "pending-destruction"
    refused(409, again.key(key.id).restore)
    server.start()
    # The server forgot the vault with its documents, which removes them too.
    assert documents and server.documents == {}
    assert again.key(key.id).destroy(grace=0)["state"] == "destroyed"


@pytest.mark.parametrize("status,mode", [
    (503, {"status": 500}), (503, {"status": 503}), (503, {"status": 429}), (503, {"delay": 30}), (502, {"status": 501}),
    (502, {"status": 301}), (502, {"status": 418}), (502, {"status": 401}), (502, {"body": "x" * 1024, "times": 2048})],
    ids=lambda mode: "-".join(map(str, mode.values()))[:12] if isinstance(mode, dict) else str(mode))
def test_a_vault_that_misbehaves(server, keystore, restart, status, mode):
    """What may pass is 503 with Retry-After, everything else 502: within the time-out, nothing half-stored."""
    key = keystore.create("ED25519")
    again = restart(keystore, **({"KMS_EDV_TIMEOUT": "2s"} if "delay" in mode else {}))
    server.mode(**mode)
    refused(status, again.key(key.id).sign, b"m")
    refused(status, again.create, "ED25519")
    answer = again.client.raw("POST", f"{again.key(key.id).url}/sign", {"message": "bQ=="})
    assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)
    server.mode()
    assert [listed["id"] for listed in again.keys()] == [key.id]
    again.key(key.id).sign(b"m")


@pytest.mark.parametrize("body", ["", "no JSON", "{}", "[]", "[" * 50_000, '{"id":"x","jwe":{}}'],
                         ids=lambda body: body[:8])
def test_a_vault_that_answers_nonsense(server, keystore, restart, body):
    key = keystore.create("ED25519")
    again = restart(keystore)
    server.mode(body=body)
    refused(502, again.key(key.id).sign, b"m")
    server.mode()
    again.key(key.id).sign(b"m")


def test_a_keystore_is_not_made_while_its_vault_fails(kms, server):
    edv = vault_of(kms, server)
    for mode, status in (({"status": 500}, 503), ({"delay": 30}, 503), ({"status": 418}, 502), ({"status": 401}, 400)):
        server.mode(**mode)
        refused(status, kms.create_keystore, "did:example:vaulted", edv=edv)
    server.mode()
    assert kms.keystores() == []
    kms.create_keystore("did:example:vaulted", edv=edv).create("ED25519").sign(b"m")


def test_one_slow_vault_does_not_hold_up_other_keystores(kms, server, keystore):
    plain = kms.create_keystore("did:example:plain").create("ED25519")
    server.mode(delay=30)
    with pytest.raises(KMSError):
        keystore.create("ED25519")
    plain.sign(b"m")


def test_a_vault_record_copied_to_another_keystore_is_refused(own, kms, server, keystore, restart):
    key = keystore.create("ED25519")
    other = kms.create_keystore("did:example:vaulted", edv=vault_of(kms, server))
    own.daemons[-1].terminate()
    with sqlite3.connect(own.home / "kmsd.sqlite") as database:
        database.execute("UPDATE keystores SET vault = (SELECT vault FROM keystores WHERE id = ?) WHERE id = ?",
                         (other.id, keystore.id))
    refused(500, restart(keystore).key(key.id).sign, b"m")


def test_the_vault_server_of_the_tests_verifies_what_it_is_told(server):
    """Its own refusals, so that what it accepts from the daemon means something."""
    owner, invoker = zcap.Key(), zcap.Key()
    url, vault, root = server.vault(owner)
    child = zcap.issue(owner, vault, invoker.did, parent=root)

    def status(capability=child, signer=invoker, action="read", signed="x", keyid=None):
        return requests.get(f"{url}/documents/x", timeout=10, headers=zcap.invoke(
            signer, capability, action, "GET", f"/encrypted-data-vaults/{vault}/documents/{signed}",
            keyid=keyid)).status_code

    assert status() == 404
    assert requests.get(f"{url}/documents/x", timeout=10).status_code == 401
    wrong = [{"signer": owner}, {"signer": owner, "keyid": invoker.did}, {"action": "write"}, {"signed": "y"},
             {"capability": zcap.issue(invoker, vault, invoker.did, parent=root)},
             {"capability": {**child, "invoker": owner.did}, "signer": owner},
             {"capability": zcap.issue(owner, "elsewhere", invoker.did, parent=root)}]
    assert [status(**changed) for changed in wrong] == [401] * len(wrong)


def test_the_local_lock_serves_vaults_too(bare, server, settings, tmp_path):
    """The lock of existing deployments: the same scenario without a token."""
    path = tmp_path / "lock.key"
    path.write_bytes(base64.urlsafe_b64encode(bytes(range(32))) + b"\n")
    path.chmod(0o600)
    more = {**settings, "KMS_TOKEN_URI": None, "KMS_SECRET_LOCK_TYPE": "local", "KMS_SECRET_LOCK_KEY_PATH": str(path)}
    kms = bare.start(**more).client()
    keystore = kms.create_keystore("did:example:local", edv=vault_of(kms, server))
    key = keystore.create("ED25519")
    signature = key.sign(b"m")
    bare.daemons[-1].kill()
    again = Keystore(bare.start(**more).client(), keystore.url)
    again.key(key.id).verify(signature, b"m")
