"""A client of the keystore API, written from its wire description and from nothing of the server's.

It is as strict as the clients in the field: operations on a key accept exactly 200, byte strings must be standard
padded base64, and an error must carry its text both as `message` and as `errMessage`.
"""
import base64
import hashlib
import json
from urllib.parse import quote

import requests

SYMMETRIC = ("AES128GCM", "AES256GCM", "AES256GCMNoPrefix", "ChaCha20Poly1305", "XChaCha20Poly1305")
MAC = ("HMACSHA256Tag256",)
EDWARDS = ("ED25519",)
ECDSA_DER = ("ECDSAP256DER", "ECDSAP384DER", "ECDSAP521DER")
ECDSA_P1363 = ("ECDSAP256IEEEP1363", "ECDSAP384IEEEP1363", "ECDSAP521IEEEP1363")
SECP256K1 = ("ECDSASecp256k1IEEEP1363",)
SIGNING = EDWARDS + ECDSA_DER + ECDSA_P1363 + SECP256K1
IMPORTABLE = EDWARDS + ECDSA_DER + ECDSA_P1363
AGREEMENT = ("NISTP256ECDHKW", "NISTP384ECDHKW", "NISTP521ECDHKW", "X25519ECDHKW")
MULTI = ("BLS12381G2",)
ALL_TYPES = SIGNING + SYMMETRIC + MAC


class KMSError(Exception):
    def __init__(self, status, message, headers):
        super().__init__(f"{status}: {message}")
        self.status, self.message, self.headers = status, message, headers


class ProtocolViolation(AssertionError):
    """The server answered something the wire description does not allow."""


def encode(data):
    return base64.b64encode(data).decode()


def decode(text):
    if not isinstance(text, str):
        raise ProtocolViolation(f"not a base64 string: {text!r}")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ProtocolViolation(f"not standard base64: {text!r}") from error
    if encode(data) != text:
        raise ProtocolViolation(f"not padded, canonical base64: {text!r}")
    return data


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(members):
    """RFC 7638 over the members in the order given."""
    return base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def okp_thumbprint(public_key):
    return thumbprint({"crv": "Ed25519", "kty": "OKP", "x": base64url(public_key)})


def ec_thumbprint(curve, x, y, size):
    return thumbprint({"crv": curve, "kty": "EC", "x": base64url(x.to_bytes(size, "big")),
                       "y": base64url(y.to_bytes(size, "big"))})


class Client:
    def __init__(self, base, timeout=30, verify=True):
        self.base, self.timeout = base.rstrip("/"), timeout
        self.http = requests.Session()
        self.http.verify = verify
        self.http.trust_env = False

    def raw(self, method, path, body=None, **more):
        """One exchange; `body` is sent as it is when it is bytes, else as JSON. Paths are not tidied."""
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        return self.http.request(method, self.base + path, data=data, timeout=self.timeout, **more)

    def call(self, method, path, body=None):
        response = self.raw(method, path, body)
        if response.status_code != 200:
            raise error_of(response)
        if not response.headers.get("Content-Type", "").startswith("application/json"):
            raise ProtocolViolation(f"{method} {path}: Content-Type is {response.headers.get('Content-Type')!r}")
        if not response.content:
            return None
        if not response.content.endswith(b"\n"):
            raise ProtocolViolation(f"{method} {path}: the answer does not end in a line feed")
        return response.json()

    # keystores

    def create_keystore(self, controller="did:key:dummy-sample:sudesh", **more):
        return Keystore(self, self.call("POST", "/v1/keystores", {"controller": controller, "edv": None, **more})[
            "key_store_url"])

    def keystores(self, **query):
        return self.pages("/v1/keystores", "keystores", query)

    def pages(self, path, member, query):
        found, query = [], dict(query)
        while True:
            text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
            page = self.call("GET", path + ("?" + text if text else ""))
            found += page[member]
            if not page.get("next"):
                return found
            query["after"] = page["next"]

    def healthcheck(self):
        return self.call("GET", "/healthcheck")

    def readyz(self):
        response = self.raw("GET", "/readyz")
        return response.status_code, response.json()


