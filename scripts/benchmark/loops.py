"""Direct PKCS #11 loops, with and without p11-kit's server between."""
import json
import subprocess

from .tools import BenchFailure

LOOPS = ("p256-session", "p256-token", "secp256k1-session", "ed25519-session", "aes-gcm-token", "aes-gcm-session",
         "bn254-session")


def run_loop(binaries, token, operation, seconds, *, module=None, environment=None, threads=1, programs=1):
    """Runs `programs` programs of `threads` threads at once and adds up their rates.

    Tries up to five times: programs that start together now and then find SoftHSM in the middle of another's login and
    are answered CKR_GENERAL_ERROR.
    """
    command = [str(binaries / "KMSBench"), "pkcs11-loop", "--module", module or token.module, "--token", token.label,
               "--pin-file", str(token.pin_file), "--operation", operation, "--threads", str(threads),
               "--seconds", str(seconds)]
    for _ in range(5):
        reports, failures = _run_at_once(command, environment or token.environment(), programs, seconds + 60)
        if not failures:
            break
    else:
        raise BenchFailure(f"pkcs11-loop {operation} failed: {failures[0]}")
    return {
        "rate": round(sum(report["rate"] for report in reports), 1),
        "p50_us": round(max(report["p50"] for report in reports), 1),
        "p99_us": round(max(report["p99"] for report in reports), 1),
    }


def _run_at_once(command, environment, programs, limit):
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=environment)
        for _ in range(programs)
    ]
    reports, failures = [], []
    for process in running:
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
        if process.returncode == 0:
            reports.append(json.loads(output))
        else:
            failures.append(errors.strip())
    return reports, failures
