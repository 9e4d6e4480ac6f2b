"""What must be refused: right status, both error members, nothing stored."""
import http.client
import itertools
import json
import socket

import crypto
import pytest
from test_key_types import refused
from webkms_client import encode, error_of

PKCS8 = encode(crypto.pkcs8(crypto.make_private("ED25519")))
DEEP = "[" * 100_000 + "]" * 100_000
WIDE = "{" + ",".join(f'"m{index}":0' for index in range(60_000)) + "}"


def listing(keystore):
    return keystore.keys()


def expect(status, response):
    assert response.status_code == status, f"{response.status_code}: {response.content[:300]!r}"
    return error_of(response)


MALFORMED = {
    "nothing": b"",
    "not JSON": b"controller=x",
    "cut short": b'{"key_type":"ED25519"',
    "two documents": b'{"key_type":"ED25519"}{"key_type":"ED25519"}',
    "trailing comma": b'{"key_type":"ED25519",}',
    "single quotes": b"{'key_type':'ED25519'}",
    "array": b'["ED25519"]',
    "string": b'"ED25519"',
    "null": b"null",
    "number for a string": b'{"key_type":25519}',
    "array for a string": b'{"key_type":["ED25519"]}',
    "object for a string": b'{"key_type":{}}',
    "invalid UTF-8": b'{"key_type":"ED25519\xff"}',
    "raw control character": b'{"key_type":"ED25519\n"}',
    "lone surrogate": b'{"key_type":"ED25519\\ud800"}',
    "byte order mark, UTF-16": '{"key_type":"ED25519"}'.encode("utf-16"),
    "deep": DEEP.encode(),
    "deep below a member": b'{"key_type":"ED25519","x":' + DEEP.encode() + b"}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_body_on_create_key(kms, keystore, name):
    expect(400, kms.raw("POST", f"{keystore.url}/keys", MALFORMED[name]))
    assert listing(keystore) == []


@pytest.mark.parametrize("key_type", ["", None, "ED448", "ed25519", "ED25519 ", "RSARS256", "ECDSASecp256k1DER",
                                      "../ED25519", "ED25519\u0000", "A" * 10_000])
def test_unknown_key_type(kms, keystore, key_type):
    expect(400, kms.raw("POST", f"{keystore.url}/keys", {"key_type": key_type}))
    assert listing(keystore) == []


def test_missing_key_type(kms, keystore):
    expect(400, kms.raw("POST", f"{keystore.url}/keys", {}))
    assert listing(keystore) == []


@pytest.mark.parametrize("body", [
    {}, {"controller": ""}, {"controller": None}, {"controller": 7}, {"controller": ["did:x"]},
    {"controller": "x" * 100_000}, {"controller": "line\nfeed"},
], ids=repr)
def test_bad_controller(kms, body):
    before = len(kms.keystores(limit=1000))
    expect(400, kms.raw("POST", "/v1/keystores", body))
    assert len(kms.keystores(limit=1000)) == before


@pytest.mark.parametrize(
    "text", ["*", "a", "=", "aGVsbG8=====", "aGVs\u0000bG8=", "aGVs bG8=", "ä", 5, {}, ["aGVsbG8="]], ids=repr)
def test_wrong_base64(kms, keystore, text):
    key = keystore.create("ED25519")
    expect(400, kms.raw("POST", f"{key.url}/sign", {"message": text}))
    expect(400, kms.raw("PUT", f"{keystore.url}/keys", {"key": text, "key_type": "ED25519", "key_id": "bad"}))
    assert [entry["id"] for entry in listing(keystore)] == [key.id]


def test_null_is_the_empty_byte_string_where_one_may_be_empty(keystore):
    """The clients in the field write `null` for no bytes; a member that is not there is a mistake."""
    key = keystore.create("ED25519")
    signature = key.post("sign", {"message": None})["signature"]
    key.verify(key.sign(b""), b"")
    assert signature == encode(key.sign(b""))
    assert key.post("verify", {"message": None, "signature": signature}) is None
    mac = keystore.create("HMACSHA256Tag256")
    tag = mac.post("computemac", {"data": None})["mac"]
    assert tag == encode(mac.compute_mac(b"")) and mac.post("verifymac", {"data": None, "mac": tag}) is None
    cipher = keystore.create("AES256GCM")
    sealed = cipher.post("encrypt", {"message": None, "associated_data": None})
    assert cipher.post("decrypt", {**sealed, "associated_data": None}) == {"plaintext": ""}
    for member, url in (("message", f"{key.url}/sign"), ("data", f"{mac.url}/computemac"), ("message", f"{cipher.url}/encrypt")):
        assert f"'{member}' is missing" in expect(400, key.client.raw("POST", url, {})).message
    for body in ({"message": "", "signature": None}, {"message": None, "signature": ""}):
        expect(400, key.client.raw("POST", f"{key.url}/verify", body))


def test_line_breaks_inside_base64_are_skipped(kms, keystore):
    key = keystore.create("ED25519")
    answer = kms.call("POST", f"{key.url}/sign", {"message": "aGVs\r\nbG8="})
    key.verify(key.sign(b"hello"), b"hello")
    assert answer["signature"] == encode(key.sign(b"hello"))


@pytest.mark.parametrize("name,pkcs8", [
    ("empty", b""), ("text", b"-----BEGIN PRIVATE KEY-----"),
    ("cut", crypto.pkcs8(crypto.make_private("ED25519"))[:-1]),
    ("long", crypto.pkcs8(crypto.make_private("ED25519")) + b"\x00"), ("raw seed", bytes(range(32))),
    ("zeros", bytes(48)), ("huge length", b"\x30\x84\xff\xff\xff\xff" + bytes(40)), ("other curve", crypto.pkcs8(
        crypto.make_private("ECDSAP256DER")))], ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_key_on_import(keystore, name, pkcs8):
    refused(400, keystore.import_key, pkcs8, "ED25519", "bad")
    assert listing(keystore) == []


@pytest.mark.parametrize("key_type", ["AES256GCM", "HMACSHA256Tag256", "ECDSASecp256k1IEEEP1363", "ED448", ""])
def test_type_that_cannot_be_imported(keystore, key_type):
    refused(400, keystore.import_key, crypto.pkcs8(crypto.make_private("ED25519")), key_type, "bad")
    assert listing(keystore) == []


@pytest.mark.parametrize(
    "key_id", [".", "..", "a/b", "a b", "ü", "a\u0000", "x" * 129, "../../etc/passwd", "%2e%2e", "a\n"], ids=repr)
def test_key_id_that_is_no_id(keystore, key_id):
    refused(400, keystore.import_key, crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", key_id)
    assert listing(keystore) == []


def test_taken_key_id(keystore):
    first = crypto.make_private("ED25519")
    key = keystore.import_key(crypto.pkcs8(first), "ED25519", "taken")
    refused(409, keystore.import_key, crypto.pkcs8(crypto.make_private("ED25519")), "ED25519", "taken")
    assert key.sign(b"m") == first.sign(b"m")
    assert len(listing(keystore)) == 1


def test_unknown_keystore(kms):
    stranger = kms.create_keystore().key("x").keystore
    stranger.url = "/v1/keystores/c0000000000000000000"
    refused(404, stranger.create, "ED25519")
    refused(404, stranger.import_key, crypto.pkcs8(crypto.make_private("ED25519")), "ED25519")
    refused(404, stranger.keys)
    refused(404, stranger.metadata)
    refused(404, stranger.key("some", "ED25519").sign, b"m")


@pytest.mark.parametrize("call", [
    "sign", "verify", "encrypt", "decrypt", "computemac", "verifymac", "rotate", "disable", "enable", "restore"])
def test_unknown_key(kms, keystore, call):
    body = {name: encode(b"x" * 16) for name in ("message", "signature", "ciphertext", "nonce", "data", "mac")}
    expect(404, kms.raw("POST", f"{keystore.url}/keys/nobody/{call}", {**body, "key_type": "ED25519"}))


def test_unknown_key_on_get_and_delete(kms, keystore):
    for method, path in (("GET", "nobody/export"), ("GET", "nobody"), ("DELETE", "nobody")):
        expect(404, kms.raw(method, f"{keystore.url}/keys/{path}"))


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/keystores/", "/v2/keystores", "/V1/keystores", "/admin",
                                  "/v1/keystores/x/keys/y/privatekey"])
def test_unknown_path(kms, path):
    assert kms.raw("GET", path).status_code == 404


@pytest.mark.parametrize("method,path", [
    ("DELETE", "/v1/keystores"), ("PATCH", "/v1/keystores"), ("GET", "{key}/sign"), ("DELETE", "{keystore}/keys"),
    ("PUT", "{key}/sign"), ("POST", "{key}/export"), ("POST", "/healthcheck"), ("GET", "{key}/disable")])
def test_wrong_method(kms, keystore, method, path):
    key = keystore.create("ED25519")
    response = kms.raw(method, path.format(keystore=keystore.url, key=key.url))
    assert response.status_code == 405, response.content
    assert key.metadata()["state"] == "enabled"


@pytest.mark.parametrize("path", ["/nowhere", "/v1/keystores/", "/healthcheck", "/v1/keystores"])
def test_answers_to_head_end_with_their_head(daemon, path):
    """Whatever is behind the head on a connection that stays is the next answer."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as connection:
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n"
                           "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    first, second = answer.split(b"\r\n\r\n", 1)
    assert first.split(b" ")[1] == (b"404" if path in ("/nowhere", "/v1/keystores/") else b"200")
    assert second.startswith(b"HTTP/1.1 200 OK\r\n") and second.endswith(b'{"status":"alive"}\n'), answer


@pytest.mark.parametrize("path", [
    "/v1/keystores/../keystores", "/v1/keystores/%2e%2e/keys", "/v1/keystores/{ks}/keys/%2e%2e/sign",
    "/v1/keystores/{ks}/keys/..%2f..%2fetc%2fpasswd/sign", "/v1/keystores/{ks}/keys/a%2fb/sign", "/v1//keystores",
    "/v1/keystores/{ks}/keys/{k}/sign/", "/v1/keystores/{ks}/keys/{k}%00/sign", "/v1/keystores/{ks}/keys/%00/sign",
    "/v1/keystores/{ks}/keys/" + "a" * 4096 + "/sign", "/v1/keystores/{ks}/keys/%ff%fe/sign",
    "/v1/keystores/{ks};x/keys/{k}/sign", "/v1/keystores/{ks}/./keys/{k}/sign",
    "/v1/keystores/{ks}/keys/x/../{k}/sign", "/v1/keystores/ {ks}/keys/{k}/sign", "/v1/keystores/{ks}/keys/%/sign"])
def test_path_tricks_reach_nothing(daemon, keystore, path):
    """Sent untidied, straight to the socket."""
    key = keystore.create("ED25519")
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    connection._validate_path = lambda url: None
    body = json.dumps({"message": encode(b"m")})
    connection.request("POST", path.format(ks=keystore.id, k=key.id), body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status in (400, 404, 405), response.read()[:300]
    assert b"signature" not in response.read()
    connection.close()


def test_oversize_body(kms, keystore):
    key = keystore.create("ED25519")
    expect(413, kms.raw("POST", f"{key.url}/sign", {"message": encode(bytes(2 << 20))}))
    expect(413, kms.raw("POST", f"{keystore.url}/keys", b'{"key_type":"ED25519","x":"' + b"y" * (2 << 20) + b'"}'))
    assert len(listing(keystore)) == 1
    key.sign(b"still there")


@pytest.mark.parametrize("path", [
    "{keystore}/keys", "{keystore}/keys/x/blind", "/v1/keystores/did", "/healthcheck", "/nowhere"])
def test_endless_chunked_body_is_cut(daemon, keystore, path):
    """No Content-Length to judge by: the stream is refused or cut long before it ends, also where no route reads it."""
    connection = socket.create_connection(("127.0.0.1", daemon.port), timeout=20)
    path = path.format(keystore=keystore.url)
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    chunk, sent = b"10000\r\n" + b" " * 65_536 + b"\r\n", 0
    try:
        for _ in range(4096):
            connection.sendall(chunk)
            sent += 65_536
    except OSError:
        pass
    connection.close()
    assert sent < 64 << 20, f"the server took {sent >> 20} MiB"
    assert keystore.keys() == []


def test_wide_body_is_answered(kms, keystore):
    """Many unknown members are ignored or refused, but always answered."""
    assert kms.raw("POST", f"{keystore.url}/keys", WIDE.encode()).status_code == 400
    assert listing(keystore) == []


def test_unknown_members_are_ignored(keystore):
    keystore.create("ED25519", surprise={"nested": [1, 2.5e3, None, True]})


def test_duplicate_member_never_means_two_things(kms, keystore):
    """The last of two members counts, or the request is refused; the first never does."""
    response = kms.raw("POST", f"{keystore.url}/keys", b'{"key_type":"AES256GCM","key_type":"ED25519"}')
    if response.status_code == 200:
        assert [entry["type"] for entry in listing(keystore)] == ["ED25519"]
    else:
        expect(400, response)
        assert listing(keystore) == []


def test_content_type_is_not_asked(kms, keystore):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = kms.raw("POST", f"{keystore.url}/keys", {"key_type": "ED25519"},
                           headers={"Content-Type": content_type})
        assert response.status_code == 200, response.content


@pytest.mark.parametrize("verb,members", [
    ("sign", ["message"]), ("verify", ["signature", "message"]), ("rotate", ["key_type"])])
def test_missing_members(kms, keystore, verb, members):
    key = keystore.create("ED25519")
    full = {name: encode(b"x") for name in members}
    for count in range(len(members)):
        for chosen in itertools.combinations(members, count):
            response = kms.raw("POST", f"{key.url}/{verb}", {name: full[name] for name in chosen})
            # An absent byte string is an empty one to TrustBloc's server; only a signature over nothing may succeed.
            if (verb, chosen) == ("sign", ()) and response.status_code == 200:
                continue
            expect(400, response)
    assert len(key.metadata()["versions"]) == 1


@pytest.mark.parametrize("head", [
    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{{}}   ",
    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST {path} HTTP/1.1\r\nHost : x\r\nContent-Length: 2\r\n\r\n{{}}",
    "POST {path} HTTP/9.9\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
])
def test_smuggling_and_broken_heads(daemon, kms, head):
    """Answered with an error or a closed connection, and nothing is created."""
    before = len(kms.keystores(limit=1000))
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as connection:
        connection.sendall(head.format(path="/v1/keystores").encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := connection.recv(4096):
                answer += chunk
        except OSError:
            pass
    assert not answer or int(answer.split(b" ")[1]) >= 400, answer[:200]
    assert len(kms.keystores(limit=1000)) == before
