"""Sockets to storage: connecting, proxies, TLS. They never block, and their waits can be stopped."""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import h11

from scenario_uploads.proxies import Network, Proxy
from scenario_uploads.system import SLICE, create_selector

T = TypeVar("T")
Halted = Callable[[], bool]  # polled: whether to stop
Headers = list[tuple[str, str]]
TO_READ, TO_WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
# How a SOCKS proxy says that the host behind it is away (RFC 1928, 6).
_SOCKS_AWAY = frozenset({b"\1", b"\3", b"\4", b"\5", b"\6"})
WAITS = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class HaltedError(Exception):
    """Raised from a wait when the transfer has been stopped."""


class UnreachableError(OSError):
    """No connection could be made; nothing was sent."""


class ProxyRefusedError(ConnectionError):
    """The proxy refuses to open a tunnel; retrying does not help."""


class Deadline:
    """The end of a wait: after some seconds, with an error that begins with `fault`, or when stopped."""

    def __init__(self, seconds: float, fault: str, halted: Halted) -> None:
        self._moment, self._fault, self._halted = time.monotonic() + seconds, f"{fault} {seconds:g} s", halted

    def check(self) -> None:
        """Raise HaltedError when stopped, and TimeoutError when the deadline has passed."""
        if self._halted():
            raise HaltedError
        if time.monotonic() >= self._moment:
            raise TimeoutError(self._fault)


class Socket:
    """A non-blocking socket; `layer` is what to send and receive with: the socket, or TLS over it."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.layer: Any = sock
        # TLS keeps the descriptor.
        self._descriptor, self._selector = sock.fileno(), create_selector()
        self._selector.register(self._descriptor, TO_READ)

    def wait(self, events: int, deadline: Deadline) -> int:
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
        while data:
            data = data[self.attempt(partial(self.layer.send, data), deadline, TO_WRITE) :]

    def receive(self, deadline: Deadline, limit: int = 65536) -> bytes:
        """Return the next bytes; empty at the end."""
        data: bytes = self.attempt(partial(self.layer.recv, limit), deadline)
        return data

    def connect(self, address: Any, deadline: Deadline) -> None:
        with suppress(BlockingIOError):
            self.layer.connect(address)
        self.wait(TO_WRITE, deadline)
        if code := self.layer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, getattr(socket, "errorTab", {}).get(code) or os.strerror(code))  # a table of Windows
        self.layer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start_tls(self, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        """Start TLS over the present layer, which may be TLS itself."""
        if isinstance(self.layer, ssl.SSLSocket):
            self.layer = _NestedTLS(self.layer, context, host)
        else:
            self.layer = context.wrap_socket(self.layer, server_hostname=host, do_handshake_on_connect=False)
        self.attempt(self.layer.do_handshake, deadline)

    def is_silent(self) -> bool:
        """Whether the socket is open and nothing has arrived."""
        if self.layer.fileno() < 0:
            return False
        self._selector.modify(self._descriptor, TO_READ)
        return not self._selector.select(0)

    def close(self) -> None:
        self.layer.close()


def dial(url: str, network: Network, headers: Headers, begin: Callable[[], Deadline]) -> tuple[Socket, Headers | None]:
    """Return a socket to the host of a URL, and the headers for a proxy that forwards requests, or UnreachableError."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    proxy = network.proxies.find(parts.scheme, host, port)
    if proxy and proxy.basic:
        headers = [*headers, ("Proxy-Authorization", f"Basic {proxy.basic}")]
    # An HTTP proxy forwards plain http requests; everything else goes through a tunnel.
    forwards = proxy is not None and proxy.scheme.startswith("http") and parts.scheme == "http"
    with ExitStack() as opened:
        try:
            sock = open_socket(*((proxy.host, proxy.port) if proxy else (host, port)), begin)
            opened.callback(sock.close)
            if proxy and proxy.scheme == "https":
                sock.start_tls(network.tls, proxy.host, begin())
            if proxy and proxy.scheme.startswith("socks"):
                _ask_socks(sock, proxy, host, port, begin())
            elif proxy and not forwards:
                _open_tunnel(sock, host, port, headers, begin())
            if parts.scheme == "https":
                sock.start_tls(network.tls, host, begin())
        except (OSError, h11.RemoteProtocolError) as error:
            raise UnreachableError(str(error)) from error
        opened.pop_all()
    return sock, headers if forwards else None


