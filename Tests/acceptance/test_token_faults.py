"""The token away, exchanged, locked: told plainly, survived, healed without a restart."""
import shutil
import threading
import time
from pathlib import Path

import pytest
from daemon import eventually
from softtoken import MODULE, SPY
from webkms_client import Key, Keystore, KMSError


def reasons(daemon):
    status, body = daemon.readiness()
    assert status == 503 and body["problems"], body
    return " ".join(problem["message"] for problem in body["problems"])


def test_starts_without_its_token_and_heals(own):
    own.start().terminate()
    own.token.hide()
    daemon = own.start(ready=False)
    body, _ = daemon.wait_for_readiness(503)
    assert body["problems"][0]["message"]
    assert daemon.client().raw("GET", "/livez").status_code == 200
    assert daemon.client().raw("GET", "/healthcheck").status_code == 200
    with pytest.raises(KMSError) as refusal:
        daemon.client().create_keystore()
    assert refusal.value.status == 503
    own.token.bring_back()
    daemon.wait_for_readiness(200)
    daemon.client().create_keystore().create("ED25519").sign(b"m")


def test_token_lost_under_load(own):
    """While it is away: 503 or an answer from memory, never a wrong one. Back: heals without a restart."""
    daemon = own.start(KMS_LOCK_TTL="0s")
    client = daemon.client()
    key = client.create_keystore().create("ED25519")
    expected = key.sign(b"m")
    statuses, wrong, stop = set(), [], threading.Event()

    def load():
        mine = daemon.client(timeout=20)
        own_key = Key(Keystore(mine, key.keystore.url), key.url, key.type)
        while not stop.is_set():
            try:
                if own_key.sign(b"m") != expected:
                    wrong.append("a different signature")
                statuses.add(200)
            except KMSError as error:
                statuses.add(error.status)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    own.token.hide()
    body, _ = daemon.wait_for_readiness(503, 15)
    assert body["problems"]
    with pytest.raises(KMSError) as refusal:
        client.create_keystore()
    assert refusal.value.status == 503
    time.sleep(1)
    own.token.bring_back()
    daemon.wait_for_readiness(200)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == [] and statuses <= {200, 503}, (wrong, statuses)
    assert key.sign(b"m") == expected
    client.create_keystore().create("AES256GCM").encrypt(b"m")


def test_token_lost_again_and_again(own):
    daemon = own.start()
    key = daemon.client().create_keystore().create("ED25519")
    for _ in range(3):
        own.token.hide()
        daemon.wait_for_readiness(503, 15)
        own.token.bring_back()
        daemon.wait_for_readiness(200, 15)
    key.sign(b"m")
    daemon.client().create_keystore().create("ED25519").sign(b"m")


@pytest.mark.pkcs11
def test_another_token_of_the_same_name_is_refused(own):
    """Same label, same PIN, other keys: never used, at start and while running."""
    daemon = own.start()
    daemon.client().create_keystore().create("ED25519")
    own.token.hide()
    own.token.tokens.mkdir(mode=0o700)
    own.token.initialise()
    daemon.wait_for_readiness(503, 15)
    time.sleep(3)
    assert daemon.readiness()[0] == 503
    daemon.terminate()
    stranger = own.start(ready=False)
    stranger.wait_for_readiness(503)
    time.sleep(2)
    assert reasons(stranger)
    with pytest.raises(KMSError) as refusal:
        stranger.client().create_keystore()
    assert refusal.value.status == 503
    assert own.token.objects() == [], "objects were made on a stranger's token"
    stranger.terminate()
    own.token.bring_back()
    own.start().client().create_keystore()


@pytest.mark.pkcs11
def test_a_token_with_the_serial_but_not_the_keys_is_refused(own):
    """The manifest pins the keys themselves: with the root key replaced nothing is served."""
    own.start().terminate()
    root = next(entry for entry in own.token.objects() if "root-lock" in entry.get("label", ""))
    own.token.tool("--delete-object", "--type", "secrkey", "--id", root["id"])
    own.token.tool("--keygen", "--key-type", "AES:32", "--id", root["id"], "--label", root["label"], "--sensitive")
    daemon = own.start(ready=False)
    daemon.wait_for_readiness(503)
    time.sleep(2)
    assert reasons(daemon)


@pytest.mark.pkcs11
def test_wrong_pin_is_tried_once(own, tmp_path):
    """A module in between counts the logins: one, and then the operator must act."""
    right, spied = own.token.pin, tmp_path / "calls.txt"
    own.token.pin_file.write_text("0" * len(right))
    daemon = own.start(ready=False, KMS_TOKEN_URI=own.token.uri(module=SPY), PKCS11SPY=MODULE,
                       PKCS11SPY_OUTPUT=str(spied))
    daemon.wait_for_readiness(503)
    time.sleep(4)
    assert "PIN" in reasons(daemon)
    calls = spied.read_text(errors="replace")
    assert calls.count("C_Login\n") == 1, f"{calls.count('C_Login')} logins"
    assert right not in daemon.log() and "0" * len(right) not in daemon.log()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_readable_pin_file_is_refused(own, mode):
    own.token.pin_file.chmod(mode)
    said = own.refuses_to_start()
    assert own.token.pin_file.name in said or "0600" in said or "mode" in said, said
    assert own.token.pin not in said


