#!/usr/bin/env python3
"""Splits a wallet, signs with both halves, and verifies, printing every call as a curl command.

    kmsd dev jwt --user alice > alice.jwt
    python3 examples/split_wallet.py --jwt-file alice.jwt

The daemon is at http://127.0.0.1:8074 unless --url says otherwise. Needs nothing but Python 3.9. The curve is plain
Python too (Tests/acceptance/support/bn254.py): what is verified here, no code of the daemon's has touched.
"""
import argparse
import json
import shlex
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "acceptance" / "support"))
import bn254  # noqa: E402


class Refused(Exception):
    """An answer other than 200."""


class Service:
    def __init__(self, url, token, quiet):
        self.url, self.token, self.quiet = url.rstrip("/"), token, quiet

    def call(self, method, path, body=None, key=None, query=None):
        """One call; the token goes to every route, and `key` is the public key that selects a split key."""
        url = self.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {"Content-Type": "application/json", "X-Jwt-Token": self.token}
        if key:
            headers["X-Peer-Public-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        self.show(method, url, key, body)
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Refused(f"{error.code}: {error.read().decode().strip()}") from None
        return json.loads(text) if text else None

    def show(self, method, url, key, body):
        if self.quiet:
            return
        words = ["curl", "-X", method, "-H", "X-Jwt-Token: $JWT"]
        if key:
            words += ["-H", f"X-Peer-Public-Key: {key[:12]}…"]
        if body is not None:
            hidden = {name: "…" if name == "private_key" else value for name, value in body.items()}
            words += ["-d", json.dumps(hidden)]
        print("$", " ".join(shlex.quote(word) for word in words + [url]))


def say(text):
    print(f"  {text}")


def journey(service, secret):
    if secret is None:
        wallet = service.call("POST", "/zvault/wallet")
        client = wallet["client_id"]
    else:
        client = bn254.client_id(bn254.public_key(secret))
        service.call("POST", "/zvault/store", {"private_key": bn254.secret_to_text(secret)})
    say(f"wallet {client}")

    # A key with restrictions signs no bare hashes, which go around them, unless it says so.
    made = service.call("POST", f"/zvault/key/{client}", {"restrictions": ["token_transfers"], "allow_message_signing": True})
    rows = service.call("GET", f"/zvault/keys/{client}")["keys"]
    row = next(row for row in rows if row["public_key"] == made["public_key"])
    user, server = row["public_key"], row["peer_public_key"]
    # With return_user_share_once the share is in the first answer only.
    share = bn254.secret_from_text(made.get("private_key") or row["private_key"])
    assert bn254.public_key(share) == user
    assert bn254.add_public_keys(user, server) == row["client_key"], "the halves are the wallet's"
    say("the public keys of both halves add up to the wallet's")

    digest = bn254.hashlib.sha3_256(b"a message").digest()
    partial = bn254.sign(share, digest)
    assert not bn254.verify(row["client_key"], digest, partial), "half a signature is none"
    request = {"hash": digest.hex(), "signature": partial, "client_id": client}
    signature = service.call("POST", "/zauth/sign/msg", request, key=user)["sig"]
    assert bn254.verify(row["client_key"], digest, signature)
    say(f"message signed by both halves: {signature}")

    transaction = {
        "version": "1.0", "client_id": client, "public_key": row["client_key"], "to_client_id": "ab" * 32,
        "chain_id": "0afc093ffb509f059c55478bc1a60351cef7b4e9c008a53a6cc8241ca8617dfe", "transaction_value": 10,
        "creation_date": int(time.time()), "transaction_type": 0, "transaction_nonce": 1, "transaction_fee": 0,
        "transaction_data": json.dumps({"name": "transfer", "input": None}),
    }
    digest = bn254.transaction_hash(transaction)
    transaction |= {"hash": digest.hex(), "signature": bn254.sign(share, digest)}
    signature = service.call("POST", "/zauth/sign/txn", transaction, key=user)
    assert bn254.verify(row["client_key"], digest, signature)
    say(f"transaction signed by both halves: {signature}")

    service.call("POST", f"/zvault/revoke/{client}", query={"public_key": user})
    try:
        service.call("POST", "/zauth/sign/msg", request, key=user)
    except Refused as refusal:
        say(f"revoked, and so refused: {refusal}")
    else:
        raise AssertionError("a revoked key signed")
    service.call("POST", f"/zvault/delete/{client}")
    say("wallet deleted")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8074")
    parser.add_argument("--jwt-file", required=True, help="file with the token of the wallet's owner")
    parser.add_argument("--mnemonic-file", help="store the wallet of these words instead of generating one")
    parser.add_argument("--quiet", action="store_true", help="do not print the calls")
    arguments = parser.parse_args()
    secret = None
    if arguments.mnemonic_file:
        secret = bn254.secret_of_mnemonic(" ".join(Path(arguments.mnemonic_file).read_text().split()))
    try:
        journey(Service(arguments.url, Path(arguments.jwt_file).read_text().strip(), arguments.quiet), secret)
    except Refused as refusal:
        sys.exit(f"refused: {refusal}")
    except urllib.error.URLError as error:
        sys.exit(f"{arguments.url} does not answer: {error.reason}")
    print("ok")


if __name__ == "__main__":
    main()
