"""Bearer tokens made by hand, without a library that would refuse to make bad ones."""
import base64
import hashlib
import hmac
import json
import time


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(header, payload, sign):
    signed = ".".join(b64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, payload))
    return signed + "." + b64(sign(signed.encode()))


def claims(user="alice", seconds=600, **more):
    now = int(time.time())
    return {"sub": user, "user_id": user, "iat": now, "exp": now + seconds, **more}


def hs256(secret, payload=None, header=None):
    return compact({"alg": "HS256", "typ": "JWT", **(header or {})}, claims() if payload is None else payload,
                   lambda signed: hmac.digest(secret, signed, hashlib.sha256))


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
