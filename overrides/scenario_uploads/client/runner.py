"""Running the steps of a call in the calling thread, and the connections for it.

The API and storage have separate connections, so storage never sees a credential.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from time import perf_counter
from typing import ParamSpec, TypeVar

import httpx

from scenario_uploads.api.network import ApiClient
from scenario_uploads.api.responses import BodyReader
from scenario_uploads.errors import ScenarioError
from scenario_uploads.fork import CLOSED, close_when_collected, watch_forks
from scenario_uploads.logs import guard_logs
from scenario_uploads.models import Upload
from scenario_uploads.proxies import Network
from scenario_uploads.steps import Pause, Send, Step, Steps, Work
from scenario_uploads.system import user_agent
from scenario_uploads.transfer.engine import Transfer, transfer_parts
from scenario_uploads.transfer.pool import Storage
from scenario_uploads.upload.background import Control, Line, UploadHandle, end_uploads

P = ParamSpec("P")
T = TypeVar("T")

# Seconds until a pause notices that the client was closed.
SLICE = 0.25


class Connections:
    """The connections of one client and its copies.

    Args:
        http_client: The caller's own client for the calls to the API; only a `DefaultHttpxClient` is closed here.
        trust_env: Whether the environment's proxies and CA files are used.
        tls: Whom to trust instead of those.
        lent: Whether the caller's own client is closed by others.
    """

    def __init__(
        self,
        http_client: httpx.Client | None,
        *,
        trust_env: bool = True,
        tls: ssl.SSLContext | None = None,
        lent: bool = False,
    ) -> None:
        self._given, self._lent = http_client, lent
        self._trust_env, self._tls = trust_env, tls
        self._network: Network | None = None
        self._own: ApiClient | None = None
        self._storage: Storage | None = None
        self._lock = threading.Lock()
        self._closed = False
        self.line = Line()
        """Whose turn it is in the background."""
        watch_forks(self)
        guard_logs()

    @property
    def closed(self) -> bool:
        """Whether no more calls can be made."""
        return self._closed or (self._given is not None and self._given.is_closed)

    def close(self) -> None:
        """Close the connections opened here. Idempotent."""
        with self._lock:
            self._closed = True
            for client in (self._own, self._storage):
                if client is not None:
                    client.close()
        if self._given is not None and not self._lent and getattr(self._given, "closes_with_client", False):
            self._given.close()

    def renew(self, http_client: httpx.Client | None, *, trust_env: bool, tls: ssl.SSLContext | None) -> Connections:
        """Return connections with other trust for a copy; it keeps a caller's `http_client`."""
        if http_client is None:
            return Connections(self._given, trust_env=trust_env, tls=tls, lent=True)
        return Connections(http_client, trust_env=trust_env, tls=tls)

    def branch(self) -> Connections:
        """Return connections that can be closed while these are used."""
        branch = Connections(self._given, trust_env=self._trust_env, tls=self._tls, lent=True)
        branch._network = self._network
        return branch

    def to_api(self) -> httpx.Client:
        """Return the HTTP client for the API."""
        with self._lock:
            self._check_open()
            network = self._look_around()
            if self._given is not None:
                return self._given
            if self._own is None:
                self._own = ApiClient(network)
                close_when_collected(self, self._own.close)
            return self._own

    def to_storage(self) -> Storage:
        """Return the connections to storage."""
        with self._lock:
            self._check_open()
            if self._storage is None:
                self._storage = Storage(network=self._look_around(), user_agent=user_agent())
                close_when_collected(self, self._storage.close)
            return self._storage

    def _look_around(self) -> Network:
        """Read proxies and CA files, before the first request so that no upload begins in vain."""
        if self._network is None:
            self._network = Network.read(trust_env=self._trust_env, tls=self._tls)
        return self._network

    def _check_open(self) -> None:
        if self.closed:
            raise ScenarioError(CLOSED)

    def after_fork(self) -> None:
        """Abandon the parent's connections: two processes would mix their bytes."""
        self._lock = threading.Lock()
        if self._own is not None:
            self._own.abandon()
        self._own = self._storage = None


