"""Fixtures: daemons on tokens of their own, ended when the test is over."""
import os
import resource
import sys
from pathlib import Path

import pytest
import requests

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

from daemon import BINARY, PATIENCE, Installation  # noqa: E402
from softtoken import SoftToken  # noqa: E402
from softtpm import SoftTPM  # noqa: E402

TOKENS = {"softhsm": SoftToken, "tpm": SoftTPM}


def pytest_addoption(parser):
    parser.addoption("--token", choices=TOKENS, default="softhsm", help="what the daemons of the tests keep their keys in")


def pytest_configure(config):
    Installation.default_token = TOKENS[config.getoption("--token")]
    # Some tests hold more connections than many machines let a program open files at first.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    # Every server here is on the loopback interface, which no proxy reaches.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "*"
    requests.Session.request = patiently(requests.Session.request)


def patiently(request):
    """Time-outs of requests end what would hang. They are no measure of speed: a disk that stalls for some seconds is nobody's fault."""
    def waits(*arguments, timeout=None, **more):
        return request(*arguments, timeout=None if timeout is None else max(timeout, PATIENCE), **more)

    return waits


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


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory):
    """What `kmsd init` makes, once: its keys take longer than most tests. Nothing runs on it."""
    installation = Installation(tmp_path_factory.mktemp("provisioned") / "home").init()
    installation.token.rest()
    yield installation
    installation.end()


@pytest.fixture
def own(provisioned, tmp_path):
    """An installation of the test's own, provisioned, with no daemon running. Those of two tests have the same keys; a test that
    wants two different ones makes the other with `Installation(...).init()`."""
    installation = Installation(tmp_path / "home", like=provisioned)
    yield installation
    installation.end()
