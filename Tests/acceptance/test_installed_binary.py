"""What scripts/run serves: the built program without its symbols, which are beside it; and what it installs to build it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from daemon import BINARY

ROOT = Path(__file__).resolve().parents[2]
LIB = ROOT / "scripts" / "lib.sh"


def in_lib(script, *arguments):
    """Runs a line of shell after scripts/lib.sh, and gives what it prints."""
    result = subprocess.run(
        ["bash", "-euc", f". {LIB}; {script}", "lib", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return result.stdout


def test_the_installed_program_is_stripped_with_its_symbols_beside_it(tmp_path):
    built = BINARY
    installed = Path(in_lib('install_stripped "$1" "$2"', built, tmp_path / "installed"))
    symbols = installed.with_name("kmsd.debug")

    def sections(file):
        return subprocess.run(["readelf", "-SW", file], capture_output=True, text=True, check=True).stdout

    assert ".symtab" in sections(built)
    assert ".symtab" not in sections(installed) and ".debug_info" not in sections(installed)
    assert ".symtab" in sections(symbols) and ".gnu_debuglink" in sections(installed)
    assert installed.stat().st_size < built.stat().st_size

    def version(program):
        return subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout

    assert version(installed) == version(built) != ""


def test_a_program_is_stripped_again_only_after_another_build(tmp_path):
    built = tmp_path / "true"
    shutil.copy(shutil.which("true"), built)
    in_lib('install_stripped "$1" "$2"', built, tmp_path / "installed")
    installed = tmp_path / "installed" / "true"
    first = installed.stat().st_mtime_ns
    in_lib('install_stripped "$1" "$2"', built, tmp_path / "installed")
    assert installed.stat().st_mtime_ns == first
    os.utime(built, ns=(first + 10**9, first + 10**9))
    in_lib('install_stripped "$1" "$2"', built, tmp_path / "installed")
    assert installed.stat().st_mtime_ns != first
    missing = subprocess.run(
        ["bash", "-uc", f'. {LIB}; install_stripped "$1" "$2"', "lib", tmp_path / "none", tmp_path / "other"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert missing.returncode == 1 and "could not strip" in missing.stderr
    assert not (tmp_path / "other" / "none").exists()


def test_every_library_that_the_manifest_names_is_installed_before_the_build():
    manifest = (ROOT / "Package.swift").read_text()
    named = set(re.findall(r'^    system\("\w+", "[^"]+", "([^"]+)"\)', manifest, re.MULTILINE))
    assert {"libp11-kit-dev", "zlib1g-dev"} <= named
    installed = set(in_lib('printf "%s\\n" "${BUILD_PACKAGES[@]}"').split())
    assert named <= installed, named - installed
