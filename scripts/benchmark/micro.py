"""In-process figures of the parts of a request."""
import json
import subprocess

from .tools import BenchFailure


def run_micro(binaries, token):
    cells = json.loads(_output([str(binaries / "PairingBench"), "--json"], token))
    command = [str(binaries / "KMSBench"), "micro", "--token-uri", token.uri]
    return cells + [json.loads(line) for line in _output(command, token).splitlines()]


def _output(command, token):
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, env=token.environment())
    if finished.returncode != 0:
        raise BenchFailure(f"{command[0]} failed: {finished.stderr.strip()}")
    return finished.stdout
