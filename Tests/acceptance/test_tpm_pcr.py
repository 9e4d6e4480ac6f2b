"""Keys that a TPM lets work in approved states of the machine only, seen from outside."""
import hashlib
import hmac
import json
import re
import shutil
import subprocess

import pytest
from daemon import BINARY, Installation, eventually
from softtpm import SoftTPM
from webkms_client import KMSError

# Register 12 stands for any that software extends; a power cycle puts it back.
ONES, TWOS = "11" * 32, "22" * 32


@pytest.fixture
def bound(tmp_path):
    installation = Installation(
        tmp_path / "home", token=lambda home: SoftTPM(home, attributes="&pcrs=sha256:7,12"))
    yield installation.init()
    installation.end()
    installation.token.end()


def extend(installation, change):
    installation.token.tool("tpm2_pcrextend", f"12:sha256={change}")


def reset(installation):
    installation.token.kill()
    installation.token.start()


def read(installation):
    shown = installation.token.tool("tpm2_pcrread", "sha256:7,12").stdout
    return shown, re.search(r"12\s*: 0x([0-9A-F]{64})", shown)[1].lower()


def problem(daemon):
    answer = daemon.readiness()
    found = [p for p in (answer[1].get("problems") or []) if p["component"] == "token"] if answer else []
    return found[0] if found else None


def state_after(installation, change):
    """What the registers show after a change, which is taken back."""
    extend(installation, change)
    found = read(installation)
    reset(installation)
    return found


def test_an_unplanned_change_is_refused_and_named(bound):
    daemon = bound.start(KMS_LOCK_TTL="0s")
    key = daemon.client().create_keystore().create("ED25519")
    key.sign(b"before")
    extend(bound, ONES)
    found, _ = eventually(
        lambda: (p := problem(daemon)) and p["code"] == "pcr-mismatch" and p, 20, "pcr-mismatch on /readyz")
    assert "PCR 12 of sha256" in found["message"] and "7" not in found["message"]
    assert "kmsd tpm reseal" in found["message"] and ONES not in found["message"]
    with pytest.raises(KMSError) as refusal:
        key.sign(b"after")
    assert refusal.value.status == 503
    # It waits for the state rather than hammering the TPM, and no wrong value was counted.
    assert daemon.log().count("token refused") == 1
    assert daemon.terminate() == 0
    assert "TPM2_PT_LOCKOUT_COUNTER: 0x0" in bound.token.tool("tpm2_getcap", "properties-variable").stdout

    for arguments in (["tpm", "status"], ["tpm", "reseal", "--only-current"], ["tpm", "reseal", "--expect", f"7={ONES}"]):
        said = bound.run(*arguments, check=False)
        assert said.returncode == 78 and "PCR 12 of sha256" in said.stderr, said.stderr
    checks = bound.run_json("doctor", codes=(2,))["checks"]
    told = [c for c in checks if c["name"] == "pcr"]
    assert told[0]["grade"] == "fail" and "PCR 12" in told[0]["message"] and "reseal" in told[0]["remedy"]
    probed = bound.run("token", "probe", check=False)
    assert probed.returncode == 78 and "PCR 12 of sha256" in probed.stderr

    daemon = bound.start(ready=False)
    eventually(lambda: (p := problem(daemon)) and p["code"] == "pcr-mismatch", 20, "the same after a start")
    reset(bound)
    daemon.wait_until_ready()


def test_a_planned_change(bound, tmp_path):
    daemon = bound.start()
    key = daemon.client().create_keystore().create("ED25519")
    resident = daemon.client().create_keystore(protection="resident").create("ECDSAP256IEEEP1363")
    assert daemon.terminate() == 0
    before = (bound.home / "manifest.json").read_bytes()
    names = [bound.token.tool("tpm2_readpublic", "-c", f"0x8101010{n}").stdout for n in (1, 2, 3, 4, 6)]

    listing, value = state_after(bound, ONES)
    (tmp_path / "pcrs").write_text(listing)
    report = bound.run_json("tpm", "reseal", "--pcr-values", tmp_path / "pcrs")
    assert report == {"registers": "sha256:7,12", "approved": 2, "added": 1, "dropped": 0}
    kept = (bound.home / "pcr-policy.json").read_bytes()
    # Again, in other words: nothing changes.
    assert bound.run_json("tpm", "reseal", "--expect", f"12=0x{value.upper()}")["added"] == 0
    assert (bound.home / "pcr-policy.json").read_bytes() == kept
    status = bound.run_json("tpm", "status")
    assert [state["12"] for state in status["approved"]] == ["00" * 32, value]
    assert "approved state 2" in bound.run("tpm", "status").stdout

    extend(bound, ONES)
    daemon = bound.start()
    for made in (key, resident):
        made.keystore.client = made.client = daemon.client()
        made.verify(made.sign(b"after"), b"after")
    assert daemon.terminate() == 0
    assert bound.run_json("tpm", "reseal", "--only-current")["dropped"] == 1
    assert (bound.home / "manifest.json").read_bytes() == before
    assert [bound.token.tool("tpm2_readpublic", "-c", f"0x8101010{n}").stdout for n in (1, 2, 3, 4, 6)] == names
    assert (bound.home / "pcr-policy.json").stat().st_mode & 0o777 == 0o600
    # The old state is over.
    reset(bound)
    assert bound.run("tpm", "status", check=False).returncode == 78


