"""The log: nobody waits for whoever reads it."""
import fcntl
import os
import re
import select
import time

import pytest
import requests
from daemon import eventually, free_port

F_SETPIPE_SZ = 1031


class Pipe:
    """A pipe that holds one page."""

    def __init__(self):
        self.read, self.write = os.pipe()
        fcntl.fcntl(self.write, F_SETPIPE_SZ, 4096)

    def close(self, *names):
        """Each end once: its number is soon somebody else's."""
        for name in names:
            end = getattr(self, name)
            setattr(self, name, None)
            if end is not None:
                os.close(end)


@pytest.fixture
def pipe():
    pipe = Pipe()
    yield pipe
    pipe.close("read", "write")


def refuse(daemon, count):
    """Requests without credentials that are refused, each with a line at debug."""
    session = requests.Session()
    for _ in range(count):
        assert session.get(f"{daemon.base}/v1/keystores/{'0' * 20}", timeout=5).status_code in (400, 401, 404)


def drain(read, until, seconds=60):
    text, end = "", time.monotonic() + seconds
    while not re.search(until, text):
        assert time.monotonic() < end, f"no {until!r} in {text[-2000:]!r}"
        if select.select([read], [], [], 0.2)[0]:
            text += os.read(read, 65536).decode(errors="replace")
    return text


def test_a_log_that_nobody_reads_holds_nobody_up_and_tells_what_was_lost(own, pipe):
    address = f"127.0.0.1:{free_port()}"
    daemon = own.start(output=pipe.write, KMS_LOG_LEVEL="debug", KMS_METRICS_HOST=address)
    pipe.close("write")
    session = requests.Session()

    def dropped():
        for _ in range(500):
            assert session.get(f"{daemon.base}/v1/keystores/{'0' * 20}", timeout=5).status_code < 500
        page = requests.get(f"http://{address}/metrics", timeout=5).text
        return int(re.search(r"^kms_log_lines_dropped_count (\d+)$", page, re.M)[1])

    eventually(dropped, 120, "the queue is full")
    key = daemon.client().create_keystore().create("ED25519")
    key.sign(b"m")
    assert daemon.readiness()[0] == 200
    drain(pipe.read, r"lines=\d+ \[KMSDaemon\] lines were lost here", 60)
    start = time.monotonic()
    assert daemon.terminate() == 0
    assert time.monotonic() - start < 30


def test_a_log_whose_reader_is_gone_ends_nothing(own, pipe):
    daemon = own.start(ready=False, output=pipe.write, KMS_LOG_LEVEL="debug")
    pipe.close("write", "read")
    daemon.wait_until_ready()
    refuse(daemon, 300)
    daemon.client().create_keystore().create("ED25519").sign(b"m")
    assert daemon.terminate() == 0


def test_a_log_on_a_device_that_is_full_ends_nothing(own):
    full = os.open("/dev/full", os.O_WRONLY)
    daemon = own.start(ready=False, output=full)
    os.close(full)
    daemon.wait_until_ready()
    refuse(daemon, 200)
    daemon.client().create_keystore().create("ED25519").sign(b"m")
    assert daemon.terminate() == 0


def test_lines_that_strangers_cause_come_at_a_bounded_rate_and_are_counted(own):
    daemon = own.start(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL="https://kms.example")
    url = daemon.client().create_keystore().url
    path = "/v1/keystores/" + url.split("/v1/keystores/")[1]
    session = requests.Session()
    count, start = 1000, time.monotonic()
    for _ in range(count):
        assert session.post(f"{daemon.base}{path}/keys", json={"key_type": "ED25519"}, timeout=5).status_code == 401

    def told():
        lines = [line for line in daemon.log().splitlines() if "request refused" in line]
        whole = [line for line in lines if "left out" not in line]
        left_out = [int(re.search(r"lines=(\d+)", line)[1]) for line in lines if "left out" in line]
        return (whole, left_out) if len(whole) + sum(left_out) == count else None

    (whole, left_out), _ = eventually(told, 10, "every line is there or counted")
    # 50 at once and ten in each second after them.
    assert len(whole) < 70 + 10 * (time.monotonic() - start) and (sum(left_out) > 0 or time.monotonic() - start > 90)
