"""Co-signing with split keys: one message and one transaction, in every form the infrastructure share has."""
import json
import sys
from pathlib import Path

from .daemon import Daemon
from .tools import BenchFailure

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "acceptance" / "support"))

import bn254  # noqa: E402
import bnp256  # noqa: E402
from tokens import claims, hs256  # noqa: E402

SECRET = b"the bench's secret of HS256 tokens"
STORAGE = "6dba10422e368813802877a85039d3985d96760ed844092319743fb3a76712d7"
TPM_SUITE = "bls-tpm-bn256"
CELLS = ("cosign-msg-anchored", "cosign-txn-anchored", "cosign-msg-sealed")


def settings(home, placement):
    path = home / "jwt.secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return {"KMS_JWT_SECRET_FILE": str(path), "KMS_SPLIT_ANCHORS": placement}


class SplitDaemon:
    """What prepares a cell; the load itself is wrk's."""

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        self.token = hs256(SECRET, claims("bench", seconds=86400))

    def call(self, path, body=None, headers=None):
        import http.client
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
        try:
            connection.request("POST", path, None if body is None else json.dumps(body),
                               {"X-Jwt-Token": self.token, "Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise BenchFailure(f"POST {path} answered {response.status}: {answer[:300]!r}")
        return json.loads(answer)

    def wallet(self, suite=None):
        return self.call("/zvault/wallet", suite and {"suite": suite})

    def key(self, client):
        return self.call(f"/zvault/key/{client}", {"restrictions": ["allocation_storage_operations"]})

    def message(self, row):
        """Path, body and headers of a request whose answer was checked once."""
        digest = bytes(range(32))
        if row.get("suite") == TPM_SUITE:
            half = bnp256.sign(bnp256.secret_from_text(row["private_key"]), bnp256.split_message("msg", digest))
        else:
            half = bn254.sign(bn254.secret_from_text(row["private_key"]), digest)
        body = {"hash": digest.hex(), "signature": half, "client_id": row["client_id"]}
        headers = {"X-Peer-Public-Key": row["public_key"]}
        self._check(row, digest, self.call("/zauth/sign/msg", body, headers)["sig"])
        return "/zauth/sign/msg", json.dumps(body), headers

    def transaction(self, row):
        body = {"client_id": row["client_id"], "public_key": row["client_key"], "to_client_id": STORAGE,
                "transaction_value": 0, "transaction_data": '{"name":"cancel_allocation","input":null}',
                "creation_date": 1_700_000_000, "transaction_nonce": 1}
        digest = bn254.transaction_hash(body)
        body |= {"hash": digest.hex(),
                 "signature": bn254.sign(bn254.secret_from_text(row["private_key"]), digest)}
        headers = {"X-Peer-Public-Key": row["public_key"]}
        self._check(row, digest, self.call("/zauth/sign/txn", body, headers))
        return "/zauth/sign/txn", json.dumps(body), headers

    @staticmethod
    def _check(row, digest, signature):
        if row.get("suite") == TPM_SUITE:
            holds = bnp256.verify(row["client_key"], bnp256.split_message("msg", digest), signature)
        else:
            holds = bn254.verify(row["client_key"], digest, signature)
        if not holds:
            raise BenchFailure("the combined signature does not verify under the wallet's key")
