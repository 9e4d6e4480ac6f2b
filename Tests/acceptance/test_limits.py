"""Limits of the system: at each of them nothing dies, the token stays ready, and who comes next is served."""
import base64
import contextlib
import resource
import socket
import time

import pytest
import requests
from daemon import eventually, free_port

MESSAGE = {"message": base64.b64encode(b"m").decode()}


@contextlib.contextmanager
def open_connections(daemon, count, sent=b""):
    """Connections that say `sent` and nothing more."""
    sockets = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
            sockets.append(connection)
            if sent:
                connection.sendall(sent)
        yield sockets
    finally:
        for connection in sockets:
            connection.close()


def descriptors(daemon):
    soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    return soft, hard


def stays_ready(daemon, seconds):
    """Asks in fresh connections for so long, and returns the longest answer."""
    longest, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        answer = requests.get(f"{daemon.base}/readyz", timeout=10)
        longest = max(longest, time.monotonic() - start)
        assert answer.status_code == 200, answer.text
    assert daemon.is_running(), daemon.log()
    return longest


HALF_A_HEAD = b"POST /v1/keystores HTTP/1.1\r\nHost: a\r\n"
HALF_A_BODY = HALF_A_HEAD + b"Content-Length: 100\r\n\r\n{"


@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["silent", "half a head", "half a body"])
@pytest.mark.parametrize("files,connections", [(96, 150), (1024, 1100)])
def test_more_idle_connections_than_open_files_allow_end_nothing(own, files, connections, sent):
    daemon = own.start(prefix=["prlimit", f"--nofile={files}:{files}"])
    kms = daemon.client()
    key = kms.create_keystore().create("ED25519")
    with open_connections(daemon, connections, sent):
        eventually(lambda: requests.get(f"{daemon.base}/readyz", timeout=10).status_code == 200, 30, "ready")
        # One that waited for a connection to become idle or to end would wait far longer.
        assert stays_ready(daemon, 2) < 9
        key.sign(b"m")
    eventually(lambda: stays_ready(daemon, 0.1) < 1, 60, "recovery")
    key.sign(b"m")
    assert daemon.terminate() == 0


def test_a_request_that_is_being_answered_is_not_closed_for_another(own):
    daemon = own.start(KMS_MAX_CONNECTIONS="4")
    key = daemon.client().create_keystore().create("ED25519")
    with open_connections(daemon, 12):
        for _ in range(50):
            key.sign(b"m")
    assert daemon.is_running()


def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one(own):
    daemon = own.start(prefix=["prlimit", "--nofile=256:2048"])
    assert descriptors(daemon) == (2048, 2048)


def test_fewer_connections_than_asked_are_told_at_start_by_doctor_and_in_a_metric(own):
    address = f"127.0.0.1:{free_port()}"
    daemon = own.start(prefix=["prlimit", "--nofile=300:300"], KMS_METRICS_HOST=address)
    page = requests.get(f"http://{address}/metrics", timeout=10).text
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert values["kms_open_files_limit"] == "300"
    limit = int(values["kms_connections_limit"])
    assert 100 < limit < 300
    assert 20 < int(values["kms_open_files"]) < 100
    line = next(line for line in daemon.log().splitlines() if "max-connections" in line)
    assert f"at most {limit} connections" in line and "LimitNOFILE" in line
    with open_connections(daemon, limit + 20):
        eventually(lambda: requests.get(f"{daemon.base}/readyz", timeout=10).status_code == 200, 10, "ready")
        values = dict(line.rsplit(" ", 1) for line in requests.get(f"http://{address}/metrics", timeout=10).text.splitlines()
                      if not line.startswith("#"))
        assert int(values["kms_connections_closed_for_others_count"]) > 0
        assert int(values["kms_connections"]) <= limit + 8  # Accepted before others are closed for them (DescriptorBudget).
    resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
    checks = {check["name"]: check for check in own.run_json("doctor", codes=(0, 2))["checks"]}
    assert checks["open files"]["grade"] in ("ok", "warn") and "connections" in checks["open files"]["message"]


