"""Who carries steps out: what they yield is done, and what comes of it goes back to them."""

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from scenario_uploads import ScenarioError
from scenario_uploads.api.responses import find_fault
from scenario_uploads.client.async_runner import AsyncConnections, AsyncRunner
from scenario_uploads.client.runner import Connections, Runner
from scenario_uploads.steps import Pause, Send, Work
from scenario_uploads.system import Worker

from tests.support.clients import SETTINGS, Clock, raises
from tests.support.server import hang, until
from tests.support.service import Service
from tests.support.storing import Silence, closing_everything, full_backlog

Steps = Generator[Any, Any, Any]


class Both:
    """A runner of either kind, run until it is done."""

    def __init__(self, kind: str) -> None:
        self._loop = asyncio.Runner() if kind == "async" else None
        self.runner: Any = AsyncRunner(AsyncConnections(SETTINGS)) if self._loop else Runner(Connections(SETTINGS))

    def run(self, steps: Steps) -> Any:
        return self._loop.run(self.runner.run(steps)) if self._loop else self.runner.run(steps)

    def close(self) -> None:
        if self._loop:
            self._loop.run(self.runner.close())
            self._loop.close()
        else:
            self.runner.close()


@pytest.fixture(params=["sync", "async"])
def both(request: pytest.FixtureRequest) -> Any:
    one = Both(request.param)
    yield one
    one.close()


def request_to(service: Service, **timeouts: float) -> httpx.Request:
    extensions = {"timeout": {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0} | timeouts}
    return httpx.Request("GET", f"{service.url}/uploads/upload_1", extensions=extensions)


def test_steps_without_any_effect_end_with_their_value(both: Both) -> None:
    def steps() -> Steps:
        return 7
        yield

    assert both.run(steps()) == 7


def test_a_pause_is_waited_for_as_long_as_it_says(both: Both, clock: Clock) -> None:
    def steps() -> Steps:
        assert (yield Pause(1.5)) is None
        yield Pause(0.0)
        return "done"

    assert both.run(steps()) == "done"
    assert clock.pauses == [1.5, 0.0]


def test_a_request_is_answered(both: Both, service: Service) -> None:
    def steps() -> Steps:
        return (yield Send(request_to(service), 10_000))

    response = both.run(steps())
    assert isinstance(response, httpx.Response)
    assert (response.status_code, find_fault(response)) == (200, None)
    assert b'"upload_1"' in response.content
    assert response.elapsed.total_seconds() > 0


def test_what_goes_wrong_is_raised_where_it_was_asked_for(both: Both, service: Service) -> None:
    service.script("retrieve", hang)

    def steps() -> Steps:
        with suppress(httpx.ReadTimeout):
            yield Send(request_to(service, read=0.05), 100)
        return (yield Send(request_to(service), 10_000)).status_code

    assert both.run(steps()) == 200


