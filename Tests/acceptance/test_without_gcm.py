"""Tokens without AES-GCM: the daemon's keys seal to a public key there, by ECDH or RSA-OAEP, and the token opens."""
import base64
import hashlib
import json
import os
import signal
import sqlite3

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from daemon import Installation, eventually
from oddmodule import OddToken
from softtoken import MODULE, SPY
from webkms_client import Key, Keystore, KMSError

pytestmark = pytest.mark.pkcs11

# 1087 is CKM_AES_GCM, 1050 CKM_ECDH1_DERIVE, 1080 CKM_AES_KEY_GEN, 0 CKM_RSA_PKCS_KEY_PAIR_GEN; 70 CKR_MECHANISM_INVALID. A rule
# for C_GetMechanismList takes the mechanism from the list.
WITHOUT_GCM = "C_GetMechanismList@1087=1;C_EncryptInit@1087=70;C_DecryptInit@1087=70"
WITHOUT_AGREEMENT = WITHOUT_GCM + ";C_GetMechanismList@1050=1;C_DeriveKey@1050=70"
KINDS = {WITHOUT_GCM: "ECDH-P256", WITHOUT_AGREEMENT: "RSA-3072-OAEP-SHA-1"}


class WithoutGCM(OddToken):
    odd = WITHOUT_GCM


class WithoutAgreement(OddToken):
    odd = WITHOUT_AGREEMENT


@pytest.fixture
def odd(tmp_path):
    installation = Installation(tmp_path / "home", token=OddToken)
    yield installation
    installation.end()


@pytest.fixture(scope="module", params=[WithoutGCM, WithoutAgreement])
def served(request, tmp_path_factory):
    """A home on such a token, initialised once, and a keystore in it."""
    installation = Installation(tmp_path_factory.mktemp("without") / "home", token=request.param)
    installation.made = installation.run_json("init")
    daemon = installation.start()
    installation.keystore = daemon.client().create_keystore()
    assert installation.keystore.create("ED25519").sign(b"m")
    assert daemon.terminate() == 0
    yield installation
    installation.end()


def on(daemon, key):
    """The same key after a restart."""
    return Key(Keystore(daemon.client(), key.keystore.url), key.url, key.type)


def manifest(installation):
    return json.loads((installation.home / "manifest.json").read_text())


def rows(installation):
    with sqlite3.connect(installation.home / "kmsd.sqlite") as database:
        return dict(database.execute("SELECT id, lock_record FROM keystores").fetchall())


def exchange(installation, records):
    """Writes lock records into the stopped database."""
    with sqlite3.connect(installation.home / "kmsd.sqlite") as database:
        for name, record in records.items():
            changed = database.execute("UPDATE keystores SET lock_record = ? WHERE id = ?", (record, name)).rowcount
            assert changed == 1


def test_init_takes_what_the_token_has_and_says_it(served):
    kind = KINDS[served.token.odd]
    assert served.made["rootLock"] == kind
    keys = manifest(served)["keys"]
    for role in ("root-lock", "share-lock-user", "share-lock-server"):
        assert keys[role]["kind"] == kind and len(keys[role]["proof"]) == 128
    slot = json.loads(rows(served)[served.keystore.id])["slots"][0]
    assert slot["identity"].endswith(f";x-kmsd-lock={kind}") and "type=private" in slot["identity"]
    assert base64.b64decode(slot["sealed"])[0] == (3 if kind == "ECDH-P256" else 4)
    probe = {entry["name"]: entry for entry in served.run_json("token", "probe", "--write", codes=(0, 2))["capabilities"]}
    assert probe["root-lock"]["detail"] == kind and probe["root-lock"]["outcome"] == "ok", probe
    assert probe["aes-256-gcm"]["outcome"] == "absent", probe
    lint = served.run_json("token", "lint")
    assert lint["grade"] == "ok" and sum(entry["isManaged"] for entry in lint["objects"]) == 6, lint
    doctor = served.run_json("doctor", codes=(0, 2))
    assert any(kind in check["message"] for check in doctor["checks"] if check["name"] == "root-lock"), doctor


def test_what_was_sealed_opens_after_a_restart_and_after_a_kill(served):
    daemon = served.start()
    made = daemon.client().create_keystore().create("AES256GCM")
    ciphertext, nonce = made.encrypt(b"m", b"")
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    served.token.mend()
    daemon = served.start()
    assert on(daemon, made).decrypt(ciphertext, nonce, b"") == b"m"
    assert daemon.terminate() == 0
    assert served.run_json("audit", "verify").get("finding") is None


