"""Sending one part: an HTTP/1.1 PUT over the package's own socket.

General HTTP clients copy every byte several times and cannot be stopped while a peer stalls. h11 handles the protocol;
the bytes go from the file to the socket with `sendfile`, or through a small buffer when they are hashed or encrypted.
Waits are short slices, so that a stop takes effect; a refusal that arrives during the body is read.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import h11
from attrs import evolve, field, frozen

from .sockets import TO_READ, TO_WRITE, Deadline, Halted, HaltedError, Socket

# Large enough for little overhead in Python, small enough to react to a stop or a bandwidth limit.
CHUNK_SIZE = 1024 * 1024
RESPONSE_LIMIT = 64 * 1024
# Errors of `sendfile` after which reading works, or raises a clearer error.
_NO_SENDFILE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EIO})


@frozen
class StorageTimeouts:
    """Timeouts in seconds. A slow link does not time out while bytes move."""

    connect: float = 10.0
    write: float = 60.0
    # After the last write the kernel may still hold megabytes.
    read: float = 120.0


@frozen
class StorageResponse:
    """The response of storage: status, headers (names in lower case), the start of the body."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool = False
    """Whether the whole part went out before the response."""
    md5: str | None = None
    """The MD5 of the bytes sent, in hexadecimal, if requested."""


@frozen
class Body:
    """The body of a part: `length` bytes from `offset`, and callbacks."""

    read: Callable[[int, memoryview], memoryview] = field(repr=False)  # `read_chunk` of the source
    descriptor: tuple[int, int] | None  # and the offset of the first byte in it, for `sendfile`
    offset: int
    length: int
    hashed: bool  # whether to compute their MD5
    sent: Callable[[int], object]  # called with the number of bytes sent
    halted: Halted
    allow: Callable[[int], int] | None = None  # waits for the bandwidth limit; returns how many bytes may go out

    def count(self, position: int, most: int) -> int:
        """Return how many bytes may go out next."""
        most = min(self.offset + self.length - position, most)
        return self.allow(most) if self.allow else most


class Connection:
    """A connection to a storage host, kept alive between parts, for one thread at a time.

    A proxy that forwards requests (`forwarded`) gets the whole URL; `headers` are those of every part.
    """

    def __init__(
        self,
        sock: Socket,
        timeouts: StorageTimeouts,
        headers: Iterable[tuple[str, str]] = (),
        *,
        forwarded: bool = False,
    ) -> None:
        self._sock, self._timeouts = sock, timeouts
        self._headers, self._forwarded = list(headers), forwarded
        self._protocol = h11.Connection(our_role=h11.CLIENT)
        self._buffer = memoryview(b"")
        self._early: Any = None
        self.close = sock.close

    @property
    def usable(self) -> bool:
        """Whether another part can go over this connection: it is open and nothing unexpected has arrived."""
        return self._sock.silent

    def put(self, url: str, body: Body) -> StorageResponse:
        """Send a part and return the response. HaltedError, OSError or h11.RemoteProtocolError otherwise."""
        parts = urlsplit(url)
        # The signature covers `Host` as clients write it: without the default port.
        host = parts.netloc.removesuffix(":443" if parts.scheme == "https" else ":80")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = h11.Request(
            method="PUT",
            target=f"{parts.scheme}://{host}{target}" if self._forwarded else target,
            headers=[("Host", host), ("Content-Length", str(body.length)), ("Accept", "*/*"), *self._headers],
        )
        md5 = hashlib.md5(usedforsecurity=False) if body.hashed else None
        try:
            self._write(memoryview(self._protocol.send(request) or b""), body.halted)
            # Tell h11 only the length: the body does not pass through it.
            self._protocol.send_with_data_passthrough(h11.Data(data=range(body.length)))  # type: ignore[arg-type]
            self._protocol.send(h11.EndOfMessage())
            position: int | None = body.offset
            # `sendfile` needs a socket without TLS.
            if md5 is None and body.descriptor and hasattr(os, "sendfile") and type(self._sock.layer) is socket.socket:
                position = self._send_file(*body.descriptor, body)
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

    def _send_file(self, descriptor: int, base: int, body: Body) -> int | None:
        """Send the body with `sendfile`; return the offset reached, or None when a response came first."""
        position, end = body.offset, body.offset + body.length
        while position < end:
            until = position + body.count(position, CHUNK_SIZE * 4)
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
                except OSError as error:
                    if error.errno in _NO_SENDFILE:
                        return position
                    raise
                if moved == 0:
                    # The file has shrunk; reading raises the error.
                    return position
                position += moved
                body.sent(moved)
        return position

    def _send_chunks(self, body: Body, position: int, md5: Any) -> bool:
        """Read, hash and write the rest of the body; return whether all of it went out before a response."""
        end = body.offset + body.length
        if position < end and not self._buffer:
            self._buffer = memoryview(bytearray(CHUNK_SIZE))
        # Encryption alone prefers chunks that fit the CPU cache; hashing, large ones that release the GIL for longer.
        step = CHUNK_SIZE if md5 is not None else CHUNK_SIZE // 4
        while position < end:
            chunk = body.read(position, self._buffer[: body.count(position, step)])
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
            except (BlockingIOError, ssl.SSLWantWriteError):
                if self._wait_to_write(halted):
                    return True
            except ssl.SSLWantReadError:
                self._sock.wait(TO_READ, self._begin_to_write(halted))
        return False

    def _wait_to_write(self, halted: Halted) -> bool:
        """Wait until bytes can go out or a response begins (True). Provisional responses do not extend the deadline."""
        deadline = self._begin_to_write(halted)
        while not self._sock.wait(TO_WRITE | TO_READ, deadline) & TO_WRITE:
            if self._hear():
                return True
        return False

    def _begin_to_write(self, halted: Halted) -> Deadline:
        return Deadline.after(self._timeouts.write, "no byte moved for", halted)

    def _hear(self) -> bool:
        """Read what arrived during the body; return whether it is more than a provisional response or a TLS record."""
        try:
            self._protocol.receive_data(self._sock.layer.recv(65536))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        while isinstance(event := self._protocol.next_event(), h11.InformationalResponse):
            pass
        self._early = None if event is h11.NEED_DATA else event
        return self._early is not None

    def _receive(self, halted: Halted) -> StorageResponse:
        """Read a whole response within the read timeout."""
        deadline = Deadline.after(self._timeouts.read, "no whole response within", halted)
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
