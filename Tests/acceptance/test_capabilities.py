"""Keystores guarded by capabilities, from a client written after the wire description alone."""
import base64
import concurrent.futures
import gzip
import hashlib
import json
import time

import pytest
import requests
import zcap
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM = "https://github.com/hyperledger/aries-framework-go/zcaps"
BASE = "https://kms.example.test"


class Wallet:
    def __init__(self):
        self.key = Ed25519PrivateKey.generate()
        fingerprint = "z" + zcap.base58(b"\xed\x01" + self.key.public_key().public_bytes_raw())
        self.did = f"did:key:{fingerprint}#{fingerprint}"

    def headers(self, capability, action, *, covered=("(created)",), method="POST", path="", host="", body=b"",
                created=None):
        packed = base64.urlsafe_b64encode(gzip.compress(json.dumps(capability).encode())).decode()
        created = int(time.time()) if created is None else created
        invocation = f'zcap capability="{packed}",action="{action}"'
        digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
        values = {"(created)": created, "(request-target)": f"{method.lower()} {path}", "host": host,
                  "capability-invocation": invocation, "digest": digest}
        text = "\n".join(f"{name}: {values[name]}" for name in covered)
        signature = base64.b64encode(self.key.sign(text.encode())).decode()
        return {
            "Capability-Invocation": invocation,
            "Digest": digest,
            "Signature": f'keyId="{self.did}",algorithm="{ALGORITHM}",created={created},'
                         f'headers="{" ".join(covered)}",signature="{signature}"',
        }


def test_a_key_for_calling_vaults_needs_no_capability(own):
    """POST /v1/keystores/did is open as making a keystore is; every key is another, and named by a did:key URL."""
    base = own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE).base
    dids = set()
    for _ in range(3):
        answer = requests.post(f"{base}/v1/keystores/did", data=b"ignored", timeout=10)
        assert answer.status_code == 200
        did, fragment = answer.json()["did"].split("#")
        assert did == f"did:key:{fragment}" and fragment.startswith("z6Mk")
        dids.add(did)
    assert len(dids) == 3
    assert requests.get(f"{base}/v1/keystores/did", timeout=10).status_code == 405


FULL = ("(created)", "(request-target)", "host", "capability-invocation", "digest")


class Guarded:
    """A daemon with capabilities, a wallet, and its keystore."""

    def __init__(self, daemon):
        self.url = daemon.base
        self.wallet = Wallet()
        answer = requests.post(f"{self.url}/v1/keystores", json={"controller": self.wallet.did}, timeout=10)
        assert answer.status_code == 200, answer.text
        self.keystore = answer.json()["key_store_url"].removeprefix(BASE)
        self.capability = json.loads(gzip.decompress(base64.b64decode(answer.json()["capability"])))

    def call(self, target, action, body, *, wallet=None, capability=None, method="POST", strict=False, headers=None,
             **more):
        data = json.dumps(body).encode() if body is not None else b""
        if headers is None:
            if strict:
                more = {"covered": FULL, "method": method, "path": target, "host": self.url.split("//")[1], **more}
            headers = (wallet or self.wallet).headers(capability or self.capability, action, body=data, **more)
        return requests.request(method, self.url + target, data=data, headers=headers, timeout=10)

    def new_key(self, **more):
        answer = self.call(f"{self.keystore}/keys", "createKey", {"key_type": "ED25519"}, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["key_url"].removeprefix(BASE)


@pytest.fixture
def guarded(own):
    return Guarded(own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE))


@pytest.fixture
def strict(own):
    return Guarded(own.start(KMS_AUTH_TYPE="ZCAP", KMS_ZCAP_STRICT="true", KMS_BASE_URL=BASE))


def refused(answer, status=401):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.text.strip() in {"unauthorized", "bad request", "forbidden"}


