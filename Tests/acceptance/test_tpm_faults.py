"""A TPM that hangs, dies, is reset, is copied or put back, shared, or locked; and a disk that is put back."""
import hashlib
import hmac
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
from daemon import BINARY, Installation, eventually
from softtpm import SoftTPM
from test_rolled_back import checkpoints
from webkms_client import KMSError


@pytest.fixture
def on_tpm(tmp_path):
    installation = Installation(tmp_path / "home", token=SoftTPM)
    yield installation.init()
    installation.end()
    installation.token.end()


def problems(daemon):
    answer = daemon.readiness()
    return (answer[1].get("problems") or []) if answer else []


def sign_status(key):
    """Of one request that needs the TPM: 200, or the refusal's status."""
    try:
        key.verify(key.sign(b"x"), b"x")
        return 200
    except KMSError as refusal:
        return refusal.status


def test_a_tpm_that_hangs_and_dies_inside_a_command(on_tpm):
    daemon = on_tpm.start(KMS_LOCK_TTL="0s", KMS_TOKEN_TIMEOUT="2s")
    resident = daemon.client().create_keystore(protection="resident").create("ECDSAP256IEEEP1363")
    swtpm = on_tpm.token.process.pid
    for ending in (signal.SIGKILL, signal.SIGCONT):
        os.kill(swtpm, signal.SIGSTOP)
        found = []
        requests = [threading.Thread(target=lambda: found.append(sign_status(resident))) for _ in range(4)]
        start = time.monotonic()
        for request in requests:
            request.start()
        # The command is in the socket of a process that does not run.
        time.sleep(0.5)
        if ending == signal.SIGKILL:
            on_tpm.token.kill()
        for request in requests:
            request.join(60)
        assert len(found) == 4 and set(found) <= {503, 504}, found
        assert time.monotonic() - start < 10
        assert daemon.is_running()
        if ending == signal.SIGKILL:
            on_tpm.token.start()
            swtpm = on_tpm.token.process.pid
        else:
            os.kill(swtpm, signal.SIGCONT)
        daemon.wait_until_ready()
        assert sign_status(resident) == 200


def test_a_reset_under_the_running_daemon(on_tpm):
    """`swtpm_ioctl -i`: power off and on without a word, while the process goes on."""
    daemon = on_tpm.start(KMS_LOCK_TTL="0s")
    sealed = daemon.client().create_keystore().create("ED25519")
    resident = daemon.client().create_keystore(protection="resident").create("ECDSAP256IEEEP1363")
    for _ in range(3):
        on_tpm.token.tool("swtpm_ioctl", "--unix", f"{on_tpm.token.socket}.ctrl", "-i")
        for key in (sealed, resident):
            eventually(lambda: sign_status(key) == 200, 20, "an answer after the reset")
    # Killed and started beneath the connection, without a shutdown command: as a power failure.
    on_tpm.token.kill()
    on_tpm.token.start()
    eventually(lambda: sign_status(resident) == 200, 20, "an answer after the power failure")


