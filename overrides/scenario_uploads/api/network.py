"""HTTP clients for the API, with two additions: a deadline for a whole response, and forks.

httpx limits each read, so a service that sends byte by byte could hold a call for ever. The streams below these clients
give a whole response the time of one read.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

import httpx

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.proxies import Network, Proxies, Proxy
from scenario_uploads.redaction import match_secrets, redact_chain
from scenario_uploads.system import user_agent

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads")


class ApiClient(httpx.Client):
    """An `httpx.Client` whose responses end within the read timeout, and that a forked child can abandon."""

    def __init__(self, network: Network | None = None) -> None:
        self._streams = _Streams()
        routes = _Routes(network or Network.read())
        # The environment is read in `proxies`, as for storage.
        super().__init__(transport=routes, trust_env=False)
        _wrap_backends(self, lambda backend: _Backend(backend, self._streams))

    def abandon(self) -> None:
        """Close a forked child's sockets, without `close`: a thread of the parent may have held its lock."""
        self._streams.after_fork()
        for stream in self._streams.list():
            with suppress(OSError):
                stream.get_extra_info("socket").close()

    def close(self) -> None:
        """Close every connection, those too that other threads are just making."""
        self._streams.closed = True
        for stream in self._streams.list():
            sock = stream.get_extra_info("socket")
            # `close` does not wake a reader; `shutdown` does, but on a TLS socket it would disturb the reader.
            # The sockets of eventlet wrap one instead of being one.
            is_plain = isinstance(sock, socket.SocketType)
            shutdown = partial(socket.SocketType.shutdown, sock) if is_plain else sock.shutdown
            with suppress(OSError):
                shutdown(socket.SHUT_RDWR)
        super().close()
        for stream in self._streams.list():
            stream.close()


class AsyncApiClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` whose responses end within the read timeout."""

    def __init__(self, network: Network | None = None) -> None:
        routes = _AsyncRoutes(network or Network.read())
        super().__init__(transport=routes, trust_env=False)
        _wrap_backends(self, _AsyncBackend)


async def drop_lost_connections(client: httpx.AsyncClient) -> None:
    """Free connections that httpcore lost when a call was cancelled, neither idle nor closed, from the pools."""
    for pool in _find_pools(client):
        try:
            used = {id(request.connection) for request in pool._requests}  # noqa: SLF001 - httpcore offers no other way
            connections = pool._connections  # noqa: SLF001 - see above
        except AttributeError:
            logger.warning(
                "This httpcore differs inside from the versions that this package knows: each cancelled call may cost a"
                " connection until the client is closed."
            )
            continue
        for connection in [*connections]:
            if id(connection) not in used and not connection.is_idle() and not connection.is_closed():
                connections.remove(connection)
                await connection.aclose()


class _Routes(httpx.BaseTransport):
    """Sends each request directly or through the proxy for its host."""

    def __init__(self, network: Network) -> None:
        self._proxies = network.proxies
        self.transports = _make_transports(httpx.HTTPTransport, network)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = _find_proxy(self._proxies, request)
        with _hide_credentials(proxy):
            return self.transports[proxy].handle_request(request)

    def close(self) -> None:
        for transport in self.transports.values():
            transport.close()


class _AsyncRoutes(httpx.AsyncBaseTransport):
    """Sends each request directly or through the proxy for its host."""

    def __init__(self, network: Network) -> None:
        self._proxies = network.proxies
        self.transports = _make_transports(httpx.AsyncHTTPTransport, network)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = _find_proxy(self._proxies, request)
        with _hide_credentials(proxy):
            return await self.transports[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self.transports.values():
            await transport.aclose()


def _make_transports(make: Callable[..., T], network: Network) -> dict[Proxy | None, T]:
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


def _find_proxy(proxies: Proxies, request: httpx.Request) -> Proxy | None:
    url = request.url
    return proxies.find(url.scheme, url.raw_host.decode("ascii"), url.port)


@contextmanager
def _hide_credentials(proxy: Proxy | None) -> Iterator[None]:
    """Remove a proxy's credentials from errors, which may quote them."""
    try:
        yield
    except (httpx.TransportError, OSError) as error:
        if proxy is not None and proxy.credentials is not None:
            redact_chain(error, match_secrets(proxy.basic or "", *proxy.credentials))
        raise


def _find_pools(client: Any) -> list[Any]:
    """Return the connection pools of a client. HTTPX has no public way; its attributes are unchanged since 0.13."""
    outer = [getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()]
    inner = [each for one in outer for each in getattr(one, "transports", {None: one}).values()]
    return [pool for transport in inner if (pool := getattr(transport, "_pool", None)) is not None]


def _wrap_backends(client: httpx.Client | httpx.AsyncClient, wrap: Callable[[Any], Any]) -> None:
    """Wrap the network backend of each connection pool of our client; raise when HTTPX has changed."""
    pools = _find_pools(client)
    for pool in pools:
        if not hasattr(pool, "_network_backend"):
            pools = []
            break
        pool._network_backend = wrap(pool._network_backend)  # noqa: SLF001 - see above
    if not pools:
        versions = f"httpx {httpx.__version__} and its httpcore"
        logger.warning(
            "%s differ inside from the versions that this package knows: a response that never ends is not bounded by"
            " the read timeout, and closing the client does not end its requests. Install the versions that the"
            " package was tested with, or a newer package.",
            versions,
        )


class _Streams:
    """The open streams, weakly referenced."""

    def __init__(self) -> None:
        self.closed = False
        self._lock = threading.Lock()
        self._known: WeakSet[_Stream] = WeakSet()

    def add(self, stream: _Stream) -> None:
        with self._lock:
            self._known.add(stream)
        if self.closed:
            stream.close()
            raise httpx.ConnectError("The client was closed meanwhile.")

    def list(self) -> list[_Stream]:
        with self._lock:
            return [*self._known]

    def after_fork(self) -> None:
        self._lock = threading.Lock()


class _ResponseTime:
    """The time left for a response, counted from the first read after a request."""

    def __init__(self) -> None:
        self._deadline: float | None = None
        self._begun = False

    def reset(self) -> None:
        """Start again with the next read, the first of another response."""
        self._deadline, self._begun = None, False

    @contextmanager
    def limit(self, timeout: float | None) -> Iterator[float | None]:
        """Limit one read to the time that is left, and raise when it runs out."""
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


class _Backend:
    """Opens connections with timed streams. Has the methods that our clients use; no Unix sockets."""

    def __init__(self, backend: Any, streams: _Streams) -> None:
        self._backend, self._streams = backend, streams

    def connect_tcp(self, *args: Any, **options: Any) -> _Stream:
        return _Stream(self._backend.connect_tcp(*args, **options), self._streams)


class _Stream:
    def __init__(self, stream: Any, streams: _Streams) -> None:
        self._stream, self._streams, self._time = stream, streams, _ResponseTime()
        streams.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._time.limit(timeout) as remaining:
            data: bytes = self._stream.read(max_bytes, remaining)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._time.reset()
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **options: Any) -> _Stream:
        return _Stream(self._stream.start_tls(*args, **options), self._streams)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncBackend:
    """Opens connections with timed streams."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **options: Any) -> _AsyncStream:
        return _AsyncStream(await self._backend.connect_tcp(*args, **options))


class _AsyncStream:
    def __init__(self, stream: Any) -> None:
        self._stream, self._time = stream, _ResponseTime()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._time.limit(timeout) as remaining:
            data: bytes = await self._stream.read(max_bytes, remaining)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._time.reset()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **options: Any) -> _AsyncStream:
        return _AsyncStream(await self._stream.start_tls(*args, **options))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
