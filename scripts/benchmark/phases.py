"""The parts of a run, in order. Each adds cells: plain dictionaries that go to the table and the JSON file."""
import json
import statistics
import time
from contextlib import ExitStack

from . import decryption, revocation, stress, tpm
from .capability import Owner
from .daemon import Daemon, text_of
from .load import run_wrk
from .loops import LOOPS, run_loop
from .micro import run_micro
from .processes import Server
from .progress import Progress
from .split import CELLS as SPLIT_CELLS, TPM_SUITE, SplitDaemon, settings as split_settings
from .token import P11KitServer, Token
from .tools import BenchFailure

DAEMON_CELLS = ("sign-sealed", "sign-resident", "encrypt-32", "encrypt-4k", "create")
HTTP_CELLS = ("echo",) + DAEMON_CELLS
GUARDED_CELLS = ("sign-zcap", "sign-zcap-fresh")
NAMES = ("direct", "p11-kit") + HTTP_CELLS + GUARDED_CELLS + ("sign-ttl0", "cold-start", "memory", "micro") \
    + SPLIT_CELLS + ("split-store", "revocation", "stress", "tpm") + tpm.DAEMON_CELLS + ("tpm-endurance",) + decryption.NAMES
# Take long by themselves, and their outcome is a yes or a no.
RARE = ("tpm-endurance",) + decryption.RARE
USUAL = tuple(name for name in NAMES if name not in RARE)
MESSAGE_BYTES = 256


