"""SoftHSM behind a module that refuses or delays what a test says: what other modules answer, and a slow device."""
import functools
import os
import subprocess
import tempfile
from pathlib import Path

from softtoken import MODULE as SOFTHSM
from softtoken import SoftToken

SOURCE = Path(__file__).with_name("oddmodule.c")


@functools.cache
def module():
    """Compiled once in a run; its directory belongs to us alone."""
    folder = tempfile.TemporaryDirectory(prefix="kmsd-odd.")
    path = Path(folder.name) / "odd.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f'-DODD_OVER="{SOFTHSM}"', "-I/usr/include/p11-kit-1",
         "-o", str(path), str(SOURCE)], check=True, capture_output=True, text=True, timeout=120)
    os.chmod(path, 0o700)
    return folder, path


class OddToken(SoftToken):
    """`odd` says what is odd about it; see oddmodule.c."""

    odd = ""

    def uri(self, **more):
        return super().uri(**{"module": module()[1], **more})

    def environment(self, **more):
        return super().environment(**({"ODD_MODULE": self.odd} if self.odd else {}), **more)
