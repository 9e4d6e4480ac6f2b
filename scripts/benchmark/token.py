"""A private SoftHSM token and, for comparison, p11-kit's server in front of it."""
import os
import secrets
import subprocess
import time

from .processes import Server
from .tools import BenchFailure, p11_kit_client, softhsm_module


class Token:
    def __init__(self, home, label="kmsd-bench"):
        self.home, self.label, self.module = home, label, softhsm_module()
        self.configuration = home / "softhsm2.conf"
        self.pin_file = home / "user.pin"
        (home / "tokens").mkdir(mode=0o700, parents=True)
        self.configuration.write_text(
            f"directories.tokendir = {home}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
            "slots.mechanisms = ALL\nlibrary.reset_on_fork = false\n")
        pin = secrets.token_hex(16)
        self.pin_file.write_text(pin)
        # The PINs are on a command line for a moment: acceptable only because the token is a throw-away.
        result = subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", secrets.token_hex(16),
             "--pin", pin], env=self.environment(), capture_output=True, text=True)
        if result.returncode != 0:
            raise BenchFailure(f"softhsm2-util could not make a token: {result.stderr.strip()}")

    @property
    def uri(self):
        return f"pkcs11:token={self.label}?module-path={self.module}&pin-source=file:{self.pin_file}"

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, "SOFTHSM2_CONF": str(self.configuration), **more}


class P11KitServer(Server):
    """`p11-kit server` for one token; clients reach it through p11-kit-client.so."""

    def __init__(self, token, scratch):
        self.token, self.socket, self.module = token, scratch / "p11-kit.sock", p11_kit_client()
        super().__init__(
            "p11-kit server",
            ["p11-kit", "server", "-f", "--provider", token.module, "-n", self.socket, f"pkcs11:token={token.label}"],
            scratch / "p11-kit-server.log", token.environment())
        self.wait_for(self.socket.exists, 10, "its socket")
        time.sleep(0.2)

    def environment(self):
        return self.token.environment(P11_KIT_SERVER_ADDRESS=f"unix:path={self.socket}")
