"""Connections to storage: opened, kept, and lent to one thread at a time.

They carry no credential and follow no redirect. Connecting can be stopped like any other wait.
"""

from __future__ import annotations

import socket
import threading
from collections import defaultdict
from urllib.parse import urlsplit

import h11

from scenario_uploads.fork import watch_forks
from scenario_uploads.proxies import Network

from .connection import Body, Connection, Halted, StorageResponse, StorageTimeouts
from .tunnel import ask_socks, authorize, open_socket, open_tunnel, start_tls


class UnreachableError(OSError):
    """No connection could be made; nothing was sent."""


class Storage:
    """Connections to storage hosts, shared by all uploads of a client.

    Args:
        timeouts: The timeouts.
        network: TLS context and proxies; None reads the environment with the first connection.
        user_agent: The `User-Agent` of parts and tunnels; some gateways refuse requests without one.
    """

    def __init__(
        self,
        timeouts: StorageTimeouts | None = None,
        *,
        network: Network | None = None,
        user_agent: str = "scenario-uploads",
    ) -> None:
        self._timeouts = timeouts or StorageTimeouts()
        self._network = network
        self._user_agent = user_agent
        self._idle: defaultdict[tuple[str, str], list[Connection]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False
        watch_forks(self)

    @property
    def closed(self) -> bool:
        """Whether nothing more may be sent."""
        return self._closed

    def put(self, url: str, body: Body) -> StorageResponse:
        """Send a part over an idle or a new connection; UnreachableError when none can be made."""
        connection = self._take(url, body.halted)
        try:
            response = connection.put(url, body)
        except BaseException:
            connection.close()
            raise
        self._give_back(url, connection)
        return response

    def close(self) -> None:
        """Close every idle connection; connections in use are closed when they are returned."""
        with self._lock:
            self._closed = True
            idle = [connection for connections in self._idle.values() for connection in connections]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def after_fork(self) -> None:
        """Close a forked child's copies of idle sockets."""
        self._lock = threading.Lock()
        for inherited in (connection for connections in self._idle.values() for connection in connections):
            inherited.close()
        self._idle.clear()

    def _take(self, url: str, halted: Halted) -> Connection:
        with self._lock:
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
        parts, timeout, network = urlsplit(url), self._timeouts.connect, self._environment()
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        proxy = network.proxies.find(parts.scheme, host, port)
        # An HTTP proxy forwards requests for plain http; all else goes through a tunnel.
        forwards = proxy is not None and proxy.scheme.startswith("http") and parts.scheme == "http"
        try:
            sock = open_socket(*((proxy.host, proxy.port) if proxy else (host, port)), timeout, halted)
        except OSError as error:
            raise UnreachableError(str(error)) from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Each step has the connect timeout to itself.
            if proxy and proxy.scheme == "https":
                sock = start_tls(sock, network.tls, proxy.host, timeout, halted)
            if proxy and proxy.scheme.startswith("socks"):
                ask_socks(sock, proxy, (host, port), timeout, halted)
            elif proxy and not forwards:
                open_tunnel(sock, proxy, (host, port), self._user_agent, timeout, halted)
            if parts.scheme == "https":
                sock = start_tls(sock, network.tls, host, timeout, halted)
        except (OSError, h11.RemoteProtocolError) as error:
            sock.close()
            raise UnreachableError(str(error)) from error
        except BaseException:
            sock.close()
            raise
        headers = [("User-Agent", self._user_agent), *(authorize(proxy) if proxy and forwards else ())]
        return Connection(sock, self._timeouts, headers, forwarded=forwards)

    def _environment(self) -> Network:
        with self._lock:
            if self._network is None:
                self._network = Network.read()
            return self._network


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
