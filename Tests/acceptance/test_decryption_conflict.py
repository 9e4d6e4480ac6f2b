"""Two headers of one height: the conflict is durable, told everywhere, and ended by an operator's word alone."""
import json
import re

import requests
from daemon import eventually
from test_audit import records
from test_decryption_client import U8, trial  # noqa: F401
from test_openapi import OPERATIONS, conforms

ROUTE = "/v1/decryption/chain/resolve"


def header(trial, height, node=None):
    """The hash that a node says is that of a height."""
    answer = trial.chain.ask(f"/commit?height={height}", node)
    return answer["result"]["signed_header"]["commit"]["block_id"]["hash"].lower()


def lie(trial):
    """Has the witness show another chain; gives the height and both hashes, the followed node's first."""
    trial.run("dev", "chain", "allow", U8)
    trial.request(U8, "before.json")
    trial.behave("fork", "witness")
    trial.run("dev", "chain", "make")

    height = trial.chain.height
    hashes = header(trial, height), header(trial, height, trial.chain.witness)
    assert hashes[0] != hashes[1]
    eventually(lambda: tells(trial, height, *hashes), 60, "the conflict")
    return height, hashes


def tells(trial, height, followed, other):
    """Whether `status` shows the conflict with both headers."""
    problem = json.loads(trial.run("decryption", "status", "--output", "json", codes=(0, 2)).stdout)["problem"]
    return all(word in problem for word in (followed, other, f"height {height}", trial.chain.witness))


def problems(trial):
    status, body = trial.daemon.readiness()
    assert status == 200 and body["status"] == "ready", "the keystores serve on"
    return [p for p in body["problems"] if p["component"] == "chain"]


def serves(trial, out):
    return trial.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out", out, U8,
                     check=False).returncode == 0


def resolve(trial, hash, codes=(0,), **more):
    done = trial.installation.run("decryption", "chain", "resolve", "--header", hash, "--url", trial.daemon.base, check=False,
                                  **more)
    assert done.returncode in codes, done.stderr
    return done


def restart(trial):
    trial.daemon.kill()
    trial.daemon = trial.installation.start(**trial.settings)
    found, _ = eventually(lambda: re.search(r"port=(\d+) .*decryption API listens", trial.daemon.log()), 60, "the API")
    trial.target = f"127.0.0.1:{found[1]}"


def test_a_conflict_outlives_restarts_is_told_everywhere_and_ends_with_an_operators_word(trial):
    t = trial()
    height, (followed, other) = lie(t)
    t.behave("honest", "witness")
    for _ in range(2):
        restart(t)
        eventually(lambda: problems(t), 60, "the conflict after a restart")
        assert tells(t, height, followed, other)
        assert not serves(t, "x") and not (t.path / "x").exists()
    words = problems(t)[0]
    assert words["code"] in ("chain-fork", "chain-conflict") and all(word in words["message"] for word in (followed, other, str(height)))
    assert "127.0.0.1" not in words["message"], "no node is named to whoever reaches the port"
    found = [c for c in t.installation.run_json("doctor", codes=(2,))["checks"] if c["name"] == "chain"]
    assert [c["grade"] for c in found] == ["fail"] and "resolve" in found[0]["remedy"]
    assert all(word in found[0]["message"] for word in (followed, other, str(height))), found
    # Only one of both headers can be named, and the hash is whole.
    assert followed in resolve(t, "5a" * 32, codes=(1,)).stderr
    resolve(t, followed[:-2], codes=(64,))
    for body in ("{}", '{"header":7}', '{"header":"5a"}', '{"header":"' + "zz" * 32 + '"}'):
        assert requests.post(t.daemon.base + ROUTE, data=body, timeout=20).status_code == 400, body
    assert problems(t) and not serves(t, "x")
    # Without a restart.
    shown = resolve(t, followed).stdout
    assert followed in shown and other in shown and str(height) in shown
    eventually(lambda: serves(t, "after.json"), 60, "an answer")
    assert t.run("decryption", "verify", "--result-key", t.key, "after.json").stdout.endswith("\n255\n")
    assert problems(t) == []
    answer = requests.post(t.daemon.base + ROUTE, json={"header": followed}, timeout=20)
    conforms(OPERATIONS["resolveChainConflict"][2], answer, 409)
    # It is over after a restart too, and the record says what was given up.
    restart(t)
    eventually(lambda: serves(t, "later.json"), 60, "an answer")
    assert [c for c in t.installation.run_json("doctor", codes=(0, 2))["checks"] if c["name"] == "chain"] == []
    t.daemon.terminate()
    done = [r["event"] for r in records(t.installation) if r.get("event", {}).get("operation") == "decryption-chain-resolve"]
    allowed = [event for event in done if event["outcome"] == "allowed"]
    assert len(allowed) == 1 and allowed[0]["subject"] == "kmsd-trial-1", done
    details = allowed[0]["details"]
    assert (details["kept"], details["given-up"], details["height"]) == (followed, other, str(height))
    assert details["shown-by"] == t.chain.witness
    assert {event["outcome"] for event in done} == {"allowed", "refused"}


def test_a_header_that_was_given_up_is_not_followed_and_a_source_that_lies_on_stops_it_again(trial):
    t = trial()
    height, (followed, other) = lie(t)
    answer = requests.post(t.daemon.base + ROUTE, json={"header": other.upper()}, timeout=20)
    conforms(OPERATIONS["resolveChainConflict"][2], answer, 200)
    assert answer.json() == {"chain_id": "kmsd-trial-1", "height": str(height), "kept": other, "given_up": followed}
    # The followed node is honest, and the operator has said that it is not: nothing new is believed.
    t.behave("honest", "witness")
    for _ in range(2):
        t.run("dev", "chain", "make")
        done = t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small", "--out", "x", U8, codes=(69,))
        assert "gave up" in done.stderr, done.stderr
        restart(t)
        eventually(lambda: "gave up" in t.run("decryption", "request", "--type", "u8", "--format", "raw-0.6", "--key", "small",
                                              "--out", "x", U8, codes=(69,)).stderr, 60, "the ruling after a restart")
    assert not (t.path / "x").exists()


def test_who_may_not_manage_may_not_decide(trial, tmp_path):
    secret = tmp_path / "jwt.secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    secret.chmod(0o600)
    t = trial(KMS_ADMIN_GUARD="jwt", KMS_JWT_SECRET_FILE=str(secret))
    _, (followed, _) = lie(t)
    issue = ("dev", "jwt", "--user", "alice", "--jwt-secret-file", secret)
    for token in (None, t.installation.run(*issue).stdout.strip()):
        more = {} if token is None else {"KMS_CLI_AUTH_TOKEN": token}
        resolve(t, followed, codes=(77,), **more)
    eventually(lambda: problems(t), 30, "the conflict")
    token = t.installation.run(*issue, "--service").stdout.strip()
    t.behave("honest", "witness")
    resolve(t, followed, KMS_CLI_AUTH_TOKEN=token)
    eventually(lambda: serves(t, "after.json"), 60, "an answer")
