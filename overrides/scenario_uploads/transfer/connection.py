"""Sending one part: an HTTP/1.1 PUT over a socket of our own.

The general clients copy every byte several times and cannot be stopped while a peer stalls. A part needs little of
HTTP: one request with a known length and a short response. h11 keeps the protocol; the bytes go from the file to the
socket by `sendfile`, or through one small buffer when they are hashed or encrypted. All waiting is done in slices, so
that whoever waits can be stopped; a refusal that comes while the body is still going out is read instead of lost.
"""

from __future__ import annotations

import errno
import hashlib
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import h11
from attrs import field, frozen

from scenario_uploads.system import create_selector

# Large enough that Python's share of the work is small, small enough that a stop or a limit is felt at once.
CHUNK_SIZE = 1024 * 1024
SLICE = 0.2
RESPONSE_LIMIT = 64 * 1024
# Some file systems cannot give their pages to a socket, and a disk can fail; reading then works or says why.
_NO_SENDFILE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EIO})
Halted = Callable[[], bool]
"""Asked again and again whether to stop."""


class HaltedError(Exception):
    """Raised out of a wait when the transfer has been stopped."""


@frozen
class StorageTimeouts:
    """Seconds of silence that are borne, and for how long a whole response may take.

    A slow link is no fault while bytes move. After the last byte the kernel may still hold megabytes of it, so the
    response is given long.
    """

    connect: float = 10.0
    write: float = 60.0
    read: float = 120.0


@frozen
class StorageResponse:
    """What storage said: its status, its headers (names in lower case) and the start of its body."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool = False
    """Whether all of the part went out before storage answered."""
    md5: str | None = None
    """The MD5 of what was sent, in hexadecimal, when it was asked for."""


@frozen
class Body:
    """Bytes to send: `length` of them from `offset`.

    Attributes:
        read: Returns bytes from an offset, at most as many as a buffer holds, in it or not; never none.
        descriptor: A file descriptor and the offset of the first byte in it, for `sendfile`; None when there is none.
        offset: The first byte.
        length: How many.
        hashed: Whether to take their MD5 on the way.
        sent: Called with the number of bytes that have gone out.
        halted: Asked between chunks whether to stop.
        allow: Asked before bytes are sent, for a bandwidth limit; waits, and returns how many of so many may go out.
    """

    read: Callable[[int, memoryview], memoryview] = field(repr=False)
    descriptor: tuple[int, int] | None
    offset: int
    length: int
    hashed: bool
    sent: Callable[[int], object]
    halted: Halted
    allow: Callable[[int], int] | None = None


@frozen
class Deadline:
    """A moment (of `time.monotonic`), and what is at fault when it has come."""

    moment: float
    fault: str

    @classmethod
    def after(cls, seconds: float, fault: str) -> Deadline:
        """Return the deadline so many seconds from now; `fault` says what has not happened, up to that number."""
        return cls(time.monotonic() + seconds, f"{fault} {seconds:g} s")

    def check(self) -> None:
        """Raise TimeoutError when it has come."""
        if time.monotonic() >= self.moment:
            raise TimeoutError(self.fault)


def wait_for(selector: selectors.BaseSelector, deadline: Deadline, halted: Halted) -> int:
    """Wait for the one socket that is registered, and return what it is ready for.

    What comes again and again is no reason to wait for longer: who does so keeps the deadline that it began with.

    Raises:
        HaltedError: When `halted` says so.
        TimeoutError: When the deadline has come.
    """
    while True:
        _check(halted)
        deadline.check()
        if ready := selector.select(SLICE):
            return ready[0][1]


def _check(halted: Halted) -> None:
    if halted():
        raise HaltedError


def _count(body: Body, most: int) -> int:
    """Return how many bytes may go out next."""
    return body.allow(most) if body.allow else most


class _Sized:
    """Tells h11 how long a body is without holding it; the bytes go past it."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length


