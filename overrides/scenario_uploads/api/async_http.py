"""The HTTP client for the API, and reading its responses within bounds."""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import Any

import httpx

from scenario_uploads.proxies import Network
from scenario_uploads.steps import Send

from .network import AsyncStreams, find_pools, make_transports
from .responses import BodyReader


class AsyncApiClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` whose responses end within the read timeout."""

    def __init__(self, network: Network | None = None) -> None:
        self.streams = AsyncStreams()
        # The environment is read in `proxies`, as for storage.
        super().__init__(transport=_AsyncRoutes(network or Network.read()), trust_env=False)
        for pool in find_pools(self, own=True):
            pool._network_backend = _AsyncBackend(pool._network_backend, self.streams)  # noqa: SLF001 - no other way


class _AsyncRoutes(httpx.AsyncBaseTransport):
    """Sends each request directly or through the proxy for its host."""

    def __init__(self, network: Network) -> None:
        self._proxies = network.proxies
        self.transports = make_transports(httpx.AsyncHTTPTransport, network)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        proxy = self._proxies.find(url.scheme, url.raw_host.decode("ascii"), url.port)
        return await self.transports[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self.transports.values():
            await transport.aclose()


class _AsyncBackend:
    """Opens connections with timed streams. Has the methods that our clients use; no Unix sockets."""

    def __init__(self, backend: Any, streams: AsyncStreams) -> None:
        self._backend, self._streams = backend, streams

    async def connect_tcp(self, *args: Any, **options: Any) -> _AsyncStream:
        return _AsyncStream(await self._streams.open(self._backend.connect_tcp, *args, **options), self._streams)


class _AsyncStream:
    """Applies the read timeout to a whole response: httpx limits each read, and a service may send byte by byte."""

    def __init__(self, stream: Any, streams: AsyncStreams) -> None:
        self._stream, self._streams = stream, streams
        # When the response must have ended; None until its first read.
        self._end: float | None = None
        streams.add(self)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if timeout is not None:
            now = monotonic()
            self._end = self._end or now + timeout
            if now >= self._end:
                raise httpx.ReadTimeout("The response did not end in time.")
            timeout = min(timeout, self._end - now)
        data: bytes = await self._stream.read(max_bytes, timeout)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._end = None
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **options: Any) -> _AsyncStream:
        return _AsyncStream(await self._streams.open(self._stream.start_tls, *args, **options), self._streams)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


async def send_async(client: httpx.AsyncClient, step: Send) -> httpx.Response:
    """Send a request, ignoring base URL, credentials, redirects and timeouts of a caller's `http_client`."""
    start = perf_counter()
    response = await client.send(step.request, stream=True, auth=None, follow_redirects=False)
    if step.stream and response.is_success and not response.is_stream_consumed:
        return response
    return await read_async(response, step.limit, start)


async def read_async(response: httpx.Response, limit: int, start: float | None = None) -> httpx.Response:
    """Read the body, at most `limit` bytes, and free the connection; `start` is when the request was sent, or None."""
    reader, cut = BodyReader(response, limit), False
    try:
        if response.is_stream_consumed:
            reader.feed(response.content)
        else:
            async for chunk in response.aiter_raw():
                if not reader.feed(chunk):
                    break
    except httpx.RemoteProtocolError:
        cut = True
    finally:
        await response.aclose()
    return reader.finish(response.elapsed.total_seconds() if start is None else perf_counter() - start, cut=cut)
