"""Programs and modules the benchmark needs from the system."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOFTHSM = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
           "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so")
P11_KIT_CLIENT = ("/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
                  "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so")


class BenchFailure(Exception):
    """The run cannot go on; the text says what to do."""


def require_tools():
    if shutil.which("wrk") is None:
        if os.geteuid() != 0:
            raise BenchFailure("wrk is missing: apt-get install wrk")
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "wrk"], stdout=sys.stderr)
    for tool, package in (("wrk", "wrk"), ("softhsm2-util", "softhsm2"), ("p11-kit", "p11-kit"),
                          ("swtpm", "swtpm"), ("tpm2_flushcontext", "tpm2-tools")):
        if shutil.which(tool) is None:
            raise BenchFailure(f"{tool} is missing: apt-get install {package}")


def softhsm_module():
    return _first(SOFTHSM, "softhsm2")


def p11_kit_client():
    return _first(P11_KIT_CLIENT, "p11-kit-modules")


def _first(candidates, package):
    for path in candidates:
        if Path(path).exists():
            return path
    raise BenchFailure(f"none of {', '.join(candidates)} exists: apt-get install {package}")
