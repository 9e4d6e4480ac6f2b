"""The published description and the daemon say the same."""
import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import bn254
import crypto
import jsonschema
import pytest
import yaml
from daemon import ROOT, Installation
from nacl.bindings import crypto_box, crypto_sign_ed25519_pk_to_curve25519
from nacl.public import PrivateKey, PublicKey, SealedBox
from openapi_spec_validator import validate
from split_client import SplitClient, refused
from test_split_keys import SECRET, with_secret
from webkms_client import encode

PATH = ROOT / "Sources" / "HTTPAPI" / "Resources" / "openapi.yaml"
DOCUMENT = yaml.safe_load(PATH.read_text())


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in ("get", "put", "post", "delete"):
            if method in item:
                yield item[method]["operationId"], method.upper(), path, item[method]


DESCRIBED = {name: (method, path, operation) for name, method, path, operation in operations()}
# The split-key routes are served where bearer tokens are configured; they are tested beside the others at the end.
SPLIT = {name: described for name, described in DESCRIBED.items() if described[1].startswith(("/zvault/", "/zauth/"))}
# The first generation is served where a setting says so; test_legacy.py has it.
OPERATIONS = {name: described for name, described in DESCRIBED.items()
              if name not in SPLIT and not described[1].startswith("/kms/")}
SPLIT_PATHS, OTHER_PATHS = "^/z(vault|auth)/", "^/(kms|zvault|zauth)/"


def test_document_is_valid():
    validate(DOCUMENT)


def test_headers_of_our_own_are_described(kms):
    described = {name.lower() for response in DOCUMENT["components"]["responses"].values() for name in response["headers"]}
    for answer in (kms.raw("GET", "/livez"), kms.raw("GET", "/v1/keystores/absent"), kms.raw("POST", "/zvault/wallet")):
        own = {name.lower() for name in answer.headers if name.lower().startswith("x-")} - {"x-content-type-options"}
        assert own == {"x-request-id", "x-kmsd-request-id"} and own <= described, own
    for name, shape in (("RequestID", None), ("OwnRequestID", DOCUMENT["components"]["headers"]["OwnRequestID"])):
        assert name in DOCUMENT["components"]["headers"]
        if shape:
            assert re.fullmatch(shape["schema"]["pattern"], answer.headers["X-Kmsd-Request-Id"])


def test_served_document_is_the_file(kms):
    response = kms.raw("GET", "/openapi.yaml")
    assert response.status_code == 200 and response.content == PATH.read_bytes()


def test_own_routes_are_marked():
    ours = {name for name, (_, _, operation) in {**OPERATIONS, **SPLIT}.items() if operation.get("x-kmsd-extension")}
    assert ours == {"listKeystores", "getKeystore", "listKeys", "getKey", "destroyKey", "disableKey", "enableKey",
                    "restoreKey", "attestKey", "livez", "readyz", "openapi", "takeAnchor", "forgetShares",
                    "resolveChainConflict"}


BODIES = {
    "createKeystore": {"controller": "did:example:openapi"}, "createKey": {"key_type": "ED25519"},
    "importKey": {"key": encode(crypto.pkcs8(crypto.make_private("ED25519"))), "key_type": "ED25519"},
    "rotateKey": {"key_type": "ED25519"}, "sign": {"message": encode(b"m")}, "encrypt": {"message": encode(b"m")},
    "computeMAC": {"data": encode(b"m")}, "resolveChainConflict": {"header": "5a" * 32},
}


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"openapi"}))
def test_answers_have_the_described_shape(kms, keystore, name):
    """Every operation once, on a key it suits; success and a 404 both checked against the schemas."""
    method, path, operation = OPERATIONS[name]
    expected, absent = (501, 501) if name in UNIMPLEMENTED else (200, 404)
    if name == "resolveChainConflict":
        # The decryption API is off here; test_decryption_conflict.py has the rest.
        expected = 404
    if name in ("verify", "decrypt", "verifyMAC"):
        key_type = {"verify": "ED25519", "decrypt": "AES256GCM", "verifyMAC": "HMACSHA256Tag256"}[name]
    else:
        key_type = {"encrypt": "AES256GCM", "computeMAC": "HMACSHA256Tag256"}.get(name, "ED25519")
    key = keystore.create(key_type)
    body = BODIES.get(name)
    if name == "verify":
        body = {"message": encode(b"m"), "signature": encode(key.sign(b"m"))}
    elif name == "decrypt":
        ciphertext, nonce = key.encrypt(b"m")
        body = {"ciphertext": encode(ciphertext), "nonce": encode(nonce)}
    elif name == "verifyMAC":
        body = {"data": encode(b"m"), "mac": encode(key.compute_mac(b"m"))}
    elif name == "restoreKey":
        key.destroy(grace=60)
    elif name == "attestKey":
        path += "?nonce=" + "5a" * 32
    elif name in AGREEMENT:
        key, body = agreement(keystore, name)
    elif name in MULTI:
        key, body = multi(keystore, name)
    conforms(operation, kms.raw(method, path.format(keystore=keystore.id, key=key.id, user="nobody"), body), expected)
    if "{key}" in path or "{keystore}" in path:
        conforms(operation, kms.raw(method, path.format(keystore="absent", key="absent"), body), absent)


