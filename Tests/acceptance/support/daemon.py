"""The built daemon as a process: started, watched and ended by its own id."""
import itertools
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from softtoken import SoftToken
from webkms_client import Client

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("KMSD_BIN", ROOT / ".build" / "release" / "kmsd"))


def _own_ports():
    """Ports in an order of this process's own, below those that the kernel gives to whoever asks for any: between the choice of a
    port and the program that listens there nobody else gets it, not even the tests of another worker."""
    workers, worker = 8, int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    ports = range(10_000 + worker, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]), workers)
    # Where the kernel gives away nearly all of them, any will do.
    ports = ports if len(ports) > 500 else range(20_000 + worker, 60_000, workers)
    # `kmsd dev chain` has three of its own, as the documents show it.
    ports = [port for port in ports if port not in range(26_650, 26_660)]
    start = random.randrange(len(ports))
    return itertools.cycle([*ports[start:], *ports[:start]])


_ports = _own_ports()


def free_port():
    for port in itertools.islice(_ports, 5_000):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


# What ends a wait that would be without end; no measure of speed, so a slow or busy machine never meets it.
PATIENCE = 60


def eventually(condition, seconds, what, pause=0.02):
    """The first true answer of `condition`, and how long it took; who wants it soon looks at that."""
    seconds = max(seconds, PATIENCE)
    start = time.monotonic()
    while True:
        answer = condition()
        elapsed = time.monotonic() - start
        if answer:
            return answer, elapsed
        assert elapsed < seconds, f"{what} did not happen within {seconds} s"
        time.sleep(pause)


class Installation:
    """One home: token, manifest, database. Daemons come and go on it."""

    # What makes a token where a test does not say; see `--token` in conftest.py.
    default_token = SoftToken

    def __init__(self, home, token=None, like=None, **settings):
        """`like` is another one after `init`, at rest, of which this is to be a copy."""
        self.home = Path(home)
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if like:
            self.token = type(like.token)(self.home, like=like.token)
            for path in like.home.iterdir():
                if path.is_file() and not (self.home / path.name).exists():
                    shutil.copy2(path, self.home)
        else:
            self.token = (token or Installation.default_token)(self.home)
        self.settings = {"KMSD_HOME": str(self.home), "KMS_TOKEN_URI": self.token.uri(), **settings}
        self.daemons = []

    def environment(self, **more):
        merged = {**self.settings, **more}
        return self.token.environment(SWIFT_BACKTRACE="enable=no", **{k: v for k, v in merged.items() if v is not None})

    def run(self, *arguments, check=True, timeout=300, prefix=(), **more):
        """A verb of the command line, to its end."""
        result = subprocess.run([*prefix, str(BINARY), *map(str, arguments)], env=self.environment(**more), text=True,
                                capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
        assert not check or result.returncode == 0, (
            f"kmsd {' '.join(map(str, arguments))} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    def run_json(self, *arguments, codes=(0,), **more):
        result = self.run(*arguments, "--output", "json", check=False, **more)
        assert result.returncode in codes, f"exit code {result.returncode}: {result.stdout}\n{result.stderr}"
        return json.loads(result.stdout)

    def init(self):
        self.run("init", *getattr(self.token, "INIT", ()))
        return self

    def start(self, ready=True, arguments=(), prefix=(), output=None, **more):
        """`prefix` is a program that runs the daemon, such as prlimit; `output` takes its lines instead of us."""
        daemon = Daemon(self, arguments, more, prefix, output)
        self.daemons.append(daemon)
        if ready:
            daemon.wait_until_ready()
        return daemon

    def refuses_to_start(self, *arguments, codes=(64, 77, 78), seconds=PATIENCE, **more):
        """Starts a daemon that must end by itself with one of the codes; returns what it said."""
        daemon = self.start(ready=False, arguments=arguments, **more)
        code = daemon.wait(seconds)
        assert code in codes, f"ended with {code}, not one of {codes}:\n{daemon.log()}"
        return daemon.log()

    def end(self):
        for daemon in self.daemons:
            daemon.kill()
        self.token.end()


class Daemon:
    def __init__(self, installation, arguments, more, prefix=(), output=None):
        self.installation = installation
        self.port = free_port()
        self.scheme = "https" if more.get("KMS_TLS_SERVE_CERT") else "http"
        host = more.pop("KMS_HOST", f"127.0.0.1:{self.port}")
        self.base = f"{self.scheme}://127.0.0.1:{self.port}"
        self.environment = installation.environment(KMS_HOST=host, **more)
        # restore_signals=False leaves SIGXFSZ ignored, as Python has it, so that a file size limit means an error.
        self.process = subprocess.Popen(
            [*prefix, str(BINARY), "start", *map(str, arguments)], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output, stderr=subprocess.STDOUT, restore_signals=False)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        if output is None:
            self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace"))

    @property
    def pid(self):
        return self.process.pid

    def client(self, **more):
        return Client(self.base, **more)

    def log(self):
        if self.process.poll() is not None and self.reader.ident:
            self.reader.join(5)
        return "".join(self.lines)

    def readiness(self):
        """Status and body of /readyz, or None while nothing listens."""
        try:
            return self.client(verify=False).readyz()
        except (OSError, ValueError):
            return None

    def is_running(self):
        return self.process.poll() is None

    def wait_for_readiness(self, status, seconds=PATIENCE):
        def answer():
            assert self.is_running(), f"kmsd ended with {self.process.returncode}:\n{self.log()}"
            found = self.readiness()
            return found if found and found[0] == status else None

        (_, body), elapsed = eventually(answer, seconds, f"/readyz {status}")
        return body, elapsed

    def wait_until_ready(self, seconds=PATIENCE):
        self.wait_for_readiness(200, seconds)
        return self

    def wait(self, seconds=PATIENCE):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"kmsd still runs after {seconds} s:\n{self.log()}") from None

    def terminate(self, seconds=PATIENCE):
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def limit_file_size(self, size):
        """From now on no file of the daemon can grow beyond `size`; None lifts the limit."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))
