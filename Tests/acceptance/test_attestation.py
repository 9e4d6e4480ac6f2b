"""Attestations of keys: what the daemon and its token say, and what of it holds for somebody who trusts neither."""
import json
import secrets
import subprocess

import attestation
import crypto
import pytest
import requests
from daemon import Installation
from softtpm import SoftTPM
from test_capabilities import BASE, Guarded, Wallet
from test_resident import MUST_WORK
from webkms_client import ALL_TYPES


@pytest.fixture
def on_tpm(tmp_path):
    installation = Installation(tmp_path / "tpm", token=SoftTPM)
    yield installation
    installation.end()
    installation.token.end()


class Attester:
    """Asks a daemon for attestations and lets both verifiers judge them."""

    def __init__(self, installation, folder):
        self.installation, self.folder = installation, folder
        self.audit_key = installation.run("audit", "key").stdout
        (folder / "audit.pem").write_text(self.audit_key)

    def ask(self, key, nonce):
        response = key.client.raw("GET", f"{key.url}/attestation?nonce={nonce.hex()}")
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == "application/json" and response.text.endswith("\n")
        return response.text

    def fresh(self, key):
        """A good attestation and its nonce."""
        nonce = secrets.token_bytes(32)
        text = self.ask(key, nonce)
        attestation.verify(text, nonce, self.audit_key)
        return text, nonce

    def judge(self, text, nonce, *arguments, code=0, home="/nonexistent", key="audit.pem"):
        """The report of `kmsd attest verify`, away from the daemon's home."""
        path = self.folder / "attestation.json"
        path.write_text(text)
        expected = ["--audit-key", self.folder / key] if key else []
        result = self.installation.run(
            "attest", "verify", "--nonce", nonce.hex(), *expected, *arguments, path, "--output", "json", check=False,
            KMSD_HOME=str(home))
        assert result.returncode == code, result.stdout + result.stderr
        return json.loads(result.stdout)

    def refuse(self, text, nonce, finding, *arguments, **more):
        report = self.judge(text, nonce, *arguments, code=2, **more)
        assert not report["isGood"] and report["finding"]["code"] == finding, report
        return report


@pytest.fixture
def attested(own, tmp_path):
    return Attester(own, tmp_path), own.start().client()


def with_statement(text, **changes):
    document = json.loads(text)
    document["statement"].update(changes)
    return attestation.canonical(document).decode()


@pytest.mark.pkcs11
def test_keys_of_a_pkcs11_token(attested):
    attester, kms = attested
    keystore = kms.create_keystore(protection="resident")
    for key_type in MUST_WORK:
        key = keystore.create(key_type)
        text, nonce = attester.fresh(key)
        report = attester.judge(text, nonce, "--require", "resident", "--require", "born-here")
        assert report["basis"] == "token" and report["provenance"] == "born-in-token"
        statement = json.loads(text)["statement"]
        assert (statement["keystore"], statement["key"], statement["key_type"]) == (keystore.id, key.id, key_type)
        assert statement.get("public_key") == (key.public_key.hex() if key.public_key else None)
        said = statement["evidence"]["pkcs11"]
        assert said["key"]["sensitive"] and not said["key"]["extractable"] and len(said["key"]["mechanisms"]) == 1
        # The truth about a key that was wrapped once: its token no longer calls it its own.
        assert not said["key"]["local"] and not said["key"]["never_extractable"]
        assert said["wrapping_key"]["local"] and said["wrapping_key"]["never_extractable"]


def test_sealed_keys_of_every_type_claim_no_more(attested):
    attester, kms = attested
    keystore = kms.create_keystore()
    identity = keystore.metadata()["lock_slots"][0]
    for key_type in ALL_TYPES + ("NISTP256ECDHKW", "X25519ECDHKW", "BLS12381G2"):
        text, nonce = attester.fresh(keystore.create(key_type))
        statement = json.loads(text)["statement"]
        assert (statement["protection"], statement["provenance"]) == ("sealed", "born-in-daemon")
        assert statement["evidence"] == {"locks": [{"kind": "token", "identity": identity["identity"]}]}
    report = attester.judge(text, nonce, "--require", "born-here")
    assert report["basis"] == "daemon"
    attester.refuse(text, nonce, "not-resident", "--require", "resident")


def test_an_imported_key_is_never_born_here(attested):
    attester, kms = attested
    keystore = kms.create_keystore()
    key = keystore.import_key(crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "brought")
    text, nonce = attester.fresh(key)
    assert attester.judge(text, nonce)["provenance"] == "imported"
    attester.refuse(text, nonce, "not-born-here", "--require", "born-here")
    # Another word behind the signature, in the file or on the way.
    for provenance in ("born-in-daemon", "born-in-token"):
        forged = with_statement(text, provenance=provenance)
        attester.refuse(forged, nonce, "signature", "--require", "born-here")
        with pytest.raises(attestation.Refused):
            attestation.verify(forged, nonce, attester.audit_key)
    # A later version of it does not wash it clean.
    text, nonce = attester.fresh(key.rotate())
    statement = json.loads(text)["statement"]
    assert (statement["provenance"], statement["key_version"]) == ("imported", 2)
    attester.refuse(text, nonce, "not-born-here", "--require", "born-here")


