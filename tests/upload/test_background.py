"""Uploads in the background: handles to wait for, cancel and pause them by, and deadlines."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads import (
    AsyncScenario,
    InvalidArgumentError,
    Scenario,
    ScenarioError,
    SourceError,
    Upload,
    UploadHandle,
    UploadPhase,
    UploadProgress,
    UploadTimeoutError,
)
from scenario_uploads.retry import RetryPolicy
from scenario_uploads.transfer import part
from scenario_uploads.upload.control import MOST_AT_ONCE

from tests.support.clients import Clock, Connect, find_upload_threads, raises
from tests.support.content import make_content
from tests.support.server import Answering, hang, reply, stall, until
from tests.support.service import UPLOAD_ID, Service, answer_upload

PART = 5 * 1024 * 1024
CONTENT = make_content(2 * PART + 9)
EXPIRED = reply(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")


@pytest.fixture
def client(service: Service) -> Iterator[Scenario]:
    with Scenario(base_url=service.url, bearer_auth="token") as one:
        yield one
    # One that was left in a file object ends by itself.
    until(lambda: not find_upload_threads())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.glb"
    path.write_bytes(CONTENT)
    return path


def start(client: Scenario, file: Any = CONTENT, **options: Any) -> UploadHandle:
    return client.uploads.start_upload(file, **{"file_name": "a.glb", "part_size": PART, "concurrency": 1} | options)


def is_still() -> bool:
    """Return whether nothing is sent: only the thread of the handle is there."""
    return {thread.name for thread in find_upload_threads()} == {"scenario-uploads-handle"}


class TestHandles:
    def test_are_futures_of_the_upload(self, client: Scenario) -> None:
        told: list[UploadProgress] = []
        handle = start(client, on_progress=told.append)
        assert isinstance(handle, concurrent.futures.Future)
        upload = handle.result()
        assert isinstance(upload, Upload)
        assert handle.progress == told[-1]
        assert told[-1].phase is UploadPhase.DONE
        assert (handle.done(), handle.running(), handle.cancel(), handle.cancelled()) == (True, False, False, False)

    def test_raise_what_upload_file_raises(self, client: Scenario, tmp_path: Path) -> None:
        with raises(SourceError, "there is no such file"):
            start(client, tmp_path / "missing.glb").result()

    def test_are_not_made_of_arguments_that_cannot_be_used(self, client: Scenario, service: Service) -> None:
        with raises(InvalidArgumentError, "deadline must be a number of seconds above 0", "not 0"):
            start(client, deadline=0)
        for name, value in (
            ("concurrency", 0),
            ("kind", "nope"),
            ("part_size", 1),
            ("file_name", ""),
            ("content_type", 1),
        ):
            with raises(InvalidArgumentError, name):
                start(client, **{name: value})
        client.close()
        with raises(ScenarioError, "closed"):
            start(client)
        assert service.requests == []

    def test_wait_for_their_turn(self, client: Scenario, service: Service) -> None:
        service.script("create", *[hang] * (MOST_AT_ONCE + 1))
        handles = [start(client) for _ in range(MOST_AT_ONCE + 2)]
        until(lambda: len(service.of("create")) == MOST_AT_ONCE)
        handles[-1].cancel()
        concurrent.futures.wait(handles[-1:])
        first = concurrent.futures.wait([handle for handle in handles if handle.cancel()], return_when="ALL_COMPLETED")
        assert first.done == set(handles)
        assert len(service.of("create")) <= MOST_AT_ONCE + 1


class TestCancelling:
    @pytest.mark.parametrize("step", ["create", "part 1", "complete", "retrieve"])
    def test_28_ends_the_upload_wherever_it_is(self, client: Scenario, service: Service, step: str) -> None:
        service.script(step, stall if step == "part 1" else hang)
        handle = start(client)
        until(lambda: service.of(step))
        assert handle.cancel()
        assert concurrent.futures.wait([handle]).done == {handle}
        assert handle.cancelled()
        with pytest.raises(concurrent.futures.CancelledError):
            handle.result()
        until(lambda: not find_upload_threads())
        # The others go on, over the connections of the client.
        assert client.uploads.retrieve(UPLOAD_ID)

    @pytest.mark.parametrize("end", ["handle", "client"])
    def test_28_44_does_not_wait_for_the_http_client_of_the_caller(self, service: Service, end: str) -> None:
        asked, free = threading.Event(), threading.Event()

        def answer(request: httpx.Request) -> httpx.Response:
            asked.set()
            free.wait()
            raise httpx.ConnectError("", request=request)

        with httpx.Client(transport=httpx.MockTransport(answer)) as api:
            client = Scenario(base_url=service.url, bearer_auth="token", http_client=api)
            handle = start(client)
            asked.wait()
            (handle.cancel if end == "handle" else client.close)()
            assert concurrent.futures.wait([handle]).done
            assert handle.cancelled()
            free.set()
            until(lambda: not find_upload_threads())

    def test_28_leaves_what_is_sent_to_the_same_call(self, client: Scenario, service: Service, path: Path) -> None:
        service.script("part 2", stall)
        handle = start(client, path)
        until(lambda: service.of("part 2"))
        assert handle.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            handle.result()
        service.script("retrieve", answer_upload(status="pending", entityId=None))
        assert client.uploads.upload_file(path, file_name="a.glb", part_size=PART)
        assert service.steps.count("create") == 1
        assert service.steps.count("part 1") == 1

    def test_28_wins_over_an_upload_that_is_done_meanwhile(self, client: Scenario) -> None:
        def cancel(event: UploadProgress) -> None:
            if event.phase is UploadPhase.DONE:
                assert handle.cancel()

        ready = threading.Event()
        handle = start(client, on_progress=lambda event: ready.wait() and cancel(event))
        ready.set()
        with pytest.raises(concurrent.futures.CancelledError):
            handle.result()


class TestTheEnd:
    def test_44_of_a_client_cancels_its_uploads(self, client: Scenario, service: Service) -> None:
        service.script("create", hang, hang)
        copied = client.with_options(max_retries=0)
        first = start(copied)
        until(lambda: len(service.of("create")) == 1)
        second = start(client)
        until(lambda: len(service.of("create")) == 2)
        copied.close()
        assert first.cancelled()
        assert not second.done()
        client.close()
        assert second.cancelled()
        assert not find_upload_threads()

    def test_35_of_the_interpreter_cancels_all(self, service: Service) -> None:
        service.script("part 1", stall)
        program = (
            "import sys, time; from scenario_uploads import Scenario\n"
            "handle = Scenario(base_url=sys.argv[1], bearer_auth='token').uploads.start_upload(\n"
            "    bytes(1 << 24), file_name='a.glb', concurrency=1)\n"
            "handle.add_done_callback(lambda handle: print(handle.cancelled()))\n"
            "while not handle.progress: time.sleep(0.01)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, service.url], env=os.environ, capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)


class TestAPause:
    def test_moves_no_byte_and_is_no_failed_attempt(
        self, client: Scenario, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(part, "PART_POLICY", RetryPolicy(max_retries=0))
        service.script("part 2", stall)
        told: list[UploadProgress] = []
        handle = start(client, on_progress=told.append)
        until(lambda: service.of("part 2"))
        handle.pause()
        until(is_still)
        asked, events = len(service.requests), len(told)
        assert handle.running()
        assert (len(service.requests), len(told)) == (asked, events)
        handle.unpause()
        assert handle.result().id == UPLOAD_ID
        assert [service.steps.count(f"part {number}") for number in (1, 2, 3)] == [1, 2, 1]
        assert [service.parts[number].received for number in (1, 2, 3)] == [PART, PART, 9]
        assert told[-1].attempt == 1

    def test_does_not_use_up_patience_timeout_or_deadline(self, service: Service, clock: Clock) -> None:
        connect = Connect("sync")
        connect.clock = clock
        client = connect(service.url)
        handle: UploadHandle
        paused: list[float] = []

        def pause(event: UploadProgress) -> None:
            if event.phase in (UploadPhase.TRANSFERRING, UploadPhase.WAITING) and event.phase not in held:
                held.add(event.phase)
                ready.wait()
                paused.append(clock.seconds)
                handle.pause()

        held: set[UploadPhase] = set()
        ready = threading.Event()
        handle = start(client, on_progress=pause, patience=5, timeout=5, deadline=5)
        ready.set()
        for number in (1, 2):
            until(lambda number=number: len(paused) == number and clock.seconds > paused[-1] + 1000)
            assert "retrieve" not in service.steps
            handle.unpause()
        assert handle.result().id == UPLOAD_ID
        connect.end()

    def test_12_in_which_urls_expire_leads_to_a_fresh_upload(self, client: Scenario, service: Service) -> None:
        service.script("part 2", stall, EXPIRED)
        handle = start(client)
        until(lambda: service.of("part 2"))
        handle.pause()
        until(is_still)
        handle.unpause()
        handle.result()
        assert service.steps.count("create") == 2

    def test_lets_another_have_its_turn(self, client: Scenario, service: Service) -> None:
        service.script("part 1", *[stall] * MOST_AT_ONCE)
        handles = [start(client) for _ in range(MOST_AT_ONCE)]
        until(lambda: len(service.of("part 1")) == MOST_AT_ONCE)
        handles[0].pause()
        assert start(client).result().id == UPLOAD_ID
        assert handles[0].cancel()


class TestADeadline:
    @pytest.mark.parametrize(("step", "answer"), [("part 2", stall), ("retrieve", hang), ("create", reply(503))])
    def test_bounds_the_whole_upload_and_the_same_call_goes_on(
        self, connect: Connect, service: Service, path: Path, step: str, answer: Answering
    ) -> None:
        service.script(step, *[answer] * 5)
        uploads = connect(service.url, max_retries=99).uploads
        options: dict[str, Any] = {"part_size": PART, "concurrency": 1}
        with raises(UploadTimeoutError, "not finish within its deadline of 0.5 s; the same call resumes it") as caught:
            uploads.upload_file(path, **options, deadline=0.5)
        assert caught.error.upload_id == (None if step == "create" else UPLOAD_ID)
        service._scripts.clear()
        if step == "part 2":
            service.script("retrieve", answer_upload(status="pending", entityId=None))
        assert uploads.upload_file(path, **options).id == UPLOAD_ID
        assert service.steps.count("part 1") == 1

    def test_says_when_there_is_nothing_to_resume(self, connect: Connect, service: Service) -> None:
        service.script("create", hang)
        with raises(UploadTimeoutError, "begins it anew"):
            connect(service.url).uploads.upload_file(CONTENT, file_name="a.glb", deadline=0.1)


class TestAsync:
    def run(self, service: Service, work: Callable[[AsyncScenario], Any]) -> None:
        async def main() -> None:
            async with AsyncScenario(base_url=service.url, bearer_auth="token") as client:
                await work(client)
            assert not find_upload_threads()

        asyncio.run(main())

    def test_a_handle_is_a_task_that_can_be_paused(self, service: Service) -> None:
        service.script("part 1", stall)

        async def work(client: AsyncScenario) -> None:
            handle = client.uploads.start_upload(CONTENT, file_name="a.glb", part_size=PART, concurrency=1)
            assert isinstance(handle, asyncio.Task)
            await asyncio.to_thread(until, lambda: service.of("part 1"))
            handle.pause()
            await asyncio.to_thread(until, lambda: {one.name for one in find_upload_threads()} == set())
            assert not handle.done()
            handle.unpause()
            assert (await handle).id == UPLOAD_ID
            assert handle.progress is not None
            assert handle.progress.phase is UploadPhase.DONE

        self.run(service, work)

    def test_28_44_is_cancelled_by_itself_and_with_its_client(self, service: Service) -> None:
        service.script("part 1", stall, stall)
        handles: list[Any] = []

        async def work(client: AsyncScenario) -> None:
            for number in (1, 2):
                handles.append(client.uploads.start_upload(CONTENT, file_name="a.glb", part_size=PART, concurrency=1))
                await asyncio.to_thread(until, lambda number=number: len(service.of("part 1")) == number)
            assert handles[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await handles[0]
            assert not handles[1].done()

        self.run(service, work)
        assert handles[1].cancelled()

    def test_needs_an_event_loop(self, service: Service) -> None:
        client = AsyncScenario(base_url=service.url, bearer_auth="token")
        with raises(ScenarioError, "for asyncio"):
            client.uploads.start_upload(CONTENT, file_name="a.glb")
