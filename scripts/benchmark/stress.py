"""TrustBloc's stress scenario: ten users with keystores locked by shares, an Auth server that takes 200 ms to answer,
and fifty signatures, each verified.
"""
import base64
import http.client
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "acceptance" / "support"))

from auth_server import TOKEN, AuthServer, split  # noqa: E402

from .tools import BenchFailure  # noqa: E402

USERS, ROUNDS = 10, 5


def settings(auth, scratch):
    token = scratch / "auth.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    return {"KMS_AUTH_SERVER_URL": auth.url, "KMS_AUTH_SERVER_TOKEN_FILE": str(token),
            "KMS_OUTBOUND_ALLOW": f"127.0.0.1:{auth.port}"}


class User:
    """One connection that presents its share with each request."""

    def __init__(self, port, auth, number):
        name, shares = f"user-{number}", split(os.urandom(32), os.urandom(32))
        auth.give(name, shares[1])
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Auth-User": name, "Secret-Share": base64.b64encode(shares[0]).decode(),
                        "Content-Type": "application/json"}

    def call(self, path, body):
        self.connection.request("POST", path, json.dumps(body), self.headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise BenchFailure(f"POST {path} answered {response.status}: {answer[:300]!r}")
        return json.loads(answer) if answer.strip() else None

    def prepare(self):
        keystore = self.call("/v1/keystores", {"controller": "did:example:bench"})["key_store_url"]
        self.key = self.call(f"{keystore}/keys", {"key_type": "ED25519"})["key_url"]

    def work(self):
        for _ in range(ROUNDS):
            message = base64.b64encode(os.urandom(32)).decode()
            signature = self.call(f"{self.key}/sign", {"message": message})["signature"]
            self.call(f"{self.key}/verify", {"message": message, "signature": signature})


def run(port, auth):
    users = [User(port, auth, number) for number in range(USERS)]
    with ThreadPoolExecutor(USERS) as pool:
        times = []
        for step in (User.prepare, User.work):
            start = time.monotonic()
            list(pool.map(step, users))
            times.append(round(time.monotonic() - start, 3))
    return {"name": "stress", "users": USERS, "signatures": USERS * ROUNDS, "auth_delay_s": 0.2,
            "keystores_and_keys_s": times[0], "sign_and_verify_s": times[1]}
