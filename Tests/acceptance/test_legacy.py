"""The routes of the API's first generation: other names, base64url, 201 for what is made."""
import base64
import gzip
import json
import os

import crypto
import pytest
import requests
import zcap
from test_capabilities import BASE
from test_locks import auth, shamir, shares  # noqa: F401  (fixtures)
from test_vaults import server  # noqa: F401  (fixture)
from nacl.bindings import crypto_box_open, crypto_sign_ed25519_pk_to_curve25519
from nacl.public import PrivateKey, PublicKey, SealedBox


def b64(data):
    return base64.urlsafe_b64encode(data).decode()


def unb64(text):
    assert not set(text) & set("+/") and len(text) % 4 == 0
    return base64.urlsafe_b64decode(text)


class Legacy:
    def __init__(self, base):
        self.base = base

    def send(self, path, body=None, method="POST"):
        url = path if path.startswith("http") else self.base + path
        return requests.request(method, url, json=body, timeout=30)

    def ok(self, path, body=None, method="POST", status=200):
        answer = self.send(path, body, method)
        assert answer.status_code == status, answer.content
        return answer

    def refused(self, status, path, body=None, method="POST"):
        answer = self.send(path, body, method)
        assert answer.status_code == status, answer.content
        assert list(answer.json()) == ["errMessage"] and answer.json()["errMessage"]


@pytest.fixture
def legacy(own):
    own.settings["KMS_LEGACY_G1_ROUTES"] = "true"
    return Legacy(own.start().base)


@pytest.fixture
def keystore(legacy):
    answer = legacy.ok("/kms/keystores", {"controller": "did:example:c"}, status=201)
    assert not answer.content
    return answer.headers["Location"]


def create(legacy, keystore, key_type):
    answer = legacy.ok(f"{keystore}/keys", {"keyType": key_type, "export": True}, status=201)
    body = answer.json()
    assert answer.headers["Location"] == body["location"] and body["location"].startswith(f"{keystore}/keys/")
    return body["location"], unb64(body["publicKey"]) if "publicKey" in body else None


def test_the_routes_are_off_unless_asked_for(kms):
    assert kms.raw("POST", "/kms/keystores", {"controller": "c"}).status_code == 404


def test_keys_are_made_exported_and_imported(legacy, keystore):
    key, public = create(legacy, keystore, "ED25519")
    assert unb64(legacy.ok(f"{key}/export", method="GET").json()["publicKey"]) == public
    quiet = legacy.ok(f"{keystore}/keys", {"keyType": "ED25519"}, status=201).json()
    assert list(quiet) == ["location"]
    private = crypto.make_private("ED25519")
    body = {"keyBytes": b64(crypto.pkcs8(private)), "keyType": "ED25519", "keyID": "mine"}
    answer = legacy.ok(f"{keystore}/import", body, status=201)
    assert answer.json() == {"location": f"{keystore}/keys/mine"} and answer.headers["Location"].endswith("/mine")
    assert unb64(legacy.ok(f"{keystore}/keys/mine/export", method="GET").json()["publicKey"]) == crypto.public_bytes(
        "ED25519", private)
    legacy.refused(500, f"{keystore}/import", body)


def test_the_first_generation_signs_encrypts_and_verifies(legacy, keystore):
    key, public = create(legacy, keystore, "ED25519")
    signature = legacy.ok(f"{key}/sign", {"message": b64(b"m\xff\xfe")}).json()["signature"]
    crypto.verify("ED25519", public, unb64(signature), b"m\xff\xfe")
    assert not legacy.ok(f"{key}/verify", {"message": b64(b"m\xff\xfe"), "signature": signature}).content
    legacy.refused(500, f"{key}/verify", {"message": b64(b"n"), "signature": signature})
    cipher, _ = create(legacy, keystore, "AES256GCM")
    sealed = legacy.ok(f"{cipher}/encrypt", {"message": b64(b"m"), "aad": b64(b"a")}).json()
    opened = legacy.ok(f"{cipher}/decrypt", {**sealed, "aad": b64(b"a")}).json()
    assert opened == {"plainText": b64(b"m")}
    mac, _ = create(legacy, keystore, "HMACSHA256Tag256")
    tag = legacy.ok(f"{mac}/computemac", {"data": b64(b"d")}).json()["mac"]
    legacy.ok(f"{mac}/verifymac", {"data": b64(b"d"), "mac": tag})
    bbs, _ = create(legacy, keystore, "BLS12381G2")
    messages = [b64(b"1"), b64(b"2")]
    signature = legacy.ok(f"{bbs}/signmulti", {"messages": messages}).json()["signature"]
    legacy.ok(f"{bbs}/verifymulti", {"messages": messages, "signature": signature})
    proof = legacy.ok(f"{bbs}/deriveproof", {
        "messages": messages, "signature": signature, "nonce": b64(b"n"), "revealedIndexes": [1]}).json()["proof"]
    legacy.ok(f"{bbs}/verifyproof", {"proof": proof, "messages": messages[1:], "nonce": b64(b"n")})


