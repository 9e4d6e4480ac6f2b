"""In-process figures of the parts of a request."""
import json
import subprocess

from .tools import BenchFailure


def run_micro(binaries, token):
    command = [str(binaries / "KMSBench"), "micro", "--token-uri", token.uri]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, env=token.environment())
    if finished.returncode != 0:
        raise BenchFailure(f"KMSBench micro failed: {finished.stderr.strip()}")
    return [json.loads(line) for line in finished.stdout.splitlines()]