class Run:
    def __init__(self, binaries, scratch, settings, names):
        self.binaries, self.scratch, self.settings, self.names = binaries, scratch, settings, names
        self.cells = []
        self.message = text_of(MESSAGE_BYTES)
        self.progress = Progress(self._steps())
        self.token = None

    def measure(self):
        home = self.scratch / "home"
        home.mkdir(mode=0o700)
        self.token = Token(home)
        try:
            self._direct()
            self._p11_kit()
            self._micro()
            self._http()
            self._guarded()
            self._lock_closed()
            self._large_store()
            self._split_keys()
            self._split_store()
            self._revocation()
            self._stress()
            self._tpm()
            self._daemon_on_tpm()
            self._tpm_endurance()
            decryption.Decryption(self).measure(self.names)
        finally:
            self.progress.close()
        return self.cells

    def _steps(self):
        s, names = self.settings, self.names
        http = sum(name in names for name in HTTP_CELLS) * len(s.connections) * s.rounds
        return (("direct" in names) * len(LOOPS) * s.rounds + ("p11-kit" in names) * 3 * s.rounds + ("micro" in names)
                + http + sum(name in names for name in GUARDED_CELLS + ("sign-ttl0",)) * len(s.connections) * s.rounds
                + ("cold-start" in names) * (1 + s.cold_starts) + ("memory" in names)
                + sum(name in names for name in SPLIT_CELLS) * len(s.connections) * s.rounds + ("split-store" in names)
                + ("revocation" in names) + ("stress" in names)
                + ("tpm" in names) * (len(tpm.C_LOOPS) + len(tpm.BRIDGE)) * s.rounds
                + (sum(name in names for name in tpm.DAEMON_CELLS) + ("tpm-sign-sealed" in names)) * len(s.connections)
                * s.rounds
                + ("tpm-endurance" in names) + decryption.Decryption.steps(s, names))

    # The token without us.

    def _direct(self):
        if "direct" not in self.names:
            return
        takes = {operation: [] for operation in LOOPS}
        for _ in range(self.settings.rounds):
            for operation in LOOPS:
                self.progress.step(f"direct {operation}")
                takes[operation].append(run_loop(self.binaries, self.token, operation, self.settings.loop_seconds))
        for operation, results in takes.items():
            self.cells.append({"name": f"direct {operation}", "connections": 1, **median(results)})

    def _p11_kit(self):
        if "p11-kit" not in self.names:
            return
        shapes = (("1 thread", 1, 1), ("8 threads", 8, 1), ("8 programs", 1, 8))
        takes = {shape[0]: [] for shape in shapes}
        with P11KitServer(self.token, self.scratch) as server:
            for _ in range(self.settings.rounds):
                for label, threads, programs in shapes:
                    self.progress.step(f"p11-kit server, {label}")
                    takes[label].append(run_loop(
                        self.binaries, self.token, "p256-session", self.settings.loop_seconds, module=server.module,
                        environment=server.environment(), threads=threads, programs=programs))
        for label, threads, programs in shapes:
            self.cells.append({"name": f"p11-kit p256-session, {label}", "connections": threads * programs,
                               **median(takes[label])})

    def _micro(self):
        if "micro" in self.names:
            self.progress.step("micro cells")
            self.cells += run_micro(self.binaries, self.token)

    # Routes.

    def _http(self):
        names = [name for name in HTTP_CELLS if name in self.names]
        routes = {}
        with ExitStack() as servers:
            if "echo" in names:
                echo = servers.enter_context(Server(
                    "echo server", [self.binaries / "KMSBench", "echo-server"], self.scratch / "echo.log"))
                port = echo.wait_for(lambda: _listening(echo.log), 20, "its listening line")
                body = json.dumps({"message": self.message})
                routes["echo"] = (echo, f"http://127.0.0.1:{port}", ["/echo"], body, None)
            if any(name in DAEMON_CELLS for name in names):
                routes |= self._daemon_routes(servers.enter_context(self._daemon()), names)
            self._load({name: routes[name] for name in names})

    def _daemon_routes(self, daemon, names):
        sealed = daemon.create_keystore()
        sign = json.dumps({"message": self.message})
        routes = {}
        if "sign-sealed" in names:
            key = daemon.create_key(sealed, "ED25519")
            daemon.check_signature(key, self.message)
            routes["sign-sealed"] = (daemon, daemon.base, [f"{key}/sign"], sign, None)
        if "sign-resident" in names:
            key = daemon.create_key(daemon.create_keystore("resident"), "ECDSAP256IEEEP1363")
            daemon.check_signature(key, self.message)
            routes["sign-resident"] = (daemon, daemon.base, [f"{key}/sign"], sign, None)
        if "encrypt-32" in names or "encrypt-4k" in names:
            key = daemon.create_key(sealed, "AES256GCM")
            for name, count in (("encrypt-32", 32), ("encrypt-4k", 4096)):
                body = {"message": text_of(count)}
                opened = daemon.call("POST", f"{key}/decrypt", daemon.call("POST", f"{key}/encrypt", body))
                assert opened["plaintext"] == body["message"]
                routes[name] = (daemon, daemon.base, [f"{key}/encrypt"], json.dumps(body), None)
        if "create" in names:
            routes["create"] = (daemon, daemon.base, self._create_paths(daemon), json.dumps({"key_type": "ED25519"}), None)
        return routes

    def _create_paths(self, daemon):
        return [f"{daemon.create_keystore()}/keys" for _ in range(16)]

    def _lock_closed(self):
        """Signing when nothing opened may be kept: every request asks the token."""
        if "sign-ttl0" not in self.names:
            return
        with self._daemon(KMS_LOCK_TTL="0s") as daemon:
            key = daemon.create_key(daemon.create_keystore(), "ED25519")
            daemon.check_signature(key, self.message)
            self._load({"sign-ttl0": (daemon, daemon.base, [f"{key}/sign"], json.dumps({"message": self.message}), None)})

    def _guarded(self):
        """Signing under a capability, with one signature that comes again and with more than the daemon remembers."""
        names = [name for name in GUARDED_CELLS if name in self.names]
        if not names:
            return
        owner, body = Owner(self.scratch), {"message": self.message}
        with self._daemon(KMS_AUTH_TYPE="ZCAP", KMS_BASE_URL="https://kms.example") as daemon:
            key = daemon.create_guarded_key(owner, "ED25519")
            headers = owner.headers("sign")
            signature = daemon.call("POST", f"{key}/sign", body, headers)["signature"]
            daemon.call("POST", f"{key}/verify", {**body, "signature": signature}, owner.headers("verify"))
            if daemon.request("POST", f"{key}/sign", body)[0] != 401:
                raise BenchFailure("a request without capability was not refused")
            fields = {"sign-zcap": headers}
            if "sign-zcap-fresh" in names:
                fields["sign-zcap-fresh"] = {**headers, "Signature": owner.fresh_signatures(self.binaries, 5_000)}
            self._load({name: (daemon, daemon.base, [f"{key}/sign"], json.dumps(body), fields[name])
                        for name in names})

    def _load(self, routes):
        takes = {(name, count): [] for name in routes for count in self.settings.connections}
        for _ in range(self.settings.rounds):
            for name, (server, base, paths, body, fields) in routes.items():
                for count in self.settings.connections:
                    self.progress.step(f"{name}, {count} connections")
                    takes[name, count].append(self._observed(server, base, paths, body, count, fields))
        for (name, count), results in takes.items():
            self.cells.append({"name": name, "connections": count, **median(results)})

    def _observed(self, server, base, paths, body, connections, headers):
        rss, cpu, started = server.resident_kib(), server.cpu_seconds(), time.monotonic()
        result = run_wrk(self.scratch, base, paths, body, connections, self.settings.seconds, headers=headers)
        elapsed = time.monotonic() - started
        used = server.cpu_seconds() - cpu
        return {"rate": result["rate"], "p50_us": result["p50_us"], "p99_us": result["p99_us"],
                "cpu_percent": round(used / elapsed * 100), "cpu_us": round(used / result["requests"] * 1e6, 1),
                "rss_before_mib": mib(rss), "rss_after_mib": mib(server.resident_kib())}

    # A store of the size that matters.

    def _large_store(self):
        if "cold-start" in self.names:
            key = self._fill()
            times = []
            for _ in range(self.settings.cold_starts):
                self.progress.step("cold start")
                times.append(self._cold_start(key))
            ready, signed, rss = sorted(times)[len(times) // 2]
            self.cells.append({"name": "cold-start", "keys": self.settings.cold_keys, "ready_s": ready,
                               "first_signature_s": signed, "rss_after_mib": rss})
        if "memory" in self.names:
            self.progress.step(f"memory over {self.settings.memory_requests:,} requests")
            self._memory()

    def _fill(self):
        """Tops the store up through the API; returns a key of it."""
        self.progress.step(f"store of {self.settings.cold_keys:,} keys")
        with self._daemon() as daemon:
            made, paths, body = 0, self._create_paths(daemon), json.dumps({"key_type": "ED25519"})
            deadline = time.monotonic() + 900
            while made < self.settings.cold_keys and time.monotonic() < deadline:
                made += run_wrk(self.scratch, daemon.base, paths, body, 32, 5)["requests"]
            return daemon.create_key(paths[0].removesuffix("/keys"), "ED25519")

    def _cold_start(self, key):
        with self._daemon(wait=False) as daemon:
            daemon.wait_until_ready()
            ready = time.monotonic() - daemon.started
            daemon.call("POST", f"{key}/sign", {"message": self.message})
            signed = time.monotonic() - daemon.started
            return round(ready, 3), round(signed, 3), mib(daemon.resident_kib())

    def _memory(self):
        """Resident memory after a warm-up of a twentieth, and its greatest distance from that until the end."""
        wanted = self.settings.memory_requests
        with self._daemon() as daemon:
            key = daemon.create_key(daemon.create_keystore(), "ED25519")
            daemon.check_signature(key, self.message)
            body, made, readings = json.dumps({"message": self.message}), 0, []
            deadline = time.monotonic() + 600
            while made < wanted and time.monotonic() < deadline:
                made += run_wrk(self.scratch, daemon.base, [f"{key}/sign"], body, 32, 2)["requests"]
                if made >= wanted // 20:
                    readings.append(daemon.resident_kib())
            change = max(abs(reading - readings[0]) for reading in readings) / readings[0] * 100
            self.cells.append({"name": "memory", "requests": made, "rss_before_mib": mib(readings[0]),
                               "rss_after_mib": mib(readings[-1]), "greatest_change_percent": round(change, 2)})

    # Split keys.

    def _split_keys(self):
        for placement in ("anchored", "sealed"):
            names = [name for name in SPLIT_CELLS if name in self.names and name.endswith(placement)]
            if not names:
                continue
            with self._daemon(**split_settings(self.token.home, placement)) as daemon:
                split = SplitDaemon(daemon)
                row = split.key(split.wallet()["client_id"])
                routes = {}
                for name in names:
                    path, body, headers = split.message(row) if "-msg-" in name else split.transaction(row)
                    routes[name] = (daemon, daemon.base, [path], body, headers)
                self._load(routes)

    def _split_store(self):
        """The same signature with few keys in the store and with many."""
        if "split-store" not in self.names:
            return
        self.progress.step(f"store of {self.settings.split_keys:,} split keys")
        with self._daemon(**split_settings(self.token.home, "anchored")) as daemon:
            split = SplitDaemon(daemon)
            wallet = split.wallet()["client_id"]
            path, body, headers = split.message(split.key(wallet))

            def rate():
                return run_wrk(self.scratch, daemon.base, [path], body, 8, self.settings.seconds,
                               headers=headers)["rate"]

            few, rss, made = rate(), daemon.resident_kib(), 1
            deadline = time.monotonic() + 900
            while made < self.settings.split_keys and time.monotonic() < deadline:
                self.progress.note(f"{made:,} of {self.settings.split_keys:,} split keys")
                made += run_wrk(self.scratch, daemon.base, [f"/zvault/key/{wallet}"], "{}", 32, 5,
                                headers={"X-Jwt-Token": split.token})["requests"]
            self.cells.append({"name": "split-store", "keys": made, "rate_with_one_key": few, "rate_with_all": rate(),
                               "rss_before_mib": mib(rss), "rss_after_mib": mib(daemon.resident_kib())})

    def _revocation(self):
        if "revocation" not in self.names:
            return
        self.progress.step("revocations")
        self.cells += revocation.run(
            self._daemon_on, self.token, self.scratch, self.settings.revocations, self.progress)

    def _stress(self):
        if "stress" not in self.names:
            return
        self.progress.step("stress")
        auth = stress.AuthServer()
        try:
            with self._daemon(**stress.settings(auth, self.scratch)) as daemon:
                auth.behave("slow")
                self.cells.append(stress.run(daemon.port, auth))
        finally:
            auth.end()

    # A TPM.

    def _tpm(self):
        """The bridge and the C loop take turns, each with a new TPM, since they would share its slots."""
        if "tpm" not in self.names:
            return
        runs = {tpm.c_cell(*shape): (tpm.run_c_loop, shape) for shape in tpm.C_LOOPS}
        runs |= {tpm.bridge_cell(operation): (tpm.run_bridge_loop, operation) for operation in tpm.BRIDGE}
        takes = {name: [] for name in runs}
        for _ in range(self.settings.rounds):
            for name, (run, what) in runs.items():
                self.progress.step(name)
                takes[name].append(run(self.binaries, self.scratch, what, self.settings.loop_seconds))
        self.cells += [{"name": name, "connections": 1, **median(results)} for name, results in takes.items()]

    def _daemon_on_tpm(self):
        """Signing by daemons on a TPM; beside the sealed key of one, the same on SoftHSM in turn with it."""
        names = [name for name in tpm.DAEMON_CELLS if name in self.names]
        if not names:
            return
        with tpm.SoftTPM(self.scratch / "tpm-home") as token:
            with ExitStack() as daemons:
                routes = {}
                if "tpm-sign-sealed" in names or "tpm-sign-resident" in names:
                    daemon = daemons.enter_context(self._daemon(token=token))
                    if "tpm-sign-sealed" in names:
                        peer = daemons.enter_context(self._daemon())
                        routes["tpm-sign-sealed"] = self._signing(daemon, "sealed", "ED25519")
                        routes[tpm.PEER] = self._signing(peer, "sealed", "ED25519")
                    if "tpm-sign-resident" in names:
                        routes["tpm-sign-resident"] = self._signing(daemon, "resident", "ECDSAP256IEEEP1363")
                self._load(routes)
            if "tpm-sign-ttl0" in names:
                with self._daemon(token=token, KMS_LOCK_TTL="0s") as daemon:
                    self._load({"tpm-sign-ttl0": self._signing(daemon, "sealed", "ED25519")})
            if "tpm-cosign-msg" in names:
                with self._daemon(token=token, **split_settings(token.home, "auto")) as daemon:
                    split = SplitDaemon(daemon)
                    path, body, headers = split.message(split.key(split.wallet(TPM_SUITE)["client_id"]))
                    self._load({"tpm-cosign-msg": (daemon, daemon.base, [path], body, headers)})

    def _signing(self, daemon, protection, key_type):
        key = daemon.create_key(daemon.create_keystore(protection), key_type)
        daemon.check_signature(key, self.message)
        return daemon, daemon.base, [f"{key}/sign"], json.dumps({"message": self.message}), None

    def _tpm_endurance(self):
        if "tpm-endurance" in self.names:
            self.progress.step("tpm-endurance")
            self.cells.append(tpm.endure(self.binaries, self.scratch, self.settings.tpm_operations, self.progress))

    def _daemon(self, wait=True, token=None, **settings):
        return self._daemon_on(token or self.token, wait, **settings)

    def _daemon_on(self, token, wait=True, **settings):
        if not (token.home / "manifest.json").exists():
            Daemon.initialise(self.binaries, token)
        daemon = Daemon(self.binaries, token, self.scratch, **settings)
        try:
            return daemon.wait_until_ready() if wait else daemon
        except BaseException:
            daemon.stop()
            raise


def median(results):
    """The take whose rate is the middle one."""
    middle = statistics.median_low([result["rate"] for result in results])
    return next(result for result in results if result["rate"] == middle)


def mib(kib):
    return round(kib / 1024, 1)


def _listening(log):
    for line in log.read_text().splitlines():
        if line.startswith("listening "):
            return line.split()[1]
    return None
