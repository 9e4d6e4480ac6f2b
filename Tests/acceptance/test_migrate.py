"""A home moves from its token to another one, with proof, and loses nothing on the way."""
import base64
import json
import random
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from daemon import BINARY, Installation, eventually
from softtoken import MODULE, SoftToken, write_private
from softtpm import SoftTPM
from split_client import SplitClient, ok
from test_split_keys import SECRET, with_secret

MESSAGE = base64.b64encode(b"hello").decode()


class Pair(SoftToken):
    """The home's token, and `new` beside it with a PIN of its own."""

    def __init__(self, home, **more):
        super().__init__(home, **more)
        self.add("new")

    def add(self, label):
        pin = secrets.token_hex(20)
        write_private(self.home / f"{label}.pin", pin)
        environment = {**self.environment(), "SO_PIN": secrets.token_hex(20), "USER_PIN": pin}
        for arguments in (
            ["--slot-index", str(len(list(self.tokens.iterdir()))), "--init-token", "--label", label, "--so-pin", "env:SO_PIN"],
            ["--token-label", label, "--init-pin", "--so-pin", "env:SO_PIN", "--pin", "env:USER_PIN"],
        ):
            subprocess.run(["pkcs11-tool", "--module", MODULE, *arguments], env=environment, check=True,
                           capture_output=True, text=True)
        self.made = {path: path.read_bytes() for path in self.tokens.glob("*/token.object")}

    def to(self, label="new"):
        return self.uri(label=label, pin_file=self.home / f"{label}.pin")

    def keys_of(self, label):
        """Labels of the daemon's objects on a token."""
        pin = (self.pin_file if label == self.label else self.home / f"{label}.pin").read_text()
        listed = subprocess.run(
            ["pkcs11-tool", "--module", MODULE, "--token-label", label, "--login", "--pin", "env:USER_PIN", "--list-objects"],
            env=self.environment(USER_PIN=pin), check=True, capture_output=True, text=True).stdout
        return sorted(line.split()[1].strip("'") for line in listed.splitlines() if "kmsd/" in line)

    def destroy(self, serial):
        """One of the tokens, for good."""
        for path in self.tokens.iterdir():
            if serial[-8:] in str(path.name).replace("-", ""):
                shutil.rmtree(path)


@pytest.fixture
def home(tmp_path):
    installation = Installation(tmp_path / "home", token=Pair).init()
    yield installation
    installation.end()


def make_key(client, **more):
    keystore = client.raw("POST", "/v1/keystores", {"controller": "did:example:alice", **more}).json()["key_store_url"]
    answer = client.raw("POST", keystore + "/keys", {"key_type": "ED25519" if not more else "ECDSAP256DER"})
    assert answer.status_code == 200, answer.text
    return answer.json()["key_url"]


def sign(daemon, key):
    answer = daemon.client().raw("POST", key + "/sign", {"message": MESSAGE})
    assert answer.status_code == 200, answer.text
    return answer.json()["signature"]


def filled(home, count=3):
    """Keys with their signatures, which Ed25519 makes alike each time, and a DID."""
    daemon = home.start()
    keys = [make_key(daemon.client()) for _ in range(count)]
    daemon.client().call("POST", "/v1/keystores/did")
    signatures = [sign(daemon, key) for key in keys]
    assert daemon.terminate() == 0
    return keys, signatures


def serves(home, keys, signatures, **more):
    daemon = home.start(**more)
    assert [sign(daemon, key) for key in keys] == signatures
    assert daemon.terminate() == 0


def on_target(home, label="new"):
    return {"KMS_TOKEN_URI": home.token.to(label)}


def records(home, **more):
    lines = [json.loads(line) for line in home.run("audit", "export", **more).stdout.splitlines()]
    return [line["event"] for line in lines if line["type"] == "record"]


