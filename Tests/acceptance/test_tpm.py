"""The daemon with a TPM 2.0 and no PKCS #11 at all."""
import shutil
import time

import pytest
from daemon import Installation, eventually
from softtpm import SoftTPM
from webkms_client import KMSError

HANDLES = [f"0x8101010{number}" for number in range(7)]


@pytest.fixture
def on_tpm(tmp_path):
    installation = Installation(tmp_path / "home", token=SoftTPM)
    yield installation
    installation.end()
    installation.token.end()


@pytest.fixture
def serving(on_tpm):
    return on_tpm.init().start()


def test_sealed_and_resident_keystores_over_a_restart(on_tpm, serving):
    kms = serving.client()
    sealed = kms.create_keystore()
    key = sealed.create("ED25519")
    signature = key.sign(b"hello")
    box = sealed.create("AES256GCM")
    ciphertext, nonce = box.encrypt(b"secret", b"data")
    resident = kms.create_keystore(protection="resident")
    born_there = [resident.create("ECDSAP256IEEEP1363"), resident.create("ECDSAP384DER"),
                  resident.create("HMACSHA256Tag256")]
    signatures = [key.sign(b"message") for key in born_there[:2]]
    tag = born_there[2].compute_mac(b"message")
    assert serving.terminate() == 0

    again = on_tpm.start().client()

    def moved(key):
        key.keystore.client = key.client = again
        return key

    moved(key).verify(signature, b"hello")
    assert moved(box).decrypt(ciphertext, nonce, b"data") == b"secret"
    for key, made in zip(born_there, signatures):
        moved(key).verify(made, b"message")
        key.verify(key.sign(b"another"), b"another")
    moved(born_there[2]).verify_mac(tag, b"message")


def test_what_a_tpm_cannot_do_is_refused(serving):
    resident = serving.client().create_keystore(protection="resident")
    for key_type in ("ED25519", "AES256GCM"):
        with pytest.raises(KMSError) as refusal:
            resident.create(key_type)
        assert 400 <= refusal.value.status < 500 or refusal.value.status == 501


def test_tools_see_the_objects_and_cannot_extract_them(on_tpm, serving):
    serving.client().create_keystore()
    listed = on_tpm.token.tool("tpm2_getcap", "handles-persistent").stdout
    assert [line.strip("- ").lower() for line in listed.split() if "0x" in line] == HANDLES
    for handle in HANDLES:
        shown = on_tpm.token.tool("tpm2_readpublic", "-c", handle).stdout
        assert "fixedtpm" in shown and "fixedparent" in shown and "sensitivedataorigin" in shown
        refused = on_tpm.token.tool(
            "tpm2_duplicate", "-c", handle, "-C", "null", "-G", "null", "-r", str(on_tpm.home / "private"),
            "-s", str(on_tpm.home / "seed"), check=False)
        assert refused.returncode != 0
    # Without the authorization value the root lock key does nothing.
    assert on_tpm.token.tool("tpm2_hmac", "-c", HANDLES[1], __file__, check=False).returncode != 0


def test_heals_when_the_tpm_is_killed_and_returns(on_tpm):
    daemon = on_tpm.init().start(KMS_LOCK_TTL="0s")
    keystore = daemon.client().create_keystore()
    key = keystore.create("ED25519")
    for _ in range(3):
        on_tpm.token.kill()
        body, _ = daemon.wait_for_readiness(503)
        assert body["problems"][0]["component"] in ("token", "lock")
        with pytest.raises(KMSError) as refusal:
            key.sign(b"x")
        assert refusal.value.status == 503
        on_tpm.token.start()
        daemon.wait_until_ready()
        key.sign(b"x")


def test_a_copied_disk_opens_nothing_on_another_tpm(on_tpm, serving, tmp_path):
    key = serving.client().create_keystore().create("ED25519")
    key.sign(b"x")
    assert serving.terminate() == 0
    thief = Installation(tmp_path / "thief", token=SoftTPM)
    try:
        for path in [on_tpm.home / "manifest.json", *on_tpm.home.glob("kmsd.sqlite*")]:
            shutil.copy(path, thief.home)
        shutil.copy(on_tpm.token.pin_file, thief.token.pin_file)
        daemon = thief.start(ready=False)
        eventually(lambda: "token-mismatch" in str(daemon.readiness()), 20, "token-mismatch on /readyz")
        response = daemon.client().raw("POST", key.url + "/sign", {"message": "eA=="})
        assert response.status_code == 503
    finally:
        thief.end()
        thief.token.end()


def test_wrong_pin_is_told_and_not_tried_again(on_tpm):
    on_tpm.init()
    on_tpm.token.pin_file.write_text("another secret of sufficient length")
    daemon = on_tpm.start(ready=False)
    eventually(lambda: "pin-refused" in str(daemon.readiness()), 20, "pin-refused on /readyz")
    time.sleep(2)
    assert daemon.log().count("token refused") == 1


@pytest.mark.parametrize("uri", [
    "tpm:", "tpm:dev", "tpm:/etc/passwd", "tpm:?tcti=mssim", "tpm:?tcti=/lib/evil.so", "tpm:?tcti=swtpm:port=0",
    "tpm:?tcti=swtpm:host=192.0.2.1,port=2321", "tpm:/dev/tpmrm0?pin-value=1234", "tpm:/dev/tpmrm0?handles=5",
    "tpm:/dev/tpmrm0?tcti=device:/dev/tpm0", "tpm:/dev/tpmrm0?lockout=perhaps", "tpm:/dev/../etc/passwd"])
def test_nonsense_is_refused(on_tpm, uri):
    said = on_tpm.refuses_to_start(KMS_TOKEN_URI=uri)
    assert "1234" not in said and "token" in said


def test_second_daemon_on_a_bare_tpm_waits_its_turn(on_tpm, serving, tmp_path):
    second = Installation(tmp_path / "second", token=lambda home: on_tpm.token)
    shutil.copy(on_tpm.home / "manifest.json", second.home / "manifest.json")
    daemon = second.start(ready=False)
    try:
        daemon.wait_for_readiness(503)
        serving.client().create_keystore().create("ED25519").sign(b"x")
        assert serving.terminate() == 0
        # Its turn has come. But the TPM remembers the first one's audit chain, and a chain that is not its continuation
        # is not trusted.
        eventually(lambda: {problem["component"] for problem in (daemon.readiness() or (0, {}))[1].get("problems", [])}
                   == {"audit"}, 60, "a token in use by the second daemon")
    finally:
        second.end()
