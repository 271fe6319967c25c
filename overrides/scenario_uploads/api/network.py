"""What the HTTP clients of the API add to httpx: proxies, and opening and closing connections without being held up."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from weakref import ref

import httpx

from scenario_uploads.logs import logger
from scenario_uploads.proxies import Network, Proxy
from scenario_uploads.steps import CLOSED
from scenario_uploads.system import attend, user_agent

T = TypeVar("T")

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
    for proxy in set(network.proxies.by_scheme.values()):
        given = httpx.Proxy(
            proxy.url,
            ssl_context=network.tls if proxy.scheme == "https" else None,
            auth=proxy.credentials,
            headers={"User-Agent": user_agent()},
        )
        transports[proxy] = make(verify=network.tls, proxy=given)
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
            "httpx %s differs inside from the versions that this package knows: a response may never end, closing the"
            " client does not end its requests, and a cancelled call may cost a connection. Install another version.",
            httpx.__version__,
        )
    return known


class Streams:
    """The open streams of a client, and how to open more."""

    def __init__(self) -> None:
        self.closed = False
        self._known: set[ref[Any]] = set()

    def open(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """Connect or start TLS, in a thread of its own, since neither that nor name resolution can be interrupted."""
        return attend(self.check, function, *args, **options)

    def check(self) -> None:
        if self.closed:
            raise httpx.ConnectError(CLOSED)

    def add(self, stream: Any) -> None:
        """Add a stream, or close it when the client is closing."""
        self._known.add(ref(stream, self._known.discard))
        if self.closed:
            stream.close()
        self.check()

    def list(self) -> list[Any]:
        return [stream for known in [*self._known] if (stream := known()) is not None]

    def shut_down(self) -> None:
        """Wake blocked readers, and refuse new streams."""
        self.closed = True
        for stream in self.list():
            sock = stream.get_extra_info("socket")
            # On Windows only `close` wakes a reader. TLS sockets' own would disturb it; eventlet's wrap a socket.
            name, how = ("close", ()) if os.name == "nt" else ("shutdown", (socket.SHUT_RDWR,))
            is_plain = isinstance(sock, socket.SocketType)
            wake: Any = partial(getattr(socket.SocketType, name), sock) if is_plain else getattr(sock, name)
            with suppress(OSError):
                wake(*how)

    def abandon(self) -> None:
        """Close a forked child's copies of the sockets."""
        for stream in self.list():
            with suppress(OSError):
                stream.get_extra_info("socket").close()


class AsyncStreams(Streams):
    """The same in an event loop, where connecting can be cancelled."""

    def open(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        return function(*args, **options)
