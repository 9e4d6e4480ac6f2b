"""Processes of the run: started here, observed through /proc, ended by pid."""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .tools import BenchFailure

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server process; its output goes to a file that is shown when it fails."""

    def __init__(self, name, command, log, environment=None):
        self.name, self.log = name, Path(log)
        self._output = open(self.log, "ab")
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output,
            env=environment, start_new_session=True)
        self.pid = self._process.pid

    def wait_for(self, condition, seconds, what):
        """Polls `condition` until it is true; returns its value."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            if self._process.poll() is not None:
                raise BenchFailure(f"{self.name} ended with {self._process.returncode}:\n{self.tail()}")
            time.sleep(0.002)
        raise BenchFailure(f"{self.name} did not get to {what} in {seconds} s:\n{self.tail()}")

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def resident_kib(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise BenchFailure(f"{self.name} is gone:\n{self.tail()}")

    def cpu_seconds(self):
        # proc(5): utime and stime are fields 14 and 15; the command name before them may hold blanks.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=15)
        self._output.close()
        return self._process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
