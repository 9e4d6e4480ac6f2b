"""A software TPM: what the bridge to it adds to a C program's calls, the daemon on it, and many calls in a row."""
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .processes import Server
from .tools import BenchFailure

# What the bridge does, and the loop in C that asks the same of the TPM: operation, and whether its key is persistent.
BRIDGE = {"seal": ("hmac", True), "open": ("hmac", True), "audit-sign": ("sign", True), "resident-sign": ("sign", False),
          "resident-mac": ("hmac", False), "resident-agree": ("zgen", False)}
# Operation, encrypted session, persistent key.
C_LOOPS = tuple((operation, encrypted, persistent) for operation in ("hmac", "sign", "zgen")
                for encrypted in (False, True) for persistent in (False, True))
DAEMON_CELLS = ("tpm-sign-sealed", "tpm-sign-resident", "tpm-sign-ttl0", "tpm-cosign-msg")
PEER = "sign-sealed beside it"


def c_cell(operation, encrypted, persistent):
    return f"tpm C {operation}, {'encrypted' if encrypted else 'plain'}{', persistent' if persistent else ''}"


def bridge_cell(operation):
    return f"tpm bridge {operation}"


class SoftTPM:
    """A swtpm process with a state of its own; as a place for the daemon's keys it has the face of Token."""

    def __init__(self, home):
        self.home = Path(home)
        self.home.mkdir(mode=0o700, exist_ok=True)
        # A socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="kmsb."))
        self.socket = self.folder / "s"
        (self.folder / "state").mkdir()
        self.pin_file = self.home / "tpm.pin"
        self.pin_file.write_text(secrets.token_hex(20))
        self.pin_file.chmod(0o600)
        self.server = Server(
            "swtpm", ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}/state",
                      "--server", f"type=unixio,path={self.socket}", "--ctrl", f"type=unixio,path={self.socket}.ctrl",
                      "--flags", "not-need-init,startup-clear"], self.folder / "log")
        self.server.wait_for(self.socket.exists, 10, "its socket")
        time.sleep(0.1)

    @property
    def uri(self):
        return f"tpm:?tcti=swtpm:path={self.socket}&pin-source=file:{self.pin_file}"

    @property
    def tcti(self):
        return f"swtpm:path={self.socket}"

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, **more}

    def tool(self, *arguments):
        finished = subprocess.run(arguments, env=self.environment(TPM2TOOLS_TCTI=self.tcti), capture_output=True,
                                  text=True, timeout=60)
        if finished.returncode != 0:
            raise BenchFailure(f"{arguments[0]} failed: {finished.stderr.strip()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_c_loop(binaries, scratch, shape, seconds):
    operation, encrypted, persistent = shape
    with SoftTPM(scratch / "tpm") as tpm:
        return _run(tpm, [binaries / "KMSBench", "tpm-c-loop", "--tcti", tpm.tcti, "--operation", operation,
                          *["--encrypted"] * encrypted, *["--persistent"] * persistent], seconds)


def run_bridge_loop(binaries, scratch, operation, seconds):
    with SoftTPM(scratch / "tpm") as tpm:
        return _run(tpm, [binaries / "KMSBench", "tpm-loop", "--token-uri", tpm.uri, "--operation", operation], seconds)


def _run(tpm, command, seconds):
    """Rate, latency, and the program's own CPU time for one operation."""
    finished = subprocess.run([*map(str, command), "--seconds", str(seconds)], env=tpm.environment(TSS2_LOG="all+NONE"),
                              capture_output=True, text=True, timeout=seconds + 60)
    if finished.returncode != 0:
        raise BenchFailure(f"{command[1]} failed: {finished.stderr.strip()}")
    report = json.loads(finished.stdout)
    return {"rate": round(report["rate"], 1), "p50_us": round(report["p50"], 1), "p99_us": round(report["p99"], 1),
            "cpu_us": round(report["cpu"], 1)}


def endure(binaries, scratch, operations, progress):
    """Many uses of keys on one connection while another program keeps a session of its own in the same TPM."""
    with SoftTPM(scratch / "endurance") as tpm:
        kept, started = str(tpm.folder / "session"), time.monotonic()
        program = subprocess.Popen(
            [str(binaries / "KMSBench"), "tpm-endurance", "--token-uri", tpm.uri, "--operations", str(operations)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=tpm.environment(TSS2_LOG="all+NONE"))
        last = ""
        for line in program.stdout:
            last = line.strip()
            if last == "ready":
                tpm.tool("tpm2_startauthsession", "--hmac-session", "-S", kept)
            else:
                progress.note(f"tpm-endurance, {last}")
        if program.wait() != 0:
            raise BenchFailure(f"tpm-endurance ended after '{last}': {program.stderr.read().strip()}")
        # The other program's session is the one that it was.
        tpm.tool("tpm2_sessionconfig", kept, "--enable-encrypt")
        tpm.tool("tpm2_flushcontext", kept)
        return {"name": "tpm-endurance", "operations": json.loads(last)["operations"], "connections": 1, "failures": 0,
                "seconds": round(time.monotonic() - started, 1)}
