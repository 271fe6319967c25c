"""Connections to storage: opened, kept, and lent to one thread at a time.

They carry no credential and follow no redirect. Connecting can be stopped like any other wait.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

import h11

from scenario_uploads.proxies import Network
from scenario_uploads.system import watch_forks

from .connection import Body, Connection, StorageResponse, StorageTimeouts
from .sockets import Deadline, Halted, UnreachableError, ask_socks, authorize, open_socket, open_tunnel


class Storage:
    """Connections to storage hosts, shared by all uploads of a client.

    Without a `network`, the first connection reads the environment. `user_agent` is for parts and tunnels: some
    gateways refuse requests without one.
    """

    def __init__(
        self,
        timeouts: StorageTimeouts | None = None,
        *,
        network: Network | None = None,
        user_agent: str = "scenario-uploads",
    ) -> None:
        self._timeouts = timeouts or StorageTimeouts()
        self._network, self._user_agent = network, user_agent
        self._idle: defaultdict[tuple[str, str], list[Connection]] = defaultdict(list)
        self._lock = threading.Lock()
        self.closed = False
        watch_forks(self)

    def put(self, url: str, body: Body) -> StorageResponse:
        """Send a part over an idle or a new connection; UnreachableError when none can be made."""
        scheme, netloc, *_ = urlsplit(url)
        connection = self._take_idle(scheme, netloc) or self._connect(url, body.halted)
        try:
            response = connection.put(url, body)
            with self._lock:
                if not self.closed and connection.usable:
                    self._idle[scheme, netloc].append(connection)
                    return response
        except BaseException:
            connection.close()
            raise
        connection.close()
        return response

    def close(self) -> None:
        """Close every idle connection; connections in use are closed when they are returned."""
        with self._lock:
            self.closed = True
            self._close_idle()

    def after_fork(self) -> None:
        """Close a forked child's copies of idle sockets."""
        self._lock = threading.Lock()
        self._close_idle()

    def _close_idle(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _take_idle(self, scheme: str, netloc: str) -> Connection | None:
        with self._lock:
            idle = self._idle[scheme, netloc]
            while idle:
                connection = idle.pop()
                if connection.usable:
                    return connection
                connection.close()
        return None

    def _connect(self, url: str, halted: Halted) -> Connection:
        with self._lock:
            network = self._network = self._network or Network.read()
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        proxy = network.proxies.find(parts.scheme, host, port)
        # An HTTP proxy forwards plain http requests; everything else goes through a tunnel.
        forwards = proxy is not None and proxy.scheme.startswith("http") and parts.scheme == "http"
        # The connect timeout applies to each step.
        begin = partial(Deadline.after, self._timeouts.connect, "no connection within", halted)
        with ExitStack() as opened:
            try:
                sock = open_socket(*((proxy.host, proxy.port) if proxy else (host, port)), begin)
                opened.callback(sock.close)
                if proxy and proxy.scheme == "https":
                    sock.start_tls(network.tls, proxy.host, begin())
                if proxy and proxy.scheme.startswith("socks"):
                    ask_socks(sock, proxy, host, port, begin())
                elif proxy and not forwards:
                    open_tunnel(sock, proxy, host, port, self._user_agent, begin())
                if parts.scheme == "https":
                    sock.start_tls(network.tls, host, begin())
            except (OSError, h11.RemoteProtocolError) as error:
                raise UnreachableError(str(error)) from error
            opened.pop_all()
        headers = [("User-Agent", self._user_agent), *(authorize(proxy) if proxy and forwards else ())]
        return Connection(sock, self._timeouts, headers, forwarded=forwards)
