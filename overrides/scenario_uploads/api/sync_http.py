# Generated from async_http.py by make generate. Do not edit.
"""The HTTP client for the API, and reading its responses within bounds."""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import Any

import httpx

from scenario_uploads.proxies import Network
from scenario_uploads.steps import Send

from .network import Streams, find_pools, make_transports
from .responses import BodyReader


class ApiClient(httpx.Client):
    """An `httpx.Client` whose responses end within the read timeout."""

    def __init__(self, network: Network | None = None) -> None:
        self.streams = Streams()
        # The environment is read in `proxies`, as for storage.
        super().__init__(transport=_Routes(network or Network.read()), trust_env=False)
        for pool in find_pools(self, own=True):
            pool._network_backend = _Backend(pool._network_backend, self.streams)  # noqa: SLF001 - no other way


class _Routes(httpx.BaseTransport):
    """Sends each request directly or through the proxy for its host."""

    def __init__(self, network: Network) -> None:
        self._proxies = network.proxies
        self.transports = make_transports(httpx.HTTPTransport, network)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        proxy = self._proxies.find(url.scheme, url.raw_host.decode("ascii"), url.port)
        return self.transports[proxy].handle_request(request)

    def close(self) -> None:
        for transport in self.transports.values():
            transport.close()


class _Backend:
    """Opens connections with timed streams. Has the methods that our clients use; no Unix sockets."""

    def __init__(self, backend: Any, streams: Streams) -> None:
        self._backend, self._streams = backend, streams

    def connect_tcp(self, *args: Any, **options: Any) -> _Stream:
        return _Stream(self._streams.open(self._backend.connect_tcp, *args, **options), self._streams)


class _Stream:
    """Applies the read timeout to a whole response: httpx limits each read, and a service may send byte by byte."""

    def __init__(self, stream: Any, streams: Streams) -> None:
        self._stream, self._streams = stream, streams
        # When the response must have ended; None until its first read.
        self._end: float | None = None
        streams.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if timeout is not None:
            now = monotonic()
            self._end = self._end or now + timeout
            if now >= self._end:
                raise httpx.ReadTimeout("The response did not end in time.")
            timeout = min(timeout, self._end - now)
        data: bytes = self._stream.read(max_bytes, timeout)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._end = None
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **options: Any) -> _Stream:
        return _Stream(self._streams.open(self._stream.start_tls, *args, **options), self._streams)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def send_sync(client: httpx.Client, step: Send) -> httpx.Response:
    """Send a request, ignoring base URL, credentials, redirects and timeouts of a caller's `http_client`."""
    start = perf_counter()
    response = client.send(step.request, stream=True, auth=None, follow_redirects=False)
    if step.stream and response.is_success and not response.is_stream_consumed:
        return response
    return read_sync(response, step.limit, start)


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
