"""Sources that come now and then: results do not wait for them, nor does any way to end the call."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import aclosing, closing
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Self

import pytest
from scenario_uploads import AsyncScenario, BulkProgress, Scenario, ScenarioError, SourceError, UploadSource

from tests.bulk.test_run import Caller, tell, write
from tests.support.clients import find_upload_threads
from tests.support.server import until
from tests.support.service import Service


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, service: Service) -> Caller:
    return Caller(request.param, service.url, api_key="key", api_secret="secret")


class Slow:
    """Gives some sources, then none until it is released, then one more."""

    def __init__(self, *first: Any) -> None:
        self._first, self.closed, self.ended = first, False, threading.Event()
        self.blocked, self._released = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._first
            self.blocked.set()
            assert self._released.wait(60)
            yield UploadSource(b"late", file_name="late.txt")
            self.closed = False
        except GeneratorExit:
            self.closed = True
            raise
        finally:
            self.ended.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._released.set()
        assert self.ended.wait(60)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "refs", 1) / "0.png"


def test_results_do_not_wait_for_the_next_source(call: Caller, file: Path) -> None:
    told = threading.Event()

    def sources() -> Iterator[Path]:
        for _ in range(3):
            told.clear()
            yield file
            # That a file is done is told with its result.
            assert told.wait(60)

    def tell_done(progress: BulkProgress) -> None:
        if progress.files_done + progress.files_skipped == progress.files_found:
            told.set()

    results = call(sources(), ledger=False, on_progress=tell_done)
    assert tell(results) == {"sent": 3}


def test_nor_do_those_of_files_that_are_skipped_or_wrong(call: Caller, file: Path, tmp_path: Path) -> None:
    told = threading.Event()
    (tmp_path / "empty.png").touch()

    def sources() -> Iterator[Path]:
        for path in (file, tmp_path / "empty.png", tmp_path / "left.tmp"):
            told.clear()
            yield path
            assert told.wait(60)

    def tell_ended(progress: BulkProgress) -> None:
        if progress.files_done + progress.files_skipped + progress.files_failed == progress.files_found:
            told.set()

    call(file, ledger=tmp_path / "ledger")
    results = call(sources(), ledger=tmp_path / "ledger", exclude="*.tmp", on_progress=tell_ended)
    assert tell(results) == {"done": 1, "failed": 1, "excluded": 1}


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    yield
    until(lambda: not find_upload_threads())


def test_the_first_error_ends_a_call_whose_source_blocks(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with Slow(tmp_path / "empty.png") as slow:
        (result,) = call(iter(slow), ledger=False, fail_fast=True)
        assert isinstance(result.error, SourceError)
        assert not slow.ended.is_set()
    assert slow.closed


def test_so_does_closing_the_results(service: Service, file: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"ledger": tmp_path / "ledger"}
    told: list[BulkProgress] = []
    with Scenario(api_key="key", api_secret="secret", base_url=service.url) as client, Slow(file) as slow:
        with closing(client.uploads.upload_many(iter(slow), on_progress=told.append, **options)) as results:
            assert next(results).error is None
            assert slow.blocked.wait(60)
        assert not slow.ended.is_set()
        # The ledger is free.
        assert tell(list(client.uploads.upload_many(file, **options))) == {"done": 1}
        count = len(told)
    # What comes later is left alone.
    assert slow.closed
    assert len(told) == count
    assert len(service.of("create")) == 1


def test_so_it_does_in_an_event_loop(service: Service, file: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"ledger": tmp_path / "ledger"}

    async def run(slow: Slow) -> None:
        async with AsyncScenario(api_key="key", api_secret="secret", base_url=service.url) as client:
            results: Any = client.uploads.upload_many(iter(slow), **options)
            async with aclosing(results):
                assert (await anext(results)).error is None
                assert await asyncio.to_thread(slow.blocked.wait, 60)
            assert [result.skipped async for result in client.uploads.upload_many(file, **options)] == ["done"]

    with Slow(file) as slow:
        asyncio.run(run(slow))
        assert not slow.ended.is_set()
    assert len(service.of("create")) == 1


def test_so_does_cancelling_a_task(service: Service, file: Path) -> None:
    async def run(slow: Slow) -> None:
        async with AsyncScenario(api_key="key", api_secret="secret", base_url=service.url) as client:

            async def collect() -> None:
                async for _ in client.uploads.upload_many(iter(slow), ledger=False):
                    pass

            task = asyncio.create_task(collect())
            assert await asyncio.to_thread(slow.blocked.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with Slow(file) as slow:
        asyncio.run(run(slow))
        assert not slow.ended.is_set()


def test_so_does_closing_the_client(service: Service, file: Path) -> None:
    client = Scenario(api_key="key", api_secret="secret", base_url=service.url)
    with Slow(file) as slow:
        closer = threading.Thread(target=lambda: (slow.blocked.wait(60), client.close()))
        closer.start()
        with pytest.raises(ScenarioError, match="closed"):
            list(client.uploads.upload_many(iter(slow), ledger=False))
        assert not slow.ended.is_set()
        closer.join()


@pytest.mark.skipif(os.name == "nt", reason="no signal can be sent to the own process there")
def test_so_does_ctrl_c(call: Caller, file: Path) -> None:
    with Slow(file) as slow:

        def interrupt() -> None:
            assert slow.blocked.wait(60)
            os.kill(os.getpid(), signal.SIGINT)

        interrupter = threading.Thread(target=interrupt)
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            call(iter(slow), ledger=False)
        assert not slow.ended.is_set()
        interrupter.join()


def test_an_error_of_a_source_comes_out(call: Caller, file: Path) -> None:
    class OddError(Exception):
        """Nobody else's."""

    def sources() -> Iterator[Path]:
        yield file
        raise OddError

    with pytest.raises(OddError):
        call(sources(), ledger=False)


def test_a_source_has_the_callers_context_and_a_thread(call: Caller, file: Path) -> None:
    own: ContextVar[str] = ContextVar("own")
    token, threads = own.set("the caller's"), set[int]()

    def sources() -> Iterator[Path]:
        assert own.get() == "the caller's"
        own.set("the source's")
        for _ in range(20):
            threads.add(threading.get_ident())
            yield file
            assert own.get() == "the source's"

    assert tell(call(sources(), ledger=False)) == {"sent": 20}
    assert own.get() == "the caller's"
    own.reset(token)
    assert len(threads) == 1


def test_no_more_is_asked_of_a_source_than_can_be_sent(service: Service, file: Path) -> None:
    asked = 0

    def sources() -> Iterator[Path]:
        nonlocal asked
        while True:
            asked += 1
            yield file

    generator = sources()
    with (
        Scenario(api_key="key", api_secret="secret", base_url=service.url) as client,
        closing(client.uploads.upload_many(generator, ledger=False, wait=False, files_at_once=2)) as results,
    ):
        for _ in range(10):
            next(results)
        # Four are being sent or are queued.
        assert asked <= 10 + 4
    # It is closed, although someone holds it.
    until(lambda: not find_upload_threads())
    assert next(generator, None) is None
