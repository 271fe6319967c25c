"""Fixtures of the tests of the runtime: a scriptable service on a real socket, and clients of both kinds."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.clients import Clock, Connect, find_upload_threads
from tests.support.service import Service
from tests.support.trust import create_ssl_context

# What runs in the background of a shell ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _clean_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the runtime sees credentials, addresses or proxies of the machine that it runs on."""
    here = Path(__file__).parent
    if request.path.parent in (here, here / "security"):
        for name in list(os.environ):
            if name.startswith("SCENARIO_") or name.lower().endswith("_proxy"):
                monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _share_trust() -> Iterator[None]:
    """See `tests.support.trust`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "create_ssl_context", create_ssl_context)
        # Clients of httpx itself have it by this name.
        patch.setattr("httpx._transports.default.create_ssl_context", create_ssl_context)
        yield


@pytest.fixture
def service() -> Iterator[Service]:
    """An API and storage, on which all goes well but for what the test scripts."""
    with Service() as running:
        yield running


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that passes only when a client pauses."""
    one = Clock()
    one.install(monkeypatch)
    return one


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Make clients: the same test runs with `Scenario` and, awaited, with `AsyncScenario`."""
    one = Connect(request.param)
    if "clock" in request.fixturenames:
        one.clock = request.getfixturevalue("clock")
    yield one
    one.end()
    assert not find_upload_threads()