def test_a_home_moves_to_another_token_and_the_first_one_is_needed_no_more(home, tmp_path):
    keys, signatures = filled(home)
    to = home.token.to()
    before = home.token.keys_of("new")
    plan = home.run_json("migrate", "plan", "--to", to)
    assert {route["kind"]: route["count"] for route in plan["routes"]} == {
        "keystores": 3, "DID keys": 1, "database seals": 1}
    assert plan["stays"] == [] and {rest["kind"] for rest in plan["anew"]} == {"audit key", "result key"}
    assert home.token.keys_of("new") == before == []
    assert home.run_json("migrate", "status").get("state") is None

    moved = home.run_json("migrate", "run", "--to", to)
    assert (moved["records"], moved["fresh"], moved["isNew"]) == (5, 5, True)
    assert home.run_json("migrate", "run")["fresh"] == 0
    # Nothing of the home has changed.
    serves(home, keys, signatures)
    status = home.run_json("migrate", "status")
    assert status["state"]["phase"] == "moving" and not status["isVerified"]

    result = home.run("migrate", "finish", check=False)
    assert result.returncode == 1 and "migrate verify" in result.stderr
    proved = home.run_json("migrate", "verify")
    assert proved["records"] == 5

    # What was made since is not in the transcript.
    daemon = home.start()
    keys.append(make_key(daemon.client()))
    signatures.append(sign(daemon, keys[-1]))
    assert daemon.terminate() == 0
    result = home.run("migrate", "finish", check=False)
    assert result.returncode == 1 and "migrate run" in result.stderr
    assert home.run_json("migrate", "run")["fresh"] == 1
    proved = home.run_json("migrate", "verify")

    finished = home.run_json("migrate", "finish")
    assert finished["token"]["label"] == "new" and finished["address"] == to
    assert not (home.home / "migration").exists()
    # The settings name the first one still.
    daemon = home.start(ready=False)
    eventually(lambda: "token-mismatch" in daemon.log(), 60, "a word on the token")
    eventually(lambda: (daemon.readiness() or [0])[0] == 503, 60, "/readyz 503")
    daemon.kill()

    # The first token is gone for good.
    old = json.loads(json.dumps(plan["source"]))
    home.token.destroy(old["serial"])
    home.settings.update(on_target(home))
    serves(home, keys, signatures)
    daemon = home.start()
    keys.append(make_key(daemon.client()))
    signatures.append(sign(daemon, keys[-1]))
    assert daemon.terminate() == 0
    serves(home, keys, signatures)
    home.run("doctor")

    report = home.run_json("audit", "verify")
    assert [change["to"] for change in report["handovers"]] == [proved["targetKey"]]
    assert report["handovers"][0]["from"] == proved["sourceKey"]
    assert report["handovers"][0]["transcript"] == proved["sha256"]
    assert report["keyFingerprint"] == proved["targetKey"]
    operations = [event["operation"] for event in records(home)]
    for operation in ("migrate-plan", "migrate-run", "migrate-verify", "migrate-finish", "audit-handover"):
        assert operation in operations

    # On another machine.
    transcript = tmp_path / "transcript.jsonl"
    shutil.copy(finished["transcript"], transcript)
    nowhere = {"KMSD_HOME": str(tmp_path / "nowhere"), "KMS_TOKEN_URI": None}
    checked = home.run_json("migrate", "verify", "--transcript", transcript, "--source-key", proved["sourceKey"],
                            "--target-key", proved["targetKey"], **nowhere)
    assert checked["sha256"] == proved["sha256"]
    assert {kind["kind"]: kind["count"] for kind in checked["kinds"]} == {
        "keystores": 4, "DID keys": 1, "database seals": 1}
    lines = transcript.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        # One digit of the last hexadecimal value in the line.
        place = next(i for i in range(len(line) - 1, 0, -1) if line[i:i + 1] in b"0123456789abcdef")
        other = b"1" if line[place:place + 1] != b"1" else b"2"
        transcript.write_bytes(b"".join([*lines[:number - 1], line[:place] + other + line[place + 1:], *lines[number:]]))
        result = home.run("migrate", "verify", "--transcript", transcript, check=False, **nowhere)
        assert result.returncode == 1 and f"Line {number} " in result.stderr, result.stderr
    transcript.write_bytes(b"".join(lines[:-1]))
    assert "cut off" in home.run("migrate", "verify", "--transcript", transcript, check=False, **nowhere).stderr
    transcript.write_bytes(b"".join([lines[0], *lines[2:]]))
    assert "Line 2 " in home.run("migrate", "verify", "--transcript", transcript, check=False, **nowhere).stderr
    result = home.run("migrate", "verify", "--transcript", finished["transcript"], "--source-key", "00" * 32, check=False)
    assert result.returncode == 1 and "another key" in result.stderr


