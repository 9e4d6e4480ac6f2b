"""Two tokens in one SoftHSM, with keys that are nobody's, and what `kmsd token copy` says of them."""
import functools
import json
import os
import secrets
import subprocess
import tempfile
from pathlib import Path

from daemon import BINARY
from softtoken import MODULE, SoftToken

MUTANT = Path(__file__).with_name("mutantmodule.c")


@functools.cache
def mutant():
    """Compiled once in a run; its directory belongs to us alone."""
    folder = tempfile.TemporaryDirectory(prefix="kmsd-mutant.")
    path = Path(folder.name) / "mutant.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f'-DMUTANT_OVER="{MODULE}"',
         "-I/usr/include/p11-kit-1", "-o", str(path), str(MUTANT)], check=True, capture_output=True, text=True, timeout=120)
    os.chmod(path, 0o700)
    return folder, path


class TokenPair(SoftToken):
    """`old` with keys, and `new` beside it. Both have one PIN."""

    def __init__(self, home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(home, label="old")
        self.add("new")

    def add(self, label):
        """One more token; SoftHSM always shows one that is still empty, behind the others."""
        environment = {**self.environment(), "SO_PIN": secrets.token_hex(20), "USER_PIN": self.pin}
        index = len(list(self.tokens.iterdir()))
        for arguments in (
            ["--slot-index", str(index), "--init-token", "--label", label, "--so-pin", "env:SO_PIN"],
            ["--token-label", label, "--init-pin", "--so-pin", "env:SO_PIN", "--pin", "env:USER_PIN"],
        ):
            subprocess.run(["pkcs11-tool", "--module", MODULE, *arguments], env=environment, check=True,
                           capture_output=True, text=True)
        self.made = {path: path.read_bytes() for path in self.tokens.glob("*/token.object")}

    def on(self, label, *arguments, check=True):
        """pkcs11-tool on one of the tokens."""
        return subprocess.run(
            ["pkcs11-tool", "--module", MODULE, "--token-label", label, "--login", "--pin", "env:USER_PIN", *arguments],
            env=self.environment(USER_PIN=self.pin), check=check, capture_output=True, text=True)

    def make(self, label, identifier, *arguments, token="old"):
        """A key or pair that may be moved, unless the arguments say otherwise."""
        made = "--keypairgen" if any(word.startswith(("EC:", "rsa:")) for word in arguments) else "--keygen"
        self.on(token, made, "--id", identifier, "--label", label, *arguments)

    def listed(self, label):
        return self.on(label, "--list-objects").stdout

    def arguments(self, *more, source="old", target="new", module=MODULE):
        return ["token", "copy", "--from", self.uri(label=source, module=module), "--to",
                self.uri(label=target, module=module), *more]

    def run(self, *more, codes=(0,), variables=(), **places):
        """The copy as text."""
        result = subprocess.run(
            [str(BINARY), *self.arguments(*more, **places)], env=self.environment(**dict(variables)), text=True,
            capture_output=True, timeout=600, stdin=subprocess.DEVNULL)
        assert result.returncode in codes, f"exit code {result.returncode}: {result.stdout}\n{result.stderr}"
        return result

    def copy(self, *more, codes=(0,), **places):
        """The copy's report, and its entries by class and label."""
        report = json.loads(self.run(*more, "--output", "json", codes=codes, **places).stdout)
        return report, {(entry["objectClass"], entry["label"]): entry for entry in report.get("objects", [])}
