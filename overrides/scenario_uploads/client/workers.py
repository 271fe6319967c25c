"""Running the steps of many files at once, in threads, for both clients.

Of two kinds of steps, those that send are limited to so many at once. Those that only wait pause nearly all the time,
and no thread pauses with them. In an event loop, the same threads send many small files four times as fast as tasks.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import closing, suppress
from functools import partial
from itertools import count
from typing import Any

import httpx

from scenario_uploads.api.exchange import Api
from scenario_uploads.bulk.executor import Errand, Sent
from scenario_uploads.bulk.limiter import Limiter, limit
from scenario_uploads.bulk.options import MAX_FILES_AT_ONCE, UploadResult
from scenario_uploads.bulk.run import BulkRun
from scenario_uploads.errors import TransferError
from scenario_uploads.settings.client import resolve_options
from scenario_uploads.steps import SLICE, Pause, Send, Steps, carry_on
from scenario_uploads.transfer.engine import join_threads
from scenario_uploads.transfer.pace import Pace
from scenario_uploads.upload.steps import send_file

from .async_runner import AsyncRunner, check_loop, outwait, relay, run_in_thread
from .runner import Connections, Runner

# How many may wait for their import while others are sent.
MOST_WAITING = 128

# How many results an event loop may be behind.
AHEAD = 64


async def upload_all_async(runner: AsyncRunner, run: BulkRun) -> AsyncGenerator[UploadResult]:
    """The same in an event loop: a thread goes through the results and hands them over."""
    loop, ready, room = check_loop(), asyncio.Event(), threading.Semaphore(AHEAD)
    await _outwait_broken_off(loop)
    threads, handed = _LoopRunner(runner, loop), deque[UploadResult]()
    run.on_progress, failures = relay(run.on_progress, threads.close)

    def hand_over() -> None:
        with closing(upload_all(threads, run)) as results:
            for result in results:
                handed.append(result)
                if len(handed) == 1:
                    loop.call_soon_threadsafe(ready.set)
                room.acquire()

    work = loop.create_task(run_in_thread(hand_over, threads.close))
    work.add_done_callback(lambda _: ready.set())
    try:
        while handed or not work.done():
            if handed:
                yield handed.popleft()
                room.release()
            else:
                ready.clear()
                await ready.wait()
        # What was reported last is still to be told.
        await asyncio.sleep(0)
        if failures:
            raise failures[0]
        work.result()
    finally:
        _ending.add(work)
        work.cancel()
        threads.close()
        room.release(AHEAD)
        await outwait(work)
        _ending.discard(work)
        # What it says of being ended is no news.
        _ = work.cancelled() or work.exception()


_ending: set[asyncio.Task[None]] = set()


async def _outwait_broken_off(loop: asyncio.AbstractEventLoop) -> None:
    """Wait for runs that a `break` has left: the loop tells them to end a moment later, and they have their ledger."""
    for _ in range(2):
        await asyncio.sleep(0)
    for work in [work for work in _ending if work.get_loop() is loop]:
        await outwait(work)


def upload_all(runner: Runner, run: BulkRun) -> Generator[UploadResult]:
    """Yield what becomes of each file, as they finish; then close the runner."""
    workers, name = _Workers(runner, run.files_at_once), uuid.uuid4().hex
    try:
        run.open(partial(send_elsewhere, name), lambda: runner.closed)
        while run.more or workers.busy:
            searching = run.more and workers.has_room
            found = run.take() if searching else None
            for item in (found, workers.get(block=not searching)):
                if isinstance(item, UploadResult):
                    yield run.count(item)
                    if run.failed:
                        return
                elif item is not None:
                    workers.start(item, waiting=item is not found)
    finally:
        workers.end()
        run.close()
        # An executor may be one of threads.
        if name in _connected:
            _connected.pop(name)[0].close()


# What a process of an executor's has connected, by run: some files of each run come here one after the other.
_connected: dict[str, tuple[Runner, Api, Limiter]] = {}
_connected_lock = threading.Lock()
_MOST_CONNECTED = 4


def send_elsewhere(run: str, errand: Errand) -> Sent:
    """Send the parts of a file, in a process of an executor's; return the id of its upload and their MD5s."""
    with _connected_lock:
        if run not in _connected:
            if len(_connected) >= _MOST_CONNECTED:
                _connected.pop(next(iter(_connected)))
            settings = resolve_options(os.environ, **errand.arguments)
            runner = Runner(Connections(None, trust_env=settings.trust_env, tls=settings.verify))
            _connected[run] = runner, Api(settings), Limiter(Pace(MAX_FILES_AT_ONCE, MAX_FILES_AT_ONCE))
        runner, api, limiter = _connected[run]
    return runner.run(limit(send_file(api, errand.file, errand.options), limiter, api))


