"""A GNAP authorization server of the tests: a process of its own that speaks HTTP.

POST /gnap/introspect is answered only if its HTTP message signature is of the resource server's key in the body.
PUT /tokens/TOKEN sets what it says of a token, PUT /mode makes it fail, GET /calls tells what was asked.
"""
import base64
import hashlib
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

STATE = {"tokens": {}, "mode": "ok", "calls": []}


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(url, headers, body):
    """Raises unless the request is signed as the draft says, with the key it names."""
    key = json.loads(body)["resource_server"]["key"]
    jwk = key["jwk"]
    assert key["proof"] == "httpsig" and jwk["alg"] == "ES256", key
    x, y = (unb64(jwk[name]) for name in "xy")
    thumbprint = hashlib.sha256(json.dumps(
        {name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True).encode()).digest()
    assert unb64(jwk["kid"]) == thumbprint
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    parameters = headers["Signature-Input"].removeprefix("sig1=")
    components = re.findall(r'"([^"]+)"', parameters[:parameters.index(")")])
    assert set(components) >= {"@method", "@target-uri", "content-digest"} and "alg=" not in parameters
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert headers["Content-Digest"] == f"sha-256=:{digest}:"
    values = {"@method": "POST", "@target-uri": url, "content-digest": headers["Content-Digest"]}
    lines = [f'"{name}": {values[name]}' for name in components] + [f'"@signature-params": {parameters}']
    raw = base64.b64decode(headers["Signature"].removeprefix("sig1=:").removesuffix(":"))
    assert len(raw) == 64
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(der, "\n".join(lines).encode(), ec.ECDSA(hashes.SHA256()))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value, headers=()):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        self.answer(200, STATE["calls"])

    def do_PUT(self):
        value = json.loads(self.body())
        if self.path == "/mode":
            STATE["mode"] = value
        else:
            STATE["tokens"][self.path.removeprefix("/tokens/")] = value
        self.answer(200, {})

    def do_POST(self):
        body = self.body()
        if STATE["mode"] == "error":
            return self.answer(500, {})
        if STATE["mode"] == "redirect":
            return self.answer(307, {}, [("Location", f"http://{self.headers['Host']}/gnap/introspect")])
        if STATE["mode"] == "nonsense":
            return self.answer(200, b"<html>")
        try:
            verify(f"http://{self.headers['Host']}{self.path}", self.headers, body)
        except (AssertionError, InvalidSignature, KeyError, ValueError) as error:
            return self.answer(401, {"error": repr(error)})
        token = json.loads(body)["access_token"]
        STATE["calls"].append(token)
        return self.answer(200, STATE["tokens"].get(token, {"active": False}))

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    sys.stdout.close()
    server.serve_forever()
