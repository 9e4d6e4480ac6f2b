"""A daemon whose clock the test sets while it runs."""
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("setclock.c")


class Clock:
    def __init__(self, folder):
        self.library, self.file = folder / "setclock.so", folder / "offset"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(self.library), str(SOURCE)],
                       check=True, capture_output=True, text=True, timeout=120)
        self.set(0)

    @property
    def prefix(self):
        """What starts a daemon with this clock."""
        return ["env", f"LD_PRELOAD={self.library}", f"SETCLOCK_FILE={self.file}"]

    def set(self, seconds):
        """So much ahead of the machine's, or behind it."""
        new = self.file.with_name("new")
        new.write_text(str(seconds))
        new.rename(self.file)