def test_pin_file_behind_a_link_is_refused(own):
    real = own.home / "real.pin"
    own.token.pin_file.rename(real)
    own.token.pin_file.symlink_to(real)
    own.refuses_to_start()


def test_missing_pin_file_is_named(own):
    own.token.pin_file.unlink()
    assert own.token.pin_file.name in own.refuses_to_start()


@pytest.mark.pkcs11
def test_pin_inside_the_uri_is_refused(own):
    uri = f"pkcs11:token=kmsd?module-path={MODULE}&pin-value={own.token.pin}"
    said = own.refuses_to_start(KMS_TOKEN_URI=uri)
    assert "pin-value" in said and own.token.pin not in said


@pytest.mark.pkcs11
@pytest.mark.parametrize("uri", ["", "pkcs11:", "kmsd", "pkcs11:slot-id=0", "pkcs11:token=kmsd?colour=red",
                                 "pkcs11:token=a;token=b", "pkcs11:token=%zz", "file:/etc/passwd"])
def test_bad_token_uri_is_refused(own, uri):
    assert own.refuses_to_start(KMS_TOKEN_URI=uri).strip()


@pytest.mark.pkcs11
def test_missing_module_is_named(own):
    daemon = own.start(ready=False, KMS_TOKEN_URI=own.token.uri(module="/usr/lib/no-such-module.so"))
    said = outcome(daemon)
    assert "no-such-module.so" in said


@pytest.mark.pkcs11
def test_text_file_as_module_is_refused(own, tmp_path):
    fake = tmp_path / "module.so"
    fake.write_text("this is no shared object\n")
    said = outcome(own.start(ready=False, KMS_TOKEN_URI=own.token.uri(module=fake)))
    assert "module" in said


@pytest.mark.pkcs11
def test_library_without_pkcs11_as_module_is_refused(own):
    library = next(Path("/lib").glob("*-linux-gnu/libm.so.6"))
    said = outcome(own.start(ready=False, KMS_TOKEN_URI=own.token.uri(module=library)))
    assert "libm.so.6" in said or "module" in said


@pytest.mark.pkcs11
def test_world_writable_module_is_refused(own, tmp_path):
    copy = tmp_path / "softhsm.so"
    shutil.copyfile(MODULE, copy)
    copy.chmod(0o777)
    said = outcome(own.start(ready=False, KMS_TOKEN_URI=own.token.uri(module=copy)))
    assert "module" in said or "writable" in said


def outcome(daemon):
    """A bad module either ends the start or keeps the daemon unready; what it says either way."""
    def settled():
        if not daemon.is_running():
            return True
        found = daemon.readiness()
        return found and found[0] == 503 and "module" in str(found[1]).lower()

    eventually(settled, 20, "the refusal")
    if not daemon.is_running():
        assert daemon.process.returncode in (69, 77, 78), daemon.log()
        return daemon.log()
    return daemon.log() + str(daemon.readiness()[1])


@pytest.mark.pkcs11
def test_role_keys_as_another_program_sees_them(own):
    """pkcs11-tool lists the daemon's keys, cannot read them, and finds them sensitive and never extractable."""
    own.start().client().create_keystore().create("ED25519")
    objects = own.token.objects()
    secret = [entry for entry in objects if not entry["kind"].startswith("Public")]
    assert {entry["label"].split("/")[2] for entry in secret} == {
        "root-lock", "share-lock-user", "share-lock-server", "audit", "result", "resident-wrap"}
    for entry in secret:
        assert "sensitive" in entry["access"] and "never extractable" in entry["access"], entry
        kind = "privkey" if entry["kind"].startswith("Private") else "secrkey"
        out = own.home / "stolen"
        own.token.tool("--read-object", "--type", kind, "--id", entry["id"], "-o", str(out), check=False)
        assert not out.exists() or out.stat().st_size == 0, f"read {entry['label']}"


@pytest.mark.pkcs11
def test_lint_names_a_weak_object(own):
    """A key made behind the daemon's back that anybody could export is found and named."""
    assert own.run("token", "lint").returncode == 0
    own.token.tool("--keygen", "--key-type", "AES:32", "--label", "kmsd-backdoor", "--extractable")
    result = own.run("token", "lint", check=False)
    assert result.returncode == 2 and "kmsd-backdoor" in result.stdout + result.stderr
