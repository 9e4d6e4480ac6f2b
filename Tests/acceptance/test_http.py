"""What load balancers, monitors and old clients send, by hand and by the programs themselves."""
import json
import re
import socket
import time

import pytest
import requests
from daemon import eventually, free_port
from programs import haproxy, nginx, run, started  # noqa: F401
from split_client import SplitClient
from test_split_keys import SECRET, with_secret


def exchange(port, text, *, wait=True, seconds=60):
    """Everything the server sends until it closes; `wait` keeps our own side open, as an old client does."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(text.encode("latin-1"))
        if not wait:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def answers(data):
    """The answers on a connection: status, headers by lower-case name (repeated ones joined), body by Content-Length."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = ", ".join(filter(None, [headers.get(name.lower()), value.strip()]))
        length = int(headers.get("content-length", 0))
        assert "transfer-encoding" not in headers, headers
        found.append((int(first.split(" ")[1]), headers, data[:length]))
        data = data[length:]
    return found


def only(port, text, **more):
    data = exchange(port, text, **more)
    head = data.split(b"\r\n\r\n", 1)[0].decode()
    return int(head.split(" ")[1]), head.lower(), data.split(b"\r\n\r\n", 1)[1]


@pytest.fixture
def measured(own):
    """A daemon with every listener and front: metrics, first generation, split keys."""
    metrics = free_port()
    daemon = with_secret(own).start(KMS_METRICS_HOST=f"127.0.0.1:{metrics}", KMS_LEGACY_G1_ROUTES="true")
    daemon.metrics = metrics
    return daemon


