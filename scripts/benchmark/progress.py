"""A bar on a terminal; silence elsewhere."""
import shutil
import sys
import time


class Progress:
    def __init__(self, steps):
        self.steps, self.done, self.started = max(1, steps), 0, time.monotonic()
        self.shown = sys.stderr.isatty()

    def step(self, label):
        self.note(label)
        self.done += 1

    def note(self, label):
        """Shows another label of the present step."""
        if self.shown:
            width = 24
            filled = min(width, self.done * width // self.steps)
            elapsed = int(time.monotonic() - self.started)
            line = f"[{'#' * filled}{'.' * (width - filled)}] {self.done}/{self.steps} {elapsed} s  {label}"
            print("\r\033[K" + line[:shutil.get_terminal_size().columns - 1], end="", file=sys.stderr, flush=True)

    def close(self):
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