UNIMPLEMENTED = {"blind", "correctnessProof", "signWithSecrets"}
MULTI = {"signMulti", "verifyMulti", "deriveProof", "verifyProof"}
AGREEMENT = {"wrapAnonymously", "wrap", "unwrap", "easy", "easyOpen", "sealOpen"}


def agreement(keystore, name):
    """A key and a body that an agreement operation answers with 200."""
    if name in ("wrapAnonymously", "wrap", "unwrap"):
        key = keystore.create("X25519ECDHKW")
        body = {"cek": encode(bytes(32)), "recipient_pub_key": json.loads(key.export()[0])}
        if name == "unwrap":
            body = {"wrapped_key": keystore.client.call("POST", f"{keystore.url}/wrap", body)}
        return key, body
    key = keystore.create("ED25519")
    public = key.export()[0]
    theirs, peer = crypto_sign_ed25519_pk_to_curve25519(public), PrivateKey.generate()
    if name == "sealOpen":
        return key, {"ciphertext": encode(SealedBox(PublicKey(theirs)).encrypt(b"m")), "my_pub": encode(public)}
    body = {"nonce": encode(bytes(24)), "their_pub": encode(bytes(peer.public_key))}
    if name == "easy":
        return key, {**body, "payload": encode(b"m")}
    box = crypto_box(b"m", bytes(24), theirs, bytes(peer))
    return key, {**body, "ciphertext": encode(box), "my_pub": encode(public)}


def multi(keystore, name):
    """A key and a body that an operation on lists of messages answers with 200."""
    key = keystore.create("BLS12381G2")
    body = {"messages": [encode(b"m"), encode(b"n")]}
    if name == "signMulti":
        return key, body
    signature = key.sign_multi([b"m", b"n"])
    if name == "verifyMulti":
        return key, {**body, "signature": encode(signature)}
    if name == "deriveProof":
        return key, {**body, "signature": encode(signature), "revealed_indexes": [1], "nonce": encode(b"x")}
    proof = key.derive_proof(signature, [b"m", b"n"], [1], b"x")
    return key, {"proof": encode(proof), "messages": [encode(b"n")], "nonce": encode(b"x")}