def open_socket(host: str, port: int, begin: Callable[[], Deadline]) -> Socket:
    """Return a connected socket; each address of the host is tried, within a deadline of its own."""
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            with ExitStack() as opened:
                # The machine may not support an address family of the host.
                sock = Socket(opened.enter_context(socket.socket(family, kind, protocol)))
                sock.connect(address, begin())
                opened.pop_all()
                return sock
        except OSError as error:
            failure = error
    raise failure


def _open_tunnel(sock: Socket, host: str, port: int, headers: Headers, deadline: Deadline) -> None:
    """Ask an HTTP proxy for a tunnel (RFC 9110, 9.3.6)."""
    protocol = h11.Connection(our_role=h11.CLIENT)
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = h11.Request(method="CONNECT", target=name, headers=[("Host", name), *headers])
    sock.send(protocol.send(request) or b"", deadline)
    while not isinstance(event := protocol.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            protocol.receive_data(sock.receive(deadline, 4096))
    if not 200 <= event.status_code < 300:
        # These statuses mean that the proxy is busy, or that the host behind it is away.
        kind = ConnectionError if event.status_code in (408, 429) or event.status_code >= 500 else ProxyRefusedError
        raise kind(f"the proxy answered {event.status_code}")


def _ask_socks(sock: Socket, proxy: Proxy, host: str, port: int, deadline: Deadline) -> None:
    """Ask a SOCKS5 proxy for a connection, with the name resolved by the proxy (RFC 1928, 1929)."""
    from socksio import ProtocolError, socks5  # noqa: PLC0415 - of an extra of httpx

    method, login = socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED, []
    if proxy.credentials:
        method = socks5.SOCKS5AuthMethod.USERNAME_PASSWORD
        login = [socks5.SOCKS5UsernamePasswordRequest(*(text.encode()[:255] for text in proxy.credentials))]
    connect = socks5.SOCKS5CommandRequest.from_address(socks5.SOCKS5Command.CONNECT, (host[:255], port))
    make: Any = socks5.SOCKS5Connection  # its methods have types that checkers do not read
    protocol = make()
    try:
        for request in (socks5.SOCKS5AuthMethodsRequest([method]), *login, connect):
            protocol.send(request)
            sock.send(protocol.data_to_send(), deadline)
            if not (data := sock.receive(deadline)):
                raise ConnectionError("the proxy closed the connection")
            reply = protocol.receive_data(data)
            if getattr(reply, "method", method) != method:
                raise ProtocolError(f"its method is {reply.method.name}")
            if protocol.state is socks5.SOCKS5State.MUST_CLOSE:
                code = getattr(reply, "reply_code", None)
                what = "wrong user name or password" if code is None else code.name.lower().replace("_", " ")
                kind = ConnectionError if code in _SOCKS_AWAY else ProxyRefusedError
                raise kind(f"the proxy refused: {what}")
    except ProtocolError as error:
        raise ProxyRefusedError(f"the proxy does not speak SOCKS5, or requires other credentials: {error}") from error


class _NestedTLS:
    """TLS within the TLS of an https proxy, with the methods of a socket that are used here."""

    def __init__(self, sock: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self._sock, self._incoming, self._outgoing = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._unsent, self._taken = memoryview(b""), 0
        self.fileno, self.close = sock.fileno, sock.close

    def do_handshake(self) -> None:
        self._run(self._tls.do_handshake)
        self._flush()

    def send(self, data: bytes | memoryview) -> int:
        # After an exception, this is called again with the same bytes.
        self._taken = self._taken or self._run(partial(self._tls.write, data))
        self._flush()
        taken, self._taken = self._taken, 0
        return taken

    def recv(self, limit: int) -> bytes:
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