class Runner:
    """Runs the steps of calls, from many threads at once if need be.

    Args:
        connections: What they go over.
        owner: Whether closing this closes the connections; copies of a client leave them to their owner.
    """

    def __init__(self, connections: Connections, *, owner: bool = True) -> None:
        self._connections, self._owner, self._closed = connections, owner, False
        self._stop = threading.Event()

    @property
    def closed(self) -> bool:
        """Whether no more calls can be made."""
        return self._closed or self._connections.closed

    def renew(self, http_client: httpx.Client | None, *, trust_env: bool, tls: ssl.SSLContext | None) -> Runner:
        """Return a runner for a copy of the client, with its own connections."""
        return Runner(self._connections.renew(http_client, trust_env=trust_env, tls=tls))

    def share(self) -> Runner:
        """Return a runner for a copy of the client, with the same connections."""
        return Runner(self._connections, owner=False)

    def close(self) -> None:
        """Make no more calls, and close the connections if this runner owns them. Idempotent."""
        self._closed = True
        self._stop.set()
        end_uploads(self._connections if self._owner else self)
        if self._owner:
            self._connections.close()

    def check_open(self) -> None:
        """Raise ScenarioError when no more calls can be made."""
        self._open()

    @property
    def line(self) -> Line:
        """Whose turn it is in the background."""
        return self._connections.line

    def start(self, steps: Steps[Upload], control: Control) -> UploadHandle:
        """Run the steps of an upload in the background. Cancelling it ends its requests alone."""
        return UploadHandle(Runner(self._open().branch()), steps, control, (self, self._connections))

    def run(self, steps: Steps[T]) -> T:
        """Run the steps of a call in this thread."""
        try:
            step = next(steps)
            while True:
                try:
                    result = self._perform(step)
                except BaseException as error:  # noqa: BLE001 - the steps decide what becomes of it
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _perform(self, step: Step) -> object:
        match step:
            case Send():
                return self._send(step)
            case Pause():
                pause(step.seconds, lambda: self.closed)
                self._open()
            case Transfer():
                return transfer_parts(self._open().to_storage(), step.job, stop=self._stop)
            case Work():
                return step.call()
        return None

    def _send(self, step: Send) -> httpx.Response:
        """Send a request, ignoring base URL, credentials, redirects and timeouts of a caller's `http_client`."""
        start = perf_counter()
        client = self._open().to_api()
        try:
            response = client.send(step.request, stream=True, auth=None, follow_redirects=False)
            if step.stream and response.is_success and not response.is_stream_consumed:
                return response
            return read_sync(response, step.limit, start)
        except Exception as error:
            if self.closed:
                raise ScenarioError(CLOSED) from error
            raise

    def _open(self) -> Connections:
        if self.closed:
            raise ScenarioError(CLOSED)
        return self._connections


def pause(seconds: float, ended: Callable[[], bool]) -> None:
    """Sleep, or return early when the client is closed."""
    deadline = time.monotonic() + seconds
    while not ended() and (remaining := deadline - time.monotonic()) > 0:
        time.sleep(min(SLICE, remaining))


def read_sync(response: httpx.Response, limit: int, start: float | None = None) -> httpx.Response:
    """Read the body, at most `limit` bytes, and free the connection; `start` is when the request was sent, or None."""
    reader, cut = BodyReader(response, limit), False
    try:
        if response.is_stream_consumed:
            reader.feed(response.content)
        else:
            for chunk in response.iter_raw():
                if not reader.feed(chunk):
                    break
    except httpx.RemoteProtocolError:
        cut = True
    finally:
        response.close()
    return reader.finish(response.elapsed.total_seconds() if start is None else perf_counter() - start, cut=cut)


def run_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function. The async twin does so in a thread."""
    return function(*args, **kwargs)
