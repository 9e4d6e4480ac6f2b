"""Fixtures: daemons on tokens of their own, ended when the test is over."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

from daemon import BINARY, Installation  # noqa: E402
from softtoken import SoftToken  # noqa: E402
from softtpm import SoftTPM  # noqa: E402

TOKENS = {"softhsm": SoftToken, "tpm": SoftTPM}


def pytest_addoption(parser):
    parser.addoption("--token", choices=TOKENS, default="softhsm", help="what the daemons of the tests keep their keys in")


def pytest_configure(config):
    Installation.default_token = TOKENS[config.getoption("--token")]


def pytest_sessionstart():
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: build it first (scripts/test does)", returncode=3)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A ready daemon for every test that only talks to it."""
    installation = Installation(tmp_path_factory.mktemp("shared") / "home").init()
    try:
        installation.start()
        yield installation
    finally:
        installation.end()


@pytest.fixture
def daemon(shared):
    daemon = shared.daemons[0]
    assert daemon.is_running(), f"an earlier test ended the daemon:\n{daemon.log()}"
    return daemon


@pytest.fixture
def kms(daemon):
    return daemon.client()


@pytest.fixture
def keystore(kms):
    return kms.create_keystore()


@pytest.fixture
def resident(kms):
    return kms.create_keystore(protection="resident")


@pytest.fixture
def bare(tmp_path):
    """An installation with a token but before `kmsd init`."""
    installation = Installation(tmp_path / "home")
    yield installation
    installation.end()


@pytest.fixture
def own(bare):
    """An installation of the test's own, provisioned, with no daemon running."""
    return bare.init()
