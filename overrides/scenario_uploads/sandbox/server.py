"""An ASGI app on a socket of its own, served by uvicorn in a background thread."""

import asyncio
import errno
import os
import socket
import struct
import sys
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from scenario_uploads.sandbox.errors import SandboxError


def open_socket(host: str, port: int, option: str) -> socket.socket:
    """Return a listening TCP socket.

    Args:
        host: An address or a name of this machine.
        port: The port, 0 for any free one.
        option: The option that chooses the port, for the message.

    Raises:
        SandboxError: When the port is taken or the host is none of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SandboxError(f"port {port} is in use; choose another with {option}=") from error
        raise SandboxError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    # Inherited by each connection. Otherwise a response over a kept one waits 40 ms for the client's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def format_origin(listener: socket.socket) -> str:
    """Return the origin of a listening socket, such as `http://127.0.0.1:4010`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _QuietProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen at run time: httptools or h11
    """uvicorn's HTTP protocol without its access log, which would have presigned URLs in it.

    The setting `access_log=False` changes the logger of the whole process, and counts for nothing when that has a
    handler.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.access_log = False


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it is ready and leaves no connection behind."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event, *, is_patient: bool) -> None:
        super().__init__(config)
        self._ready = ready
        self._is_patient = is_patient

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self._is_patient:
            self._abort_connections()
        await super().shutdown(sockets)
        self._abort_connections()
        # Lets the loop call `connection_lost` and close the sockets.
        await asyncio.sleep(0)

    def _abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def reset_connection(self, client: tuple[str, int]) -> None:
        """Break the connection of a client with a TCP reset."""
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport.get_extra_info("peername")[:2] == client:
                # Closed without lingering, a socket says RST and not FIN. Windows has short integers here.
                linger = struct.pack("HH" if os.name == "nt" else "ii", 1, 0)
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                transport.abort()


class BackgroundServer:
    """An app that is served from a thread with its own event loop until `stop`.

    Args:
        app: The ASGI app.
        listener: A listening socket, which the server closes at its end.
        name: The name of the thread.
        is_patient: Whether requests that are under way at the end may take another second.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket, *, name: str, is_patient: bool) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            http=_QuietProtocol,
            # The application configures logging, not its sandbox.
            log_config=None,
            server_header=False,
            # Who asks is who is connected, whatever a header or FORWARDED_ALLOW_IPS says.
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._ready = threading.Event()
        self._server = _Server(config, self._ready, is_patient=is_patient)
        self._listener = listener
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread and return when requests are served.

        Raises:
            SandboxError: When the server does not start.
        """
        handled = sys.exception()
        try:
            self._thread.start()
            self._ready.wait()
        except RuntimeError as error:
            # What a signal handler raises between two steps of a lock of `threading` makes the lock's release fail.
            if error.__context__ in (None, handled):
                raise
            raise error.__context__ from None
        if self._failure is not None:
            self._thread.join()
            raise SandboxError(f"the server {self._thread.name} did not start") from self._failure

    def reset_connection(self, client: tuple[str, int]) -> None:
        """Break the connection of a client with a TCP reset; for apps that this server runs."""
        self._server.reset_connection(client)

    def stop(self) -> None:
        """End the server and its thread."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        except BaseException as failure:  # noqa: BLE001 - handed to the thread that waits in start()
            self._failure = failure
        finally:
            self._listener.close()
            self._ready.set()
