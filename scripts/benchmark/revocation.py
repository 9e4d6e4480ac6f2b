"""How long a revocation takes: until the key's last signature is given, and until the answer, after which there is none.
"""
import json
import threading
import time
from contextlib import ExitStack

from .split import SplitDaemon, settings
from .token import Token
from .tools import BenchFailure


def run(make_daemon, token, scratch, count, progress):
    """One cell for both roles in one process, and one for a process each.

    `make_daemon` starts a daemon on a token.
    """
    cells = []
    with make_daemon(token, **settings(token.home, "anchored")) as daemon:
        cells.append(_measure("revocation, one process", daemon, daemon, count, progress))
    home = scratch / "auth"
    home.mkdir(mode=0o700)
    other = Token(home, "kmsd-bench-auth")
    with ExitStack() as daemons:
        auth = daemons.enter_context(make_daemon(other, KMS_ROLE="auth", **settings(home, "anchored")))
        vault = daemons.enter_context(make_daemon(
            token, KMS_ROLE="vault", KMS_SPLIT_AUTH_URL=auth.base + "/zauth",
            KMS_OUTBOUND_ALLOW=auth.base.removeprefix("http://"), **settings(token.home, "anchored")))
        cells.append(_measure("revocation, two processes", vault, auth, count, progress))
    return cells


class _Signer(threading.Thread):
    """Signs with one key, one request after the other, until that is refused."""

    def __init__(self, daemon, request):
        super().__init__(daemon=True)
        self.daemon_process, (self.path, self.body, self.headers) = daemon, request
        self.signed, self.refusal, self.deadline = [], None, time.monotonic() + 30
        self.start()

    def run(self):
        while time.monotonic() < self.deadline:
            start = time.monotonic()
            status, answer = self.daemon_process.request("POST", self.path, json.loads(self.body), headers=self.headers)
            if status != 200:
                self.refusal = (status, answer)
                return
            self.signed.append((start, time.monotonic()))


def _measure(name, vault, auth, count, progress):
    split, cosigner = SplitDaemon(vault), SplitDaemon(auth)
    wallet = split.wallet()["client_id"]
    visible, answered = [], []
    for number in range(count):
        progress.note(f"{name}: {number} of {count}")
        row = split.key(wallet)
        signer = _Signer(auth, cosigner.message(row))
        while len(signer.signed) < 3 and signer.is_alive():
            time.sleep(0.001)
        start = time.monotonic()
        status, answer = vault.request("POST", f"/zvault/revoke/{wallet}?public_key={row['public_key']}",
                                       headers={"X-Jwt-Token": split.token})
        end = time.monotonic()
        signer.join()
        if status != 200:
            raise BenchFailure(f"a revocation was answered {status}: {answer[:300]!r}")
        if signer.refusal is None or signer.refusal[0] != 400 or b"revoked" not in signer.refusal[1]:
            raise BenchFailure(f"a revoked key ended with {signer.refusal}")
        if signer.signed[-1][0] > end:
            raise BenchFailure("a signature that began after the revocation's answer was given")
        visible.append(max(0, signer.signed[-1][1] - start) * 1e3)
        answered.append((end - start) * 1e3)
    visible.sort()
    answered.sort()
    middle = count // 2
    return {"name": name, "keys": count, "visible_median_ms": round(visible[middle], 2),
            "visible_worst_ms": round(visible[-1], 2), "answered_median_ms": round(answered[middle], 2),
            "answered_worst_ms": round(answered[-1], 2)}
