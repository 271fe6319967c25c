"""Sending one part: an HTTP/1.1 PUT over kept connections, which carry no credential and follow no redirect.

General HTTP clients copy every byte several times and cannot be stopped while a peer stalls. h11 gets only the heads.
"""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import h11
from attrs import evolve, field, frozen

from scenario_uploads.proxies import Network
from scenario_uploads.remote import Source
from scenario_uploads.system import user_agent, watch_forks

from .parts import Part
from .sockets import TO_READ, TO_WRITE, WAITS, Deadline, Halted, HaltedError, Headers, Socket, dial
from .source import read_chunk

# Large enough for little overhead in Python, small enough to react to a stop or a bandwidth limit.
CHUNK_SIZE = 1024 * 1024
RESPONSE_LIMIT = 64 * 1024


@frozen
class StorageTimeouts:
    """Timeouts in seconds. A slow link does not time out while bytes move."""

    connect: float = 10.0
    write: float = 60.0
    read: float = 120.0  # after the last write the kernel may still hold megabytes


@frozen
class StorageResponse:
    """The response of storage: status, headers (names in lower case), the start of the body."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool = False  # whether the whole part went out before the response
    md5: str | None = None  # of the bytes sent, in hexadecimal, if it was computed


@frozen
class Body:
    """The body of a part, and callbacks. The bodies of a transfer differ in `part` and `sent`."""

    source: Source = field(repr=False)
    hashed: bool  # whether to compute the MD5 of the part
    halted: Halted
    allow: Callable[[int], int] = int  # waits for the bandwidth limit; returns how many bytes may go out
    alone: bool = False  # whether no other part is sent concurrently
    part: Part = field(default=Part(0, 0, 0))
    sent: Callable[[int], object] = int  # called with the number of bytes sent


class Connection:
    """A connection to a storage host, for one thread at a time. A proxy that forwards requests gets the whole URL."""

    def __init__(self, sock: Socket, timeouts: StorageTimeouts, headers: Headers, *, forwarded: bool) -> None:
        self._sock, self._timeouts, self._headers, self._forwarded = sock, timeouts, headers, forwarded
        self._protocol = h11.Connection(our_role=h11.CLIENT)
        self._buffer = memoryview(b"")
        self._early: Any = None
        self.close, self.is_usable = sock.close, sock.is_silent

    def put(self, url: str, body: Body) -> StorageResponse:
        """Send a part and return the response. HaltedError, OSError or h11.RemoteProtocolError otherwise."""
        parts = urlsplit(url)
        # The signature covers `Host` as clients write it: without the default port.
        host = parts.netloc.removesuffix(":443" if parts.scheme == "https" else ":80")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = h11.Request(
            method="PUT",
            target=f"{parts.scheme}://{host}{target}" if self._forwarded else target,
            headers=[("Host", host), ("Content-Length", str(body.part.length)), ("Accept", "*/*"), *self._headers],
        )
        md5 = hashlib.md5(usedforsecurity=False) if body.hashed else None
        try:
            self._write(memoryview(self._protocol.send(request) or b""), body.halted)
            # Tell h11 only the length: the body does not pass through it.
            self._protocol.send_with_data_passthrough(h11.Data(data=range(body.part.length)))  # type: ignore[arg-type]
            self._protocol.send(h11.EndOfMessage())
            position = self._send_file(body) if self._can_send_file(body) else body.part.offset
            whole = position is not None and self._send_chunks(body, position, md5)
        except (ConnectionError, ssl.SSLError):
            # The peer may refuse and close early; read its response.
            with suppress(OSError, h11.RemoteProtocolError):
                refusal = self._receive(body.halted)
                self.close()
                return refusal
            raise
        response = self._receive(body.halted)
        if not whole:
            self.close()
        return evolve(response, whole=whole, md5=md5.hexdigest() if md5 else None)

    def _can_send_file(self, body: Body) -> bool:
        # A single connection is up to a quarter faster through a buffer, which the kernel takes in larger pieces.
        wanted = body.source.descriptor is not None and not body.hashed and not body.alone
        return wanted and hasattr(os, "sendfile") and type(self._sock.layer) is socket.socket

    def _send_file(self, body: Body) -> int | None:
        """Send the body with `sendfile`; return the offset reached, or None when a response came first."""
        descriptor, base = body.source.descriptor or (-1, 0)
        position, end = body.part.offset, body.part.offset + body.part.length
        while position < end:
            until = position + body.allow(min(end - position, CHUNK_SIZE * 4))
            while position < until:
                # After a stop, the descriptor number may belong to another file.
                if body.halted():
                    raise HaltedError
                try:
                    moved = os.sendfile(self._sock.layer.fileno(), descriptor, base + position, until - position)
                except BlockingIOError:
                    if self._wait_to_write(body.halted):
                        return None
                    continue
                except OSError:
                    moved = 0
                if moved == 0:
                    # The file has shrunk, or this cannot be done: reading works, or raises a clearer error.
                    return position
                position += moved
                body.sent(moved)
        return position

    def _send_chunks(self, body: Body, position: int, md5: Any) -> bool:
        """Read, hash and write the rest of the body; return whether all of it went out before a response."""
        end = body.part.offset + body.part.length
        self._buffer = self._buffer or memoryview(bytearray(CHUNK_SIZE))
        # Encryption alone prefers chunks that fit the CPU cache; hashing, large ones that release the GIL for longer.
        step = CHUNK_SIZE if md5 is not None else CHUNK_SIZE // 4
        while position < end:
            chunk = read_chunk(body.source, position, self._buffer[: body.allow(min(end - position, step))])
            if md5 is not None:
                md5.update(chunk)
            if self._write(chunk, body.halted):
                return False
            position += len(chunk)
            body.sent(len(chunk))
        return True

    def _write(self, data: memoryview, halted: Halted) -> bool:
        """Write all of `data`; return True when a response came first."""
        while data:
            if halted():
                raise HaltedError
            try:
                data = data[self._sock.layer.send(data) :]
            except WAITS as error:
                if self._wait_to_write(halted, TO_READ if isinstance(error, ssl.SSLWantReadError) else TO_WRITE):
                    return True
        return False

    def _wait_to_write(self, halted: Halted, wanted: int = TO_WRITE) -> bool:
        """Wait until bytes can go out or a response begins (True). Provisional responses do not extend the deadline."""
        deadline = Deadline(self._timeouts.write, "no byte moved for", halted)
        while not self._sock.wait(wanted | TO_READ, deadline) & wanted:
            with suppress(*WAITS):
                self._protocol.receive_data(self._sock.layer.recv(65536))
                while isinstance(event := self._protocol.next_event(), h11.InformationalResponse):
                    pass
                if event is not h11.NEED_DATA:
                    self._early = event
                    return True
        return False

    def _receive(self, halted: Halted) -> StorageResponse:
        deadline = Deadline(self._timeouts.read, "no whole response within", halted)
        status, headers, content = 0, {}, b""
        while not isinstance(event := self._early or self._protocol.next_event(), h11.EndOfMessage):
            self._early = None
            if event is h11.NEED_DATA:
                self._protocol.receive_data(self._sock.receive(deadline))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            elif isinstance(event, h11.Data):
                # Storage sends blanks as keep-alive while it works; ignore them.
                content = (content + bytes(event.data)).lstrip()[:RESPONSE_LIMIT]
        both_done = self._protocol.our_state is self._protocol.their_state is h11.DONE
        # Extra bytes would be taken for the response to the next part.
        if both_done and self._protocol.trailing_data == (b"", False):
            self._protocol.start_next_cycle()
        else:
            self.close()
        return StorageResponse(status, headers, content)


class Storage:
    """Connections to storage hosts, kept and lent to one thread at a time, for all uploads of a client."""

    def __init__(self, timeouts: StorageTimeouts | None = None, network: Network | None = None) -> None:
        self._timeouts, self.network = timeouts or StorageTimeouts(), network
        self._idle: defaultdict[tuple[str, ...], list[Connection]] = defaultdict(list)
        self._lock = threading.Lock()
        self.closed = False
        watch_forks(self)

    def put(self, url: str, body: Body) -> StorageResponse:
        """Send a part over an idle or a new connection; UnreachableError when none can be made."""
        host = urlsplit(url)[:2]
        connection = self._take_idle(host) or self._connect(url, body.halted)
        with ExitStack() as opened:
            opened.callback(connection.close)
            response = connection.put(url, body)
            with self._lock:
                if not self.closed and connection.is_usable():
                    self._idle[host].append(connection)
                    opened.pop_all()
        return response

    def close(self) -> None:
        """Close every idle connection; connections in use are closed when they are returned."""
        self.closed = True
        self._close_idle()

    def after_fork(self) -> None:
        """Close a forked child's copies of idle sockets."""
        self._lock = threading.Lock()
        self._close_idle()

    def _close_idle(self) -> None:
        with self._lock:
            for connection in chain(*self._idle.values()):
                connection.close()
            self._idle.clear()

    def _take_idle(self, host: tuple[str, ...]) -> Connection | None:
        with self._lock:
            while self._idle[host]:
                connection = self._idle[host].pop()
                if connection.is_usable():
                    return connection
                connection.close()
        return None

    def _connect(self, url: str, halted: Halted) -> Connection:
        with self._lock:
            network = self.network = self.network or Network.read()
        begin = partial(Deadline, self._timeouts.connect, "no connection within", halted)
        # Some gateways refuse requests without it.
        headers = [("User-Agent", user_agent())]
        sock, for_proxy = dial(url, network, headers, begin)
        return Connection(sock, self._timeouts, for_proxy or headers, forwarded=for_proxy is not None)