def test_what_reseal_refuses_changes_nothing(bound, tmp_path):
    kept = (bound.home / "pcr-policy.json").read_bytes()
    (tmp_path / "empty").write_text("sha1:\n  12 : 0x00\n")
    (tmp_path / "short").write_text("sha256:\n  12 : 0x00\n")
    for arguments in ([], ["--expect", "12"], ["--expect", "12=zz"], ["--expect", f"3={ONES}"],
                      ["--expect", f"12={ONES}", "--only-current"], ["--pcr-values", tmp_path / "empty"],
                      ["--pcr-values", tmp_path / "short"], ["--pcr-values", tmp_path / "absent"],
                      ["--pcr-values", "/dev/zero"], ["--expect", f"12={ONES}", "--expect", f"12={TWOS}"]):
        said = bound.run("tpm", "reseal", *arguments, check=False)
        assert said.returncode in (1, 64), (arguments, said.stdout, said.stderr)
        assert (bound.home / "pcr-policy.json").read_bytes() == kept
    assert len(bound.run_json("tpm", "status")["approved"]) == 1


def test_killed_reseal_leaves_the_old_or_the_new_record(bound):
    for number in range(5):
        change = f"{number + 1:02x}" * 32
        _, value = state_after(bound, change)
        # `timeout` ends it at some moment of its work.
        subprocess.run(
            ["timeout", "-s", "KILL", f"{0.03 + number * 0.05:.2f}", str(BINARY), "tpm", "reseal", "--expect", f"12={value}"],
            env=bound.environment(), capture_output=True, timeout=60)
        record = json.loads((bound.home / "pcr-policy.json").read_text())
        assert record["format"] == 1 and 1 <= len(record["approvals"]) <= number + 2
        assert bound.run_json("tpm", "reseal", "--expect", f"12={value}")["added"] in (0, 1)
        assert value in [state["12"] for state in bound.run_json("tpm", "status")["approved"]]
    assert bound.run_json("tpm", "reseal", "--only-current")["dropped"] == 5
    assert bound.start().terminate() == 0


def test_the_record_is_needed_and_cannot_be_forged(bound, tmp_path):
    path = bound.home / "pcr-policy.json"
    good = path.read_text()
    extend(bound, ONES)
    _, value = read(bound)
    record = json.loads(good)
    record["approvals"][0]["values"]["12"] = value
    for text in (json.dumps(record), "{}", "", good[:100]):
        path.write_text(text)
        said = bound.run("tpm", "status", check=False)
        assert said.returncode == 78, said.stdout + said.stderr
    path.unlink()
    said = bound.run("tpm", "status", check=False)
    assert said.returncode == 78 and "pcr-policy.json" in said.stderr
    path.write_text(good)
    reset(bound)
    assert bound.run_json("tpm", "status")["registers"] == "sha256:7,12"


def test_pcrs_are_for_init_to_decide(bound, tmp_path):
    plain = Installation(tmp_path / "plain", token=SoftTPM)
    try:
        plain.init()
        assert "every state" in plain.run("tpm", "status").stdout
        assert plain.run("tpm", "reseal", "--only-current", check=False).returncode == 78
        uri = plain.token.uri() + "&pcrs=sha256:7"
        assert plain.run("tpm", "status", check=False, KMS_TOKEN_URI=uri).returncode == 78
    finally:
        plain.end()
        plain.token.end()
    # Without 'pcrs' in the URI the keys are bound all the same.
    bare = bound.token.uri().replace("&pcrs=sha256:7,12", "")
    assert bound.run_json("tpm", "status", KMS_TOKEN_URI=bare)["registers"] == "sha256:7,12"
    probed = {c["name"]: c["outcome"] for c in bound.run_json("token", "probe")["capabilities"]}
    assert {name for name, outcome in probed.items() if outcome == "ok"} == {
        "EC-P256", "EC-P384", "EC-P521", "ECDH-P256", "ECDH-P384", "ECDH-P521", "HMAC-SHA256", "result-key"}
    extend(bound, ONES)
    assert bound.run("tpm", "status", check=False, KMS_TOKEN_URI=bare).returncode == 78


def test_the_value_of_the_pin_alone_opens_nothing(bound, tmp_path):
    """What a program of somebody else's gets from the TPM with the PIN, without the policy."""
    pin = bound.token.pin_file.read_bytes().strip()
    extracted = hmac.new(b"\0" * 32, pin, hashlib.sha256).digest()
    value = hmac.new(extracted, b"kmsd/tpm/authorization/v1\x01", hashlib.sha256).hexdigest()
    (tmp_path / "data").write_bytes(b"data")
    for handle in ("0x81010101", "0x81010102", "0x81010103"):
        said = bound.token.tool("tpm2_hmac", "-c", handle, "-p", f"hex:{value}", tmp_path / "data", check=False)
        assert said.returncode != 0 and "0x12f" in said.stderr.lower(), said.stderr
    said = bound.token.tool("tpm2_sign", "-c", "0x81010104", "-p", f"hex:{value}", "-g", "sha256",
                            "-o", tmp_path / "signature", tmp_path / "data", check=False)
    assert said.returncode != 0 and "0x12f" in said.stderr.lower(), said.stderr
    # The same value is the right one of an installation that is not bound.
    plain = Installation(tmp_path / "plain", token=SoftTPM)
    try:
        shutil.copy(bound.token.pin_file, plain.token.pin_file)
        plain.init()
        plain.token.tool("tpm2_hmac", "-c", "0x81010101", "-p", f"hex:{value}", "-o", tmp_path / "mac",
                         tmp_path / "data")
    finally:
        plain.end()
        plain.token.end()
