"""What the HTTP clients of the API add to httpx: a deadline for a whole response, proxies, and closing open streams.

httpx limits each read, so a service that sends byte by byte could block a call for ever. The streams below these
clients apply the read timeout to a whole response.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

import httpx

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.proxies import Network, Proxy
from scenario_uploads.steps import SLICE
from scenario_uploads.system import start_thread, user_agent

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads")
# The part of httpcore's pool that is used.
_PRIVATE = ("_network_backend", "_requests", "_connections")


async def drop_lost_connections(client: httpx.AsyncClient) -> None:
    """Remove connections that a cancelled call left neither idle nor closed from httpcore's pools."""
    for pool in find_pools(client):
        used = {id(request.connection) for request in pool._requests}  # noqa: SLF001 - httpcore offers no other way
        connections = pool._connections  # noqa: SLF001 - see above
        for connection in [*connections]:
            if id(connection) not in used and not connection.is_idle() and not connection.is_closed():
                connections.remove(connection)
                await connection.aclose()


def make_transports(make: Callable[..., T], network: Network) -> dict[Proxy | None, T]:
    """Return a transport for each proxy, and under None the direct one."""
    transports: dict[Proxy | None, T] = {None: make(verify=network.tls)}
    for proxy in network.proxies.all:
        given = httpx.Proxy(
            proxy.url,
            ssl_context=network.tls if proxy.scheme == "https" else None,
            auth=proxy.credentials,
            headers={"User-Agent": user_agent()},
        )
        try:
            transports[proxy] = make(verify=network.tls, proxy=given)
        except ImportError as error:
            raise InvalidArgumentError(
                f"The proxy {proxy.url} of the environment needs another package: pip install 'httpx[socks]'."
                " NO_PROXY can name hosts to reach without it, or * for all."
            ) from error
    return transports


def find_pools(client: Any, *, own: bool = False) -> list[Any]:
    """Return the connection pools of a client; warn when this version of HTTPX hides them."""
    # HTTPX has no public way; its attributes are unchanged since 0.13.
    outer = [getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()]
    inner = [each for one in outer for each in getattr(one, "transports", {None: one}).values()]
    pools = [pool for transport in inner if (pool := getattr(transport, "_pool", None)) is not None]
    known = [pool for pool in pools if all(hasattr(pool, name) for name in _PRIVATE)]
    if len(known) < len(pools) or (own and not pools):
        logger.warning(
            "httpx %s and its httpcore differ inside from the versions that this package knows: a response that never"
            " ends is not bounded by the read timeout, closing the client does not end its requests, and a cancelled"
            " call may cost a connection. Install the versions that the package was tested with, or a newer package.",
            httpx.__version__,
        )
    return known


def wrap_backends(client: httpx.Client | httpx.AsyncClient, wrap: Callable[[Any], Any]) -> None:
    """Wrap the network backend of each connection pool of our client."""
    for pool in find_pools(client, own=True):
        pool._network_backend = wrap(pool._network_backend)  # noqa: SLF001 - see above


class Streams:
    """The streams of a client: how they are opened, and those that are open, weakly referenced."""

    def __init__(self) -> None:
        self.closed = False
        self._lock = threading.Lock()
        self._known: WeakSet[Any] = WeakSet()

    def open(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """Connect or start TLS, in a thread of its own, since neither that nor name resolution can be interrupted."""
        try:
            thread, outcome = start_thread(partial(function, *args, **options), "scenario-uploads-connect")
        except RuntimeError:
            return function(*args, **options)
        try:
            while not self.closed:
                if wait((outcome,), SLICE).done:
                    thread.join()
                    return outcome.result()
            raise httpx.ConnectError("The client was closed meanwhile.")
        except BaseException:
            outcome.add_done_callback(_close_late)
            raise

    def add(self, stream: Any) -> None:
        """Add a stream, or close it when the client is closing."""
        with self._lock:
            self._known.add(stream)
        if self.closed:
            stream.close()
            raise httpx.ConnectError("The client was closed meanwhile.")

    def list(self) -> list[Any]:
        """Return the open streams."""
        with self._lock:
            return [*self._known]

    def shut_down(self) -> None:
        """Wake blocked readers, and refuse new streams."""
        self.closed = True
        for stream in self.list():
            sock = stream.get_extra_info("socket")
            # `close` does not wake a reader; `shutdown` does, but on a TLS socket it would disturb the reader.
            # eventlet's sockets wrap a socket.
            is_plain = isinstance(sock, socket.SocketType)
            shutdown = partial(socket.SocketType.shutdown, sock) if is_plain else sock.shutdown
            with suppress(OSError):
                shutdown(socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Close a forked child's sockets, with a new lock: a thread of the parent may have held the old one."""
        self._lock = threading.Lock()
        for stream in self.list():
            with suppress(OSError):
                stream.get_extra_info("socket").close()


class AsyncStreams(Streams):
    """The same in an event loop, where connecting can be cancelled."""

    def open(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """Connect or start TLS."""
        return function(*args, **options)


def _close_late(opened: Future[Any]) -> None:
    if opened.exception() is None:
        opened.result().close()


class ResponseTime:
    """The time left for a response, counted from the first read after a request."""

    def __init__(self) -> None:
        self._deadline: float | None = None
        self._begun = False

    def reset(self) -> None:
        """Start again with the next read, the first of another response."""
        self._deadline, self._begun = None, False

    @contextmanager
    def limit(self, timeout: float | None) -> Iterator[float | None]:
        """Limit one read to the time left; raise when it runs out."""
        if timeout is None:
            yield None
            return
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + timeout
        try:
            if now >= self._deadline:
                raise TimeoutError
            yield min(timeout, self._deadline - now)
        except Exception as error:
            if self._begun and time.monotonic() >= self._deadline:
                raise httpx.ReadTimeout("The response did not end in time.") from error
            raise
        self._begun = True