class Keystore:
    def __init__(self, client, url):
        self.client, self.url = client, url
        self.id = url.rsplit("/", 1)[1]

    def create(self, key_type, **more):
        answer = self.client.call("POST", f"{self.url}/keys", {"key_type": key_type, **more})
        key = Key(self, answer["key_url"], key_type)
        key.public_key = None if answer["public_key"] is None else decode(answer["public_key"])
        return key

    def import_key(self, pkcs8, key_type, key_id=None):
        body = {"key": encode(pkcs8), "key_type": key_type}
        if key_id is not None:
            body["key_id"] = key_id
        return Key(self, self.client.call("PUT", f"{self.url}/keys", body)["key_url"], key_type)

    def keys(self, **query):
        return self.client.pages(f"{self.url}/keys", "keys", query)

    def metadata(self):
        return self.client.call("GET", self.url)

    def key(self, key_id, key_type=None):
        return Key(self, f"{self.url}/keys/{key_id}", key_type)


class Key:
    def __init__(self, keystore, url, key_type):
        self.keystore, self.client, self.url, self.type = keystore, keystore.client, url, key_type
        self.id = url.rsplit("/", 1)[1]

    def post(self, verb, body=None):
        return self.client.call("POST", f"{self.url}/{verb}", body)

    def export(self):
        answer = self.client.call("GET", f"{self.url}/export")
        return decode(answer["public_key"]), answer["key_type"]

    def rotate(self, key_type=None):
        return Key(self.keystore, self.post("rotate", {"key_type": key_type or self.type})["key_url"], self.type)

    def sign(self, message):
        return decode(self.post("sign", {"message": encode(message)})["signature"])

    def verify(self, signature, message):
        if self.post("verify", {"signature": encode(signature), "message": encode(message)}) is not None:
            raise ProtocolViolation("verify must answer with an empty body")

    def encrypt(self, message, associated_data=None):
        body = {"message": encode(message)}
        if associated_data is not None:
            body["associated_data"] = encode(associated_data)
        answer = self.post("encrypt", body)
        return decode(answer["ciphertext"]), decode(answer["nonce"])

    def decrypt(self, ciphertext, nonce, associated_data=None):
        body = {"ciphertext": encode(ciphertext), "nonce": encode(nonce)}
        if associated_data is not None:
            body["associated_data"] = encode(associated_data)
        return decode(self.post("decrypt", body)["plaintext"])

    def compute_mac(self, data):
        return decode(self.post("computemac", {"data": encode(data)})["mac"])

    def verify_mac(self, mac, data):
        if self.post("verifymac", {"mac": encode(mac), "data": encode(data)}) is not None:
            raise ProtocolViolation("verifymac must answer with an empty body")

    def sign_multi(self, messages):
        return decode(self.post("signmulti", {"messages": list(map(encode, messages))})["signature"])

    def verify_multi(self, signature, messages):
        body = {"signature": encode(signature), "messages": list(map(encode, messages))}
        if self.post("verifymulti", body) is not None:
            raise ProtocolViolation("verifymulti must answer with an empty body")

    def derive_proof(self, signature, messages, revealed, nonce):
        return decode(self.post("deriveproof", {
            "messages": list(map(encode, messages)), "signature": encode(signature), "nonce": encode(nonce),
            "revealed_indexes": revealed})["proof"])

    def verify_proof(self, proof, messages, nonce):
        body = {"proof": encode(proof), "messages": list(map(encode, messages)), "nonce": encode(nonce)}
        if self.post("verifyproof", body) is not None:
            raise ProtocolViolation("verifyproof must answer with an empty body")

    def metadata(self):
        return self.client.call("GET", self.url)

    def disable(self):
        return self.post("disable")

    def enable(self):
        return self.post("enable")

    def restore(self):
        return self.post("restore")

    def destroy(self, grace=None):
        return self.client.call("DELETE", self.url + ("" if grace is None else f"?grace={grace}"))


def error_of(response):
    """The error an answer carries; both members must be there and equal, whatever failed."""
    try:
        body = response.json()
    except ValueError as error:
        raise ProtocolViolation(f"{response.status_code} without a JSON body: {response.content[:200]!r}") from error
    message = body.get("message") if isinstance(body, dict) else None
    if not message or body.get("errMessage") != message:
        raise ProtocolViolation(f"{response.status_code} without both error members: {body!r}")
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        raise ProtocolViolation(f"{response.status_code} with Content-Type {response.headers.get('Content-Type')!r}")
    return KMSError(response.status_code, message, response.headers)
