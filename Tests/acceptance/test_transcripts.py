"""What README and documents show a reader, typed as it stands there: each command, and what it prints."""
import contextlib
import os
import re
import signal
import subprocess

import pytest
from daemon import BINARY, ROOT, eventually, free_port


def transcript(document, command):
    """The block of a document with this command: commands as they stand there, and what they print."""
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if command in block]
    lines = block.splitlines()
    typed = [line[2:] for line in lines if line.startswith("$ ")]
    return typed, [line for line in lines if not line.startswith("$ ")]


def prints(expected, printed):
    """Whether each expected line is there; a line of three dots stands for any number of lines."""
    pattern = "".join(r"(?:.*\n)*" if line == "…" else re.escape(line) + r"\n" for line in expected)
    return re.fullmatch(pattern, printed) is not None


def environment(tmp_path, **more):
    """A newcomer's: nothing of kmsd's is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KMS_", "KMSD_", "SOFTHSM2_"))}
    return {**kept, "KMSD_BIN": str(BINARY), "KMS_HOST": f"127.0.0.1:{free_port()}", **more}


class Checkout:
    """A directory that looks like a checkout with `scripts/run` at work in it."""

    def __init__(self, path, *arguments):
        self.path = path
        for name in ("Tests", "examples"):
            (path / name).symlink_to(ROOT / name)
        home = path / (".kmsd-tpm" if "--tpm" in arguments else ".kmsd")
        self.out = path / "out"
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen(
                [ROOT / "scripts" / "run", *arguments], env=environment(path, KMSD_HOME=str(home)), cwd=path,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def wait_until_ready(self):
        def is_ready():
            assert self.process.poll() is None, self.out.read_text()
            return "kmsd ready" in self.out.read_text().splitlines()

        eventually(is_ready, 60, "'kmsd ready'")
        return self

    def type(self, commands):
        """In a terminal of its own, which knows nothing but what it is told."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.path)}
        result = subprocess.run(["bash", "-c", "set -eo pipefail\n" + "\n".join(commands)], cwd=self.path, env=clean,
                                text=True, capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        return result.stdout

    @contextlib.contextmanager
    def terminal(self, commands, line):
        """Another terminal, whose last command goes on; entered when it has printed the line."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.path)}
        out = self.path / f"out-{len(list(self.path.glob('out-*')))}"
        with open(out, "wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", "set -eo pipefail\n" + "\n".join([*commands[:-1], "exec " + commands[-1]])], cwd=self.path,
                env=clean, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)

        def has_printed():
            assert process.poll() is None, out.read_text()
            return line in out.read_text().splitlines()

        try:
            eventually(has_printed, 60, repr(line))
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            finally:
                process.kill()
                process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module", params=[(), ("--tpm",)], ids=["softhsm", "tpm"])
def checkout(request, tmp_path_factory):
    # A socket's path is short.
    running = Checkout(tmp_path_factory.mktemp("c"), *request.param)
    try:
        yield running.wait_until_ready()
    finally:
        running.end()


def here(commands, checkout):
    """The same with the state where `scripts/run --tpm` has it."""
    is_tpm = (checkout.path / ".kmsd-tpm").exists()
    return [command.replace(". .kmsd/", ". .kmsd-tpm/") if is_tpm else command for command in commands]


def test_the_readmes_session_prints_what_it_says(checkout):
    """Its first session."""
    typed, expected = transcript("README.md", "$key/sign")
    assert expected == ["200"]
    assert prints(expected, checkout.type(here(typed, checkout)))


def test_split_keys(checkout):
    """A wallet whose key is split: made, signed for by both halves, verified."""
    typed, expected = transcript("docs/split-keys.md", "examples/sign_half.py")
    assert expected == ["valid under the wallet's key"]
    assert prints(expected, checkout.type(here(typed, checkout)))


def test_the_attestation_session_prints_what_it_says(checkout):
    typed, expected = transcript("docs/attestation.md", "kmsd attest verify")
    assert expected[-1] == "ok"
    assert prints(expected, checkout.type(here(typed, checkout)))


def test_the_operators_session_prints_what_it_says(checkout):
    """A key's life on the command line."""
    typed, expected = transcript("docs/operator.md", "kmsd keystore retire")
    assert len(expected) == 3
    assert prints(expected, checkout.type(here([". .kmsd/env.sh", *typed], checkout)))


def test_the_migration_prints_what_it_says(tmp_path):
    """Keys from one token to another; no daemon takes part."""
    typed, expected = transcript("docs/migration.md", "kmsd token copy")
    assert len(typed) <= 10 and expected[-1] == "2 present" and "3 copied, 1 stays" in expected
    (tmp_path / "kmsd").symlink_to(BINARY)
    clean = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    result = subprocess.run(["bash", "-c", "set -eo pipefail\n" + "\n".join(typed)], cwd=tmp_path, env=clean, text=True,
                            capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    assert prints(expected, result.stdout), result.stdout


def test_a_home_moves_to_another_token_as_it_says(tmp_path_factory):
    checkout = Checkout(tmp_path_factory.mktemp("m"))
    try:
        checkout.wait_until_ready()
    finally:
        checkout.end()
    typed, expected = transcript("docs/migration.md", "kmsd migrate finish")
    assert len(typed) <= 10 and expected[-1] == "ok"
    assert prints(expected, checkout.type(typed))


def test_the_session_of_lock_slots_prints_what_it_says(tmp_path_factory):
    checkout = Checkout(tmp_path_factory.mktemp("s"))
    try:
        checkout.wait_until_ready()
    finally:
        checkout.end()
    typed, expected = transcript("docs/slots.md", "kmsd slot test")
    assert expected[-1] == "slot 2  passphrase  opens"
    assert prints(expected, checkout.type(typed))


def test_the_decryption_session_prints_what_it_says(tmp_path_factory):
    """A chain, a daemon and people, in three terminals."""
    checkout = Checkout(tmp_path_factory.mktemp("d"))
    try:
        checkout.wait_until_ready()
    finally:
        checkout.end()
    chain, said = transcript("docs/decryption.md", "kmsd dev chain --env")
    daemon, _ = transcript("docs/decryption.md", "kmsd decryption key import --name net1 --format raw-0.6 --published")
    people, expected = transcript("docs/decryption.md", "kmsd decryption open")
    assert said[-1] == "chain ready" and expected.count("3735928559") == 2
    with checkout.terminal(chain, "chain ready"), checkout.terminal(daemon, "kmsd ready"):
        assert prints(expected, checkout.type(people))


def test_verbs_need_nothing_but_the_environment_file(checkout):
    typed = here([". .kmsd/env.sh", "kmsd audit verify", "kmsd dev jwt --user alice", "kmsd audit key 2>&1",
                  "kmsd keystore create --controller did:example:me", "kmsd doctor || [ $? = 2 ]"], checkout)
    printed = checkout.type(typed)
    assert "BEGIN PUBLIC KEY" in printed and "fail" not in printed
    assert ("the daemon that runs on this home uses the TPM" in printed) == (checkout.path / ".kmsd-tpm").exists()


def run(tmp_path, *arguments, **more):
    return subprocess.run(
        [ROOT / "scripts" / "run", *arguments], env=environment(tmp_path, **more), text=True, capture_output=True,
        timeout=300, stdin=subprocess.DEVNULL)


def test_run_says_what_it_cannot_do(tmp_path):
    helped = run(tmp_path, "--help")
    assert helped.returncode == 0 and "--tpm" in helped.stdout and "KMSD_HOME" in helped.stdout
    unknown = run(tmp_path, "--tmp")
    assert unknown.returncode == 1 and "--tmp" in unknown.stderr and "--tpm" in unknown.stderr
    (tmp_path / "file").touch()
    unusable = run(tmp_path, KMSD_HOME=str(tmp_path / "file" / "home"))
    assert unusable.returncode == 1 and "KMSD_HOME" in unusable.stderr
    for made, arguments in (("tokens", ("--tpm",)), ("tpm", ())):
        home = tmp_path / made
        (home / made).mkdir(parents=True)
        other = run(tmp_path, *arguments, KMSD_HOME=str(home))
        assert other.returncode == 1 and str(home) in other.stderr and "KMSD_HOME" in other.stderr


def test_missing_packages_are_named_where_nobody_may_install_them(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, script in (("dpkg-query", "exit 1"), ("id", "echo 1000"), ("sudo", "exit 1")):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    refused = run(tmp_path, PATH=f"{tools}:{os.environ['PATH']}", KMSD_HOME=str(tmp_path / "home"))
    assert refused.returncode == 1 and "apt-get install" in refused.stderr and "softhsm2" in refused.stderr
    assert not (tmp_path / "home").exists()
