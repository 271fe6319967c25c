"""Carrying out, in an event loop, what `flow` yields; and the connections for it.

The parts are sent by the same engine as everywhere, in threads: measured, they move about twice the bytes of asyncio,
and asyncio loses the early 403 that S3 sends while a body is still going out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import httpx
from attrs import evolve

from scenario_uploads.api.exchange import Pause, Send, explain_environment, send_async
from scenario_uploads.api.network import AsyncApiClient
from scenario_uploads.errors import ScenarioError, TransferError
from scenario_uploads.fork import CLOSED, Leases, ProcessLock, close_when_collected
from scenario_uploads.logs import guard_logs
from scenario_uploads.transfer.engine import Transfer, TransferJob, transfer_parts
from scenario_uploads.transfer.pool import Storage
from scenario_uploads.transfer.progress import UploadProgress

T = TypeVar("T")


class AsyncConnections:
    """The connections of one client and its copies.

    Args:
        http_client: The caller's own client for the calls to the API; only a `DefaultAsyncHttpxClient` is closed here.
        trust_env: Whether the environment's proxies and CA files are used.
    """

    def __init__(self, http_client: httpx.AsyncClient | None, *, trust_env: bool = True) -> None:
        self._given = http_client
        self._trust_env = trust_env
        self._own: AsyncApiClient | None = None
        self._storage: Storage | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = ProcessLock()
        self._closed = False
        guard_logs()

    @property
    def closed(self) -> bool:
        """Whether no more calls can go over them."""
        return self._closed or (self._given is not None and self._given.is_closed)

    async def close(self) -> None:
        """Close what was opened here; closing again changes nothing."""
        with self._lock:
            self._closed = True
            own, self._own = self._own, None
        if self._storage is not None:
            self._storage.close()
        if own is not None:
            # When their event loop has ended before them, the sockets go with its remains.
            with suppress(RuntimeError):
                await own.aclose()
        if self._given is not None and getattr(self._given, "closes_with_client", False):
            await self._given.aclose()

    def to_api(self) -> httpx.AsyncClient:
        """Return what carries the calls to the API: it has the credentials' origin, storage has another."""
        with self._lock:
            self._check_open()
            if self._given is not None:
                return self._given
            loop = asyncio.get_running_loop()
            if self._own is None:
                with explain_environment():
                    self._own, self._loop = AsyncApiClient(trust_env=self._trust_env), loop
                close_when_collected(self, partial(_close_later, self._own, loop))
            if self._loop is not loop:
                raise ScenarioError("This client's connections belong to another event loop; make a client for each.")
            return self._own

    def to_storage(self) -> Storage:
        """Return the connections to storage."""
        with self._lock:
            self._check_open()
            if self._storage is None:
                tls = self._own.tls if self._own is not None else None
                self._storage = Storage(trust_env=self._trust_env, tls=tls)
                close_when_collected(self, self._storage.close)
            return self._storage

    def _check_open(self) -> None:
        if self.closed:
            raise ScenarioError(CLOSED)


# An event loop itself holds its tasks weakly.
_CLOSING: set[asyncio.Task[None]] = set()


def _close_later(client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
    """Close a client that nobody has any more, in its event loop, if that goes on."""

    def begin() -> None:
        task = loop.create_task(client.aclose())
        _CLOSING.add(task)
        task.add_done_callback(_CLOSING.discard)

    if not client.is_closed and loop.is_running():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(begin)


class AsyncRunner:
    """Runs the steps of calls in the event loop.

    Args:
        connections: What they go over. Others may use it as well.
        leases: Who uses it; None when nobody does yet.
    """

    def __init__(self, connections: AsyncConnections, leases: Leases[AsyncRunner] | None = None) -> None:
        self._connections = connections
        self._leases = leases or Leases(self)
        self._leases.join(self)
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether no more calls can be made."""
        return self._closed or self._connections.closed

    def share(self) -> AsyncRunner:
        """Return a runner for a copy of the client, over the same connections."""
        return AsyncRunner(self._connections, self._leases)

    async def close(self) -> None:
        """Make no more calls, and close the connections when nobody else needs them; closing again changes nothing."""
        self._closed = True
        if self._leases.leave(self):
            await self._connections.close()

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
                return await send_async(self._open().to_api(), step)
            case Pause():
                await asyncio.sleep(step.seconds)
            case Transfer():
                return await self._transfer(step.job)
        return None

    async def _transfer(self, job: TransferJob) -> int:
        """Let the engine's threads send the parts, and stop them when this task is cancelled; return the most tries."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        failure: list[BaseException] = []

        def report(event: UploadProgress) -> None:
            try:
                if job.on_progress and not failure:
                    job.on_progress(event)
            except BaseException as error:  # noqa: BLE001 - it is raised again below
                failure.append(error)
                stop.set()

        # The callback belongs to the event loop, where it may touch what the caller's other code does. Without one the
        # loop is left alone: waking it for each step takes Python's lock from the threads that send.
        relay = (lambda event: loop.call_soon_threadsafe(report, event)) if job.on_progress else None
        relayed = evolve(job, on_progress=relay)
        thread, future = _start(partial(transfer_parts, self._open().to_storage(), relayed, stop=stop))
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
            if future.done():
                # The work is done, so its thread ends at once.
                thread.join()
        if failure:
            raise failure[0]
        return future.result()

    def _open(self) -> AsyncConnections:
        if self._closed:
            raise ScenarioError(CLOSED)
        return self._connections


def _start(work: Callable[[], T]) -> tuple[threading.Thread, asyncio.Future[T]]:
    """Begin work in a thread of its own, and return it with a future of the running loop.

    No executor: the loop's may be full of others' work for hours, and Python's end would wait for the work of any.

    Raises:
        TransferError: When no thread can be begun.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
            outcome.set_exception(error)

    thread = threading.Thread(target=run, name="scenario-uploads-transfer", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise TransferError(f"The parts cannot be sent: {error}.") from error
    return thread, asyncio.wrap_future(outcome)
