"""Running the steps of a call in the calling thread, and the connections for it.

The API and storage have separate connections, so storage never sees a credential.
"""

from __future__ import annotations

import atexit
import errno
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, Self

import httpx

from scenario_uploads.api.sync_http import ApiClient, send_sync
from scenario_uploads.errors import ScenarioError
from scenario_uploads.logs import guard_logs
from scenario_uploads.models import Upload
from scenario_uploads.proxies import Network
from scenario_uploads.redaction import redact_chain
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.steps import CLOSED, Pause, Send, Step, Steps, T, Work
from scenario_uploads.system import Worker, attend, close_when_collected, join_threads, watch_forks
from scenario_uploads.transfer.connection import Storage
from scenario_uploads.transfer.engine import Transfer, pause, transfer_parts
from scenario_uploads.upload.control import BaseHandle, Control

P = ParamSpec("P")


def explain(error: BaseException) -> BaseException:
    """Return the error, or a ScenarioError for it when memory or file descriptors have run out."""
    files = isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)
    if not isinstance(error, MemoryError) and not files:
        return error
    what = "has too many open files" if files else "is out of memory"
    ours = ScenarioError(f"This process {what}; raise its limits, or lower concurrency.")
    ours.__cause__ = error
    return ours


class Connections:
    """The connections of one client and its copies. They do not close an `http_client` that is `lent`."""

    def __init__(self, settings: ClientOptions, http_client: Any = None, *, lent: bool = False) -> None:
        self.settings, self.given = settings, http_client
        self._closes_given = not lent and getattr(http_client, "closes_with_client", False)
        self._lock, self._closed = threading.RLock(), False
        self._own: Any = None
        self._storage = Storage()
        self.network: Network | None = None
        self.line: list[Control] = []  # the uploads in the background that take turns
        watch_forks(self)
        close_when_collected(self, self._storage.close)
        guard_logs()

    @property
    def closed(self) -> bool:
        return self._closed or (self.given is not None and self.given.is_closed)

    def renew(self, settings: ClientOptions, http_client: Any = None) -> Self:
        """Return new connections, which keep a caller's `http_client` but do not close it."""
        return type(self)(settings, http_client or self.given, lent=http_client is None)

    def to_api(self) -> Any:
        with self._lock:
            network = self.read_network()
            return self.given or self._connect(network)

    def _connect(self, network: Network) -> Any:
        if self._own is None:
            self._own = ApiClient(network)
            close_when_collected(self, self._own.close)
        return self._own

    def to_storage(self) -> Storage:
        self._storage.network = self.read_network()
        return self._storage

    def read_network(self) -> Network:
        """Read proxies and CA files once, before the first request: a bad one must fail before an upload is created."""
        with self._lock:
            if self.closed:
                raise ScenarioError(CLOSED)
            if self.network is None:
                self.network = Network.read(trust_env=self.settings.trust_env, tls=self.settings.verify)
            return self.network

    def end(self) -> list[Any]:
        """Refuse further calls, close the connections to storage, and return the HTTP clients to close."""
        with self._lock:
            self._closed = True
            self._storage.close()
            if isinstance(self._own, ApiClient):
                self._own.streams.shut_down()
            clients = (self._own, self.given if self._closes_given else None)
            return [client for client in clients if client is not None]

    def after_fork(self) -> None:
        """Abandon the parent's connections: two processes would mix their bytes."""
        self._lock, self.line = threading.RLock(), []
        if isinstance(self._own, ApiClient):
            self._own.streams.abandon()
            self._own = None


CALLS: dict[Any, BaseRunner] = {}
"""What can be cancelled, with its runner: uploads in the background and, in event loops, calls in progress."""


class BaseRunner:
    """Runs the steps of calls, from any number of threads or tasks. Only the owner closes the connections."""

    def __init__(self, connections: Connections, *, owner: bool = True) -> None:
        self.connections, self._owner, self._stop = connections, owner, threading.Event()

    @property
    def closed(self) -> bool:
        return self._stop.is_set() or self.connections.closed

    def copy(self, settings: ClientOptions, http_client: Any = None) -> Self:
        """Return a runner for a copy of the client, with the same connections if they fit."""
        before = self.connections.settings
        if http_client is None and (settings.verify, settings.trust_env) == (before.verify, before.trust_env):
            return type(self)(self.connections, owner=False)
        return type(self)(self.connections.renew(settings, http_client))

    def open(self) -> Connections:
        """Return the connections; ScenarioError when no more calls can be made."""
        if self.closed:
            raise ScenarioError(CLOSED)
        return self.connections

    def attend(self, work: Work) -> object:
        """Do remote work, as long as calls can be made."""
        return attend(lambda: (self.open(), work.check()), work.call)

    def end(self) -> list[Any]:
        """Refuse further calls, and cancel those of this runner or of all that share connections that it owns."""
        self._stop.set()
        shared = self.connections if self._owner else None
        ending = [call for call, runner in [*CALLS.items()] if runner is self or runner.connections is shared]
        for call in ending:
            call.cancel()
        return ending