def test_what_the_steps_raise_comes_out(both: Both) -> None:
    def steps() -> Steps:
        yield Pause(0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        both.run(steps())


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_interrupt_reaches_the_steps_so_that_they_can_clean_up(kind: str, clock: Clock) -> None:
    cleaned: list[str] = []

    def steps() -> Steps:
        try:
            yield Pause(0)
        finally:
            cleaned.append("yes")

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    clock.sleep = interrupt  # type: ignore[method-assign]
    with suppress(KeyboardInterrupt):
        if kind == "sync":
            Runner(Connections(SETTINGS)).run(steps())
        else:
            asyncio.run(AsyncRunner(AsyncConnections(SETTINGS)).run(steps()))
    assert cleaned == ["yes"]


@pytest.mark.parametrize("first", ["pause", "send"])
def test_after_closing_nothing_is_done(both: Both, service: Service, clock: Clock, first: str) -> None:
    def steps() -> Steps:
        yield Pause(1) if first == "pause" else Send(request_to(service), 100)

    if isinstance(both.runner, Runner):
        both.runner.close()
    else:
        both._loop.run(both.runner.close())  # type: ignore[union-attr]
    with raises(ScenarioError, "closed"):
        both.run(steps())
    assert service.requests == []


def test_a_thread_that_ends_without_a_word_is_told_as_want_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def steps() -> Steps:
        yield Work(lambda: None)

    monkeypatch.setattr(Worker, "run", lambda self: None)
    with asyncio.Runner() as loop, raises(ScenarioError, "out of memory"):
        loop.run(AsyncRunner(AsyncConnections(SETTINGS)).run(steps()))


class TestClosingMeanwhile:
    """Row 44: somebody else closes the client while a call waits. Each wait here would go on for hours."""

    def waits(self, service: Service, for_what: str) -> Steps:
        yield Pause(7200) if for_what == "time" else Send(request_to(service, read=7200.0), 100)

    @pytest.mark.parametrize("for_what", ["time", "an answer"])
    @pytest.mark.parametrize("closed", ["owner", "copy", "owner of a copy"])
    def test_44_ends_the_wait_in_another_thread(self, service: Service, for_what: str, closed: str) -> None:
        service.script("retrieve", hang)
        owner = Runner(Connections(SETTINGS))
        waiting = owner if closed == "owner" else owner.copy(SETTINGS)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                waiting.run(self.waits(service, for_what))
            except BaseException as error:  # noqa: BLE001 - it is what is looked at
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        if for_what == "an answer":
            until(lambda: service.requests)
        (waiting if closed == "copy" and for_what == "time" else owner).close()
        thread.join(300)
        assert [type(error) for error in failures] == [ScenarioError]
        assert "closed" in str(failures[0])
        owner.close()

    @pytest.mark.parametrize("for_what", ["time", "an answer"])
    @pytest.mark.parametrize("closed", ["owner", "copy", "owner of a copy"])
    def test_44_ends_the_wait_in_another_task(self, service: Service, for_what: str, closed: str) -> None:
        service.script("retrieve", hang)

        async def work() -> None:
            owner = AsyncRunner(AsyncConnections(SETTINGS))
            waiting = owner if closed == "owner" else owner.copy(SETTINGS)
            other = owner.copy(SETTINGS)
            task = asyncio.create_task(waiting.run(self.waits(service, for_what)))
            stays = asyncio.create_task(other.run(self.waits(service, "time")))
            if for_what == "an answer":
                await asyncio.to_thread(until, lambda: service.requests)
            await asyncio.sleep(0)
            await (waiting if closed == "copy" else owner).close()
            with raises(ScenarioError, "closed"):
                await task
            assert stays.done() == (closed != "copy")
            await owner.close()
            with raises(ScenarioError, "closed"):
                await stays

        asyncio.run(work())

    @pytest.mark.parametrize("obstacle", ["name", "connect", "handshake"])
    def test_44_ends_the_making_of_a_connection(self, monkeypatch: pytest.MonkeyPatch, obstacle: str) -> None:
        begun, over = threading.Event(), threading.Event()
        connect = socket.create_connection

        def begin(*arguments: Any, **options: Any) -> socket.socket:
            begun.set()
            if obstacle == "name":
                over.wait()
            return connect(*arguments, **options)

        monkeypatch.setattr(socket, "create_connection", begin)
        with closing_everything(), full_backlog() as full, Silence() as silence:
            url = full if obstacle == "connect" else f"https://127.0.0.1:{silence.port}/"
            timeouts = dict.fromkeys(("connect", "read", "write", "pool"), 300.0)
            runner, failures = Runner(Connections(SETTINGS)), list[BaseException]()

            def steps() -> Steps:
                yield Send(httpx.Request("GET", url, extensions={"timeout": timeouts}), 100)

            def work() -> None:
                try:
                    runner.run(steps())
                except BaseException as error:  # noqa: BLE001 - it is what is looked at
                    failures.append(error)

            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            begun.wait()
            until(lambda: obstacle != "handshake" or silence.connections)
            runner.close()
            try:
                until(lambda: failures, 60)
            finally:
                over.set()
        assert [type(error) for error in failures] == [ScenarioError]
        assert "closed" in str(failures[0])


def test_35_connections_of_a_parent_process_are_given_up(service: Service) -> None:
    runner = Runner(Connections(SETTINGS))

    def steps() -> Steps:
        return (yield Send(request_to(service), 10_000)).status_code

    assert [runner.run(steps()), runner.run(steps())] == [200, 200]
    assert service.server.connections == 1
    runner.connections.after_fork()
    assert [runner.run(steps()), runner.run(steps())] == [200, 200]
    assert service.server.connections == 2
    runner.close()