class Connection:
    """One connection to one storage host, kept alive from part to part. It belongs to one thread at a time.

    Args:
        sock: A socket that does not block, or what has its methods.
        timeouts: How long silence is borne.
        headers: To send with each part, besides those that a part needs.
        forwarded: Whether a proxy passes the requests on, and so is told the whole URL.
    """

    def __init__(
        self,
        sock: socket.socket,
        timeouts: StorageTimeouts,
        headers: Iterable[tuple[str, str]] = (),
        *,
        forwarded: bool = False,
    ) -> None:
        self._sock, self._timeouts = sock, timeouts
        self._headers, self._forwarded = list(headers), forwarded
        self._protocol = h11.Connection(our_role=h11.CLIENT)
        self._selector = create_selector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._buffer = memoryview(b"")
        self._early: Any = None

    def put(self, url: str, body: Body) -> StorageResponse:
        """Send a part and return storage's response.

        Raises:
            HaltedError: When `body.halted` says so.
            OSError: When the connection breaks or stalls.
            h11.RemoteProtocolError: When the response is cut or no HTTP.
        """
        parts = urlsplit(url)
        # Presigned URLs sign the header as HTTP clients write it: without the scheme's own port.
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
            self._protocol.send_with_data_passthrough(h11.Data(data=_Sized(body.length)))  # type: ignore[arg-type]
            self._protocol.send(h11.EndOfMessage())
            position: int | None = body.offset
            if md5 is None and body.descriptor is not None and self._can_send_files:
                position = self._send_file(*body.descriptor, body)
            whole = position is not None and self._send_chunks(body, position, md5)
        except (ConnectionError, ssl.SSLError):
            # Who refuses early may close at once; what it said is still to be read.
            response = self._read_last_words(body.halted)
            if response is None:
                raise
            return response
        status, headers, content = self._receive(body.halted)
        if not whole:
            self.close()
        return StorageResponse(status, headers, content, whole, md5.hexdigest() if md5 else None)

    def _send_file(self, descriptor: int, base: int, body: Body) -> int | None:
        """Let the kernel move the body; return how far it came, or None when a response came before the end."""
        position, end = body.offset, body.offset + body.length
        while position < end:
            until = position + _count(body, min(end - position, CHUNK_SIZE * 4))
            while position < until:
                # Once stopped, the descriptor may be another file's.
                _check(body.halted)
                try:
                    moved = os.sendfile(self._sock.fileno(), descriptor, base + position, until - position)
                except BlockingIOError:
                    if self._wait_to_write(body.halted):
                        return None
                    continue
                except OSError as error:
                    if error.errno in _NO_SENDFILE:
                        return position
                    raise
                if moved == 0:
                    # The file is shorter than it was; reading it tells so.
                    return position
                position += moved
                body.sent(moved)
        return position

    def _send_chunks(self, body: Body, position: int, md5: Any) -> bool:
        """Read, hash and write the rest of the body; return whether all of it went out before a response came."""
        end = body.offset + body.length
        if position < end and not self._buffer:
            self._buffer = memoryview(bytearray(CHUNK_SIZE))
        # What is only encrypted should stay in the cache; what is hashed as well is longest without Python's lock.
        step = CHUNK_SIZE if md5 is not None else CHUNK_SIZE // 4
        while position < end:
            chunk = body.read(position, self._buffer[: _count(body, min(end - position, step))])
            if md5 is not None:
                md5.update(chunk)
            if self._write(chunk, body.halted):
                return False
            position += len(chunk)
            body.sent(len(chunk))
        return True

    def _write(self, data: memoryview, halted: Halted) -> bool:
        """Write all of `data`; return True when a response came before that."""
        while data:
            _check(halted)
            try:
                data = data[self._sock.send(data) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                if self._wait_to_write(halted):
                    return True
            except ssl.SSLWantReadError:
                self._wait(selectors.EVENT_READ, self._begin_to_write(), halted)
        return False

    def _wait_to_write(self, halted: Halted) -> bool:
        """Wait until bytes can go out, or something comes in; return True when that is the beginning of the response.

        Provisional responses, or a head that dribbles in, are no reason to wait longer for bytes to go out.
        """
        deadline = self._begin_to_write()
        while True:
            ready = self._wait(selectors.EVENT_WRITE | selectors.EVENT_READ, deadline, halted)
            if ready & selectors.EVENT_WRITE:
                return False
            if self._hear():
                return True

    def _begin_to_write(self) -> Deadline:
        return Deadline.after(self._timeouts.write, "no byte moved for")

    def _hear(self) -> bool:
        """Take in what came in mid-body; return whether it is more than a provisional response or TLS's own words."""
        try:
            self._protocol.receive_data(self._sock.recv(65536))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        while isinstance(event := self._protocol.next_event(), h11.InformationalResponse):
            pass
        self._early = None if event is h11.NEED_DATA else event
        return self._early is not None

    def _wait(self, events: int, deadline: Deadline, halted: Halted) -> int:
        self._selector.modify(self._sock, events)
        return wait_for(self._selector, deadline, halted)

    def _receive(self, halted: Halted) -> tuple[int, dict[str, str], bytes]:
        """Read one whole response within the read timeout, however slowly it dribbles in."""
        deadline = Deadline.after(self._timeouts.read, "no whole response within")
        status, headers, content = 0, {}, b""
        while True:
            event, self._early = self._early or self._protocol.next_event(), None
            if event is h11.NEED_DATA:
                # Where something is there at any time, nobody waits.
                deadline.check()
                self._protocol.receive_data(self._read_some(deadline, halted))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            elif isinstance(event, h11.Data):
                # Storage sends blanks to keep a connection alive while it works; what counts is what follows.
                content = (content + bytes(event.data)).lstrip()[:RESPONSE_LIMIT]
            elif isinstance(event, h11.EndOfMessage):
                break
        both_done = self._protocol.our_state is self._protocol.their_state is h11.DONE
        # What follows the response unasked would pass for the response to the next part.
        if both_done and self._protocol.trailing_data == (b"", False):
            self._protocol.start_next_cycle()
        else:
            self.close()
        return status, headers, content

    def _read_some(self, deadline: Deadline, halted: Halted) -> bytes:
        while True:
            try:
                return self._sock.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(selectors.EVENT_READ, deadline, halted)
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE, deadline, halted)

    def _read_last_words(self, halted: Halted) -> StorageResponse | None:
        try:
            return StorageResponse(*self._receive(halted))
        except (OSError, h11.RemoteProtocolError):
            return None
        finally:
            self.close()

    @property
    def _can_send_files(self) -> bool:
        return hasattr(os, "sendfile") and type(self._sock) is socket.socket

    @property
    def usable(self) -> bool:
        """Whether another part may be sent over this connection: it is open, and nothing has come in unasked."""
        if self._sock.fileno() < 0:
            return False
        self._selector.modify(self._sock, selectors.EVENT_READ)
        return not self._selector.select(0)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()