def test_too_few_open_files_refuse_the_start_and_name_the_limit(own):
    daemon = own.start(ready=False, prefix=["prlimit", "--nofile=48:48"])
    assert daemon.wait() == 78
    assert "limit of open files is 48" in daemon.log() and "LimitNOFILE" in daemon.log()


def test_a_daemon_without_standard_streams_does_not_log_into_its_database(own):
    daemon = own.start(prefix=["sh", "-c", 'exec "$0" "$@" >&- 2>&- <&-'])
    key = daemon.client().create_keystore().create("ED25519")
    key.sign(b"m")
    assert daemon.terminate() == 0
    assert own.run_json("doctor", codes=(0, 2))
    again = own.start()
    assert again.is_running()


def without_the_right_to_lock(size):
    """A prefix for a program that may lock so many bytes."""
    return ["prlimit", f"--memlock={size}:{size}", "setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]


@pytest.mark.parametrize("size", [0, 4096, 65536, 1 << 19, 1 << 20, (1 << 20) + 65536])
def test_too_little_lockable_memory_refuses_the_start_and_is_found_by_the_examination(own, size):
    prefix = without_the_right_to_lock(size)
    daemon = own.start(ready=False, prefix=prefix)
    assert daemon.wait() == 77
    assert "LimitMEMLOCK" in daemon.log() and "ulimit -l" in daemon.log(), daemon.log()
    found = own.run("doctor", check=False, prefix=prefix)
    assert found.returncode == 2 and "fail  locked memory" in found.stdout and "LimitMEMLOCK" in found.stdout


def test_what_the_examination_finds_enough_starts(own):
    prefix = without_the_right_to_lock(1536 << 10)
    found = own.run("doctor", check=False, prefix=prefix)
    assert "ok    locked memory" in found.stdout and "fail" not in found.stdout, found.stdout
    daemon = own.start(prefix=prefix)
    daemon.client().create_keystore().create("ED25519").sign(b"m")
    assert daemon.terminate() == 0


def test_a_daemon_that_can_lock_no_more_memory_refuses_and_recovers(own):
    daemon = own.start(
        prefix=["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"], KMS_MAKES_PER_MINUTE="0")
    kms = daemon.client()
    keystore = kms.create_keystore()
    key = keystore.create("ED25519")
    soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_MEMLOCK)
    resource.prlimit(daemon.pid, resource.RLIMIT_MEMLOCK, (0, hard))
    session, statuses = requests.Session(), []
    while statuses.count(503) < 50:
        answer = session.post(f"{daemon.base}/v1/keystores", json={"controller": "did:example:a"}, timeout=10)
        statuses.append(answer.status_code)
        if answer.ok:
            url = answer.json()["key_store_url"]
            statuses.append(session.post(f"{daemon.base}{url}/keys", json={"key_type": "AES256GCM"}, timeout=10).status_code)
        assert len(statuses) < 20_000
    assert set(statuses) == {200, 503}, set(statuses)
    time.sleep(2)  # Meanwhile the token's health is asked for, which takes locked memory too.
    assert "key-mismatch" not in daemon.log() and daemon.is_running()
    resource.prlimit(daemon.pid, resource.RLIMIT_MEMLOCK, (soft, hard))
    daemon.wait_for_readiness(200)
    key.sign(b"m")
    kms.create_keystore().create("ED25519").sign(b"m")
    assert daemon.terminate() == 0


def test_a_metrics_listener_full_of_idle_connections_still_answers(own):
    port = free_port()
    daemon = own.start(KMS_METRICS_HOST=f"127.0.0.1:{port}")
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        for _ in range(5):
            assert requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).status_code == 200
    assert daemon.terminate() == 0


def test_too_few_threads_refuse_the_start_and_name_the_limits(bare):
    # The limit does not hold for root; the home is not looked at before it.
    daemon = bare.start(ready=False, prefix=[
        "prlimit", "--nproc=12:12", "setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"])
    assert daemon.wait() == 78
    assert "threads" in daemon.log() and "LimitNPROC" in daemon.log(), daemon.log()
