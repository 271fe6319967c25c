"""Running the steps of a call in the event loop, and the connections for it.

Parts are sent by the same threads as in the sync client: they move about twice the bytes of asyncio, which also loses
an early 403 from S3 while a body is going out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, ParamSpec

import httpx
from anyio import CancelScope
from attrs import evolve

from scenario_uploads.api.async_http import AsyncApiClient, send_async
from scenario_uploads.api.exchange import Reply
from scenario_uploads.api.network import drop_lost_connections
from scenario_uploads.errors import ScenarioError, TransferError
from scenario_uploads.models import Upload
from scenario_uploads.proxies import Network
from scenario_uploads.steps import CLOSED, Pause, Send, Step, Steps, T, Work, ask
from scenario_uploads.system import Worker, close_when_collected, user_agent
from scenario_uploads.transfer.engine import Transfer, transfer_parts
from scenario_uploads.upload.control import BaseHandle, Control

from .runner import CALLS, BaseRunner, Connections, Runner, connect, explain

# Loaded now, since the first request would block the event loop with it. Other versions may have other names.
for _name in ("httpcore", "anyio._backends._asyncio"):
    with suppress(ImportError):
        import_module(_name)

P = ParamSpec("P")


class AsyncConnections(Connections):
    """Connections of one event loop. After a fork they belong to the parent's loop, so using them raises."""

    _loop: asyncio.AbstractEventLoop | None = None

    def _connect(self, network: Network) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._own is None:
            self._own, self._loop = AsyncApiClient(network), loop
            close_when_collected(self, partial(_close_later, self._own, loop))
        if self._loop is not loop:
            raise ScenarioError("This client's connections belong to another event loop; make a client for each.")
        return self._own  # type: ignore[no-any-return]