def test_head_is_answered_wherever_get_is(measured):
    """With the head that GET has, Content-Length included, and nothing behind it."""
    client = measured.client()
    keystore = client.create_keystore()
    key = keystore.create("ED25519")
    token = SplitClient(measured.base, SECRET).headers()
    paths = ["/healthcheck", "/livez", "/readyz", "/openapi.yaml", "/v1/keystores", keystore.url, f"{keystore.url}/keys",
             key.url, f"{key.url}/export", f"{key.url}/attestation?nonce={'5a' * 32}", f"/kms{keystore.url[3:]}/keys/{key.id}/export",
             "/zvault/wallets", f"/zvault/keys/{'0' * 64}", f"/zauth/key/{'0' * 64}", "/nowhere"]
    for port, path in [(measured.port, path) for path in paths] + [(measured.metrics, "/metrics"), (measured.metrics, "/x")]:
        url = f"http://127.0.0.1:{port}{path}"
        got, head = (requests.request(method, url, headers=token, timeout=10) for method in ("GET", "HEAD"))
        assert head.status_code == got.status_code != 405 and head.content == b"", (path, head.status_code)
        assert head.headers["Content-Type"] == got.headers["Content-Type"], path
        if path not in ("/metrics",) and "attestation" not in path and "/healthcheck" not in path:
            assert head.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.content)), path
        # Whatever is behind the head on a connection that stays is the next answer.
        data = exchange(port, f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        first, second = data.split(b"\r\n\r\n", 1)
        assert second.startswith(b"HTTP/1.1 404"), (path, data)

def test_head_stays_refused_where_get_is(kms, keystore):
    key = keystore.create("ED25519")
    for path in (f"{key.url}/sign", f"{key.url}/disable", f"{keystore.url}/wrap", "/v1/keystores/did"):
        assert kms.raw("HEAD", path).status_code == 405
    assert key.metadata()["state"] == "enabled"


@pytest.mark.parametrize("asked,stays", [
    ("", False), ("Connection: keep-alive\r\n", True), ("Connection: Keep-Alive\r\n", True),
    ("Connection:keep-alive , te\r\n", True), ("Connection: te\r\nConnection: KEEP-ALIVE\r\n", True),
    ("Connection: keep-alive, close\r\n", False), ("Connection: keep-alive\r\nConnection: Close\r\n", False),
    ("Connection: close\r\n", False), ("Connection: x-keep-alive\r\n", False)])
def test_an_http_1_0_connection_stays_only_if_asked_and_granted(measured, asked, stays):
    for port, path in ((measured.port, "/livez"), (measured.metrics, "/metrics"), (measured.port, "/nowhere")):
        request = f"GET {path} HTTP/1.0\r\n{asked}\r\n"
        text = request + request.replace(asked, "") if stays else request + request
        found = [re.search(rb"(?im)^connection: *(.*?)\r$", part) for part in exchange(port, text).split(b"HTTP/1.1 ")[1:]]
        spoken = [match.group(1).decode() for match in found]
        assert spoken == (["keep-alive", "close"] if stays else ["close"]), (path, spoken)


@pytest.mark.parametrize("field", [
    "Connection: close", "connection: Close", "Connection: CLOSE", "Connection:close", "Connection: \tclose\t",
    "Connection: keep-alive, close", "Connection: close,keep-alive", "Connection: te ,Close", "Connection: keep-alive\r\nConnection: close",
    "Connection: close\r\nConnection: keep-alive", "Connection: ,close,"])
def test_close_is_understood_in_every_spelling(measured, field):
    for port in (measured.port, measured.metrics):
        for method in ("GET", "HEAD"):
            request = f"{method} /livez HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n"
            data = exchange(port, request + "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert data.count(b"HTTP/1.1 ") == 1, data
            assert b"\r\nconnection: close\r\n" in data.lower(), data


def test_other_options_keep_an_http_1_1_connection(measured):
    for field in ("", "Connection: keep-alive\r\n", "Connection: te\r\n", "Connection: x-close\r\n", "Upgrade: h2c\r\n"):
        request = f"GET /livez HTTP/1.1\r\nHost: x\r\n{field}\r\n"
        found = answers(exchange(measured.port, request + request.replace(field, "Connection: close\r\n", 1)
                                 if field else request + "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        assert [status for status, _, _ in found] == [200, 200], field
        assert "connection" not in found[0][1], found[0][1]


HEADS = [
    # Who is asked: exactly one Host in HTTP/1.1, at most one in HTTP/1.0, and a valid one.
    (400, "GET /livez HTTP/1.1\r\n\r\n"), (400, "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    (400, "GET /livez HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), (400, "GET /livez HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
    (400, "GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n"), (400, "GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    (400, "GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n"), (400, "GET /livez HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    (400, "GET /livez HTTP/1.1\r\nHost: a:b\r\n\r\n"), (400, "GET /livez HTTP/1.1\r\nHost: a:99999\r\n\r\n"),
    (400, "GET /livez HTTP/1.1\r\nHost: [::1\r\n\r\n"), (400, "GET /livez HTTP/1.1\r\nHost: a?b\r\n\r\n"),
    (400, "GET /livez HTTP/1.1\r\nHost: :80\r\n\r\n"), (400, "GET /livez HTTP/1.1\r\nHost: \xe9\r\n\r\n"),
    (400, "GET http://u@a/livez HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "HEAD /livez HTTP/1.1\r\n\r\n"),
    # How the body is framed: `chunked` alone, and not in HTTP/1.0.
    (400, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (501, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (400, "POST /v1/keystores HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    # What is expected, and which protocol is spoken.
    (417, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nContent-Length: 2\r\n\r\n{}"),
    (417, "POST /v1/keystores HTTP/1.1\r\nHost: x\r\nExpect: 100-continue, more\r\nContent-Length: 2\r\n\r\n{}"),
    (505, "GET /livez HTTP/1.2\r\nHost: x\r\n\r\n"), (505, "GET /livez HTTP/2.0\r\nHost: x\r\n\r\n"),
    (505, "GET /livez HTTP/3.0\r\nHost: x\r\n\r\n"),
]


@pytest.mark.parametrize("status,head", HEADS)
def test_a_head_that_two_programs_could_read_differently_is_refused(measured, status, head):
    """On every listener, with words, and with the end of the connection; nothing behind it is served."""
    for port in (measured.port, measured.metrics):
        found, shown, body = only(port, head + "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert found == status and "\r\nconnection: close" in shown, shown
        if head.startswith("HEAD"):
            assert body == b""
        else:
            assert json.loads(body)["message"] == json.loads(body)["errMessage"] != ""
    assert measured.client().keystores() == []


def test_a_refused_head_waits_for_the_answers_before_it(measured):
    good = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    found = answers(exchange(measured.port, good + good + "GET /livez HTTP/1.1\r\n\r\n" + good))
    assert [status for status, _, _ in found] == [200, 200, 400]


@pytest.mark.parametrize("head", [
    "GET /livez HTTP/1.0\r\n\r\n", "GET /livez HTTP/1.0\r\nHost: a\r\n\r\n", "GET /livez HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n",
    "GET /livez HTTP/1.1\r\nHost: a:8074\r\nConnection: close\r\n\r\n", "GET /livez HTTP/1.1\r\nHost: [::1]:8074\r\nConnection: close\r\n\r\n",
    "GET http://a.example/livez HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n",
    "GET /livez HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n",
    "GET /livez HTTP/1.0\r\nExpect: anything\r\n\r\n"])
def test_a_legal_head_is_served(daemon, head):
    data = exchange(daemon.port, head)
    assert data.split(b"\r\n\r\n")[-1].endswith(b'{"status":"alive"}\n') and b"HTTP/1.1 200 OK\r\n" in data, data
    assert ("100-Continue" in head) == data.startswith(b"HTTP/1.1 100"), data


def test_a_wish_for_another_protocol_is_ignored(daemon):
    """Answered in HTTP/1.1, and the connection ends, since some clients would speak the other protocol on it."""
    wish = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    found = answers(exchange(daemon.port, f"GET /livez HTTP/1.1\r\nHost: x\r\n{wish}\r\n"))
    assert [(status, headers["connection"]) for status, headers, _ in found] == [(200, "close")]


# The programs themselves.

def test_ab_with_and_without_keep_alive(measured):
    """Apache's load generator speaks HTTP/1.0."""
    for port, path in ((measured.port, "/livez"), (measured.metrics, "/metrics"), (measured.port, "/openapi.yaml")):
        for options, kept in (([], False), (["-k"], True), (["-i"], False), (["-i", "-k"], True)):
            code, said = run("ab", "-q", "-n", 50, "-c", 5, "-s", 20, *options, f"http://127.0.0.1:{port}{path}")
            assert code == 0 and re.search(r"Complete requests: +50\b", said), said
            assert re.search(r"Failed requests: +0\b", said) or "(Connect: 0, Receive: 0, Length:" in said, said
            assert "Non-2xx" not in said, said
            assert bool(re.search(r"Keep-Alive requests: +50\b", said)) == kept, (options, said)


def test_wget_and_old_curl(measured, tmp_path):
    base = f"http://127.0.0.1:{measured.port}"
    assert run("wget", "-q", "-O", tmp_path / "a", f"{base}/livez", f"{base}/openapi.yaml")[0] == 0
    assert run("wget", "-q", "--spider", f"{base}/readyz")[0] == 0
    assert run("wget", "-q", "--no-http-keep-alive", "-O", tmp_path / "b", f"{base}/livez")[0] == 0
    assert (tmp_path / "b").read_text() == '{"status":"alive"}\n'
    for option in ("--http1.0", "--http1.1", "--http2"):
        code, said = run("curl", "-sSf", option, "-m", 60, f"{base}/livez", f"{base}/livez")
        assert code == 0 and said == '{"status":"alive"}\n' * 2, said
        code, said = run("curl", "-sSfI", option, "-m", 60, f"{base}/readyz")
        assert code == 0 and " 200 OK" in said, said
    body = json.dumps({"controller": "did:example:a", "padding": "x" * 2000})
    for option in ("--http1.0", "--http1.1"):
        code, said = run("curl", "-sSf", option, "-m", 60, "-d", body, "-H", "Expect: 100-continue", f"{base}/v1/keystores")
        assert code == 0 and "key_store_url" in said, said


CHECKS = {
    "default": "option httpchk",
    "get 1.0": "option httpchk GET /readyz",
    "head 1.1": "option httpchk HEAD /readyz HTTP/1.1\\r\\nHost:\\ kms.example",
    "send 1.0": "option httpchk\n  http-check send meth GET uri /readyz",
    "send 1.1": "option httpchk\n  http-check send meth HEAD uri /livez ver HTTP/1.1 hdr Host kms.example\n  http-check expect status 200",
    # HAProxy adds no Host of its own to a check in HTTP/1.1, which is refused as any other such request.
    "send 1.1 without Host": "option httpchk\n  http-check send meth GET uri /livez ver HTTP/1.1\n  http-check expect status 400",
}


def test_haproxy_finds_the_server_up_with_each_of_its_checks(measured, started, tmp_path):
    """And serves through it, also to clients of HTTP/1.0."""
    ports = {name: free_port() for name in CHECKS}
    sections = "".join(
        f"listen {name.replace(' ', '-')}\n  bind 127.0.0.1:{ports[name]}\n  {check}\n"
        + ("  http-check expect status 400-404\n" if name == "default" else "")
        + f"  server kms 127.0.0.1:{measured.port} check inter 200ms fall 1 rise 1\n" for name, check in CHECKS.items())
    stats = tmp_path / "haproxy.sock"
    haproxy(started, tmp_path, sections, ports["default"], more=f"  stats socket {stats}")

    def checked():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(stats))
            connection.sendall(b"show stat json\n")
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
        values = [{field["field"]["name"]: field["value"]["value"] for field in row} for row in json.loads(data)]
        found = {row["pxname"]: (row.get("check_status"), row["status"]) for row in values if row["svname"] == "kms"}
        return found if len(found) == len(CHECKS) and all(check == "L7OK" for check, _ in found.values()) else None

    # The status before the first check is UP as well, so the check's own word counts; a second later it still holds.
    eventually(checked, 30, "every check passing")
    time.sleep(1)
    assert all(status == "UP" for _, status in checked().values())
    for port in ports.values():
        for option in ("--http1.0", "--http1.1"):
            code, said = run("curl", "-sSf", option, "-m", 60, f"http://127.0.0.1:{port}/livez")
            assert code == 0 and said == '{"status":"alive"}\n', said


def test_nginx_with_its_defaults_and_with_kept_connections(measured, started, tmp_path):
    """proxy_pass alone speaks HTTP/1.0 with Connection: close; a keepalive upstream speaks HTTP/1.1 with an empty one."""
    upstream = f"  upstream kms {{\n    server 127.0.0.1:{measured.port};\n    keepalive 4;\n  }}"
    port = nginx(started, tmp_path, more=upstream, locations=f"""
    location / {{ proxy_pass http://127.0.0.1:{measured.port}; }}
    location /kept/ {{ proxy_pass http://kms/; proxy_http_version 1.1; proxy_set_header Connection ""; }}""")
    with requests.Session() as session:
        for prefix in ("", "/kept"):
            for _ in range(5):
                assert session.get(f"http://127.0.0.1:{port}{prefix}/livez", timeout=10).json() == {"status": "alive"}
                head = session.head(f"http://127.0.0.1:{port}{prefix}/openapi.yaml", timeout=10)
                assert head.status_code == 200 and int(head.headers["Content-Length"]) > 10_000
            made = session.post(f"http://127.0.0.1:{port}{prefix}/v1/keystores", json={"controller": "did:example:a"}, timeout=10)
            assert made.status_code == 200, made.text
    code, said = run("curl", "-sSf", "--http1.0", "-m", 60, f"http://127.0.0.1:{port}/livez")
    assert code == 0 and said == '{"status":"alive"}\n'