def test_a_migration_is_given_up_and_leaves_nothing(home):
    keys, signatures = filled(home)
    to = home.token.to()
    home.run("migrate", "run", "--to", to)
    assert len(home.token.keys_of("new")) > 0
    home.run("migrate", "verify")
    assert len(home.run_json("migrate", "rollback")["destroyed"]) > 0
    assert home.token.keys_of("new") == [] and not (home.home / "migration").exists()
    serves(home, keys, signatures)
    assert "migrate-rollback" in [event["operation"] for event in records(home)]
    # And begun again.
    for verb in (("run", "--to", to), ("verify",), ("finish",)):
        home.run("migrate", *verb)
    serves(home, keys, signatures, **on_target(home))


def test_what_cannot_move_is_said_and_nothing_moves(home):
    daemon = home.start()
    make_key(daemon.client(), protection="resident")
    assert daemon.terminate() == 0
    plan = home.run_json("migrate", "plan", "--to", home.token.to(), codes=(2,))
    assert [(rest["kind"], rest["count"]) for rest in plan["stays"]] == [("resident keys", 1)]
    result = home.run("migrate", "run", "--to", home.token.to(), check=False)
    assert result.returncode == 1 and "1 resident keys" in result.stderr
    assert home.token.keys_of("new") == [] and not (home.home / "migration").exists()


def test_a_wrong_target_is_refused_before_anything_is_made(home):
    filled(home, 1)
    own = home.settings["KMS_TOKEN_URI"]
    home.token.add("third")
    wrong = home.home / "wrong.pin"
    write_private(wrong, "not the pin")
    for arguments, code, words in [
        (("run",), 64, "--to"), (("run", "--to", own), 1, "has already"), (("verify",), 1, "migrate run"),
        (("finish",), 1, "migrate run"), (("rollback",), 1, "migrate run"),
        (("run", "--to", home.token.to().replace("token=new", "token=nobody")), 69, "nobody"),
        (("run", "--to", home.token.uri(label="new", pin_file=wrong)), 77, "PIN"),
        (("run", "--to", "pkcs11:token=new"), 78, ""),
    ]:
        result = home.run("migrate", *arguments, check=False)
        assert result.returncode == code and words in result.stderr, (arguments, result.returncode, result.stderr)
        assert not (home.home / "migration").exists()
    # Tried once: the right one still opens.
    home.run("migrate", "run", "--to", home.token.to())
    result = home.run("migrate", "run", "--to", home.token.to("third"), check=False)
    assert result.returncode != 0
    assert home.token.keys_of("third") == []
    daemon = home.start()
    result = home.run("migrate", "run", check=False)
    assert result.returncode == 69 and "Another kmsd" in result.stderr
    assert daemon.terminate() == 0