class Runner(BaseRunner):
    """Runs the steps in the calling thread."""

    def close(self) -> None:
        """End the calls, wait for those in the background for at most a second, and close what is owned."""
        join_threads(handle._thread for handle in self.end())  # noqa: SLF001 - of this module
        for client in self.connections.end() if self._owner else ():
            client.close()

    def start(self, steps: Steps[Any], control: Control) -> UploadHandle:
        """Run the steps of an upload in the background, on its own connections, which cancelling closes."""
        shared = self.open()
        own = shared.renew(shared.settings)
        own.network = shared.network
        return UploadHandle(Runner(own), steps, control, owner=self)

    def run(self, steps: Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                try:
                    result = self._perform(step)
                except BaseException as error:  # noqa: BLE001 - the steps decide what becomes of it
                    step = steps.throw(explain(error))
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _perform(self, step: Step) -> object:
        if isinstance(step, Send):
            return self._send(step)
        if isinstance(step, Transfer):
            return transfer_parts(self.open().to_storage(), step, stop=self._stop)
        if isinstance(step, Work):
            return self.attend(step) if step.remote else step.call()
        if isinstance(step, Pause):
            pause(step.seconds, lambda: self.closed)
            self.open()
        return None

    def _send(self, step: Send) -> httpx.Response:
        client = self.open().to_api()
        try:
            return attend(self.open, send_sync, client, step) if self.connections.given else send_sync(client, step)
        except Exception as error:
            if self.closed:
                redact_chain(error)
                raise ScenarioError(CLOSED) from error
            raise


class UploadHandle(BaseHandle, Future[Upload]):
    """An upload in the background, as `start_upload` returns it: a `concurrent.futures.Future` of the `Upload`.

    It runs in its own thread, which calls `on_progress` and callbacks. Closing the client or ending the interpreter
    cancels it.
    """

    __module__ = "scenario_uploads"

    def __init__(self, runner: Runner, steps: Steps[Upload], control: Control, owner: Runner) -> None:
        super().__init__()
        self._runner, self._control = runner, control
        self._turn = threading.Lock()
        self._stopping = self._ending = False
        self._thread = Worker(partial(runner.run, steps), "scenario-uploads-handle")
        self._thread.outcome.add_done_callback(self._end)
        watch_forks(self)
        CALLS[self] = owner  # now: after an interrupt the thread may run
        self._thread.start()

    def running(self) -> bool:
        """Return whether the upload is in progress, paused or not."""
        return not self.done()

    def cancel(self) -> bool:
        """Stop the upload within a second; return whether it is or will be cancelled.

        Sent parts stay in the ledger, if there is one, and the same call resumes from there. After `complete`,
        cancelling stops only the wait: the service still imports the file.
        """
        with self._turn:
            self._stopping = self._stopping or not self._ending
        if self._stopping:
            self._runner.close()
        return self._stopping

    def _end(self, outcome: Future[Upload]) -> None:
        self._runner.close()
        with self._turn:
            self._ending = True
        if self._stopping:
            super().cancel()
            # Notifies `concurrent.futures.wait` and `as_completed`.
            self.set_running_or_notify_cancel()
        elif error := outcome.exception():
            self.set_exception(error)
        else:
            self.set_result(outcome.result())
        CALLS.pop(self, None)

    def after_fork(self) -> None:
        """In a forked child, fail the handle: its upload runs in the parent."""
        if CALLS.pop(self, None):
            # New, unlocked locks, and none of the parent's callbacks.
            Future.__init__(self)
            self._turn, self._ending = threading.Lock(), True
            self.set_exception(ScenarioError("The upload goes on in the process that forked; start another one here."))


@atexit.register
def _end_uploads() -> None:
    handles = [call for call in [*CALLS] if isinstance(call, UploadHandle)]
    for handle in handles:
        handle.cancel()
    join_threads(handle._thread for handle in handles)  # noqa: SLF001 - of this module


def connect(settings: ClientOptions) -> Runner:
    return Runner(Connections(settings))


def upload_all(runner: Runner, run: Any) -> Generator[Any]:
    return run.results(runner, connect)  # type: ignore[no-any-return]


def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function. The async twins run it in a thread, or wait for its clean-up."""
    return function(*args, **kwargs)


finish = run_blocking
