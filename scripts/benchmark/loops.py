"""Direct PKCS#11 loops, with and without p11-kit's server between."""
import json
import subprocess

from .tools import BenchFailure

LOOPS = ("p256-session", "p256-token", "ed25519-session", "aes-gcm-token", "aes-gcm-session")


def run_loop(binaries, token, operation, seconds, *, module=None, environment=None, threads=1, programs=1):
    """Runs `programs` programs of `threads` threads at once and adds up their rates."""
    command = [str(binaries / "KMSBench"), "pkcs11-loop", "--module", module or token.module, "--token", token.label,
               "--pin-file", str(token.pin_file), "--operation", operation, "--threads", str(threads),
               "--seconds", str(seconds)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=environment or token.environment())
        for _ in range(programs)
    ]
    reports, failures = [], []
    for process in running:
        try:
            output, errors = process.communicate(timeout=seconds + 60)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
        if process.returncode == 0:
            reports.append(json.loads(output))
        else:
            failures.append(errors.strip())
    if failures:
        raise BenchFailure(f"pkcs11-loop {operation} failed: {failures[0]}")
    return {
        "rate": round(sum(report["rate"] for report in reports), 1),
        "p50_us": round(max(report["p50"] for report in reports), 1),
        "p99_us": round(max(report["p99"] for report in reports), 1),
    }