def test_the_first_generation_wraps_and_unwraps_keys(legacy, keystore):
    key, _ = create(legacy, keystore, "X25519ECDHKW")
    exported = legacy.ok(key.replace("/kms/", "/v1/") + "/export", method="GET").json()["public_key"]
    public = json.loads(base64.b64decode(exported))
    cek = os.urandom(32)
    recipient = {"kid": b64(b"k"), "x": b64(base64.b64decode(public["x"])), "curve": b64(b"X25519"),
                 "type": b64(b"OKP")}
    wrapped = legacy.ok(f"{keystore}/wrap", {
        "cek": b64(cek), "apu": b64(b"a"), "apv": b64(b"b"), "recPubKey": recipient, "senderKID": "x"}).json()
    assert unb64(wrapped["wrappedKey"]["alg"]) == b"ECDH-ES+A256KW" and unb64(wrapped["wrappedKey"]["kid"]) == b"k"
    assert unb64(legacy.ok(f"{key}/unwrap", wrapped).json()["key"]) == cek


def test_the_first_generation_boxes_and_opens(legacy, keystore):
    key, public = create(legacy, keystore, "ED25519")
    peer, nonce, ours = PrivateKey.generate(), os.urandom(24), crypto_sign_ed25519_pk_to_curve25519(public)
    theirs = b64(bytes(peer.public_key))
    box = legacy.ok(f"{key}/easy", {"payload": b64(b"p"), "nonce": b64(nonce), "theirPub": theirs}).json()["cipherText"]
    assert crypto_box_open(unb64(box), nonce, ours, bytes(peer)) == b"p"
    sealed = SealedBox(PublicKey(ours)).encrypt(b"p")
    body = {"cipherText": b64(sealed), "myPub": b64(public)}
    assert unb64(legacy.ok(f"{keystore}/sealopen", body).json()["plainText"]) == b"p"


def test_the_health_route_tells_the_time_under_both_names(legacy, kms):
    body = legacy.ok("/healthcheck", method="GET").json()
    assert body["status"] == "success" and body["currentTime"] == body["current_time"] != ""
    assert "currentTime" not in kms.healthcheck()


def test_shares_come_in_headers_of_their_own(shamir, shares):  # noqa: F811
    """`Hub-Kms-Secret` and `Hub-Kms-User`; those of the present API are not looked at here, nor these there."""
    shamir.settings["KMS_LEGACY_G1_ROUTES"] = "true"
    base = shamir.start().base
    old = {"Hub-Kms-User": "alice", "Hub-Kms-Secret": base64.b64encode(shares[0]).decode()}
    new = {"Auth-User": "alice", "Secret-Share": old["Hub-Kms-Secret"]}

    def send(path, body, headers):
        return requests.post(base + path, json=body, headers=headers, timeout=30)

    made = send("/kms/keystores", {"controller": "did:example:c"}, old)
    assert made.status_code == 201, made.text
    keystore = made.headers["Location"]
    assert send(f"{keystore}/keys", {"keyType": "ED25519"}, old).status_code == 201
    wrong = {**old, "Hub-Kms-Secret": base64.b64encode(bytes([shares[0][0] ^ 1]) + shares[0][1:]).decode()}
    for headers, status in ((new, 500), ({}, 500), (wrong, 500), ({**old, "Hub-Kms-Secret": "*"}, 400)):
        answer = send(f"{keystore}/keys", {"keyType": "ED25519"}, headers)
        assert answer.status_code == status and list(answer.json()) == ["errMessage"], answer.text
    present = keystore.replace("/kms/", "/v1/")
    assert send(f"{present}/keys", {"key_type": "ED25519"}, old).status_code == 400
    assert send(f"{present}/keys", {"key_type": "ED25519"}, new).status_code == 200


def test_errors_have_their_own_form(legacy, keystore):
    key, _ = create(legacy, keystore, "ED25519")
    legacy.refused(400, f"{key}/sign", {"message": "*"})
    legacy.refused(400, f"{key}/sign", {"message": 1})
    legacy.refused(400, "/kms/keystores", {"controller": ""})
    legacy.refused(500, f"{keystore}/keys/absent/sign", {"message": b64(b"m")})
    legacy.refused(500, f"{keystore}/keys", {"keyType": "NONE"})
    legacy.refused(400, "/kms/keystores", {"controller": "c", "vaultID": "v"})
    legacy.refused(500, f"{keystore}/capability", {"edvCapability": {}})
    legacy.refused(400, f"{keystore}/capability", {"edvCapability": "text"})
    legacy.refused(400, f"{keystore}/capability", {})
    assert legacy.send(f"{key}/sign", method="GET").status_code == 405
    assert legacy.send(f"{key}/rotate", {}).status_code == 404


@pytest.fixture
def vaulting(own, server):
    own.settings |= {"KMS_LEGACY_G1_ROUTES": "true", "KMS_OUTBOUND_ALLOW": f"127.0.0.1:{server.port}",
                     "KMS_KEY_MANAGER_STORAGE_URL": f"{server.base}/encrypted-data-vaults/", "KMS_EDV_TIMEOUT": "10s"}
    return Legacy(own.start().base)


