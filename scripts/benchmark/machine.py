"""What the figures were taken on."""
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path


def describe(root, arguments):
    load = os.getloadavg()[0]
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "command": " ".join(["scripts/bench"] + _choices(arguments[1:])),
        "commit": _output(["git", "-C", str(root), "describe", "--always", "--dirty"]),
        "cores": os.cpu_count(),
        "cpu": _field("/proc/cpuinfo", "model name"),
        "memory_gib": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024, 1),
        "os": _os_release(),
        "kernel": platform.release(),
        "swift": _output(["swift", "--version"]).splitlines()[0] if _output(["swift", "--version"]) else "",
        "fdatasync_us": _fdatasync_microseconds(),
        "load_before": round(load, 2),
        "quiet": load < 0.5,
    }


def _choices(arguments):
    """The arguments that change the figures; where results go is nobody's business."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in ("--json", "--doc", "--bin"):
            skip = True
        elif not argument.startswith(("--json=", "--doc=", "--bin=")):
            kept.append(argument)
    return kept


def _fdatasync_microseconds():
    """The middle of a hundred syncs of one block where the run keeps its database: a new key waits for one."""
    durations = []
    with tempfile.NamedTemporaryFile() as file:
        for block in range(100):
            os.pwrite(file.fileno(), b"\0" * 4096, block * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            durations.append(time.perf_counter() - start)
    return round(sorted(durations)[50] * 1e6)


def _field(path, name):
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0 unknown"


def _os_release():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def _output(command):
    result = subprocess.run(command, capture_output=True, text=True)
    return result.stdout.strip()