def test_a_new_keystore_comes_with_its_root_capability(guarded):
    capability = guarded.capability
    assert capability["id"] == BASE + guarded.keystore
    assert capability["invoker"] == guarded.wallet.did
    assert capability["invocationTarget"] == {"ID": BASE + guarded.keystore, "Type": "urn:kms:keystore"}
    assert capability["caveats"] is None
    assert capability["allowedAction"][:4] == ["createKey", "exportKey", "importKey", "rotateKey"]
    assert len(capability["allowedAction"]) == 22
    assert capability["proof"][0]["proofPurpose"] == "capabilityDelegation"


def test_the_invoker_may_and_nobody_else(guarded):
    key = guarded.new_key()
    message = {"message": base64.b64encode(b"hello").decode()}
    assert guarded.call(f"{key}/sign", "sign", message).status_code == 200
    refused(guarded.call(f"{key}/sign", "sign", message, wallet=Wallet()))
    refused(guarded.call(f"{key}/sign", "verify", message))
    refused(guarded.call(f"{key}/sign", "sign", message, headers={}))
    refused(requests.get(f"{guarded.url}{key}/export", timeout=10))
    refused(guarded.call(f"{key}/export", "exportKey", None, method="GET", wallet=Wallet()))
    assert guarded.call(f"{key}/export", "exportKey", None, method="GET").status_code == 200


def test_a_forged_root_opens_nothing(guarded):
    key = guarded.new_key()
    thief = Wallet()
    forged = {**guarded.capability, "invoker": thief.did}
    refused(guarded.call(f"{key}/sign", "sign", {"message": "aGk="}, wallet=thief, capability=forged))
    # The attack proper: every signature in it holds, and only the signer is the thief himself.
    bare = {name: value for name, value in forged.items() if name != "proof"}
    proof = {name: value for name, value in guarded.capability["proof"][0].items() if name != "jws"}
    proof["verificationMethod"] = thief.did
    proof["jws"] = zcap.HEADER + ".." + zcap.url64(thief.key.sign(zcap.signing_input(bare, proof)))
    signed = {**bare, "proof": [proof]}
    header, _, signature = proof["jws"].split(".")
    zcap.verify(thief.did, zcap.un64(signature), zcap.signing_input(bare, proof))
    refused(guarded.call(f"{key}/sign", "sign", {"message": "aGk="}, wallet=thief, capability=signed))
    assert guarded.call(f"{key}/sign", "sign", {"message": "aGk="}).status_code == 200


def test_a_capability_is_for_its_keystore_only(guarded):
    other = Guarded.__new__(Guarded)
    other.url, other.wallet = guarded.url, guarded.wallet
    answer = requests.post(f"{guarded.url}/v1/keystores", json={"controller": guarded.wallet.did}, timeout=10)
    elsewhere = answer.json()["key_store_url"].removeprefix(BASE)
    refused(guarded.call(f"{elsewhere}/keys", "createKey", {"key_type": "ED25519"}))


def test_children_have_no_more_than_their_parent_and_their_time(guarded):
    key, friend = guarded.new_key(), Wallet()
    owner = zcap.Key()
    owner.private, owner.did = guarded.wallet.key, guarded.wallet.did

    def status(child, action="sign"):
        return guarded.call(f"{key}/{action}", action, {"message": "aGk=", "signature": "aGk="}, wallet=friend,
                            capability=child).status_code

    def child(actions=("sign",), signer=owner, parent=guarded.capability, target=BASE + guarded.keystore, **more):
        return zcap.issue(signer, target, friend.did, parent=parent, actions=actions, kind="urn:kms:keystore", **more)

    honest = child()
    assert status(honest) == 200
    assert status(honest, "verify") == 401
    assert status(child(actions=("sign", "destroyKey"))) == 401
    assert status(child(signer=zcap.Key())) == 401
    assert status(child(target=BASE + "/v1/keystores/other")) == 401
    assert status({**honest, "allowedAction": ["sign", "verify"]}, "verify") == 401
    # Of a child's child the parent is not known here.
    friendly = zcap.Key()
    friendly.private, friendly.did = friend.key, friend.did
    assert status(child(signer=friendly, parent=honest)) == 401
    # Caveats: the child's time, counted from its proof.
    assert status(child(caveats=[{"type": "expiry", "duration": 3600}], age=3500)) == 200
    assert status(child(caveats=[{"type": "expiry", "duration": 3600}], age=3600)) == 401
    assert status(child(caveats=[{"type": "unknown"}])) == 401