def test_a_keystore_in_a_vault(own, vaulting, server):
    """The first generation's order: keystore with the vault's id, the daemon's key, the capability, keys."""
    owner = zcap.Key()
    _, vault, root = server.vault(owner)
    answer = vaulting.ok("/kms/keystores", {"controller": "did:example:c", "vaultID": vault}, status=201)
    keystore, did = answer.headers["Location"], answer.headers["Edvdidkey"]
    assert did.startswith("did:key:z6Mk") and "#" in did
    # Without the capability nothing is made, here or there.
    vaulting.refused(500, f"{keystore}/keys", {"keyType": "ED25519"})
    modern = own.daemons[-1].client()
    plain = modern.raw("POST", keystore.replace("/kms/", "/v1/") + "/keys", {"key_type": "ED25519"})
    assert plain.status_code == 400 and did in plain.json()["message"]
    for capability in (zcap.issue(owner, vault, zcap.Key().did, parent=root), {}, {"id": 1},
                       zcap.issue(owner, "other", did, parent=root),
                       zcap.issue(zcap.Key(), vault, did, parent=root)):
        vaulting.refused(500, f"{keystore}/capability", {"edvCapability": capability})
    vaulting.refused(500, f"{keystore}/keys", {"keyType": "ED25519"})
    server.mode(status=500)
    good = {"edvCapability": zcap.issue(owner, vault, did, parent=root)}
    vaulting.refused(500, f"{keystore}/capability", good)
    server.mode()
    assert not vaulting.ok(f"{keystore}/capability", good).content
    key, public = create(vaulting, keystore, "ED25519")
    assert len(server.documents[vault]) == 1
    signature = vaulting.ok(f"{key}/sign", {"message": b64(b"m")}).json()["signature"]
    crypto.verify("ED25519", public, unb64(signature), b"m")
    url = modern.call("GET", keystore[keystore.index("/kms/"):].replace("/kms/", "/v1/"))["vault_url"]
    assert url == f"{server.base}/encrypted-data-vaults/{vault}"
    # A new capability may take the old one's place, and both outlast the process.
    vaulting.ok(f"{keystore}/capability", {"edvCapability": zcap.issue(owner, vault, did, parent=root)})
    own.daemons[-1].kill()
    again = Legacy(own.start().base)
    path = key[key.index("/kms/"):]
    crypto.verify("ED25519", public, unb64(again.ok(f"{path}/sign", {"message": b64(b"n")}).json()["signature"]), b"n")


def test_what_names_no_vault_makes_nothing(own, vaulting, server):
    for name in ("a/b", "..", "a?b", "a b", "%2e%2e", "x" * 129, "\u00e9"):
        vaulting.refused(400, "/kms/keystores", {"controller": "did:example:none", "vaultID": name})
    assert own.daemons[-1].client().keystores(controller="did:example:none") == []
    assert server.calls() == []
    own.daemons[-1].kill()
    for url in ("ftp://127.0.0.1/x", "nothing", "https://a/b?c"):
        assert "KMS_KEY_MANAGER_STORAGE_URL" in own.refuses_to_start(KMS_KEY_MANAGER_STORAGE_URL=url)
    refusal = own.refuses_to_start(KMS_KEY_MANAGER_STORAGE_URL="http://127.0.0.1:1/x", KMS_OUTBOUND_ALLOW="")
    assert "KMS_KEY_MANAGER_STORAGE_URL" in refusal


def test_with_capabilities_only_who_may_sets_the_vaults_capability(own, server):
    own.settings |= {"KMS_LEGACY_G1_ROUTES": "true", "KMS_OUTBOUND_ALLOW": f"127.0.0.1:{server.port}",
                     "KMS_KEY_MANAGER_STORAGE_URL": f"{server.base}/encrypted-data-vaults"}
    daemon = own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE)
    owner, controller = zcap.Key(), zcap.Key()
    _, vault, root = server.vault(owner)
    answer = requests.post(f"{daemon.base}/kms/keystores", timeout=10,
                           json={"controller": controller.did, "vaultID": vault})
    assert answer.status_code == 201, answer.text
    keystore = answer.headers["Location"].removeprefix(BASE)
    capability = json.loads(gzip.decompress(unb64(answer.headers["X-RootCapability"])))
    assert capability["allowedAction"][-1] == "updateEDVCapability"
    body = {"edvCapability": zcap.issue(owner, vault, answer.headers["Edvdidkey"], parent=root)}

    def call(key, action):
        headers = zcap.invoke(key, capability, action, "POST", f"{keystore}/capability")
        return requests.post(f"{daemon.base}{keystore}/capability", json=body, headers=headers, timeout=10).status_code

    assert requests.post(f"{daemon.base}{keystore}/capability", json=body, timeout=10).status_code == 401
    assert call(zcap.Key(), "updateEDVCapability") == 401
    assert call(controller, "createKey") == 401
    assert call(controller, "updateEDVCapability") == 200