def conforms(operation, response, status):
    assert response.status_code == status, response.content
    described = resolve(operation["responses"][str(status)])
    content = described.get("content")
    if not content:
        assert response.content == b""
        return
    schema = {**content["application/json"]["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(response.json())


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def test_examples_fit_their_schemas():
    count = 0
    for _, _, _, operation in operations():
        contents = list(operation.get("requestBody", {}).get("content", {}).values())
        contents += [content for response in operation["responses"].values()
                     for content in resolve(response).get("content", {}).values()]
        for content in contents:
            examples = [content["example"]] if "example" in content else [
                example["value"] for example in content.get("examples", {}).values()]
            for example in examples:
                schema = {**content["schema"], "components": DOCUMENT["components"]}
                jsonschema.Draft202012Validator(schema).validate(example)
                count += 1
    assert count > 10


def with_known_names(kms, keystore, path):
    """The description, but with keystores and keys that exist, so that generated requests get past the 404."""
    keys = [keystore.create(name).id for name in ("ED25519", "ECDSAP256DER", "AES256GCM", "HMACSHA256Tag256", "BLS12381G2")]
    document = copy.deepcopy(DOCUMENT)
    document["components"]["parameters"]["Keystore"]["schema"] = {"enum": [keystore.id]}
    document["components"]["parameters"]["Key"]["schema"] = {"enum": keys}
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize("names", ["any", "known"])
def test_generated_requests_find_no_server_error(daemon, kms, keystore, tmp_path, names):
    """Schemathesis makes requests from the description, good and bad: no 5xx, no undescribed answer."""
    document = PATH if names == "any" else with_known_names(kms, keystore, tmp_path / "openapi.yaml")
    # 501 is an answer like others here: the token cannot do what a resident keystore was asked for.
    generate(daemon, document, tmp_path, 501, len(OPERATIONS), "--exclude-path-regex", OTHER_PATHS)


def generate(daemon, document, folder, answer, operations, *more):
    (folder / "schemathesis.toml").write_text(
        f'[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", {answer}]\n')
    tool = Path(sys.executable).with_name("schemathesis")
    result = subprocess.run(
        [tool, "run", document, "--url", daemon.base, "--max-examples", "15", "--seed", "8074", "--workers", "1",
         "--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--request-timeout", "60",
         "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
         *more],
        capture_output=True, text=True, timeout=1500, cwd=folder, stdin=subprocess.DEVNULL,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ})
    assert result.returncode == 0, re.sub(r"\n{3,}", "\n\n", result.stdout[-8000:] + result.stderr[-2000:])
    tested = re.search(r"^ *Tested: (\d+)$", result.stdout, re.MULTILINE)
    assert tested and int(tested[1]) == operations, result.stdout[-2000:]


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    installation = with_secret(Installation(tmp_path_factory.mktemp("split") / "home")).init()
    try:
        yield SplitClient(installation.start().base, SECRET)
    finally:
        installation.end()


def test_the_split_key_routes_are_described():
    """One path of each route of the front, as the front itself lists them."""
    source = (ROOT / "Sources" / "HTTPAPI" / "Routes" / "Route+SplitKeys.swift").read_text()
    assert {path for _, path, _ in SPLIT.values()} == set(re.findall(r'"(/z(?:vault|auth)/[^"]+)"', source))


@pytest.mark.parametrize("name", sorted(SPLIT))
def test_answers_of_split_keys_have_the_described_shape(split, name):
    """Every operation once on a wallet it suits, and without a token or with a key that is not there."""
    method, path, operation = SPLIT[name]
    row = split.split(split.wallet()["client_id"], restrictions=["allocation_storage_operations"],
                      allow_message_signing=True)
    body, key, params, unknown = sample(split, row, name)
    def call(body=body, key=key, client=row["client_id"], params=params, token=True):
        return split.http.request(method, split.base + path.format(client_id=client), params=params, timeout=60,
                                  data=json.dumps(body) if body is not None else "", headers=split.headers(key, token))
    conforms(operation, call(), 200)
    if "UserToken" in operation["security"][0]:
        described(operation, call(token=False), 401)
    if unknown == "client":
        described(operation, call(client="0" * 64), 500 if name == "getLastUse" else 400)
    elif unknown == "key":
        described(operation, call(key="11" * 64), 500 if name.startswith("cosign") else 400)
    elif unknown == "body":
        described(operation, call(body={"nothing": 1}), 400)


def described(operation, response, status):
    """An error of this front: the described status and plain text."""
    assert list(resolve(operation["responses"][str(status)])["content"]) == ["text/plain"]
    refused(response, status)


def sample(split, row, name):
    """Body, key header and query of a request that is answered with 200, and what makes it fail."""
    user, peer = row["public_key"], row["peer_public_key"]
    scalar = bn254.secret_to_text(bn254.random_secret())
    digest = bytes(range(32))
    half = bn254.sign(bn254.secret_from_text(row["private_key"]), digest)
    foreign, private = bn254.random_secret(), bn254.random_secret()
    client_key = bn254.public_key((foreign + private) % bn254.R)
    setup = {"client_id": bn254.client_id(client_key), "client_key": client_key, "public_key": bn254.public_key(private),
             "private_key": bn254.secret_to_text(private), "peer_public_key": bn254.public_key(foreign), "expired_at": 0}
    message = {"hash": digest.hex(), "signature": half, "client_id": row["client_id"]}
    storage = "6dba10422e368813802877a85039d3985d96760ed844092319743fb3a76712d7"
    transaction = split.transaction(row, '{"name":"cancel_allocation","input":null}', receiver=storage)
    return {
        "createWallet": ({"suite": "bls12381-min-sig"}, None, None, None),
        "storeWallet": ({"private_key": scalar, "mnemonic": "words"}, None, None, "body"),
        "listWallets": (None, None, None, None), "listSharedKeys": (None, None, None, None),
        "shareSplitKey": ({"public_key": user, "target_user_id": "bob"}, None, None, "body"),
        "getRestrictions": (None, peer, None, "key"), "generateWallet": (None, None, None, None),
        "createSplitKey": ({"expires_at": 0}, None, None, "client"), "listSplitKeys": (None, None, None, None),
        "setRestrictions": ({"restrictions": ["token_transfers"]}, peer, None, "client"),
        "revokeSplitKey": (None, None, {"public_key": user}, "client"), "deleteWallet": (None, None, None, "client"),
        "generateSplitKey": (None, None, None, "client"), "setUpShare": (setup, None, None, "body"),
        "takeAnchor": ({"client_id": row["client_id"], "scalar": scalar}, None, None, "body"),
        "cosignMessage": (message, user, None, "key"), "cosignTransaction": (transaction, user, None, "key"),
        "getLastUse": (None, peer, None, "client"),
        "setShareRestrictions": ({"restrictions": ["token_transfers"]}, peer, None, "client"),
        "revokeShare": (None, None, {"peer_public_key": user}, "client"), "deleteShares": (None, None, None, "client"),
    }[name]


def test_generated_requests_to_split_keys_are_answered_as_described(split, tmp_path):
    # 500 is the answer of TrustBloc's server to a key that is not there.
    generate(split, PATH, tmp_path, 500, len(SPLIT), "--include-path-regex", SPLIT_PATHS, "-H", f"X-Jwt-Token: {split.token}")