class _LoopRunner(Runner):
    """Runs steps in threads for an async client. A client of the caller's own goes on sending in its event loop."""

    def __init__(self, runner: AsyncRunner, loop: asyncio.AbstractEventLoop) -> None:
        self._async, self._loop = runner, loop
        super().__init__(runner.connections.to_threads())

    @property
    def closed(self) -> bool:
        return self._async.closed or super().closed

    def close(self) -> None:
        """Close the connections; in the event loop."""
        self._async.end()
        super().close()

    def _send(self, step: Send) -> httpx.Response:
        if self._async.connections.own:
            return super()._send(step)
        return asyncio.run_coroutine_threadsafe(self._async.send(step), self._loop).result()


class _Workers:
    """Threads that carry steps out; what these come to is got from one thread."""

    def __init__(self, runner: Runner, at_once: int) -> None:
        self._runner, self._at_once = runner, at_once
        self._sending = self._waiting = 0
        self._todo: deque[Steps[Any]] = deque()
        self._paused: list[tuple[float, int, Steps[Any]]] = []
        self._number = count()
        self._results: queue.SimpleQueue[tuple[bool, Any, BaseException | None]] = queue.SimpleQueue()
        self._turn = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._ended = False

    @property
    def busy(self) -> bool:
        """Whether there is something to get."""
        return self._sending + self._waiting > 0

    @property
    def has_room(self) -> bool:
        """Whether more may be started; some are kept ready, for times in which nobody looks."""
        return self._sending < 2 * self._at_once and self._waiting < MOST_WAITING

    def start(self, steps: Steps[Any], *, waiting: bool) -> None:
        """Carry out steps that only wait, or those that send when it is their turn."""
        if waiting:
            self._waiting += 1
            self._pause(0, steps)
            return
        self._sending += 1
        with self._turn:
            self._todo.append(steps)
            self._turn.notify()
        if len(self._threads) < min(self._at_once, self._sending):
            thread = threading.Thread(target=self._work, name="scenario-uploads-file", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                # The system is out of threads; those that there are go on.
                if not self._threads:
                    raise TransferError(f"The files cannot be sent: {error}.") from error
            else:
                self._threads.append(thread)

    def get(self, *, block: bool) -> Any:
        """Return what steps came to, or raise it; with `block` once some have, else None when none has."""
        while True:
            self._runner.open()
            with suppress(queue.Empty):
                waiting, value, error = self._results.get(block, SLICE)
                # What ended because of that is no result.
                self._runner.open()
                self._sending, self._waiting = self._sending - (not waiting), self._waiting - waiting
                if error is not None:
                    raise error
                return value
            if not block:
                return None

    def end(self) -> None:
        """Stop what is under way, and wait for it, for a second at most."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()
        self._runner.close()
        join_threads(self._threads)
        for steps in (*self._todo, *(steps for _, _, steps in self._paused)):
            steps.close()

    def _work(self) -> None:
        while (work := self._take()) is not None:
            waiting, steps = work
            value, error = None, None
            try:
                value = self._runner.run(carry_on(steps, until=Pause) if waiting else steps)
            except BaseException as raised:  # noqa: BLE001 - raised again where results are got
                error = raised
            if isinstance(value, Pause):
                self._pause(value.seconds, steps)
            else:
                self._results.put((waiting, value, error))

    def _pause(self, seconds: float, steps: Steps[Any]) -> None:
        with self._turn:
            heapq.heappush(self._paused, (time.monotonic() + seconds, next(self._number), steps))
            self._turn.notify()

    def _take(self) -> tuple[bool, Steps[Any]] | None:
        """Return the next steps and whether they only wait; None at the end."""
        with self._turn:
            while not self._ended:
                due = self._paused[0][0] - time.monotonic() if self._paused else None
                if due is not None and due <= 0:
                    return True, heapq.heappop(self._paused)[2]
                if self._todo:
                    return False, self._todo.popleft()
                self._turn.wait(due)
            return None
