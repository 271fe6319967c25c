"""A server on a real socket that answers as a test says, byte by byte if need be, and keeps what it was asked."""

import hashlib
import json
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

# No bound on speed: what never comes is told by what was waited for, and not by the end of the whole run.
_PATIENCE = 300.0


def until(holds: Callable[[], object], seconds: float = _PATIENCE) -> None:
    """Poll until something holds, or fail at the deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the deadline is over"
        time.sleep(0.005)


class Request:
    """One request as it came off the wire."""

    def __init__(self, head: bytes, connection: int) -> None:
        line, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = line.split(" ", 2)
        self.headers = [(name, value.strip()) for name, _, value in (field.partition(":") for field in fields)]
        self.connection = connection
        self.received = 0
        """Bytes of the body in all."""
        self.whole = False
        """Whether all of the body has come."""
        # Few tests ask for a digest, and to make two of each body would take longer than to receive it.
        self._chunks: list[bytes] = []

    def __repr__(self) -> str:
        return f"<{self.method} {self.target} {self.received} bytes>"

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def length(self) -> int:
        return int(self.header("content-length") or 0)

    @property
    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.headers}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def body(self) -> bytes:
        return b"".join(self._chunks)

    @property
    def sha256(self) -> str:
        return self._hash("sha256")

    @property
    def md5(self) -> str:
        return self._hash("md5")

    def _hash(self, name: str) -> str:
        digest = hashlib.new(name)
        for chunk in self._chunks:
            digest.update(chunk)
        return digest.hexdigest()

    def header(self, name: str) -> str | None:
        """Return the value of a header that comes at most once."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    def take(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self.received += len(chunk)
        self.whole = self.received >= self.length


class Exchange:
    """A request and the socket that it came on."""

    def __init__(self, server: "Server", sock: socket.socket, request: Request, rest: bytes) -> None:
        self.server, self.sock, self.request, self.rest = server, sock, request, rest
        self.keep = True
        request.whole = request.length == 0

    def read_body(self, limit: int | None = None) -> None:
        """Take the body off the wire, or only so many bytes of it."""
        wanted = self.request.length if limit is None else limit
        while self.request.received < wanted:
            chunk = self.rest or self.sock.recv(min(1 << 20, wanted - self.request.received))
            if not chunk:
                raise ConnectionResetError("the client left in the middle of a body")
            size = min(len(chunk), wanted - self.request.received)
            self.rest = chunk[size:]
            self.request.take(chunk[:size])

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def hang(self) -> None:
        """Say nothing until the client has left or the test is over."""
        self.keep = False
        self.sock.settimeout(0.02)
        while not self.server.stopping.is_set():
            try:
                if not self.sock.recv(1 << 16):
                    return
            except TimeoutError:
                continue

    def stall(self) -> None:
        """Take nothing and say nothing until the client has left or the test is over."""
        self.keep = False
        while not self.server.stopping.wait(0.02):
            # FIN with unread bytes before it cannot be seen by reading; the state of the connection tells, on Linux.
            if hasattr(socket, "TCP_INFO") and self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1:
                return

    def reset(self) -> None:
        """Break the connection so that the client gets a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.keep = False
        self.sock.close()


Answering = Callable[[Exchange], object]


class Server:
    """Serves each connection in a thread of its own until the end of the `with` block.

    Args:
        handle: Answers one request.
        tls: Speaks TLS with it.
        port: Where to listen, 0 for any free port.
    """

    def __init__(self, handle: Answering, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.handle = handle
        self.requests: list[Request] = []
        self.connections = 0
        self.stopping = threading.Event()
        self.faults: list[BaseException] = []
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="test-server", daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._port = self.port
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stopping.set()
        wake_acceptor(self._port)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            for sock in self._open:
                cut(sock)
        for thread in self._threads:
            thread.join(_PATIENCE)
            assert not thread.is_alive(), "the test's server does not end"
        # It may know the owner of this server: the bodies are too large to wait in a cycle for the garbage collector.
        self.handle = lose
        if error is None:
            assert self.faults == []

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self.stopping.is_set():
                sock.close()
                return
            self.connections += 1
            thread = threading.Thread(
                target=self._serve, args=(sock, self.connections), name="test-server", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with self._lock:
                self._open.add(sock)
            rest, keep = b"", True
            while keep and (found := self._read_head(sock, rest)) is not None:
                head, rest = found
                request = Request(head, number)
                with self._lock:
                    self.requests.append(request)
                exchange = Exchange(self, sock, request, rest)
                self.handle(exchange)
                rest, keep = exchange.rest, exchange.keep and request.whole
        except OSError:
            pass  # the client has left, or the test made us leave
        except BaseException as error:  # noqa: BLE001 - told at the end
            self.faults.append(error)
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    @staticmethod
    def _read_head(sock: socket.socket, rest: bytes) -> tuple[bytes, bytes] | None:
        data = rest
        while b"\r\n\r\n" not in data:
            chunk = sock.recv(65536)
            if not chunk:
                return None
            data += chunk
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest


def cut(sock: socket.socket) -> None:
    """End a connection, and wake the thread that reads from it."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    if os.name == "nt":
        # There only this wakes a thread, and nowhere else.
        sock.close()


def wake_acceptor(port: int) -> None:
    """Let a thread that accepts connections see that it should end; macOS cannot shut its socket down."""
    # Not by `create_connection`, which asks the resolver, and that a test may have replaced.
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", port))


def encode_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def reply(
    status: int = 200,
    body: object = b"",
    headers: dict[str, str] | None = None,
    *,
    length: int | None = None,
    close: bool = False,
) -> Answering:
    """Answer with this status and body, JSON unless it is bytes; `length` may say more than there is."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content) if length is None else length)}

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(encode_head(status, (fields | (headers or {})).items()) + content)
        if close or length is not None:
            exchange.close()

    return answer


def raw(data: bytes) -> Answering:
    """Send these bytes for an answer, whatever they are, and close."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(data)
        exchange.close()

    return answer


def lose(exchange: Exchange) -> None:
    """Read the whole request and close without a word."""
    exchange.read_body()
    exchange.close()


def hang(exchange: Exchange) -> None:
    """Read the whole request and never answer."""
    exchange.read_body()
    exchange.hang()


def stall(exchange: Exchange) -> None:
    """Stop reading in the middle of the body."""
    exchange.read_body(min(65536, exchange.request.length))
    exchange.stall()


def reset_in_body(exchange: Exchange) -> None:
    """Read some of the body, then break the connection."""
    exchange.read_body(exchange.request.length // 2)
    exchange.reset()