def test_provenance_comes_from_the_authenticated_record(own, tmp_path):
    daemon = own.start()
    key = daemon.client().create_keystore().import_key(
        crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "brought")
    daemon.terminate()
    subprocess.run(["sqlite3", own.home / "kmsd.sqlite", "UPDATE keys SET provenance = 'born-in-daemon'"], check=True)
    client = own.start().client()
    answer = client.raw("GET", f"{key.url}/attestation?nonce={'00' * 16}")
    assert answer.status_code == 500 and "damaged" in answer.json()["message"]


def test_a_tpm_certifies_its_keys(on_tpm, tmp_path):
    attester = Attester(on_tpm.init(), tmp_path)
    manifest = json.loads((on_tpm.home / "manifest.json").read_text())
    on_tpm.token.tool("tpm2_readpublic", "-c", manifest["keys"]["attestation"]["id"], "-f", "pem", "-o",
                      str(tmp_path / "ak.pem"))
    keystore = on_tpm.start().client().create_keystore(protection="resident")
    for key_type in ("ECDSAP256DER", "ECDSAP384IEEEP1363", "HMACSHA256Tag256"):
        key = keystore.create(key_type)
        text, nonce = attester.fresh(key)
        report = attester.judge(text, nonce, "--require", "resident", "--require", "born-here", "--attestation-key",
                                tmp_path / "ak.pem")
        assert report["basis"] == "tpm" and report["attestationKeyIsExpected"] and report["auditKeyIsExpected"]
        assert report["attestationKey"] == manifest["keys"]["attestation"]["fingerprint"]
        assert report["token"]["serial"] == manifest["token"]["serial"]
    attester.judge(text, nonce, "--fingerprint", manifest["keys"]["attestation"]["fingerprint"])
    attester.refuse(text, nonce, "tpm-attestation-key", "--fingerprint", "00" * 32)
    # In the daemon's home both keys are known already.
    assert attester.judge(text, nonce, key=None, home=on_tpm.home)["attestationKeyIsExpected"]
    sealed, nonce = attester.fresh(kms_key(keystore.client))
    # The token by its storage key, and the root lock key.
    identity = f"tpm:{manifest['token']['serial']}/{manifest['keys']['root-lock']['fingerprint']}"
    assert json.loads(sealed)["statement"]["evidence"] == {"locks": [{"identity": identity, "kind": "token"}]}
    attester.refuse(sealed, nonce, "not-resident", "--require", "resident")


def test_keys_bound_to_registers_are_certified_too(tmp_path):
    bound = Installation(tmp_path / "tpm", token=lambda home: SoftTPM(home, attributes="&pcrs=sha256:7,12"))
    try:
        attester = Attester(bound.init(), tmp_path)
        key = bound.start().client().create_keystore(protection="resident").create("ECDSAP256DER")
        key.sign(b"before")
        text, nonce = attester.fresh(key)
        attester.judge(text, nonce, "--require", "resident", "--require", "born-here")
    finally:
        bound.end()
        bound.token.end()


def kms_key(client):
    return client.create_keystore().create("ED25519")


def test_swapped_evidence_and_other_nonces(on_tpm, tmp_path):
    attester = Attester(on_tpm.init(), tmp_path)
    keystore = on_tpm.start().client().create_keystore(protection="resident")
    one, two = keystore.create("ECDSAP256DER"), keystore.create("ECDSAP256DER")
    text, nonce = attester.fresh(one)
    attester.refuse(text, secrets.token_bytes(32), "nonce")
    other = json.loads(attester.ask(two, nonce))["statement"]
    for changes in ({"evidence": other["evidence"]}, {"key": two.id}, {"public_key": other["public_key"]}, {"time": 1}):
        attester.refuse(with_statement(text, **changes), nonce, "signature")
    unknown = json.loads(text)
    unknown["note"] = "x"
    bad = attester.installation.run("attest", "verify", "--first-use", "-", check=False)
    assert bad.returncode == 1, "an empty standard input is no attestation"
    path = tmp_path / "unknown.json"
    path.write_text(attestation.canonical(unknown).decode())
    assert attester.installation.run("attest", "verify", path, check=False).returncode == 1


def test_a_strangers_tool_verifies_the_tpms_words(on_tpm, tmp_path):
    attester = Attester(on_tpm.init(), tmp_path)
    daemon = on_tpm.start()
    key = daemon.client().create_keystore(protection="resident").create("ECDSAP256DER")
    text, nonce = attester.fresh(key)
    evidence = json.loads(text)["statement"]["evidence"]["tpm"]
    for name, value in evidence.items():
        (tmp_path / name).write_bytes(bytes.fromhex(value))
    assert daemon.terminate() == 0
    tool, at = on_tpm.token.tool, lambda name: str(tmp_path / name)
    shown = tool("tpm2_readpublic", "-c", "0x81010105", "-f", "pem", "-o", at("ak.pem")).stdout
    assert "fixedtpm|fixedparent|sensitivedataorigin" in shown and "restricted|sign" in shown
    tool("tpm2_loadexternal", "-C", "n", "-G", "ecc", "-u", at("ak.pem"), "-c", at("ak.ctx"))
    arguments = ("-c", at("ak.ctx"), "-g", "sha256", "-s", at("signature"), "-m")
    tool("tpm2_verifysignature", *arguments, at("attest"))
    assert tool("tpm2_verifysignature", *arguments, at("public"), check=False).returncode != 0


