"""Fixtures for tests of code that uploads, and a marker for faults; pytest loads the plugin automatically.

The client and the sandbox are imported when a test first uses a fixture. See docs/how-to/testing.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from scenario_uploads.client.async_client import AsyncScenario
    from scenario_uploads.client.sync_client import Scenario
    from scenario_uploads.sandbox import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    text = "scenario_faults(name, times=1): faults of the next uploads to scenario_sandbox, such as 'expired'."
    config.addinivalue_line("markers", text)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Plan the faults for a test with the marker, whichever fixtures it uses."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("scenario_faults") is not None:
        item.fixturenames.append("_scenario_faults")


@pytest.fixture(scope="session")
def scenario_sandbox() -> Iterator[Sandbox]:
    """A `scenario_uploads.sandbox.Sandbox` for all tests of this process: a local service with storage behind it."""
    from scenario_uploads.sandbox import Sandbox  # noqa: PLC0415 - see above

    with Sandbox(step_delay=0.01) as box:
        yield box


@pytest.fixture
def scenario_client(scenario_sandbox: Sandbox, _scenario_faults: None) -> Iterator[Scenario]:
    """A `Scenario` whose service is `scenario_sandbox`."""
    from scenario_uploads.client.sync_client import Scenario  # noqa: PLC0415

    with Scenario(**_point_to(scenario_sandbox)) as client:
        yield client


@pytest.fixture
def async_scenario_client(scenario_sandbox: Sandbox, _scenario_faults: None) -> Iterator[AsyncScenario]:
    """An `AsyncScenario` whose service is `scenario_sandbox`, for a test that runs in any asyncio event loop."""
    import httpx  # noqa: PLC0415

    from scenario_uploads.client.async_client import AsyncScenario  # noqa: PLC0415

    # No keep-alive: a connection would outlive the test's event loop, which may have ended before this.
    api = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
    client = AsyncScenario(http_client=api, **_point_to(scenario_sandbox))
    yield client
    with suppress(StopIteration):
        client.close().send(None)


@pytest.fixture
def _scenario_faults(request: pytest.FixtureRequest, scenario_sandbox: Sandbox) -> Iterator[None]:
    """Plan the faults of the test's markers, and remove unused ones afterwards."""
    for marker in request.node.iter_markers("scenario_faults"):
        scenario_sandbox.fail_next(*marker.args, **marker.kwargs)
    yield
    scenario_sandbox.clear_faults()


def _point_to(box: Sandbox) -> dict[str, Any]:
    return {"base_url": box.base_url, "api_key": box.api_key, "api_secret": box.api_secret, "trust_env": False}
