"""Clients that a test drives without caring which of the two it has, and time that passes only when they wait."""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from scenario_uploads import AsyncScenario, Scenario
from scenario_uploads.client import async_runner, runner
from scenario_uploads.client.async_response import AsyncAPIResponse, AsyncResource
from scenario_uploads.settings.client import ClientArguments, resolve_options
from scenario_uploads.transfer import part

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = resolve_options({}, ClientArguments(bearer_auth="token"))


class Clock:
    """Time that stands still except when a client pauses, or a test lets it pass."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let pauses of both clients pass on this clock."""

        async def sleep_async(seconds: float) -> None:
            self.sleep(seconds)

        def pause(seconds: float, ended: Callable[[], bool]) -> None:
            self.sleep(seconds)  # a test may have replaced it

        monkeypatch.setattr(runner, "pause", pause)
        # The threads that send parts pause on their own; so little that nobody waits for it.
        monkeypatch.setattr(part, "PART_POLICY", evolve(part.PART_POLICY, base=0.01))
        fake = SimpleNamespace(**{**vars(asyncio), "sleep": sleep_async})
        monkeypatch.setattr(async_runner, "asyncio", fake)

    def rule(self, client: Scenario | AsyncScenario) -> None:
        """Let this client's decisions go by this clock, with every delay at its bound."""
        uploads = client.uploads
        uploads._api = evolve(uploads._api, clock=lambda: self.seconds, now=self.now, draw=lambda: 1.0)


class BlockingResponse:
    """An `AsyncAPIResponse` that can be read like an `APIResponse`."""

    def __init__(self, response: AsyncAPIResponse[Any], loop: asyncio.Runner) -> None:
        self.response, self._loop = response, loop

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.response, name)
        if inspect.iscoroutinefunction(value):
            return lambda *args, **keywords: self._loop.run(value(*args, **keywords))
        return (lambda *args: self._iterate(value(*args))) if name.startswith("iter_") else value

    def _iterate(self, pieces: AsyncIterator[Any]) -> Iterator[Any]:
        with suppress(StopAsyncIteration):
            while True:
                yield self._loop.run(anext(pieces))  # type: ignore[arg-type]


class Blocking:
    """An `AsyncScenario` whose calls can be made like those of a `Scenario`."""

    def __init__(self, client: AsyncScenario, loop: asyncio.Runner) -> None:
        self.client, self._loop = client, loop
        self.uploads: Any
        for tag, resource in vars(client).items():
            if isinstance(resource, AsyncResource):
                setattr(self, tag, self._block_all(resource))

    def _block_all(self, resource: Any) -> SimpleNamespace:
        """Return the calls of one tag of the contract."""
        calls = {name: getattr(resource, name) for name in dir(resource) if not name.startswith("_")}
        raw, streamed = vars(resource.with_raw_response), vars(resource.with_streaming_response)
        return SimpleNamespace(
            **{name: self._block(call) for name, call in calls.items() if inspect.iscoroutinefunction(call)},
            with_raw_response=SimpleNamespace(**{name: self._block_raw(call) for name, call in raw.items()}),
            with_streaming_response=SimpleNamespace(
                **{name: self._block_streamed(call) for name, call in streamed.items()}
            ),
        )

    def _block_raw(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            return BlockingResponse(self._loop.run(method(*args, **keywords)), self._loop)

        return call

    def _block_streamed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def call(*args: Any, **keywords: Any) -> Iterator[Any]:
            manager = method(*args, **keywords)
            response = self._loop.run(manager.__aenter__())
            try:
                yield BlockingResponse(response, self._loop)
            finally:
                self._loop.run(manager.__aexit__(None, None, None))

        return call

    def _block(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            return self._loop.run(method(*args, **keywords))

        return call

    def close(self) -> None:
        self._loop.run(self.client.close())

    def __repr__(self) -> str:
        return repr(self.client)


class Connect:
    """Makes clients of one kind, and closes them at the end."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.is_async = kind == "async"
        self.clock: Clock | None = None
        self._loop = asyncio.Runner() if self.is_async else None
        self._clients: list[Any] = []

    def __call__(self, base_url: str, **options: Any) -> Any:
        options = {"base_url": base_url} | options
        if not options.keys() & {"api_key", "bearer_auth"}:
            options |= {"api_key": "key_of_test", "api_secret": "s3cret-of-test"}
        client = AsyncScenario(**options) if self.is_async else Scenario(**options)
        return self.adopt(client)

    def lend(self, base_url: str, **options: Any) -> Any:
        """Make a client that nobody here holds or closes."""
        client = self(base_url, **options)
        self._clients.remove(client)
        return client

    def adopt(self, client: Scenario | AsyncScenario) -> Any:
        """Drive a client that was made elsewhere, such as a copy."""
        if self.clock is not None:
            self.clock.rule(client)
        self._clients.append(Blocking(client, self._loop) if self._loop is not None else client)
        return self._clients[-1]

    def run(self, work: Any) -> Any:
        """Run a coroutine in the loop of the asynchronous clients."""
        assert self._loop is not None
        return self._loop.run(work)

    def end(self) -> None:
        for client in self._clients:
            client.close()
        if self._loop is not None:
            self._loop.close()


def find_upload_threads() -> list[threading.Thread]:
    """Return the threads of the client that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("scenario-uploads")]


@contextmanager
def raises(kind: type[BaseException], *fragments: str) -> Iterator[SimpleNamespace]:
    """Expect exactly this class, with these fragments in its message."""
    caught = SimpleNamespace(error=None)
    with pytest.raises(kind) as info:
        yield caught
    caught.error = info.value
    assert type(info.value) is kind
    for fragment in fragments:
        assert fragment in str(info.value)
