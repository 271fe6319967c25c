"""Connections to storage: made, kept, handed out to one thread at a time.

They carry no credential and follow no redirect. Making one can be stopped like everything else that waits.
"""

from __future__ import annotations

import base64
import errno
import os
import selectors
import socket
import ssl
from collections import defaultdict
from urllib.parse import unquote, urlsplit

import h11
from attrs import field, frozen

from scenario_uploads.errors import TransferError
from scenario_uploads.fork import ProcessLock
from scenario_uploads.system import create_selector
from scenario_uploads.tls import create_tls_context

from .connection import Body, Connection, Deadline, Halted, StorageResponse, StorageTimeouts, wait_for

# Windows has a name of its own for a connection that is being made.
_CONNECTING = frozenset({errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})


class UnreachableError(OSError):
    """No connection could be made; nothing was sent."""


class Storage:
    """Connections to storage hosts, shared by the threads of all uploads of one client.

    Args:
        timeouts: How long silence is borne.
        trust_env: Whether the environment's proxies and CA files are used (`HTTPS_PROXY`, `SSL_CERT_FILE` …).
        tls: Whom to trust, when that is known; else it is found out with the first connection.
    """

    def __init__(
        self,
        timeouts: StorageTimeouts | None = None,
        *,
        trust_env: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeouts = timeouts or StorageTimeouts()
        self._trust_env = trust_env
        self._idle: defaultdict[tuple[str, str], list[Connection]] = defaultdict(list)
        self._lock = ProcessLock()
        self._context = tls
        self._owner = os.getpid()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nothing more may be sent: what is under way ends."""
        return self._closed

    def put(self, url: str, body: Body) -> StorageResponse:
        """Send a part over an idle connection, or a new one; see `Connection.put`.

        Raises:
            UnreachableError: When no connection could be made.
        """
        connection = self._take(url, body.halted)
        try:
            response = connection.put(url, body)
        except BaseException:
            connection.close()
            raise
        self._give_back(url, connection)
        return response

    def close(self) -> None:
        """Close every idle connection; those in use are closed when they are given back."""
        with self._lock:
            self._closed = True
            idle = [connection for connections in self._idle.values() for connection in connections]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _take(self, url: str, halted: Halted) -> Connection:
        with self._lock:
            if self._owner != os.getpid():
                # After a fork the parent still uses its sockets: we close ours, which does not end the connections.
                for inherited in (connection for connections in self._idle.values() for connection in connections):
                    inherited.close()
                self._idle.clear()
                self._owner = os.getpid()
            idle = self._idle[_origin(url)]
            while idle:
                connection = idle.pop()
                if connection.usable:
                    return connection
                connection.close()
        return self._connect(url, halted)

    def _give_back(self, url: str, connection: Connection) -> None:
        with self._lock:
            if not self._closed and connection.usable:
                self._idle[_origin(url)].append(connection)
                return
        connection.close()

    def _connect(self, url: str, halted: Halted) -> Connection:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        proxy = _find_proxy(host, port) if self._trust_env and parts.scheme == "https" else None
        try:
            sock = _open(*(proxy.address if proxy else (host, port)), self._timeouts.connect, halted)
        except OSError as error:
            raise UnreachableError(str(error)) from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Each step by itself has the time to connect.
            if proxy:
                proxy.open_tunnel(sock, host, port, self._timeouts.connect, halted)
            if parts.scheme == "https":
                sock = _secure(sock, self._tls(), host, self._timeouts.connect, halted)
        except (OSError, h11.RemoteProtocolError) as error:
            sock.close()
            raise UnreachableError(str(error)) from error
        except BaseException:
            sock.close()
            raise
        return Connection(sock, self._timeouts)

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                # The same trust as for the API: the environment's CA files, else certifi's.
                self._context = create_tls_context(trust_env=self._trust_env)
            return self._context


def _open(host: str, port: int, timeout: float, halted: Halted) -> socket.socket:
    """Return a connected socket that does not block; every address of the host is tried."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
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


def _secure(sock: socket.socket, context: ssl.SSLContext, host: str, timeout: float, halted: Halted) -> ssl.SSLSocket:
    tls = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
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


@frozen
class Proxy:
    """An HTTP proxy that opens tunnels (RFC 9110, 9.3.6)."""

    address: tuple[str, int]
    _credentials: str | None = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Read a proxy's URL as the environment gives it.

        Raises:
            TransferError: When it is no http proxy; its text is not shown, since it may hold a password.
        """
        credentials = None
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            address = parts.hostname or "", parts.port or 80
        except ValueError:
            parts, address = urlsplit(""), ("", 0)
        if parts.scheme != "http" or not address[0]:
            raise TransferError(
                "The proxy in HTTPS_PROXY or ALL_PROXY must be an http:// URL; storage is reached through its tunnels."
                " NO_PROXY can name hosts to reach without it."
            )
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials = base64.b64encode(pair.encode()).decode("ascii")
        return cls(address, credentials)

    def open_tunnel(self, sock: socket.socket, host: str, port: int, timeout: float, halted: Halted) -> None:
        """Ask for a tunnel to a host.

        Raises:
            OSError: When the proxy refuses or is silent.
            h11.RemoteProtocolError: When it is no proxy.
        """
        protocol = h11.Connection(our_role=h11.CLIENT)
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        headers = [("Host", target)]
        if self._credentials:
            headers.append(("Proxy-Authorization", f"Basic {self._credentials}"))
        sock.sendall(protocol.send(h11.Request(method="CONNECT", target=target, headers=headers)) or b"")
        deadline = Deadline.after(timeout, "no connection within")
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                _wait(sock, selectors.EVENT_READ, deadline, halted)
                protocol.receive_data(sock.recv(4096))
            elif isinstance(event, h11.Response):
                if not 200 <= event.status_code < 300:
                    raise ConnectionError(f"the proxy answered {event.status_code}")
                return


def _find_proxy(host: str, port: int) -> Proxy | None:
    from urllib import request  # noqa: PLC0415 - slow to import, and needed only with the first connection

    if request.proxy_bypass(f"{host}:{port}"):
        return None
    proxies = request.getproxies()
    url = proxies.get("https") or proxies.get("all")
    return Proxy.parse(url) if url else None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