def test_a_home_of_an_earlier_version_gets_the_key_by_init(on_tpm, tmp_path):
    on_tpm.init()
    path = on_tpm.home / "manifest.json"
    manifest = json.loads(path.read_text())
    removed = manifest["keys"].pop("attestation")
    path.write_text(json.dumps(manifest))
    on_tpm.token.tool("tpm2_evictcontrol", "-c", removed["id"])
    daemon = on_tpm.start()
    key = daemon.client().create_keystore(protection="resident").create("ECDSAP256DER")
    answer = key.client.raw("GET", f"{key.url}/attestation?nonce={'00' * 16}")
    assert answer.status_code == 501 and "kmsd init" in answer.json()["message"]
    assert daemon.terminate() == 0
    assert on_tpm.run_json("init")["keys"] == [removed["label"]]
    assert on_tpm.run("init", check=False).returncode == 1
    attester = Attester(on_tpm, tmp_path)
    key.client = on_tpm.start().client()
    text, nonce = attester.fresh(key)
    attester.judge(text, nonce, "--require", "resident")


def test_capabilities_that_export_also_attest(own, tmp_path):
    attester = Attester(own, tmp_path)
    guarded = Guarded(own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE))
    path, nonce = guarded.new_key(), secrets.token_bytes(16)
    target = f"{path}/attestation?nonce={nonce.hex()}"
    answer = guarded.call(target, "exportKey", None, method="GET")
    assert answer.status_code == 200, answer.text
    attestation.verify(answer.text, nonce, attester.audit_key)
    refused(401, guarded.call(target, "sign", None, method="GET"))
    refused(401, guarded.call(target, "exportKey", None, method="GET", wallet=Wallet()))
    refused(401, requests.get(guarded.url + target, timeout=10))


def refused(status, answer):
    assert answer.status_code == status, answer.text


def test_first_use_says_so(attested):
    attester, kms = attested
    text, nonce = attester.fresh(kms_key(kms))
    attester.refuse(text, nonce, "audit-key-unknown", key=None)
    assert not attester.judge(text, nonce, "--first-use", key=None)["auditKeyIsExpected"]
    said = attester.installation.run("attest", "verify", "--first-use", attester.folder / "attestation.json",
                                     KMSD_HOME="/nonexistent").stdout
    assert "on its own word" in said and said.endswith("ok\n")


@pytest.mark.parametrize("query", [
    "", "?nonce=", "?nonce=00", "?nonce=" + "0" * 30, "?nonce=" + "0" * 33, "?nonce=" + "00" * 65, "?nonce=" + "AB" * 16,
    "?nonce=" + "zz" * 16, f"?nonce={'00' * 16}&nonce={'00' * 16}", f"?nonce={'00' * 16}&other=1",
    f"?other={'00' * 16}"])
def test_a_nonce_that_is_none_is_refused(kms, keystore, query):
    key = keystore.create("ED25519")
    answer = kms.raw("GET", f"{key.url}/attestation{query}")
    assert answer.status_code == 400 and answer.json()["message"].startswith("attest key: ")
    assert kms.raw("POST", f"{key.url}/attestation?nonce={'00' * 16}").status_code == 405


def test_only_keys_that_may_be_used(kms, keystore):
    key = keystore.create("ED25519")
    query = "?nonce=" + "11" * 16
    key.disable()
    assert kms.raw("GET", f"{key.url}/attestation{query}").status_code == 409
    key.enable()
    assert kms.raw("GET", f"{key.url}/attestation{query}").status_code == 200
    other = kms.create_keystore()
    assert kms.raw("GET", f"{other.key(key.id).url}/attestation{query}").status_code == 404
    key.destroy(grace=0)
    assert kms.raw("GET", f"{key.url}/attestation{query}").status_code == 409
    refused(404, kms.raw("GET", f"{keystore.url}/keys/absent/attestation{query}"))


def test_attestations_are_recorded(own):
    daemon = own.start()
    key = kms_key(daemon.client())
    assert daemon.client().raw("GET", f"{key.url}/attestation?nonce={'22' * 16}").status_code == 200
    assert daemon.client().raw("GET", f"{key.url}/attestation?nonce=2").status_code == 400
    daemon.terminate()
    records = [json.loads(line) for line in own.run("audit", "export").stdout.splitlines()]
    made = [event for event in (record.get("event", {}) for record in records) if event.get("operation") == "attestation"]
    assert [event["outcome"] for event in made] == ["allowed", "refused"]
    assert all(event["subject"] == f"{key.keystore.id}/{key.id}" for event in made)
