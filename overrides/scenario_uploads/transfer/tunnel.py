"""What a connection to storage is made of: a socket, the way through a proxy, TLS. All of it can be stopped."""

from __future__ import annotations

import errno
import ipaddress
import os
import selectors
import socket
import ssl
from contextlib import suppress
from typing import cast

import h11

from scenario_uploads.proxies import Proxy
from scenario_uploads.system import create_selector

from .connection import Deadline, Halted, wait_for

# Windows reports a pending connection under another name.
_CONNECTING = frozenset({errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})


class ProxyRefusedError(ConnectionError):
    """The proxy refuses to open a tunnel; retrying does not help."""


def open_socket(host: str, port: int, timeout: float, halted: Halted) -> socket.socket:
    """Return a connected non-blocking socket; each address of the host is tried."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            # The machine may lack an address family of the host.
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            failure = error
            continue
        try:
            sock.setblocking(False)
            code = sock.connect_ex(address)
            if code in _CONNECTING:
                _wait(sock, selectors.EVENT_WRITE, Deadline.after(timeout, "no byte moved for"), halted)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure or OSError(f"{host} has no address")


def start_tls(sock: socket.socket, context: ssl.SSLContext, host: str, timeout: float, halted: Halted) -> ssl.SSLSocket:
    """Start TLS over a connection, which may itself be TLS."""
    tls = cast(
        "ssl.SSLSocket",
        _NestedTLS(sock, context, host)
        if isinstance(sock, ssl.SSLSocket)
        else context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False),
    )
    deadline = Deadline.after(timeout, "no connection within")
    try:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                _wait(tls, selectors.EVENT_READ, deadline, halted)
            except ssl.SSLWantWriteError:
                _wait(tls, selectors.EVENT_WRITE, deadline, halted)
            else:
                return tls
    except BaseException:
        tls.close()
        raise


def _wait(sock: socket.socket, events: int, deadline: Deadline, halted: Halted) -> None:
    with create_selector() as selector:
        selector.register(sock, events)
        wait_for(selector, deadline, halted)


def open_tunnel(
    sock: socket.socket | ssl.SSLSocket,
    proxy: Proxy,
    target: tuple[str, int],
    user_agent: str,
    timeout: float,
    halted: Halted,
) -> None:
    """Ask an HTTP proxy for a tunnel (RFC 9110, 9.3.6)."""
    protocol = h11.Connection(our_role=h11.CLIENT)
    host, port = target
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", name), ("User-Agent", user_agent), *authorize(proxy)]
    deadline = Deadline.after(timeout, "no connection within")
    _send(sock, protocol.send(h11.Request(method="CONNECT", target=name, headers=headers)) or b"", deadline, halted)
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            protocol.receive_data(_receive(sock, 4096, deadline, halted))
        elif isinstance(event, h11.Response):
            if not 200 <= event.status_code < 300:
                # Other statuses mean that the host behind the proxy is away.
                kind = ConnectionError if event.status_code in (502, 503, 504) else ProxyRefusedError
                raise kind(f"the proxy answered {event.status_code}")
            return


def authorize(proxy: Proxy) -> list[tuple[str, str]]:
    """Return the header with a proxy's credentials, if it has any."""
    return [] if proxy.basic is None else [("Proxy-Authorization", f"Basic {proxy.basic}")]


def ask_socks(sock: socket.socket, proxy: Proxy, target: tuple[str, int], timeout: float, halted: Halted) -> None:
    """Ask a SOCKS5 proxy for a connection, with the name resolved by the proxy (RFC 1928, 1929)."""
    deadline = Deadline.after(timeout, "no connection within")

    def ask(message: bytes, length: int) -> bytes:
        _send(sock, message, deadline, halted)
        answer = b""
        while len(answer) < length:
            chunk = _receive(sock, length - len(answer), deadline, halted)
            if not chunk:
                raise ConnectionError("the proxy closed the connection")
            answer += chunk
        return answer

    version, method = ask(b"\x05\x02\x00\x02" if proxy.credentials else b"\x05\x01\x00", 2)
    if version != 5:
        raise ConnectionError("the proxy speaks no SOCKS5")
    if method == 2 and proxy.credentials:
        user, password = (text.encode()[:255] for text in proxy.credentials)
        login = b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password
        if ask(login, 2)[1] != 0:
            raise ConnectionError("the proxy refused the user name or password")
    elif method != 0:
        raise ConnectionError("the proxy wants credentials of a kind that it was not given")
    host, port = target
    if len(host) > 255:
        raise OSError("the host's name is too long")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        place = b"\x03" + bytes([len(host)]) + host.encode("ascii")
    else:
        place = (b"\x01" if address.version == 4 else b"\x04") + address.packed
    _, reply, _, kind = ask(b"\x05\x01\x00" + place + port.to_bytes(2, "big"), 4)
    if reply != 0:
        raise ConnectionError(f"the proxy could not reach the host (SOCKS reply {reply})")
    # Skip the bound address.
    ask(b"", {1: 4, 4: 16}.get(kind) or ask(b"", 1)[0])
    ask(b"", 2)


def _send(sock: socket.socket, message: bytes, deadline: Deadline, halted: Halted) -> None:
    while message:
        try:
            message = message[sock.send(message) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            _wait(sock, selectors.EVENT_WRITE, deadline, halted)
        except ssl.SSLWantReadError:
            _wait(sock, selectors.EVENT_READ, deadline, halted)


def _receive(sock: socket.socket, limit: int, deadline: Deadline, halted: Halted) -> bytes:
    while True:
        # With data always available there is no wait, so check the deadline here.
        deadline.check()
        try:
            return sock.recv(limit)
        except (BlockingIOError, ssl.SSLWantReadError):
            _wait(sock, selectors.EVENT_READ, deadline, halted)
        except ssl.SSLWantWriteError:
            _wait(sock, selectors.EVENT_WRITE, deadline, halted)


class _NestedTLS:
    """TLS within the TLS of an https proxy, with the methods of a socket that `Connection` uses."""

    def __init__(self, sock: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._unsent = memoryview(b"")
        self.fileno, self.close = sock.fileno, sock.close

    def do_handshake(self) -> None:
        """Continue the handshake, or raise what is to be waited for."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                return self._flush()

    def send(self, data: bytes | memoryview) -> int:
        """Accept some of the bytes, once earlier ones have gone out."""
        self._flush()
        try:
            taken = self._tls.write(data)
        except ssl.SSLWantReadError:
            self._fill()
            raise
        with suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._flush()
        return taken

    def recv(self, limit: int) -> bytes:
        """Return received bytes, after sending what is still to go out."""
        while True:
            blocked: ssl.SSLError | None = None
            try:
                self._flush()
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
                blocked = error
            try:
                return self._tls.read(limit)
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLWantReadError:
                try:
                    self._fill()
                except ssl.SSLWantReadError as error:
                    raise blocked or error from None

    def _flush(self) -> None:
        while True:
            if not self._unsent:
                self._unsent = memoryview(self._outgoing.read())
            if not self._unsent:
                return
            self._unsent = self._unsent[self._sock.send(self._unsent) :]

    def _fill(self) -> None:
        data = self._sock.recv(65536)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
