"""SoftHSM tokens of the tests' own, and a look into them with pkcs11-tool."""
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", f"/usr/lib/{os.uname().machine}-linux-gnu/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if os.path.exists(path)), MODULES[0])
SPY = f"/usr/lib/{os.uname().machine}-linux-gnu/pkcs11-spy.so"


def write_private(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


class SoftToken:
    # Types that a resident keystore on it refuses: SoftHSM 2.6 wraps no Edwards keys and knows no ChaCha20.
    ABSENT_TYPES = frozenset({"ED25519", "ChaCha20Poly1305", "XChaCha20Poly1305"})
    # Whether `kmsd token lint` looks at its objects.
    IS_LINTED = True
    # Whether a second process uses it at the same time.
    IS_SHARED = True

    def __init__(self, home, label="kmsd", pin=None, like=None):
        """`like` is another one, of which this is to be a copy, with its keys and its PIN."""
        self.home, self.label = Path(home), like.label if like else label
        self.pin = like.pin if like else pin or secrets.token_hex(20)
        self.tokens = self.home / "tokens"
        if like:
            shutil.copytree(like.tokens, self.tokens)
        else:
            self.tokens.mkdir(mode=0o700)
        self.configuration = self.home / "softhsm2.conf"
        self.pin_file = self.home / "user.pin"
        write_private(self.pin_file, self.pin)
        write_private(
            self.configuration,
            f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
            "slots.mechanisms = ALL\nlibrary.reset_on_fork = false\n")
        if not like:
            self.initialise()
        self.made = {path: path.read_bytes() for path in self.tokens.glob("*/token.object")}

    def initialise(self):
        """Makes the token; PINs go by environment, as no test may show what an operator must not do."""
        environment = {**self.environment(), "SO_PIN": secrets.token_hex(20), "USER_PIN": self.pin}
        for arguments in (
            ["--slot-index", "0", "--init-token", "--label", self.label, "--so-pin", "env:SO_PIN"],
            ["--token-label", self.label, "--init-pin", "--so-pin", "env:SO_PIN", "--pin", "env:USER_PIN"],
        ):
            subprocess.run(["pkcs11-tool", "--module", MODULE, *arguments], env=environment, check=True,
                           capture_output=True, text=True)

    def uri(self, module=MODULE, label=None, pin_file=None):
        return f"pkcs11:token={label or self.label}?module-path={module}&pin-source=file:{pin_file or self.pin_file}"

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, "SOFTHSM2_CONF": str(self.configuration), **more}

    def tool(self, *arguments, check=True):
        """pkcs11-tool, logged in as the user."""
        return subprocess.run(
            ["pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin", "env:USER_PIN",
             *arguments],
            env=self.environment(USER_PIN=self.pin), check=check, capture_output=True, text=True)

    def objects(self):
        """Every key on the token as a dictionary: kind, label, id, usage, access. Data objects, such as what the token
        remembers of the audit chain, are written anew now and then and left out."""
        found = []
        for line in self.tool("--list-objects").stdout.splitlines():
            if not line.startswith(" ") and ("bject" in line or ";" in line):
                found.append({"kind": line.split(";")[0].strip()})
            elif found and (match := re.match(r"\s+(label|ID|Usage|Access):\s*(.*)", line)):
                found[-1][match[1].lower()] = match[2].strip()
        keys = [entry for entry in found if not entry["kind"].startswith("Data")]
        return sorted(keys, key=lambda entry: sorted(entry.items()))

    def mend(self):
        """SoftHSM empties the token's own file before it writes it anew, at each login; a kill in between loses the
        token, and nothing but a copy brings it back."""
        for path, content in self.made.items():
            if path.stat().st_size == 0:
                path.write_bytes(content)

    def hide(self):
        """Takes the token away, as pulling it out would."""
        self.tokens.rename(self.home / "tokens.away")

    def bring_back(self):
        if self.tokens.exists():
            shutil.rmtree(self.tokens)
        (self.home / "tokens.away").rename(self.tokens)

    def rest(self):
        """Nothing runs that its files could change under."""

    def end(self):
        """Nothing runs, and the directory is the test's."""
