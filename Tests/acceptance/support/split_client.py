"""A client of ZVault and ZAuth as 0Chain's SDK and API tests are: it trusts nothing and checks with its own curve."""
import json

import bn254
import requests
from tokens import claims, hs256


class SplitClient:
    def __init__(self, base, secret, user="alice", authority=None, **more):
        self.base = base.rstrip("/")
        self.authority = (authority or base).rstrip("/")
        self.token = hs256(secret, claims(user, **more))
        self.http = requests.Session()
        self.http.trust_env = False

    def headers(self, key=None, token=True):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["X-Jwt-Token"] = self.token if token is True else token
        if key is not None:
            headers["X-Peer-Public-Key"] = key
        return headers

    def vault(self, method, path, body=None, key=None, token=True, **more):
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        return self.http.request(method, f"{self.base}/zvault{path}", data=data, timeout=60,
                                 headers=self.headers(key, token), **more)

    def auth(self, method, path, body=None, key=None, token=False, **more):
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        return self.http.request(method, f"{self.authority}/zauth{path}", data=data, timeout=60,
                                 headers=self.headers(key, token), **more)

    # What tests do again and again.

    def wallet(self):
        return ok(self.vault("POST", "/wallet"))

    def store(self, secret, **more):
        return ok(self.vault("POST", "/store", {"private_key": secret, **more}))

    def split(self, client, **options):
        return ok(self.vault("POST", f"/key/{client}", options or None))

    def keys(self, client):
        return ok(self.vault("GET", f"/keys/{client}"))["keys"]

    def sign(self, row, message):
        """Posts the user's half and returns the answer."""
        half = bn254.sign(bn254.secret_from_text(row["private_key"]), message)
        return self.auth("POST", "/sign/msg", {"hash": message.hex(), "signature": half, "client_id": row["client_id"]},
                         key=row["public_key"])

    def transaction(self, row, data, receiver="", value=0, **more):
        body = {"version": "1.0", "client_id": row["client_id"], "public_key": row["client_key"],
                "to_client_id": receiver, "transaction_value": value, "transaction_data": data,
                "creation_date": 1_700_000_000, "transaction_nonce": 1, "transaction_type": 1000,
                "transaction_fee": 0, **more}
        digest = bn254.transaction_hash(body)
        body.setdefault("hash", digest.hex())
        body["signature"] = bn254.sign(bn254.secret_from_text(row["private_key"]), bytes.fromhex(body["hash"]))
        return body


def ok(response):
    assert response.status_code == 200, (response.status_code, response.text)
    return response.json()


def refused(response, status, text=""):
    """An error as 0Chain's tests need it: not JSON, one line, and it says why."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.text.endswith("\n") and response.text.count("\n") == 1
    assert text in response.text, response.text
    try:
        json.loads(response.text)
    except ValueError:
        return response.text
    raise AssertionError(f"the error decodes as JSON: {response.text}")
