"""The metrics listener: names and labels of TrustBloc's server, and nothing that names anybody."""
import base64
import json
import re
import time
import uuid

import pytest
import requests
from daemon import eventually, free_port
from test_capabilities import BASE, Guarded

LINE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\d+(?:\.\d+)?(?:e[+-]?\d+)?)$')
MESSAGE = {"message": base64.b64encode(b"m").decode()}
HISTOGRAMS = ["kms_http_response_seconds", "kms_crypto_sign_seconds", "kms_key_store_resolve_seconds",
              "kms_key_store_get_key_seconds", "kms_zcap_middleware_seconds",
              *(f"kms_db_{name}_seconds" for name in ("put", "get", "query", "delete", "batch")),
              *(f"kms_key_store_{lock}_secret_lock_{operation}_seconds" for operation in ("encrypt", "decrypt")
                for lock in ("aws", "key", "token", "local", "passphrase", "shamir", "recovery"))]
COUNTERS = ["kms_http_requests_count", "kms_http_response_status_count", "kms_connections_closed_for_others_count",
            "kms_accept_failures_count", "kms_log_lines_dropped_count", "kms_log_lines_left_out_count"]
GAUGES = ["kms_connections", "kms_connections_limit", "kms_open_files", "kms_open_files_limit"]
BOUNDS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]


@pytest.fixture
def metrics():
    return f"127.0.0.1:{free_port()}"


def scrape(address):
    """Values by name and labels, after every line was checked against the format."""
    answer = requests.get(f"http://{address}/metrics", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    kinds, values = {}, {}
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            name, labels, value = LINE.match(line).groups()
            key = name, tuple(sorted(re.findall(r'([a-z]+)="([^"]*)"', labels or "")))
            assert key not in values
            values[key] = float(value)
    assert kinds == {**{name: "histogram" for name in HISTOGRAMS}, **{name: "counter" for name in COUNTERS},
                     **{name: "gauge" for name in GAUGES}}
    return values, answer.text


def test_requests_signatures_and_statements_are_counted(own, metrics):
    daemon = own.start(KMS_METRICS_HOST=metrics)
    kms = daemon.client()
    keystore = kms.create_keystore()
    key = keystore.create("ED25519")
    before, _ = scrape(metrics)
    for _ in range(7):
        key.sign(b"m")
    assert requests.post(f"{daemon.base}/v1/keystores/{'0' * 20}/keys", json={}, timeout=5).status_code in (400, 404)
    after, text = scrape(metrics)
    path = (("path", "/v1/keystores/{keystore}/keys/{key}/sign"),)
    assert after["kms_http_requests_count", path] == 7
    assert after["kms_http_response_seconds_count", path] == 7
    assert after["kms_crypto_sign_seconds_count", ()] == 7
    assert after["kms_key_store_get_key_seconds_count", ()] == 7
    assert after["kms_http_response_status_count", (("status", "200"),)] \
        - before["kms_http_response_status_count", (("status", "200"),)] >= 7
    kind = (("type", "SQLite"),)
    assert after["kms_db_put_seconds_count", kind] >= 2 and after["kms_db_get_seconds_count", kind] >= 1
    buckets = [after["kms_crypto_sign_seconds_bucket", (("le", bound),)] for bound in BOUNDS]
    assert buckets == sorted(buckets) and buckets[-1] == 7
    assert 0 < after["kms_crypto_sign_seconds_sum", ()] < 7


def test_operations_of_locks_are_timed(own, metrics):
    """A keystore's lock key is sealed by the token, each version of a key under the keystore's lock key."""
    def counts():
        values, _ = scrape(metrics)
        return [values[f"kms_key_store_{lock}_secret_lock_{operation}_seconds_count", ()]
                for lock in ("token", "key") for operation in ("encrypt", "decrypt")], values

    def at_rest():
        before, _ = counts()
        time.sleep(1)
        return counts()[0] == before

    daemon = own.start(KMS_METRICS_HOST=metrics, KMS_LOCK_TTL="0s")
    # Two at a start look at readiness, which tries the lock; the second may be late where the token is slow.
    eventually(at_rest, 20, "the daemon's own looks at its readiness")
    (sealed, opened, *_), _ = counts()
    keystore = daemon.client().create_keystore()
    assert counts()[0] == [sealed + 1, opened, 0, 0]
    key = keystore.create("ED25519")
    assert counts()[0] == [sealed + 1, opened + 1, 1, 0]
    key.sign(b"m")
    key.sign(b"m")
    found, values = counts()
    assert found == [sealed + 1, opened + 3, 1, 2]
    assert 0 < values["kms_key_store_token_secret_lock_decrypt_seconds_sum", ()] < 10
    for lock in ("aws", "local", "passphrase", "shamir"):
        assert values[f"kms_key_store_{lock}_secret_lock_encrypt_seconds_count", ()] == 0


def test_metrics_name_nobody_and_stay_small(own, metrics):
    """Threat I23: no ids, users, labels or serials; callers cannot make series."""
    daemon = own.start(KMS_METRICS_HOST=metrics)
    kms, controller = daemon.client(), f"did:example:{uuid.uuid4().hex}"
    keystore = kms.create_keystore(controller=controller)
    key = keystore.create("ED25519")
    key.sign(b"m")
    session = requests.Session()
    session.get(f"{daemon.base}/nowhere", timeout=5)
    session.get(f"{daemon.base}/v1/keystores/first", timeout=5)
    serial = json.loads((own.home / "manifest.json").read_text())["token"]["serial"]
    _, text = scrape(metrics)
    series = len(text.splitlines())
    for index in range(200):
        session.get(f"{daemon.base}/{uuid.uuid4().hex}", timeout=5)
        session.get(f"{daemon.base}/v1/keystores/{uuid.uuid4().hex}", timeout=5)
    _, text = scrape(metrics)
    assert len(text.splitlines()) <= series + 14 * 2
    for secret in [keystore.url.split("/")[-1], key.url.split("/")[-1], controller, serial, own.token.uri(), str(own.home)]:
        assert secret not in text


def test_the_two_listeners_stay_apart(own, metrics):
    daemon = own.start(KMS_METRICS_HOST=metrics)
    assert requests.get(f"{daemon.base}/metrics", timeout=5).status_code == 404
    for path in ("/", "/v1/keystores", "/healthcheck", "/metrics/", "/metrics/x"):
        assert requests.get(f"http://{metrics}{path}", timeout=5).status_code == 404
    assert requests.post(f"http://{metrics}/metrics", timeout=5).status_code == 405
    assert daemon.terminate() == 0


def test_capabilities_are_measured(own, metrics):
    guarded = Guarded(own.start(KMS_METRICS_HOST=metrics, KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL=BASE))
    key = guarded.new_key()
    assert guarded.call(f"{key}/sign", "sign", MESSAGE).status_code == 200
    values, _ = scrape(metrics)
    assert values["kms_zcap_middleware_seconds_count", ()] == 2


def test_metrics_host_is_checked(own):
    assert "KMS_METRICS_HOST" in own.refuses_to_start(KMS_METRICS_HOST="9090")
    assert "metrics-host" in own.refuses_to_start(KMS_METRICS_HOST="192.0.2.1:9090", codes=(69,))
