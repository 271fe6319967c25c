"""Sockets to storage: connecting, proxies, TLS. They never block, and their waits can be stopped."""

from __future__ import annotations

import errno
import ipaddress
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Self, TypeVar

import h11
from attrs import frozen

from scenario_uploads.proxies import Proxy
from scenario_uploads.steps import SLICE
from scenario_uploads.system import create_selector

T = TypeVar("T")
Halted = Callable[[], bool]
"""Polled: returns whether to stop."""
TO_READ, TO_WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
# Windows reports a pending connection under another name.
_CONNECTING = frozenset({errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})


class HaltedError(Exception):
    """Raised from a wait when the transfer has been stopped."""


class UnreachableError(OSError):
    """No connection could be made; nothing was sent."""


class ProxyRefusedError(ConnectionError):
    """The proxy refuses to open a tunnel; retrying does not help."""


@frozen
class Deadline:
    """When a wait ends: at a `time.monotonic` time, with a message for the error, or when stopped."""

    moment: float
    fault: str
    halted: Halted

    @classmethod
    def after(cls, seconds: float, fault: str, halted: Halted) -> Self:
        """Return a deadline in `seconds`; `fault` is the start of the error message."""
        return cls(time.monotonic() + seconds, f"{fault} {seconds:g} s", halted)

    def check(self) -> None:
        """Raise HaltedError when stopped, and TimeoutError when the deadline has passed."""
        if self.halted():
            raise HaltedError
        if time.monotonic() >= self.moment:
            raise TimeoutError(self.fault)


