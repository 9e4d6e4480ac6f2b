"""NSS softokn as a token of the tests' own: a module that is not ours, wants to be told where its files are, and answers
otherwise than SoftHSM almost everywhere."""
import ctypes
import os
import secrets
import subprocess
import sys
from pathlib import Path

from softtoken import write_private

MODULE = f"/usr/lib/{os.uname().machine}-linux-gnu/libsoftokn3.so"
LABEL = "NSS Certificate DB"
DISPENSED = "CKA_ALLOWED_MECHANISMS", "CKA_UNWRAP_TEMPLATE"


class NSSToken:
    """Same face as SoftToken, as far as an installation needs it."""

    IS_LINTED = False
    IS_SHARED = False
    # It refuses the one and does not obey the other.
    INIT = tuple(word for name in DISPENSED for word in ("--without", name))

    def __init__(self, home):
        self.home = Path(home)
        self.pin = secrets.token_hex(12)
        self.folder = self.home / "nss"
        self.folder.mkdir(mode=0o700)
        self.pin_file = self.home / "user.pin"
        write_private(self.pin_file, self.pin)
        subprocess.run(["certutil", "-N", "-d", f"sql:{self.folder}", "-f", str(self.pin_file)], check=True,
                       capture_output=True, text=True, timeout=60)
        self.text = f"configdir='sql:{self.folder}' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
        self.init_file = self.home / "nss.init"
        write_private(self.init_file, self.text)

    def uri(self, label=LABEL):
        return f"pkcs11:token={label.replace(' ', '%20')}?module-path={MODULE}&pin-source=file:{self.pin_file}"

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, "KMS_TOKEN_MODULE_INIT_FILE": str(self.init_file), **more}

    def mend(self):
        """Nothing to mend: its files are databases."""

    def replace_secret(self, identifier, label, check_value, usage):
        """Puts an AES key of somebody else in the place of one, under its names and its claims. In a process of its own:
        the module is initialised once in each."""
        done = subprocess.run(
            [sys.executable, __file__, self.text, self.pin, identifier, label, check_value, *usage],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def end(self):
        """Nothing runs, and the directory is the test's."""


# The little of PKCS #11 that is needed to write to the token behind the daemon's back.
LONG = ctypes.c_ulong
CKA = {"CKA_ENCRYPT": 0x104, "CKA_DECRYPT": 0x105, "CKA_WRAP": 0x106, "CKA_UNWRAP": 0x107}


class Arguments(ctypes.Structure):
    _fields_ = [("callbacks", ctypes.c_void_p * 4), ("flags", LONG), ("reserved", ctypes.c_char_p),
                ("further", ctypes.c_void_p)]


class Attribute(ctypes.Structure):
    _fields_ = [("type", LONG), ("value", ctypes.c_void_p), ("length", LONG)]


def template(values):
    kept = [ctypes.create_string_buffer(value, len(value)) for value in values.values()]
    array = (Attribute * len(values))(*[
        Attribute(kind, ctypes.cast(buffer, ctypes.c_void_p), len(buffer)) for kind, buffer in zip(values, kept)])
    return array, kept


def number(value):
    return value.to_bytes(8, sys.byteorder)


# Places in the function list behind its version (PKCS #11 2.40 base, 3.5); softokn exports nothing but the list.
FUNCTIONS = {
    "C_Initialize": 0, "C_Finalize": 1, "C_OpenSession": 12, "C_Login": 18, "C_CreateObject": 20, "C_DestroyObject": 22,
    "C_FindObjectsInit": 26, "C_FindObjects": 27, "C_FindObjectsFinal": 28}


def main(text, pin, identifier, label, check_value, *usage):
    listed = ctypes.c_void_p()
    assert ctypes.CDLL(MODULE).C_GetFunctionList(ctypes.byref(listed)) == 0
    places = ctypes.cast(listed.value + ctypes.sizeof(LONG), ctypes.POINTER(ctypes.c_void_p))

    def call(name, *arguments):
        answer = ctypes.CFUNCTYPE(LONG)(places[FUNCTIONS[name]])
        answer.argtypes = None
        told = answer(*arguments)
        assert told == 0, f"{name}: {told:#x}"

    call("C_Initialize", ctypes.byref(Arguments(flags=2, reserved=text.encode())))
    session, found, count = LONG(), (LONG * 4)(), LONG()
    call("C_OpenSession", LONG(2), LONG(6), None, None, ctypes.byref(session))
    call("C_Login", session, LONG(1), pin.encode(), LONG(len(pin)))
    names = {0x0: number(4), 0x102: bytes.fromhex(identifier)}
    array, kept = template(names)
    call("C_FindObjectsInit", session, array, LONG(len(names)))
    call("C_FindObjects", session, found, LONG(4), ctypes.byref(count))
    call("C_FindObjectsFinal", session)
    assert count.value == 1, f"{count.value} keys {identifier}"
    call("C_DestroyObject", session, found[0])
    values = {
        **names, 0x100: number(0x1f), 0x1: b"\1", 0x2: b"\1", 0x103: b"\1", 0x162: b"\0", 0x3: label.encode(),
        0x11: os.urandom(32), **{CKA[use]: b"\1" for use in usage},
        **({0x90: bytes.fromhex(check_value)} if check_value else {})}
    array, kept = template(values)
    handle = LONG()
    call("C_CreateObject", session, array, LONG(len(values)), ctypes.byref(handle))
    call("C_Finalize", None)


if __name__ == "__main__":
    main(*sys.argv[1:])
