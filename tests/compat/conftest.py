"""The official client and ours, side by side."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import scenario_uploads
from scenario_uploads.sandbox import Sandbox

from tests.support import official as scenario_sdk

PACKAGES = {"official": scenario_sdk, "ours": scenario_uploads}
KEYS = {"api_key": "key_of_test", "api_secret": "s3cret-of-test"}


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as running:
        yield running


class Side:
    """One of the two clients, used in one of the two ways."""

    def __init__(self, name: str, *, is_async: bool) -> None:
        self.name, self.is_async = name, is_async
        self.package: Any = PACKAGES[name]

    def run(self, use: Callable[[Any], Any], **options: Any) -> Any:
        """Make a client, use it, close it, and return what came of it: a result, or the error that was raised."""
        options = (options if options.keys() & {"api_key", "bearer_auth"} else KEYS | options) | {"max_retries": 0}
        try:
            return asyncio.run(self._run(use, options)) if self.is_async else self._run_plain(use, options)
        except self.package.ScenarioError as error:
            return error
        except (ValueError, TypeError) as error:
            return error

    def _run_plain(self, use: Callable[[Any], Any], options: dict[str, Any]) -> Any:
        with self.package.Scenario(**options) as client:
            return use(client)

    async def _run(self, use: Callable[[Any], Any], options: dict[str, Any]) -> Any:
        async with self.package.AsyncScenario(**options) as client:
            return await use(client)


@pytest.fixture(params=["sync", "async"])
def sides(request: pytest.FixtureRequest) -> tuple[Side, Side]:
    """The official client and ours."""
    is_async = request.param == "async"
    return Side("official", is_async=is_async), Side("ours", is_async=is_async)
