"""Fixtures of the tests of the runtime: a scriptable service on a real socket, and clients of both kinds."""

import gc
import os
import signal
import uuid
from collections.abc import Generator, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from hypothesis import HealthCheck, settings
from scenario_uploads.sandbox import box

from tests.support.clients import Clock, Connect, find_upload_threads
from tests.support.folders import move_state
from tests.support.footprint import MARK, Footprint
from tests.support.service import Service
from tests.support.trust import create_ssl_context

# What runs in the background of a shell ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples everywhere, and as much time as the machine takes; `make fuzz` looks for new ones.
settings.register_profile(
    "tests", deadline=None, derandomize=True, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

MEASURED = ("cli", "client")
"""The folders of tests that start programs whose coverage counts: to measure them takes half of their time."""
FOOTPRINT = pytest.StashKey[Footprint]()
LEFT_BEHIND = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes snapshots anew."""
    parser.addoption("--update-snapshots", action="store_true", help="write tests/cli/snapshots anew")


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run an empty home folder, and mark its processes. The processes of pytest-xdist inherit both."""
    if MARK not in os.environ:
        config.stash[FOOTPRINT] = Footprint()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the tests themselves from the garbage collector, which would look through all of them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when something outlives it. The processes of pytest-xdist have ended here."""
    if FOOTPRINT in session.config.stash and (left := session.config.stash[FOOTPRINT].end()):
        session.config.stash[LEFT_BEHIND] = left
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left behind."""
    for thing in terminalreporter.config.stash.get(LEFT_BEHIND, []):
        terminalreporter.write_line(f"LEFT BEHIND by the tests: {thing}", red=True)


@pytest.fixture(autouse=True)
def _clean_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the runtime sees credentials, addresses or proxies of the machine that it runs on."""
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    if folder not in MEASURED:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    if folder not in ("tools", "spec_diff"):
        for name in list(os.environ):
            if name.startswith("SCENARIO_") or name.lower().endswith("_proxy"):
                monkeypatch.delenv(name)
        # Two services in turn may have the same port, and the ids of each begin with 1: a ledger would fit both.
        move_state(monkeypatch, Path.home() / "state" / uuid.uuid4().hex)


@pytest.fixture(autouse=True, scope="session")
def _share_trust() -> Iterator[None]:
    """See `tests.support.trust`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "create_ssl_context", create_ssl_context)
        # Clients of httpx itself have it by this name.
        patch.setattr("httpx._transports.default.create_ssl_context", create_ssl_context)
        yield


@pytest.fixture(autouse=True, scope="session")
def _share_contract() -> Iterator[None]:
    """Sandboxes read the contract once and not for each of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(box, "Contract", SimpleNamespace(load=cache(box.Contract.load)))
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


@pytest.fixture(autouse=True, scope="session")
def _share_generated_clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """See `tests.support.generated`. Every process of a run with several has its folder below the same one.

    `make test-lowest` has no generator, and builds no client.
    """
    if find_spec("openapi_python_client") is None:
        yield
        return
    from tests.support.generated import remember  # noqa: PLC0415 - needs the generator
    from tools.client import generate  # noqa: PLC0415 - needs the generator

    own = tmp_path_factory.getbasetemp()
    kept = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "generated-clients"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "build", remember(generate.build, kept))
        yield