class Socket:
    """A non-blocking socket; `layer` is what to send and receive with: the socket, or TLS over it."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.layer: Any = sock
        # TLS keeps the descriptor.
        self._descriptor, self._selector = sock.fileno(), create_selector()
        self._selector.register(self._descriptor, TO_READ)

    def wait(self, events: int, deadline: Deadline) -> int:
        """Wait until the socket is ready; return the ready events."""
        self._selector.modify(self._descriptor, events)
        while True:
            deadline.check()
            if ready := self._selector.select(SLICE):
                return ready[0][1]

    def attempt(self, operation: Callable[[], T], deadline: Deadline, events: int = TO_READ) -> T:
        """Retry an operation after waiting for these events, or for others that TLS asks for."""
        while True:
            # With data always available there is no wait, so check the deadline here.
            deadline.check()
            try:
                return operation()
            except ssl.SSLWantReadError:
                self.wait(TO_READ, deadline)
            except ssl.SSLWantWriteError:
                self.wait(TO_WRITE, deadline)
            except BlockingIOError:
                self.wait(events, deadline)

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all of `data`."""
        while data:
            data = data[self.attempt(partial(self.layer.send, data), deadline, TO_WRITE) :]

    def receive(self, deadline: Deadline, limit: int = 65536) -> bytes:
        """Return the next bytes; empty at the end."""
        data: bytes = self.attempt(partial(self.layer.recv, limit), deadline)
        return data

    def connect(self, address: Any, deadline: Deadline) -> None:
        """Connect to an address; OSError when that fails."""
        code = self.layer.connect_ex(address)
        if code in _CONNECTING:
            self.wait(TO_WRITE, deadline)
            code = self.layer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self.layer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start_tls(self, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        """Start TLS over the present layer, which may be TLS itself."""
        if isinstance(self.layer, ssl.SSLSocket):
            self.layer = _NestedTLS(self.layer, context, host)
        else:
            self.layer = context.wrap_socket(self.layer, server_hostname=host, do_handshake_on_connect=False)
        self.attempt(self.layer.do_handshake, deadline)

    @property
    def silent(self) -> bool:
        """Whether the socket is open and nothing has arrived."""
        if self.layer.fileno() < 0:
            return False
        self._selector.modify(self._descriptor, TO_READ)
        return not self._selector.select(0)

    def close(self) -> None:
        """Close the socket."""
        self.layer.close()


def open_socket(host: str, port: int, begin: Callable[[], Deadline]) -> Socket:
    """Return a connected socket; each address of the host is tried, within a deadline of its own."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = None
        try:
            # The machine may not support an address family of the host.
            sock = Socket(socket.socket(family, kind, protocol))
            sock.connect(address, begin())
        except BaseException as error:
            if sock:
                sock.close()
            if not isinstance(error, OSError):
                raise
            failure = error
        else:
            return sock
    raise failure or OSError(f"{host} has no address")


def authorize(proxy: Proxy) -> list[tuple[str, str]]:
    """Return the header with a proxy's credentials, if it has any."""
    return [] if proxy.basic is None else [("Proxy-Authorization", f"Basic {proxy.basic}")]


def open_tunnel(sock: Socket, proxy: Proxy, host: str, port: int, user_agent: str, deadline: Deadline) -> None:
    """Ask an HTTP proxy for a tunnel (RFC 9110, 9.3.6)."""
    protocol = h11.Connection(our_role=h11.CLIENT)
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", name), ("User-Agent", user_agent), *authorize(proxy)]
    sock.send(protocol.send(h11.Request(method="CONNECT", target=name, headers=headers)) or b"", deadline)
    while not isinstance(event := protocol.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            protocol.receive_data(sock.receive(deadline, 4096))
    if not 200 <= event.status_code < 300:
        # Other statuses mean that the host behind the proxy is away.
        kind = ConnectionError if event.status_code in (502, 503, 504) else ProxyRefusedError
        raise kind(f"the proxy answered {event.status_code}")


def ask_socks(sock: Socket, proxy: Proxy, host: str, port: int, deadline: Deadline) -> None:
    """Ask a SOCKS5 proxy for a connection, with the name resolved by the proxy (RFC 1928, 1929)."""

    def ask(message: bytes, length: int) -> bytes:
        sock.send(message, deadline)
        answer = b""
        while len(answer) < length:
            if not (chunk := sock.receive(deadline, length - len(answer))):
                raise ConnectionError("the proxy closed the connection")
            answer += chunk
        return answer

    version, method = ask(b"\x05\x02\x00\x02" if proxy.credentials else b"\x05\x01\x00", 2)
    if version != 5:
        raise ConnectionError("the proxy does not speak SOCKS5")
    if method == 2 and proxy.credentials:
        user, password = (text.encode()[:255] for text in proxy.credentials)
        if ask(b"\x01%c%b%c%b" % (len(user), user, len(password), password), 2)[1] != 0:
            raise ConnectionError("the proxy refused the user name or password")
    elif method != 0:
        raise ConnectionError("the proxy requires another kind of credentials")
    try:
        address = ipaddress.ip_address(host)
        place = (b"\x01" if address.version == 4 else b"\x04") + address.packed
    except ValueError:
        # Host names are not longer than this.
        place = b"\x03%c%b" % (len(host[:255]), host[:255].encode("ascii"))
    _, reply, _, kind = ask(b"\x05\x01\x00%b%b" % (place, port.to_bytes(2, "big")), 4)
    if reply != 0:
        raise ConnectionError(f"the proxy could not reach the host (SOCKS reply {reply})")
    # Skip the bound address and port.
    ask(b"", ({1: 4, 4: 16}.get(kind) or ask(b"", 1)[0]) + 2)


class _NestedTLS:
    """TLS within the TLS of an https proxy, with the methods of a socket that are used here."""

    def __init__(self, sock: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self._sock, self._incoming, self._outgoing = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._unsent, self._taken = memoryview(b""), 0
        self.fileno, self.close = sock.fileno, sock.close

    def do_handshake(self) -> None:
        """Continue the handshake, or raise `ssl.SSLWantReadError` or `ssl.SSLWantWriteError`."""
        self._run(self._tls.do_handshake)
        self._flush()

    def send(self, data: bytes | memoryview) -> int:
        """Return how many bytes went out; after an exception, call it again with the same bytes."""
        self._taken = self._taken or self._run(partial(self._tls.write, data))
        self._flush()
        taken, self._taken = self._taken, 0
        return taken

    def recv(self, limit: int) -> bytes:
        """Return received bytes."""
        try:
            return self._run(partial(self._tls.read, limit))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def _run(self, operation: Callable[[], T]) -> T:
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                # A refusal may arrive while the peer reads no more.
                if not self._taken:
                    self._flush()
                if data := self._sock.recv(65536):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()

    def _flush(self) -> None:
        while self._unsent or self._outgoing.pending:
            self._unsent = self._unsent or memoryview(self._outgoing.read())
            self._unsent = self._unsent[self._sock.send(self._unsent) :]