def test_a_power_failure_during_init(tmp_path):
    """Cut off at any moment: told, and the next run clears away what was begun and leaves one set of keys."""
    installation = Installation(tmp_path / "home", token=SoftTPM)
    try:
        for delay in (0.03, 0.1, 0.2, 0.3, 0.45, 0.6):
            process = subprocess.Popen([str(BINARY), "init"], env=installation.environment(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(delay)
            installation.token.kill()
            said = process.communicate(timeout=60)[1]
            assert process.returncode in (0, 69), (process.returncode, said)
            installation.token.start()
            if process.returncode == 0:
                break
            assert not (installation.home / "manifest.json").exists() and said.startswith("kmsd: ")
        if not (installation.home / "manifest.json").exists():
            installation.init()
        labels = [entry["label"] for entry in installation.token.objects() if entry["label"].startswith("kmsd/")]
        assert len(labels) == len(set(labels)) == 6, labels
        assert sign_status(installation.start().client().create_keystore().create("ED25519")) == 200
    finally:
        installation.end()
        installation.token.end()


def copied(home, to):
    to.mkdir()
    for path in home.iterdir():
        if path.is_file():
            shutil.copy(path, to / path.name)
    return to


def put_back(backup, home):
    for path in home.glob("*.sqlite*"):
        path.unlink()
    for path in home.glob("audit.db*"):
        path.unlink()
    for path in backup.iterdir():
        shutil.copy(path, home / path.name)


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_home_restored_from_an_older_copy_is_noticed(on_tpm, tmp_path, end):
    """Database and audit chain together; the TPM remembers. Also if the daemon had no time to say good-bye."""
    daemon = on_tpm.start()
    kms = daemon.client()
    keystore = kms.create_keystore()
    keystore.create("ED25519")
    assert daemon.terminate() == 0
    backup = copied(on_tpm.home, tmp_path / "backup")

    before = checkpoints(on_tpm)
    daemon = on_tpm.start()
    daemon.client().create_keystore().create("ED25519").sign(b"x")
    # The start is told to the TPM at once, and then signed.
    eventually(lambda: checkpoints(on_tpm) > before, 60, "the checkpoint of the start", pause=0.2)
    getattr(daemon, end)()
    put_back(backup, on_tpm.home)

    daemon = on_tpm.start(ready=False)
    found, _ = eventually(
        lambda: [p for p in problems(daemon) if p["component"] == "audit" and "token remembers" in p["message"]], 30,
        "readiness to tell")
    # The restored chain has a start record of its own by now, where the token remembers another one.
    assert "older copy" in found[0]["message"] or "another one" in found[0]["message"]
    assert found[0]["code"] == "untrusted"
    with pytest.raises(KMSError) as refusal:
        daemon.client().create_keystore()
    assert refusal.value.status == 503
    assert daemon.terminate() == 0
    assert on_tpm.run_json("audit", "verify", "--token", codes=(2,))["finding"]
    # The operator decides.
    on_tpm.run("audit", "adopt", "--yes")
    daemon = on_tpm.start()
    daemon.client().create_keystore()
    assert daemon.terminate() == 0
    assert on_tpm.run_json("audit", "verify", "--token").get("finding") is None


def test_a_tpm_put_back_to_before_init_is_another_one(on_tpm):
    assert on_tpm.start().terminate() == 0
    on_tpm.token.kill()
    shutil.rmtree(on_tpm.token.state)
    on_tpm.token.state.mkdir(mode=0o700)
    on_tpm.token.start()
    daemon = on_tpm.start(ready=False)
    eventually(lambda: "token-mismatch" in str(problems(daemon)), 20, "token-mismatch on /readyz")


MEMORY, COUNTER = "0x181010a", "0x181010b"


def authorization(token):
    """The keys' authorization value as FORMATS.md has it: HKDF-SHA-256 of the PIN. In hexadecimal, because tpm2-tools
    read a file up to its first zero byte."""
    key = hmac.digest(bytes(32), token.pin.encode(), hashlib.sha256)
    return "hex:" + hmac.digest(key, b"kmsd/tpm/authorization/v1\x01", hashlib.sha256).hex()


def removed(token, value, folder):
    token.tool("tpm2_nvundefine", COUNTER)


def made_again(token, value, folder):
    token.tool("tpm2_nvundefine", COUNTER)
    token.tool("tpm2_nvdefine", COUNTER, "-s", "8", "-a", "authread|authwrite|no_da|nt=counter", "-p", value)
    token.tool("tpm2_nvincrement", COUNTER, "-P", value)


def older_value(token, value, folder):
    token.tool("tpm2_nvwrite", MEMORY, "-P", value, "-i", str(folder / "older"))


@pytest.mark.parametrize("deed", [removed, made_again, older_value])
def test_memory_and_counter_are_believed_together_only(on_tpm, tmp_path, deed):
    """By somebody with the owner's right and the keys' authorization value, while the daemon is away."""
    assert on_tpm.start().terminate() == 0
    value = authorization(on_tpm.token)
    on_tpm.token.tool("tpm2_nvread", MEMORY, "-P", value, "-o", str(tmp_path / "older"))
    assert on_tpm.start().terminate() == 0
    deed(on_tpm.token, value, tmp_path)
    daemon = on_tpm.start(ready=False)
    found, _ = eventually(
        lambda: [p for p in problems(daemon) if p["component"] == "audit" and "counter" in p["message"]], 30,
        "readiness to tell")
    assert found[0]["code"] == "untrusted" and "kmsd audit adopt" in found[0]["message"]
    with pytest.raises(KMSError) as refusal:
        daemon.client().create_keystore()
    assert refusal.value.status == 503
    assert daemon.terminate() == 0
    refused = on_tpm.run("audit", "verify", "--token", check=False)
    assert refused.returncode == 78 and "counter" in refused.stderr
    on_tpm.run("audit", "adopt", "--yes")
    daemon = on_tpm.start()
    daemon.client().create_keystore()
    assert daemon.terminate() == 0
    assert on_tpm.run_json("audit", "verify", "--token").get("finding") is None


def test_two_installations_share_a_bare_tpm_in_turns(on_tpm, tmp_path):
    """Each with handles of its own; the second waits for the first, and trusts its own chain."""
    class Same:
        def __new__(cls, home):
            on_tpm.token.attributes = "&handles=0x81010200"
            return on_tpm.token

    second = Installation(tmp_path / "second", token=Same)
    try:
        second.init()
        first = on_tpm.start()
        key = first.client().create_keystore().create("ED25519")
        waiting = second.start(ready=False)
        eventually(lambda: [p for p in problems(waiting) if p["code"] == "token-unavailable"], 20, "the second to wait")
        assert sign_status(key) == 200
        assert first.terminate() == 0
        waiting.wait_until_ready()
        waiting.client().create_keystore().create("ED25519").sign(b"x")
        assert waiting.terminate() == 0
        again = on_tpm.start()
        key.keystore.client = key.client = again.client()
        assert sign_status(key) == 200
    finally:
        second.end()


@pytest.fixture
def lockable(tmp_path):
    installation = Installation(tmp_path / "home", token=lambda home: SoftTPM(home, attributes="&lockout=on"))
    yield installation.init()
    installation.end()
    installation.token.end()


def wrong_values(token):
    shown = token.tool("tpm2_getcap", "properties-variable").stdout
    return int(shown.split("TPM2_PT_LOCKOUT_COUNTER:")[1].split()[0], 16)


def test_a_lockout_is_told_with_its_end_and_never_made_by_a_client(lockable, tmp_path):
    daemon = lockable.start(KMS_LOCK_TTL="0s")
    keystore = daemon.client().create_keystore()
    key = keystore.create("ED25519")
    resident = daemon.client().create_keystore(protection="resident").create("ECDSAP256IEEEP1363")
    for number in range(40):
        for method, url, body in [("POST", key.url + "/verify", {"signature": "AAAA", "message": "eA"}),
                                  ("POST", resident.url + "/sign", {"message": "not base64 %"}),
                                  ("POST", f"{keystore.url}/keys/{number}/sign", {"message": "eA"}),
                                  ("POST", resident.url + "/verify", {"signature": "AAAA", "message": "eA"})]:
            assert daemon.client().raw(method, url, body).status_code >= 400
    assert sign_status(resident) == 200
    assert wrong_values(lockable.token) == 0

    # Somebody else on this machine guesses.
    lockable.token.tool("tpm2_dictionarylockout", "--setup-parameters", "-n", "2", "-t", "9", "-l", "9")
    for _ in range(4):
        lockable.token.tool("tpm2_hmac", "-c", "0x81010101", "-p", "wrong", "-o", tmp_path / "mac", __file__, check=False)
    found, _ = eventually(lambda: [p for p in problems(daemon) if p["code"] == "locked-out"], 20, "locked-out")
    assert "within 9 s" in found[0]["message"]
    assert sign_status(key) == 503
    daemon.wait_until_ready()
    assert sign_status(key) == 200
    assert wrong_values(lockable.token) <= 2


def test_a_stranger_gets_nothing_out_of_the_tpm(on_tpm, tmp_path):
    """tpm2-tools with the owner's right, which is everybody's here, and without the PIN."""
    daemon = on_tpm.start()
    daemon.client().create_keystore(protection="resident").create("ECDSAP256IEEEP1363")
    assert daemon.terminate() == 0
    tool = on_tpm.token.tool
    assert "0x181010a" in tool("tpm2_nvreadpublic").stdout.lower()
    for arguments in (["tpm2_nvread", "0x181010a"], ["tpm2_nvread", "-C", "o", "0x181010a"],
                      ["tpm2_nvwrite", "0x181010a", "-C", "o", "-i", __file__]):
        assert tool(*arguments, check=False).returncode != 0, arguments
    for number in (1, 2, 3, 4, 6):
        handle = f"0x8101010{number}"
        for arguments in (["tpm2_unseal", "-c", handle], ["tpm2_sign", "-c", handle, "-o", tmp_path / "s", __file__],
                          ["tpm2_hmac", "-c", handle, "-o", tmp_path / "m", __file__],
                          ["tpm2_changeauth", "-c", handle, "-C", "0x81010100", "-r", tmp_path / "r", "new"]):
            assert tool(*arguments, check=False).returncode != 0, arguments
    # A key below the same storage key is somebody's own, not ours.
    tool("tpm2_create", "-C", "0x81010100", "-G", "hmac", "-u", tmp_path / "pub", "-r", tmp_path / "priv")
    assert sign_status(on_tpm.start().client().create_keystore().create("ED25519")) == 200
