"""The daemon as an operator starts it, and the few requests that prepare a cell."""
import base64
import http.client
import json
import subprocess

from .processes import Server, free_port
from .tools import BenchFailure


class Daemon(Server):
    def __init__(self, binaries, token, scratch, **settings):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        environment = token.environment(
            KMSD_HOME=str(token.home), KMS_TOKEN_URI=token.uri, KMS_HOST=f"127.0.0.1:{self.port}", **settings)
        super().__init__("kmsd", [binaries / "kmsd", "start"], scratch / "kmsd.log", environment)

    @staticmethod
    def initialise(binaries, token):
        """`kmsd init`: makes the daemon's keys on the token."""
        result = subprocess.run(
            [str(binaries / "kmsd"), "init"], capture_output=True, text=True, timeout=60,
            env=token.environment(KMSD_HOME=str(token.home), KMS_TOKEN_URI=token.uri))
        if result.returncode != 0:
            raise BenchFailure(f"kmsd init ended with {result.returncode}: {result.stderr.strip()}")

    def wait_until_ready(self, seconds=60):
        self.wait_for(self._is_ready, seconds, "200 on /readyz")
        return self

    def _is_ready(self):
        try:
            return self.request("GET", "/readyz", timeout=2)[0] == 200
        except OSError:
            return False

    def request(self, method, path, body=None, timeout=30, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, headers=None):
        """A request that must succeed; returns its JSON object."""
        status, answer = self.request(method, path, body, headers=headers)
        if status != 200:
            raise BenchFailure(f"{method} {path} answered {status}: {answer[:300]!r}")
        return json.loads(answer) if answer.strip() else {}

    def create_keystore(self, protection="sealed"):
        body = {"controller": "did:example:bench", "edv": None, "protection": protection}
        return "/v1" + self.call("POST", "/v1/keystores", body)["key_store_url"].partition("/v1")[2]

    def create_guarded_key(self, owner, key_type):
        """A key that a capability guards; the owner holds the root."""
        keystore = self.call("POST", "/v1/keystores", {"controller": owner.did, "edv": None})
        owner.take(keystore["capability"])
        path = "/v1" + keystore["key_store_url"].partition("/v1")[2]
        made = self.call("POST", f"{path}/keys", {"key_type": key_type}, owner.headers("createKey"))
        return "/v1" + made["key_url"].partition("/v1")[2]

    def create_key(self, keystore, key_type):
        return "/v1" + self.call("POST", f"{keystore}/keys", {"key_type": key_type})["key_url"].partition("/v1")[2]

    def check_signature(self, key, message):
        """Signs once and has the answer verified, so that no cell measures an error page."""
        signature = self.call("POST", f"{key}/sign", {"message": message})["signature"]
        self.call("POST", f"{key}/verify", {"message": message, "signature": signature})


def text_of(count):
    """`count` bytes as the API carries them."""
    return base64.b64encode(bytes(index % 251 for index in range(count))).decode()
