"""`upload_many` in an event loop, on the threads of the sync client, which send small files faster than tasks."""

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

from .async_runner import AsyncRunner, check_loop, relay, run_in_thread, wait_until_done
from .runner import Runner, connect

# How many results the threads may be ahead of the event loop.
AHEAD = 64


def upload_all_async(
    runner: AsyncRunner, api: Api, sources: Sources, options: BulkOptions
) -> AsyncGenerator[UploadResult]:
    """Upload many files in threads, passing the results to the event loop; then close the runner."""
    return _upload_all(runner, BulkRun(api, sources, options))


async def _upload_all(runner: AsyncRunner, run: BulkRun) -> AsyncGenerator[UploadResult]:
    loop, ready, room = check_loop(), asyncio.Event(), threading.Semaphore(AHEAD)
    await _wait_for_abandoned(loop)
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
        # Let the last progress callback run.
        await asyncio.sleep(0)
        if failures:
            raise failures[0]
        work.result()
    finally:
        _ending.add(work)
        work.cancel()
        threads.close()
        room.release(AHEAD)
        await wait_until_done(work)
        _ending.discard(work)
        # Mark the exception as retrieved.
        _ = work.cancelled() or work.exception()


_ending: set[asyncio.Task[None]] = set()


async def _wait_for_abandoned(loop: asyncio.AbstractEventLoop) -> None:
    """Wait for runs left by a `break`, which the event loop closes later: they still lock the ledger."""
    for _ in range(2):
        await asyncio.sleep(0)
    for work in [work for work in _ending if work.get_loop() is loop]:
        await wait_until_done(work)


class _LoopRunner(Runner):
    """Runs steps in threads for an async client. A caller's `http_client` still sends in its event loop."""

    def __init__(self, runner: AsyncRunner, loop: asyncio.AbstractEventLoop) -> None:
        self._async, self._loop = runner, loop
        super().__init__(runner.connections.to_threads())

    @property
    def closed(self) -> bool:
        return self._async.closed or super().closed

    def close(self) -> None:
        """Close the connections. Call it in the event loop."""
        self._async.end()
        super().close()

    def _send(self, step: Send) -> httpx.Response:
        if self._async.connections.own:
            return super()._send(step)
        return asyncio.run_coroutine_threadsafe(self._async.send(step), self._loop).result()