def test_lock_slots_and_split_keys_move(tmp_path):
    home = with_secret(Installation(tmp_path / "home", token=Pair, KMS_SPLIT_ANCHORS="sealed")).init()
    try:
        daemon = home.start()
        split = SplitClient(daemon.base, SECRET)
        row = split.split(split.wallet()["client_id"])
        message = secrets.token_bytes(32)
        first = ok(split.sign(row, message))["sig"]
        key = make_key(daemon.client())
        signature = sign(daemon, key)
        assert daemon.terminate() == 0
        passphrase = home.home / "recovery"
        write_private(passphrase, secrets.token_hex(16))
        home.run("slot", "add", "--kind", "passphrase", "--passphrase-file", passphrase)
        plan = home.run_json("migrate", "plan", "--to", home.token.to())
        kinds = {route["kind"]: route["count"] for route in plan["routes"]}
        assert kinds == {"keystores": 1, "wallets": 1, "user shares": 1, "server shares": 1, "anchors": 1, "lock slots": 1}
        for verb in (("run", "--to", home.token.to()), ("verify",), ("finish",)):
            home.run("migrate", *verb)
        home.settings.update(on_target(home))
        home.token.destroy(plan["source"]["serial"])
        daemon = home.start()
        moved = SplitClient(daemon.base, SECRET)
        # The same halves of the same key: the signature by their sum is the same.
        assert ok(moved.sign(row, message))["sig"] == first
        other = moved.split(row["client_id"])
        assert ok(moved.sign(other, message))["sig"] == first
        assert sign(daemon, key) == signature
        assert daemon.terminate() == 0
        trials = home.run_json("slot", "test", "--recovery-passphrase-files", passphrase)
        assert [(trial["kind"], trial["outcome"]) for trial in trials] == [("passphrase", "opens"), ("token", "opens")]
    finally:
        home.end()


def test_a_home_moves_to_a_tpm_and_on_to_a_token(home, tmp_path):
    keys, signatures = filled(home, 2)
    tpm = SoftTPM(tmp_path)
    try:
        # It makes no secp256k1 keys.
        result = home.run("migrate", "run", "--to", tpm.uri(), check=False)
        assert result.returncode == 1 and "--accept-weaker" in result.stderr
        home.run("migrate", "run", "--accept-weaker")
        home.run("migrate", "verify")
        home.run("migrate", "finish")
        home.settings["KMS_TOKEN_URI"] = tpm.uri()
        serves(home, keys, signatures)
        for verb in (("run", "--to", home.token.to()), ("verify",), ("finish",)):
            home.run("migrate", *verb)
    finally:
        tpm.end()
    home.settings.update(on_target(home))
    serves(home, keys, signatures)
    report = home.run_json("audit", "verify")
    assert len(report["handovers"]) == 2 and len(list((home.home / "migrations").iterdir())) == 2


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_step_goes_on(home, seed):
    """At random moments of each step: what was begun is gone on with, and nothing is lost or left."""
    chance = random.Random(secrets.randbits(32))
    keys, signatures = filled(home, 4)
    to = home.token.to()

    def killed(*verb, took):
        process = subprocess.Popen([str(BINARY), "migrate", *verb], env=home.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(took * chance.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
        home.token.mend()

    def went(*verb):
        start = time.monotonic()
        result = home.run("migrate", *verb, check=False)
        assert result.returncode == 0, result.stderr
        return time.monotonic() - start

    took = went("run", "--to", to)
    home.run("migrate", "rollback")
    for _ in range(4):
        killed("run", "--to", to, took=took)
    went("run", "--to", to)
    took = went("verify")
    for _ in range(2):
        killed("verify", took=took)
    took = went("verify")
    for _ in range(6):
        killed("finish", took=took)
        state = home.run_json("migrate", "status").get("state")
        if state is None:
            break
        if state["phase"] == "finishing":
            result = home.run("slot", "list", check=False)
            said = home.refuses_to_start()
            assert "migrate finish" in said and result.returncode == 0
            assert home.run("migrate", "rollback", check=False).returncode == 78
    if home.run_json("migrate", "status").get("state") is not None:
        went("finish")
    assert not (home.home / "migration").exists()
    manifest = json.loads((home.home / "manifest.json").read_text())
    assert manifest["token"]["label"] == "new"
    assert home.token.keys_of("new") == sorted(
        {key["label"] for key in manifest["keys"].values()} | set(
            label for label in home.token.keys_of("new") if "/audit-head" in label))
    home.settings.update(on_target(home))
    serves(home, keys, signatures)
    home.run("audit", "verify")
    assert Path(home.home / "migrations" / f"{manifest['instance']}.jsonl").exists()