def _close_later(client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
    """Close a garbage-collected client in its event loop, if that still runs."""
    if loop.is_running() and not client.is_closed:
        asyncio.run_coroutine_threadsafe(client.aclose(), loop)


class AsyncRunner(BaseRunner):
    """Runs the steps of calls in the event loop."""

    async def close(self) -> None:
        """End the calls, wait for those in the background, and close what is owned."""
        handles = [call for call in self.end() if isinstance(call, AsyncUploadHandle)]
        for client in self.connections.end() if self._owner else ():
            # If their event loop has ended already, the sockets are garbage-collected.
            with suppress(RuntimeError):
                await client.aclose()
        if handles:
            await asyncio.wait(handles)

    def start(self, steps: Steps[Any], control: Control) -> AsyncUploadHandle:
        self.open()
        check_loop()
        handle = AsyncUploadHandle(self.run(steps), control)
        CALLS[handle] = self
        handle.add_done_callback(CALLS.pop)
        return handle

    async def run(self, steps: Steps[T]) -> T:
        check_loop()
        self.open()
        CALLS[scope := CancelScope()] = self
        try:
            return await finish(partial(self._run, self._prepare(steps)), scope=scope)
        finally:
            del CALLS[scope]

    def _prepare(self, steps: Steps[T]) -> Steps[T]:
        """Read files in a thread that the first request would read while blocking the event loop."""
        if self.connections.network is None:
            yield Work(user_agent)
            yield Work(self.connections.read_network)
        return (yield from steps)

    async def _run(self, steps: Steps[T]) -> T:
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
        if isinstance(step, Send):
            return await self._send(step)
        if isinstance(step, Transfer):
            job, stop = evolve(step, on_progress=relay(step.on_progress)), threading.Event()
            send = partial(transfer_parts, self.connections.to_storage(), job, stop=stop)
            return await run_in_thread(send, stop.set)
        if isinstance(step, Work) and step.remote:
            call = BaseRunner(self.connections, owner=False)
            return await run_in_thread(partial(call.attend, step), call.end)
        if isinstance(step, Work):
            return await run_in_thread(step.call)
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
        return None

    async def _send(self, step: Send) -> httpx.Response:
        client = self.connections.to_api()
        try:
            return await send_async(client, step)
        except asyncio.CancelledError:
            with CancelScope(shield=True):
                await drop_lost_connections(client)
            raise


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


class _LoopRunner(Runner):
    """Runs steps in threads for an async client. A caller's `http_client` still sends in its event loop."""

    def __init__(self, runner: AsyncRunner, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(Connections(runner.connections.settings))
        self._async, self._loop = runner, loop

    @property
    def closed(self) -> bool:
        return self._async.closed or super().closed

    def close(self) -> None:
        super().close()
        self._loop.call_soon_threadsafe(self._async.end)

    def _send(self, step: Send) -> httpx.Response:
        if self._async.connections.given is None:
            return super()._send(step)
        return asyncio.run_coroutine_threadsafe(self._async.run(ask(step)), self._loop).result()  # type: ignore[no-any-return]


async def upload_all_async(runner: AsyncRunner, run: Any) -> AsyncGenerator[Any]:
    """Do a `BulkRun` in threads, which send small files faster than tasks; then close the runner."""
    loop = check_loop()
    # A `break` leaves a run to the event loop, which closes it two turns later; it still locks the ledger.
    for _ in range(2):
        await asyncio.sleep(0)
    for ending in [ending for ending in _ENDING if ending.get_loop() is loop]:
        await wait_until_done(ending)
    threads = _LoopRunner(runner, loop)
    run.on_progress = relay(run.on_progress)
    results = run.results(threads, connect)
    try:
        while (result := await run_in_thread(partial(next, results, None), threads.close)) is not None:
            yield result
    finally:
        threads.close()
        ending = asyncio.ensure_future(run_in_thread(results.close))
        _ENDING.add(ending)
        ending.add_done_callback(_ENDING.discard)
        await wait_until_done(ending)


_ENDING: set[asyncio.Future[None]] = set()


def check_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop; ScenarioError when it is not asyncio's."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError as error:
        raise ScenarioError("AsyncScenario is for asyncio: use Scenario in a thread with trio and others.") from error


def relay(callback: Callable[[Any], object] | None) -> Callable[[Any], object] | None:
    """Return a function that calls back in the event loop, from a thread, and waits for it."""
    # Without a callback, do not wake the loop: it would take the GIL from the sending threads at each event.
    if callback is None:
        return None
    loop = asyncio.get_running_loop()

    async def call(event: Any) -> BaseException | None:
        try:
            callback(event)
        except BaseException as error:  # noqa: BLE001 - raised in the thread: here, Ctrl-C would end the loop before it
            return error
        return None

    def report(event: Any) -> None:
        if error := asyncio.run_coroutine_threadsafe(call(event), loop).result():
            raise error

    return report


async def run_in_thread(work: Callable[[], T], stop: Callable[[], object] | None = None) -> T:
    """Run work in its own thread, since the loop's executor may be full; when cancelled, stop it and wait."""
    thread = Worker(work, "scenario-uploads-work")
    try:
        thread.start()
    except BaseException as error:
        if stop is None and isinstance(error, TransferError):
            return work()
        (stop or int)()  # after an interrupt it may run
        raise
    future = asyncio.wrap_future(thread.outcome)
    try:
        while not (await asyncio.wait({future}, timeout=1.0))[0]:
            # A thread that runs out of memory may end without setting a result.
            if not thread.is_alive() and not future.done():
                raise MemoryError
    except asyncio.CancelledError:
        if stop is not None:
            stop()
        await wait_until_done(future)
        raise
    finally:
        # The work is done, so its thread ends at once.
        thread.join()
    return future.result()


async def wait_until_done(future: asyncio.Future[Any]) -> None:
    """Wait until a future is done, even if this task is cancelled again, and mark its exception as retrieved."""
    with CancelScope(shield=True):
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({future})
    _ = future.cancelled() or future.exception()


async def finish(function: Callable[..., Awaitable[T]], *args: Any, scope: CancelScope | None = None) -> T:
    """Await a function in its own task. When cancelled, cancel it through anyio, which spares clean-up, and wait."""
    scope = scope or CancelScope()

    async def work() -> T:
        with scope:
            try:
                return await function(*args)
            except (KeyboardInterrupt, SystemExit) as error:
                # Raised here, it would end the loop and leave the caller waiting for this task.
                interrupts.append(error)
        raise ScenarioError(CLOSED)

    interrupts: list[BaseException] = []
    task = asyncio.ensure_future(work())
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        scope.cancel()
        await wait_until_done(task)
        if not task.cancelled() and not task.exception() and isinstance(reply := task.result(), Reply):
            await finish(reply.response.aclose)
        raise
    # Asking for the task's own error keeps asyncio from logging it.
    if interrupts and task.exception():
        raise interrupts[0]
    return task.result()


async def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await asyncio.to_thread(function, *args, **kwargs)