def test_resident_keys_without_gcm(served):
    """They need no GCM of their own, but those of AES do."""
    daemon = served.start()
    keystore = daemon.client().create_keystore(protection="resident")
    with pytest.raises(KMSError) as refusal:
        keystore.create("AES256GCM")
    assert refusal.value.status == 501
    assert keystore.create("ECDSAP256DER").sign(b"m")
    assert daemon.terminate() == 0


def test_a_wrong_pin_is_tried_once(served, tmp_path):
    right, spied = served.token.pin, tmp_path / "calls.txt"
    served.token.pin_file.write_text("0" * len(right))
    try:
        said = served.run("doctor", check=False, KMS_TOKEN_URI=served.token.uri(module=SPY), PKCS11SPY=MODULE,
                          PKCS11SPY_OUTPUT=str(spied))
        assert said.returncode != 0
        assert spied.read_text(errors="replace").count("C_Login\n") == 1
    finally:
        served.token.pin_file.write_text(right)


def test_another_mechanism_is_refused_for_a_home_that_has_one(served):
    before = manifest(served)
    for name in ("aes-gcm", "rsa-oaep" if KINDS[served.token.odd] == "ECDH-P256" else "ecdh"):
        said = served.run("init", "--root-lock", name, check=False)
        assert said.returncode == 1 and f"cannot be changed to '{name}'" in said.stderr, said.stderr
    assert manifest(served) == before


def test_a_manifest_with_a_strangers_public_key_is_refused(served):
    """Whoever writes the manifest would otherwise be shown every secret that is sealed from then on."""
    path = served.home / "manifest.json"
    text = path.read_text()
    edited = json.loads(text)
    keys = edited["keys"]
    # The pair of another role: a good public key, which the token opens, with another name on it.
    for member in ("publicKey", "fingerprint", "sentinel", "proof"):
        keys["root-lock"][member] = keys["share-lock-user"][member]
    try:
        path.write_text(json.dumps(edited))
        daemon = served.start(ready=False)
        daemon.wait_for_readiness(503)
        eventually(lambda: "is not the one that the token signed" in daemon.log(), 20, "the reason in the log")
        with pytest.raises(KMSError) as refusal:
            daemon.client().create_keystore()
        assert refusal.value.status == 503
        daemon.terminate()
    finally:
        path.write_text(text)


def test_a_lock_that_was_exchanged_or_altered_opens_nothing(served):
    """A sealed lock key of another keystore, and one with a flipped bit, are one refusal."""
    daemon = served.start()
    keystores = [daemon.client().create_keystore() for _ in range(3)]
    keys = [keystore.create("ED25519") for keystore in keystores]
    assert daemon.terminate() == 0
    records = rows(served)
    ids = [keystore.id for keystore in keystores]
    exchanged = {ids[0]: records[ids[1]]}
    slots = json.loads(records[ids[2]])
    sealed = bytearray(base64.b64decode(slots["slots"][0]["sealed"]))
    sealed[-1] ^= 1
    slots["slots"][0]["sealed"] = base64.b64encode(sealed).decode()
    exchanged[ids[2]] = json.dumps(slots, sort_keys=True, separators=(",", ":")).encode()
    exchange(served, exchanged)
    daemon = served.start()
    texts = []
    for key in (keys[0], keys[2]):
        with pytest.raises(KMSError) as refusal:
            on(daemon, key).sign(b"m")
        texts.append((refusal.value.status, str(refusal.value)))
    assert texts[0][0] == texts[1][0] >= 400, texts
    assert on(daemon, keys[1]).sign(b"m")
    assert daemon.terminate() == 0
    exchange(served, {name: records[name] for name in exchanged})


def test_a_lock_key_that_somebody_sealed_to_the_public_key_opens_nothing(served):
    """The public key is in the manifest and the form in the documents; what is missing is the secret that the token opens. Else
    whoever writes the database could give a keystore a lock key of his own, and the database a seal."""
    daemon = served.start()
    key = daemon.client().create_keystore(controller="did:key:victim").create("ED25519")
    assert daemon.terminate() == 0
    name, record = manifest(served)["keys"]["root-lock"], rows(served)[key.keystore.id]
    slots = json.loads(record)
    genuine = base64.b64decode(slots["slots"][0]["sealed"])
    identity = b"".join(map(field, (
        b"kmsd/record-identity/v1", b"did:key:victim", key.keystore.id.encode(), b"", b"keystore-lock-key",
        (1).to_bytes(8, "big"))))
    for secret in (b"", bytes(32)):
        forged = seal(name, bytes(32), identity, secret)
        assert len(forged) == len(genuine) and forged[0] == genuine[0]
        slots["slots"][0]["sealed"] = base64.b64encode(forged).decode()
        exchange(served, {key.keystore.id: json.dumps(slots, sort_keys=True, separators=(",", ":")).encode()})
        daemon = served.start()
        with pytest.raises(KMSError) as refusal:
            on(daemon, key).sign(b"m")
        assert refusal.value.status >= 400
        assert daemon.terminate() == 0
    exchange(served, {key.keystore.id: record})
    daemon = served.start()
    assert on(daemon, key).sign(b"m")
    assert daemon.terminate() == 0


