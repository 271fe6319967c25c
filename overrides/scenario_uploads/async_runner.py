"""Carrying out, in an event loop, what `flow` yields; and the connections for it.

The parts are sent by the same engine as everywhere, in threads: measured, they move about twice the bytes of asyncio,
and asyncio loses the early 403 that S3 sends while a body is still going out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import httpx
from attrs import evolve

from .errors import ScenarioError, TransferError
from .http import Pause, Send, explain_environment, send_async
from .options import UploadProgress
from .storage import Storage
from .transfer import Transfer, TransferJob, transfer_parts

T = TypeVar("T")


class AsyncRunner:
    """Runs the steps of calls in the event loop."""

    def __init__(self, http_client: httpx.AsyncClient | None) -> None:
        self._given = http_client
        self._own: httpx.AsyncClient | None = None
        self._storage: Storage | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._closed = False

    async def close(self) -> None:
        """Close the connections that were opened here; closing again changes nothing."""
        with self._lock:
            self._closed = True
            own, self._own = self._own, None
        if self._storage is not None:
            self._storage.close()
        if own is not None:
            # When their event loop has ended before them, the sockets go with its remains.
            with suppress(RuntimeError):
                await own.aclose()

    def _connection(self) -> httpx.AsyncClient:
        """Return what carries the calls to the API: it has the credentials' origin, storage has another."""
        with self._lock:
            self._check_open()
            if self._given is not None:
                return self._given
            loop = asyncio.get_running_loop()
            if self._own is None:
                with explain_environment():
                    self._own, self._loop = httpx.AsyncClient(), loop
            if self._loop is not loop:
                raise ScenarioError("This client's connections belong to another event loop; make a client for each.")
            return self._own

    def _storage_connection(self) -> Storage:
        with self._lock:
            self._check_open()
            if self._storage is None:
                self._storage = Storage()
            return self._storage

    def _check_open(self) -> None:
        if self._closed or (self._given is not None and self._given.is_closed):
            raise ScenarioError("This client is closed; make a new one.")

    async def run(self, steps: Generator[Send | Pause | Transfer, Any, T]) -> T:
        """Carry out the steps of a call in the running event loop."""
        try:
            step = next(steps)
            while True:
                try:
                    result = await self._perform(step)
                except BaseException as error:  # noqa: BLE001 - the steps decide what becomes of it
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def _perform(self, step: Send | Pause | Transfer) -> object:
        match step:
            case Send():
                return await send_async(self._connection(), step)
            case Pause():
                await asyncio.sleep(step.seconds)
            case Transfer():
                return await self._transfer(step.job)
        return None

    async def _transfer(self, job: TransferJob) -> int:
        """Let the engine's threads send the parts, and stop them when this task is cancelled; return the most tries."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        failure: list[BaseException] = []

        def tell(event: UploadProgress) -> None:
            try:
                if job.on_progress and not failure:
                    job.on_progress(event)
            except BaseException as error:  # noqa: BLE001 - it is raised again below
                failure.append(error)
                stop.set()

        # The callback belongs to the event loop, where it may touch what the caller's other code does. Without one the
        # loop is left alone: waking it for each step takes Python's lock from the threads that send.
        relay = (lambda event: loop.call_soon_threadsafe(tell, event)) if job.on_progress else None
        relayed = evolve(job, on_progress=relay)
        # A thread of its own: the loop's executor may be full of others' work, and a transfer can take hours.
        executor = ThreadPoolExecutor(1, "scenario-uploads-transfer")
        future = loop.run_in_executor(executor, partial(transfer_parts, self._storage_connection(), relayed, stop=stop))
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            # Who cancels again does not get ahead of the threads: what they read is closed afterwards.
            while not future.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({future})
            # What it says of being stopped is no news.
            future.exception()
            raise
        except TransferError:
            if not failure:
                raise
        finally:
            # The work is done, so its thread ends at once.
            executor.shutdown(wait=future.done())
        if failure:
            raise failure[0]
        return future.result()