# As didkit 0.3.3 and the Rust libraries under it write it: {"alg":"EdDSA","crit":["b64"],"b64":false}.
RUST_HEADER = "eyJhbGciOiJFZERTQSIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9"


def test_the_order_of_the_members_in_a_proofs_header_does_not_matter(guarded):
    """RFC 7515 section 5.2: the members count, and the signature is over the text that came."""
    key, friend, owner = guarded.new_key(), Wallet(), zcap.Key()
    owner.private, owner.did = guarded.wallet.key, guarded.wallet.did

    def status(header, change=None):
        child = zcap.issue(owner, BASE + guarded.keystore, friend.did, parent=guarded.capability, actions=("sign",),
                           kind="urn:kms:keystore", header=header)
        if change:
            child["proof"][0]["jws"] = change + child["proof"][0]["jws"][len(header):]
        return guarded.call(f"{key}/sign", "sign", {"message": "aGk="}, wallet=friend, capability=child).status_code

    assert json.loads(zcap.un64(RUST_HEADER)) == {"alg": "EdDSA", "crit": ["b64"], "b64": False}
    assert RUST_HEADER != zcap.HEADER
    for header in (zcap.HEADER, RUST_HEADER, zcap.url64(b'{ "b64" : false, "crit":["b64"],\n"alg":"EdDSA" }')):
        assert status(header) == 200, header
    # The text of one header under the signature over another.
    assert status(zcap.HEADER, change=RUST_HEADER) == 401
    for wrong in ({"alg": "EdDSA"}, {"alg": "none", "b64": False, "crit": ["b64"]},
                  {"alg": "EdDSA", "b64": True, "crit": ["b64"]}, {"alg": "EdDSA", "b64": False},
                  {"alg": "EdDSA", "b64": False, "crit": ["b64", "exp"], "exp": 1}):
        assert status(zcap.url64(json.dumps(wrong).encode())) == 401, wrong
    twice = b'{"alg":"none","alg":"EdDSA","b64":false,"crit":["b64"]}'
    assert status(zcap.url64(twice)) == 401


def test_a_wrong_method_is_told_before_anybody_is_asked_who_he_is(guarded):
    key = guarded.new_key()
    for method, path, allowed in (
            ("GET", f"{key}/sign", "POST"), ("POST", f"{key}/export", "GET"), ("HEAD", f"{key}/sign", "POST"),
            ("PUT", f"{key}/wrap", "POST"), ("GET", f"{guarded.keystore}/wrap", "POST"), ("OPTIONS", f"{key}/sign", "POST")):
        answer = requests.request(method, guarded.url + path, timeout=10)
        assert (answer.status_code, answer.content, answer.headers["Allow"]) == (405, b"", allowed), path
    refused(requests.post(f"{guarded.url}{key}/sign", json={"message": "aGk="}, timeout=10))


def test_an_unknown_keystore_answers_as_a_wrong_capability(guarded):
    unknown = guarded.call("/v1/keystores/c0ekinlioud42c84qs9g/keys", "createKey", {"key_type": "ED25519"})
    wrong = guarded.call(f"{guarded.keystore}/keys", "createKey", {"key_type": "ED25519"}, wallet=Wallet())
    refused(unknown)
    assert unknown.text == wrong.text