def field(content):
    return len(content).to_bytes(4, "big") + content


def seal(key, plaintext, context, secret):
    """As docs/FORMATS.md says, by another library: to the public half in the manifest, with this sealing secret or none."""
    public = bytes.fromhex(key["publicKey"])
    if key["kind"] == "ECDH-P256":
        ephemeral = ec.generate_private_key(ec.SECP256R1())
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
        version, shared = 3, ephemeral.exchange(ec.ECDH(), peer)
        encapsulation = ephemeral.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    else:
        version, shared = 4, os.urandom(32)
        peer = rsa.RSAPublicNumbers(65537, int.from_bytes(public, "big")).public_key()
        encapsulation = peer.encrypt(shared, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
    fields = (b"kmsd/public-seal/v1", key["kind"].encode(), public, encapsulation,
              (1 if secret else 0).to_bytes(8, "big"), context)
    info = hashlib.sha256(b"".join(map(field, fields))).digest()
    derived = HKDF(hashes.SHA256(), 32, None, info).derive(shared + secret)
    head = bytes([version])
    return head + encapsulation + AESGCM(derived).encrypt(bytes(12), plaintext, head + context)


@pytest.mark.parametrize("rule, kind", [
    ("C_EncryptInit@1087=70", "ECDH-P256"), ("C_EncryptInit@1087=71", "ECDH-P256"), ("C_DecryptInit@1087=70", "ECDH-P256"),
    ("C_GenerateKey@1080=70", "ECDH-P256"), ("C_GenerateKey=54", "ECDH-P256")])
def test_any_answer_that_means_no_gcm_is_understood(odd, rule, kind):
    odd.token.odd = rule
    made = odd.run("init")
    keys = manifest(odd)["keys"]
    assert keys["root-lock"]["kind"] == kind and kind in made.stdout, made.stdout
    without_wrapping = "C_GenerateKey" in rule
    assert ("resident-wrap" not in keys) == without_wrapping
    assert ("resident keys are refused" in made.stdout) == without_wrapping
    if rule == "C_GenerateKey@1080=70":
        daemon = odd.start()
        assert daemon.client().create_keystore().create("ED25519").sign(b"m")
        with pytest.raises(KMSError) as refusal:
            daemon.client().create_keystore(protection="resident").create("ECDSAP256DER")
        assert refusal.value.status == 501
        assert daemon.terminate() == 0
    assert odd.run("init", check=False).returncode == 1, "there is nothing to add"


def test_a_token_with_none_of_the_mechanisms_is_refused_by_their_names(odd):
    odd.token.odd = "C_EncryptInit@1087=70;C_DecryptInit@1087=70;C_DeriveKey@1050=70;C_GenerateKeyPair@0=70"
    found = odd.run("token", "probe", check=False)
    assert found.returncode == 2 and "it lacks root-lock" in found.stdout, found.stdout
    said = odd.run("init", check=False)
    assert said.returncode == 1
    for word in ("'root-lock'", "CKM_AES_GCM", "ECDH-P256", "RSA-3072-OAEP-SHA-256", "CKR_MECHANISM_INVALID"):
        assert word in said.stderr, said.stderr
    assert odd.token.objects() == []


def test_a_mechanism_that_is_asked_for_is_taken_or_refused(odd):
    odd.token.odd = "C_DeriveKey@1050=70"
    said = odd.run("init", "--root-lock", "ecdh", check=False)
    assert said.returncode == 1 and "CKM_ECDH1_DERIVE" in said.stderr and odd.token.objects() == [], said.stderr
    odd.token.odd = ""
    odd.run("init", "--root-lock", "ecdh")
    assert manifest(odd)["keys"]["root-lock"]["kind"] == "ECDH-P256"
    # Killed in the middle of sealing and with the token away, it is the token like any other.
    daemon = odd.start()
    odd.token.hide()
    daemon.wait_for_readiness(503)
    odd.token.bring_back()
    daemon.wait_for_readiness(200)
    assert daemon.client().create_keystore().create("ED25519").sign(b"m")
    assert daemon.terminate() == 0
