"""swtpm processes of the tests' own, and a look into them with tpm2-tools."""
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from softtoken import write_private
from webkms_client import SYMMETRIC


def yaml_like(text):
    """The members of what tpm2-tools print, without their nesting."""
    lines = (line.strip().lower().partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in lines}


class SoftTPM:
    """A TPM whose state outlives its process. Same face as SoftToken, as far as an installation needs it."""

    # A TPM has no authenticated encryption, no Edwards curve and, as swtpm, no secp256k1.
    ABSENT_TYPES = frozenset({"ED25519", "ECDSASecp256k1IEEEP1363", *SYMMETRIC})
    IS_LINTED = False
    IS_SHARED = False

    def __init__(self, home, attributes="", like=None):
        """`like` is another one at rest, of which this is to be a copy, with its keys and its PIN."""
        self.home, self.attributes = Path(home), like.attributes if like else attributes
        # A socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="kmst."))
        self.socket = self.folder / "s"
        self.state = self.folder / "state"
        if like:
            shutil.copytree(like.state, self.state)
        else:
            self.state.mkdir(mode=0o700)
        self.pin_file = self.home / "tpm.pin"
        self.pin = like.pin if like else secrets.token_hex(20)
        write_private(self.pin_file, self.pin)
        self.process = None
        self.start()

    def start(self):
        """On the state that is there: a power cycle, after `kill`."""
        # setpriv: the kernel ends it with us, whatever ends us.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}",
             "--server", f"type=unixio,path={self.socket}", "--ctrl", f"type=unixio,path={self.socket}.ctrl",
             "--flags", "not-need-init,startup-clear"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(6_000):
            if self.listens() or self.process.poll() is not None:
                break
            time.sleep(0.01)
        assert self.process.poll() is None and self.listens(), "swtpm did not start"

    def listens(self):
        """The file is there some time before."""
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(self.socket)) == 0

    def kill(self):
        """At once, as a power failure does."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        for path in (self.socket, Path(f"{self.socket}.ctrl")):
            path.unlink(missing_ok=True)

    def rest(self):
        """Shut down in order, so that a copy of its state starts as one that nothing happened to."""
        self.tool("tpm2_shutdown", "--clear")
        self.kill()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def uri(self):
        return f"tpm:?tcti=swtpm:path={self.socket}&pin-source=file:{self.pin_file}{self.attributes}"

    def mend(self):
        """Nothing to mend: a command of a TPM is done or not."""

    def hide(self):
        """Takes the TPM away, as a power failure would."""
        self.kill()

    def bring_back(self):
        self.start()

    def objects(self):
        """Every persistent key and NV index as a dictionary: kind, label, ID and what the TPM names it by.

        The label is the manifest's if the object carries its mark, and its handle otherwise.
        """
        manifest = self.home / "manifest.json"
        keys = json.loads(manifest.read_text())["keys"] if manifest.exists() else {}
        marks = {hashlib.sha256(key["label"].encode()).hexdigest(): key["label"] for key in keys.values()}
        found = []
        for handle in self._listed("handles-persistent"):
            shown = yaml_like(self.tool("tpm2_readpublic", "-c", handle).stdout)
            found.append({"kind": "Key", "label": marks.get(shown.get("authorization policy", ""), handle),
                          "id": handle, "name": shown["name"]})
        for index in self._listed("handles-nv-index"):
            found.append({"kind": "NV index", "label": index, "id": index})
        return sorted(found, key=lambda entry: entry["id"])

    def _listed(self, capability):
        return [word.lower() for word in self.tool("tpm2_getcap", capability).stdout.split() if word.startswith("0x")]

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, **more}

    def tool(self, *arguments, check=True):
        """One of tpm2-tools."""
        result = subprocess.run(
            arguments, env=self.environment(TPM2TOOLS_TCTI=f"swtpm:path={self.socket}"), capture_output=True,
            text=True, timeout=120)
        assert not check or result.returncode == 0, f"{arguments} ended with {result.returncode}\n{result.stderr}"
        return result
