"""Running the steps of a call in the event loop, and the connections for it.

Parts are sent by the same threads as in the sync client: they move about twice the bytes of asyncio, which also loses
an early 403 from S3 while a body is going out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib import import_module
from typing import Any, ParamSpec, TypeVar, cast

import httpx
from anyio import CancelScope
from attrs import evolve

from scenario_uploads.api.async_http import AsyncApiClient, send_async
from scenario_uploads.api.network import drop_lost_connections
from scenario_uploads.errors import ScenarioError, TransferError
from scenario_uploads.models import Upload
from scenario_uploads.proxies import Network
from scenario_uploads.steps import CLOSED, Pause, Send, Step, Steps, Work
from scenario_uploads.system import close_when_collected, start_thread, user_agent
from scenario_uploads.transfer.engine import Transfer, TransferJob, transfer_parts
from scenario_uploads.upload.control import BaseHandle, Control

from .runner import BaseConnections, BaseRunner, Connections, explain

P = ParamSpec("P")
T = TypeVar("T")


class AsyncConnections(BaseConnections[httpx.AsyncClient]):
    """Connections of one event loop. After a fork they belong to the parent's loop, so using them raises."""

    _own: AsyncApiClient | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, http_client: httpx.AsyncClient | None, **options: Any) -> None:
        super().__init__(http_client, **options)
        self.waiting: dict[CancelScope, AsyncRunner] = {}
        """The scopes that cancel requests and pauses in progress, with their runners."""
        self.background: dict[AsyncUploadHandle, AsyncRunner] = {}
        """The uploads in the background, with their runners."""

    def cancel_waiting(self, runner: AsyncRunner | None = None) -> None:
        """Cancel pauses and requests: all, or those of one runner."""
        for scope, owner in [*self.waiting.items()]:
            if runner in (None, owner):
                scope.cancel()

    async def close(self) -> None:
        """Close the connections opened here. Idempotent."""
        with self._lock:
            self._closed = True
            own, self._own = self._own, None
        self.cancel_waiting()
        if self._storage is not None:
            self._storage.close()
        if own is not None:
            # If their event loop has ended already, the sockets are garbage-collected.
            with suppress(RuntimeError):
                await own.aclose()
        if self._given is not None and self._closes_given:
            await self._given.aclose()

    def _connect(self, network: Network) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._own is None:
            self._own, self._loop = AsyncApiClient(network), loop
            close_when_collected(self, partial(_close_later, self._own, loop))
        if self._loop is not loop:
            raise ScenarioError("This client's connections belong to another event loop; make a client for each.")
        return self._own

    def to_threads(self) -> Connections:
        """Return connections with the same settings for threads, without a caller's client: it is bound to its loop."""
        return Connections(None, trust_env=self._trust_env, tls=self._tls)


# Event loops hold their tasks weakly.
_CLOSING: set[asyncio.Task[None]] = set()