@pytest.mark.parametrize("header", ["", "bearer x", 'zcap capability="AAAA",action="sign"', 'zcap action="sign"'])
def test_an_unparsable_invocation_is_a_bad_request(guarded, header):
    key = guarded.new_key()
    headers = guarded.wallet.headers(guarded.capability, "sign")
    refused(guarded.call(f"{key}/sign", "sign", {"message": "aGk="},
                         headers={**headers, "Capability-Invocation": header}), 400)


def test_routes_of_our_own_are_closed(guarded):
    key = guarded.new_key()
    for method, path in [("GET", "/v1/keystores"), ("GET", guarded.keystore), ("GET", f"{guarded.keystore}/keys"),
                         ("GET", key), ("DELETE", key), ("POST", f"{key}/disable")]:
        refused(requests.request(method, guarded.url + path, timeout=10), 403)


def test_a_controller_that_is_no_iri_is_refused(guarded):
    answer = requests.post(f"{guarded.url}/v1/keystores", json={"controller": "me"}, timeout=10)
    assert answer.status_code == 400
    assert "IRI" in answer.json()["errMessage"]


def test_capabilities_survive_a_restart(own):
    daemon = own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE)
    guarded = Guarded(daemon)
    key = guarded.new_key()
    assert daemon.terminate() == 0
    guarded.url = own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE).base
    assert guarded.call(f"{key}/sign", "sign", {"message": "aGk="}).status_code == 200


def test_strict_mode_wants_every_part_signed(strict):
    key = strict.new_key(strict=True)
    path, body = f"{key}/sign", {"message": "aGk="}
    assert strict.call(path, "sign", body, strict=True).status_code == 200
    refused(strict.call(path, "sign", body))
    for missing in FULL:
        covered = tuple(name for name in FULL if name != missing)
        refused(strict.call(path, "sign", body, strict=True, covered=covered))
    refused(strict.call(path, "sign", body, strict=True, created=int(time.time()) - 400))
    refused(strict.call(path, "sign", body, strict=True, path=f"{key}/verify"))


def test_strict_mode_accepts_a_signature_once(strict):
    key = strict.new_key(strict=True)
    data = json.dumps({"message": "aGk="}).encode()
    headers = strict.wallet.headers(strict.capability, "sign", covered=FULL, path=f"{key}/sign",
                                    host=strict.url.split("//")[1], body=data)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda _: requests.post(f"{strict.url}{key}/sign", data=data, headers=headers, timeout=10).status_code,
            range(16)))
    assert sorted(answers) == [200] + [401] * 15


def test_a_strict_request_dated_ahead_counts_once_over_a_crash(own):
    settings = {"KMS_AUTH_TYPE": "ZCAP", "KMS_ZCAP_STRICT": "true", "KMS_BASE_URL": BASE}
    daemon = own.start(**settings)
    strict = Guarded(daemon)
    path = strict.new_key(strict=True) + "/sign"
    data, host = json.dumps({"message": "aGk="}).encode(), strict.url.split("//")[1]

    def signed(created):
        headers = strict.wallet.headers(strict.capability, "sign", covered=FULL, path=path, host=host, body=data,
                                        created=created)
        return lambda daemon: requests.post(daemon.base + path, data=data, headers={**headers, "Host": host}, timeout=10)

    now = int(time.time())
    used, unused = [signed(now + ahead) for ahead in (0, 1, 20, 29)], signed(now + 28)
    for call in used:
        assert call(daemon).status_code == 200
    for _ in range(2):
        daemon.kill()
        daemon = own.start(**settings)
        for call in used:
            refused(call(daemon))
    assert unused(daemon).status_code == 200
    assert signed(int(time.time()))(daemon).status_code == 200


def test_capabilities_need_an_absolute_base_url(own):
    said = own.refuses_to_start(KMS_AUTH_TYPE="ZCAP")
    assert "base-url" in said


def test_other_schemes_are_refused(own):
    said = own.refuses_to_start(KMS_AUTH_TYPE="OAUTH", KMS_BASE_URL=BASE)
    assert "ZCAP" in said and "GNAP" in said
