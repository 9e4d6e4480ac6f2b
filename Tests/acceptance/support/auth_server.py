"""An Auth server, as the wire description has it, in a process of its own: keeps one share of each user.

Run as a program it prints its port and serves; `AuthServer` starts, scripts and ends it.
"""
import base64
import json
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "auth-server-token-canary"


def combine_field_product(left, right):
    product = 0
    while right:
        if right & 1:
            product ^= left
        left = left << 1 ^ (0x11B if left & 0x80 else 0)
        right >>= 1
    return product


def split(secret, randomness):
    """Two shares of a secret: f(x) = secret + randomness * x at x = 1 and x = 2; the x comes last."""
    return [bytes(s ^ combine_field_product(r, x) for s, r in zip(secret, randomness)) + bytes([x]) for x in (1, 2)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shares = {}
    asked = []
    behaviour = "serve"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/asked":
            return self.answer(200, json.dumps(self.asked).encode())
        assert url.path == "/secret"
        user = parse_qs(url.query).get("sub", [""])[0]
        self.asked.append(user)
        if self.headers["Authorization"] != "Bearer " + base64.b64encode(TOKEN.encode()).decode():
            return self.answer(403, b'{"message":"forbidden"}')
        if self.behaviour == "slow":
            time.sleep(0.2)
        if self.behaviour == "redirect":
            self.send_response(302)
            self.send_header("Location", "/secret2")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if self.behaviour == "long":
            return self.answer(200, b"x" * (2 << 20))
        if user not in self.shares:
            return self.answer(400, b'{"message":"unknown user"}')
        return self.answer(200, json.dumps({"secret": self.shares[user]}).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "behaviour" in body:
            Handler.behaviour = body["behaviour"]
        else:
            Handler.shares.update(body)
        self.answer(200, b"{}")

    def log_message(self, *_):
        pass


class AuthServer:
    def __init__(self, port=0):
        self.process = subprocess.Popen([sys.executable, __file__, str(port)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def give(self, user, share):
        self._tell({user: base64.b64encode(share).decode()})

    def behave(self, behaviour):
        self._tell({"behaviour": behaviour})

    def asked(self):
        with urllib.request.urlopen(self.url + "/asked", timeout=10) as answer:
            return json.load(answer)

    def _tell(self, what):
        with urllib.request.urlopen(self.url, json.dumps(what).encode(), timeout=10):
            pass

    def end(self):
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