def _close_later(client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
    """Close a garbage-collected client in its event loop, if that still runs."""

    def begin() -> None:
        task = loop.create_task(client.aclose())
        _CLOSING.add(task)
        task.add_done_callback(_CLOSING.discard)

    if not client.is_closed and loop.is_running():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(begin)


class AsyncRunner(BaseRunner[AsyncConnections]):
    """Runs the steps of calls in the event loop."""

    def end(self) -> None:
        """Refuse further calls and cancel those in progress."""
        self._closed = True
        self.connections.cancel_waiting(self)

    async def close(self) -> None:
        """Refuse further calls, and close the connections if this runner owns them. Idempotent."""
        ending = [handle for handle, runner in self.connections.background.items() if self._owner or runner is self]
        for handle in ending:
            handle.cancel()
        if ending:
            await asyncio.wait(ending)
        self.end()
        if self._owner:
            await self.connections.close()

    def start(self, steps: Steps[Any], control: Control) -> AsyncUploadHandle:
        """Run the steps of an upload in the background."""
        background = self.open().background
        check_loop()
        handle = AsyncUploadHandle(self.run(steps), control)
        background[handle] = self
        handle.add_done_callback(background.pop)
        return handle

    async def run(self, steps: Steps[T]) -> T:
        """Run the steps of a call in the running event loop."""
        check_loop()
        if not load_late.cache_info().currsize:
            await run_in_thread(load_late, inline=True)
        try:
            step = next(steps)
            while True:
                try:
                    result = await self._perform(step)
                except BaseException as error:  # noqa: BLE001 - the steps decide what becomes of it
                    step = steps.throw(explain(error))
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def _perform(self, step: Step) -> object:
        match step:
            case Send():
                return await self.send(step)
            case Pause():
                with self._until_closed(scope := CancelScope()), scope:
                    await asyncio.sleep(step.seconds)
            case Transfer():
                return await self._transfer(step.job)
            case Work():
                return await run_in_thread(step.call, inline=True)
            case _:
                pass
        return None

    async def _transfer(self, job: TransferJob) -> int:
        """Send the parts with the threads of the engine, and stop them when this task is cancelled."""
        stop = threading.Event()
        on_progress, failures = relay(job.on_progress, stop.set)
        work = partial(transfer_parts, self.open().to_storage(), evolve(job, on_progress=on_progress), stop=stop)
        attempt = 1
        try:
            attempt = await run_in_thread(work, stop.set)
        except TransferError:
            if not failures:
                raise
        if failures:
            raise failures[0]
        return attempt

    async def send(self, step: Send) -> httpx.Response:
        """Send a request. When cancelled, wait for httpcore's clean-up, which only anyio's cancellation spares."""
        if self.open().network is None:
            # Reading CA files would block the event loop.
            await run_in_thread(self.connections.read_network, inline=True)
        client, scope = self.open().to_api(), CancelScope()

        async def work() -> httpx.Response | None:
            with scope:
                return await send_async(client, step)
            await drop_lost_connections(client)
            return None

        with self._until_closed(scope):
            task = asyncio.ensure_future(work())
            try:
                response = await asyncio.shield(task)
            except asyncio.CancelledError:
                scope.cancel()
                await wait_until_done(task)
                if not task.cancelled() and not task.exception() and (response := task.result()):
                    await finish(response.aclose)
                raise
        return cast("httpx.Response", response)

    @contextmanager
    def _until_closed(self, scope: CancelScope) -> Iterator[None]:
        """Cancel the scope when the client is closed, and raise ScenarioError then."""
        self.open().waiting[scope] = self
        try:
            yield
        finally:
            del self.connections.waiting[scope]
        if scope.cancel_called:
            raise ScenarioError(CLOSED)


class AsyncUploadHandle(BaseHandle, asyncio.Task[Upload]):
    """An upload in the background, as `start_upload` returns it: an `asyncio.Task` of the `Upload`, to be awaited.

    Cancelling it stops the upload within a second. Sent parts stay in the ledger, if there is one, and the same call
    resumes from there. After `complete`, cancelling stops only the wait: the service still imports the file. Closing
    the client or ending the event loop cancels it.
    """

    __module__ = "scenario_uploads"

    def __init__(self, work: Coroutine[Any, Any, Upload], control: Control) -> None:
        super().__init__(work, name="scenario-uploads-handle")
        self._control = control


def check_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop; ScenarioError when it is not asyncio's."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError as error:
        raise ScenarioError("AsyncScenario is for asyncio: use Scenario in a thread with trio and others.") from error


def relay(
    callback: Callable[[Any], object] | None, stop: Callable[[], object]
) -> tuple[Callable[[Any], object] | None, list[BaseException]]:
    """Return a thread-safe function that calls back in the event loop, and its errors; the first calls `stop`."""
    loop, failures = asyncio.get_running_loop(), list[BaseException]()
    # Without a callback, do not wake the loop: it would take the GIL from the sending threads at each event.
    if callback is None:
        return None, failures

    def report(event: Any) -> None:
        try:
            if not failures:
                callback(event)
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            failures.append(error)
            stop()

    # Call back in the event loop, so that the callback shares no state across threads.
    return (lambda event: loop.call_soon_threadsafe(report, event)), failures


@cache
def load_late() -> None:
    """Import early what the first request would import while blocking the event loop."""
    names = ("httpcore", "anyio._backends._asyncio", "anyio._core._sockets")
    loads: list[Callable[[], object]] = [user_agent, *(partial(import_module, name) for name in names)]
    for load in loads:
        # If that fails, the first request imports it: other versions have other names, and descriptors may run out.
        with suppress(ImportError, OSError, MemoryError):
            load()


async def run_in_thread(work: Callable[[], T], stop: Callable[[], object] = lambda: None, *, inline: bool = False) -> T:
    """Run work in its own thread, since the loop's executor may be full; when cancelled, stop it and wait."""
    try:
        thread, outcome = start_thread(work, "scenario-uploads-work")
    except RuntimeError as error:
        if inline:
            return work()
        raise TransferError(f"The parts cannot be sent: {error}.") from error
    future = asyncio.wrap_future(outcome)
    try:
        while not (await asyncio.wait({future}, timeout=1.0))[0]:
            # A thread that runs out of memory may end without setting a result.
            if not thread.is_alive() and not outcome.done():
                raise MemoryError
        return future.result()
    except asyncio.CancelledError:
        stop()
        await wait_until_done(future)
        # Mark the exception as retrieved: the caller gets CancelledError.
        future.exception()
        raise
    finally:
        if future.done():
            # The work is done, so its thread ends at once.
            thread.join()


async def wait_until_done(future: asyncio.Future[Any]) -> None:
    """Wait until a future is done, even if this task is cancelled again: the caller closes what the future uses."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({future})


async def finish(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a function of httpx. When cancelled, cancel it through anyio, which lets its cleanup finish, and wait."""
    scope = CancelScope()

    async def work() -> T:
        with scope:
            return await function(*args, **kwargs)
        raise asyncio.CancelledError

    task = asyncio.ensure_future(work())
    try:
        return await asyncio.shield(task)
    finally:
        scope.cancel()
        await wait_until_done(task)


async def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a blocking function in a thread."""
    return await asyncio.to_thread(function, *args, **kwargs)
