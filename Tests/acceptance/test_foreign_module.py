"""tpm2-pkcs11, a module that lacks what the daemon is built on: refused by name, and nothing is left behind."""
import os
import subprocess

import pytest
from daemon import Installation, eventually
from softtpm import SoftTPM

MODULE = f"/usr/lib/{os.uname().machine}-linux-gnu/pkcs11/libtpm2_pkcs11.so"


class ForeignModule(SoftTPM):
    """The module over swtpm, with the resource manager and the message bus that it needs between them."""

    variables = {}
    others = ()

    def __init__(self, home):
        super().__init__(home)
        bus = self.folder / "bus"
        store = self.folder / "store"
        store.mkdir(mode=0o700)
        self.variables = {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}", "TPM2_PKCS11_STORE": str(store),
            "TPM2_PKCS11_TCTI": "tabrmd:bus_type=session", "TPM2TOOLS_TCTI": "tabrmd:bus_type=session",
            "TSS2_LOG": "all+NONE"}
        self.others = [self._run("dbus-daemon", "--session", "--nofork", "--nosyslog", f"--address=unix:path={bus}")]
        eventually(bus.exists, 10, "the message bus")
        self.others.append(self._run(
            "tpm2-abrmd", "--session", "--allow-root", "--logger=stdout", f"--tcti=swtpm:path={self.socket}"))
        eventually(lambda: self._tool("tpm2_getcap", "properties-fixed").returncode == 0, 20, "tpm2-abrmd", pause=0.2)
        for verb in (["init"], ["addtoken", "--pid", "1", "--label", "kmsd", "--userpin", self.pin, "--sopin", self.pin]):
            made = self._tool("tpm2_ptool", *verb, "--path", str(store))
            assert made.returncode == 0, made.stderr

    def _run(self, *arguments):
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *arguments], env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _tool(self, *arguments):
        return subprocess.run(arguments, env=self.environment(), capture_output=True, text=True, timeout=300)

    def environment(self, **more):
        return super().environment(**self.variables, **more)

    def uri(self):
        return f"pkcs11:token=kmsd?module-path={MODULE}&pin-source=file:{self.pin_file}"

    def seen(self):
        listed = self._tool("pkcs11-tool", "--module", MODULE, "--token-label", "kmsd", "--login", "--pin", self.pin,
                            "--list-objects")
        assert listed.returncode == 0, listed.stderr
        return listed.stdout

    def end(self):
        for process in reversed(self.others):
            process.kill()
            process.wait()
        super().end()


@pytest.fixture
def foreign(tmp_path):
    installation = Installation(tmp_path / "home", token=ForeignModule)
    yield installation
    installation.end()


def test_a_module_without_the_means_is_refused_by_name(foreign):
    report = foreign.run_json("token", "probe", codes=(3,))
    outcomes = {entry["name"]: entry["outcome"] for entry in report["capabilities"]}
    served = {name for name, outcome in outcomes.items() if outcome == "ok"}
    assert served == {"random"}, outcomes
    assert len(outcomes) >= 18, outcomes
    for name in ("aes-256-gcm", "ecdsa-p256", "hmac-sha-256", "kwp-aes", "session-copies", "result-key"):
        assert outcomes[name] == "not-probed", "it makes no session objects, so nothing is known: " + name
    assert foreign.token.seen() == "", "the probe left something behind"
    written = foreign.run_json("token", "probe", "--write", codes=(2,))
    outcomes = {entry["name"]: entry["outcome"] for entry in written["capabilities"]}
    assert outcomes["ecdsa-p256"] == "ok", f"with token objects it signs: {outcomes}"
    assert {entry["name"] for entry in written["templates"]} >= {"AES-256-GCM", "AES-256-KWP", "EC-P256", "data"}
    left = foreign.token.seen()
    assert (outcomes.get("clean-up") == "failed") == ("kmsd-probe/" in left), "what stays is told: " + left
    refused = foreign.run("init", check=False)
    assert refused.returncode not in (0, -6, -11), refused
    assert "C_GenerateKey" in refused.stderr and "CKR_FUNCTION_NOT_SUPPORTED" in refused.stderr, refused.stderr
    assert foreign.token.seen() == left
    assert not (foreign.home / "manifest.json").exists()
    assert "init" in foreign.refuses_to_start(codes=(1, 69, 78))
