"""`upload_many` in an event loop: by the threads of the sync client, which send small files faster than tasks."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import closing

import httpx

from scenario_uploads.api.exchange import Api
from scenario_uploads.bulk.options import BulkOptions, Sources, UploadResult
from scenario_uploads.bulk.run import BulkRun
from scenario_uploads.steps import Send

from .async_runner import AsyncRunner, check_loop, outwait, relay, run_in_thread
from .runner import Runner, connect

# How many results an event loop may be behind.
AHEAD = 64


def upload_all_async(
    runner: AsyncRunner, api: Api, sources: Sources, options: BulkOptions
) -> AsyncGenerator[UploadResult]:
    """Upload many files in threads, of which one hands the results over to the event loop; then close the runner."""
    return _upload_all(runner, BulkRun(api, sources, options))


async def _upload_all(runner: AsyncRunner, run: BulkRun) -> AsyncGenerator[UploadResult]:
    loop, ready, room = check_loop(), asyncio.Event(), threading.Semaphore(AHEAD)
    await _outwait_broken_off(loop)
    threads, handed = _LoopRunner(runner, loop), deque[UploadResult]()
    run.on_progress, failures = relay(run.on_progress, threads.close)

    def hand_over() -> None:
        with closing(run.results(threads, connect)) as results:
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
