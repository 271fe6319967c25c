"""Storage as the rooms that send parts meet it: bodies, a bucket, and what stands on the way to it."""

import atexit
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from scenario_uploads.transfer import connection, sockets
from scenario_uploads.transfer.connection import Body, StorageTimeouts
from scenario_uploads.transfer.engine import Transfer
from scenario_uploads.transfer.parts import Part
from scenario_uploads.transfer.sockets import Socket
from scenario_uploads.transfer.source import Source, open_source

from tests.support.server import Exchange, Server, cut, encode_head, until, wake_acceptor

IMPATIENT = StorageTimeouts(connect=0.5, write=0.5, read=0.5)
# What ends sooner was stopped and has not waited to the end.
ENDLESS = StorageTimeouts(connect=3600.0, write=3600.0, read=3600.0)


def never() -> bool:
    return False


def make_body(source: Source, *, offset: int = 0, length: int | None = None, **changes: Any) -> Body:
    """Return a body of the whole source, or as `changes` says."""
    part = Part(1, offset, source.size if length is None else length)
    settings: dict[str, Any] = {"part": part, "hashed": False, "halted": never}
    return Body(source, **settings | changes)


def body_of(content: bytes, **changes: Any) -> Body:
    return make_body(open_source(content), **changes)


def make_job(source: Source, origin: str, part_size: int, **changes: Any) -> Transfer:
    """Return the job of sending a source in parts of any size."""
    offsets = range(0, source.size, part_size)
    parts = tuple(
        Part(number, offset, min(part_size, source.size - offset), f"{origin}/part-{number}?sig=s3cret")
        for number, offset in enumerate(offsets, 1)
    )
    settings: dict[str, Any] = {
        "source": source,
        "parts": parts,
        "parts_total": len(parts),
        "concurrency": 4,
    }
    return Transfer(**settings | changes)


def store(exchange: Exchange) -> None:
    """Take a part and answer as S3 does."""
    exchange.read_body()
    exchange.send(encode_head(200, [("Content-Length", "0"), ("ETag", f'"{exchange.request.md5}"')]))


@cache
def make_certificate() -> Path:
    """Return a file with a key and a self-signed certificate for 127.0.0.1, localhost and storage.example."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    file = Path(folder.name, "certificate.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:storage.example"
    subprocess.run([*command.split(), names, "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    with file.open("a") as opened:
        opened.write(Path(f"{file}.crt").read_text())
    return file


def make_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate())
    return context


def list_descriptors() -> set[tuple[str, str]]:
    """Return what is open: numbers, and the files, pipes and sockets that they stand for, on Linux."""
    found: set[tuple[str, str]] = set()
    for entry in [*Path("/proc/self/fd").glob("*")]:
        with suppress(OSError):
            found.add((entry.name, str(entry.readlink())))
    return found


@contextmanager
def closing_everything() -> Iterator[None]:
    """Wait at the end until all that was opened meanwhile is closed; what others closed does not count."""
    before = list_descriptors()
    yield
    until(lambda: not list_descriptors() - before)


def bear_with_storage(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let clients bear a storage that is silent for so long, and no longer."""
    monkeypatch.setattr(connection, "StorageTimeouts", lambda: StorageTimeouts(max(5.0, seconds), seconds, seconds))


class _Listener:
    """Accepts connections and hands each to `serve`, until the end of the `with` block."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.origin = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._ended = False

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended = True
        wake_acceptor(self.port)
        self._threads[0].join(300)
        for sock in self._open:
            cut(sock)
        for thread in self._threads:
            thread.join(300)
            assert not thread.is_alive()
        for sock in [self._listener, *self._open]:
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._open.append(sock)
                if self._ended:
                    return
                self.connections += 1
                self._start(self._guard, sock, self.connections)

    def _guard(self, sock: socket.socket, number: int) -> None:
        with suppress(OSError):
            self.serve(sock, number)

    def _start(self, work: Callable[..., object], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def serve(self, sock: socket.socket, number: int) -> None:
        """Serve one connection; silence unless a subclass speaks."""
        while sock.recv(65536):
            pass

    def relay(self, sock: socket.socket, port: int, alter: Callable[[bytes], bytes] = bytes) -> None:
        """Carry bytes to a port of this machine and back; `alter` what goes there."""
        there = socket.create_connection(("127.0.0.1", port))
        self._open.append(there)
        self._start(_pump, there, sock, bytes)
        _pump(sock, there, alter)


def _pump(source: socket.socket, target: socket.socket, alter: Callable[[bytes], bytes]) -> None:
    with suppress(OSError):
        while chunk := source.recv(1 << 20):
            target.sendall(alter(chunk))
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


class Silence(_Listener):
    """Takes connections and says nothing."""


class Resets(_Listener):
    """Takes connections, and resets each once something has come."""

    def serve(self, sock: socket.socket, number: int) -> None:
        sock.recv(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


class CorruptingProxy(_Listener):
    """Carries bytes to a port, but flips the one at an offset of what the first connections bring."""

    def __init__(self, port: int, *, offset: int, times: int = 1) -> None:
        super().__init__()
        self._target, self._offset, self._left = port, offset, times
        self._lock = threading.Lock()

    def serve(self, sock: socket.socket, number: int) -> None:
        passed = 0

        def alter(chunk: bytes) -> bytes:
            nonlocal passed
            begin, passed = passed, passed + len(chunk)
            with self._lock:
                if not self._left or not begin <= self._offset < passed:
                    return chunk
                self._left -= 1
            flipped = bytearray(chunk)
            flipped[self._offset - begin] ^= 0x10
            return bytes(flipped)

        self.relay(sock, self._target, alter)


class ConnectProxy(_Listener):
    """An HTTP proxy that opens tunnels and passes requests on, or answers with something else.

    Args:
        answer: What it answers; a tunnel is opened with a 200 alone.
        tls: Speaks TLS with it.
        greets: Answers without having heard anything.
    """

    def __init__(
        self,
        answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n",
        *,
        tls: ssl.SSLContext | None = None,
        greets: bool = False,
    ) -> None:
        super().__init__()
        self._answer, self._tls, self._greets = answer, tls, greets
        self.heads: list[str] = []

    def serve(self, sock: socket.socket, number: int) -> None:
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_side=True)
            self._open.append(sock)
        head = b""
        while b"\r\n\r\n" not in head and not self._greets:
            chunk = sock.recv(65536)
            if not chunk:
                return
            head += chunk
        self.heads.append(head.decode())
        if head.startswith(b"PUT "):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        sock.sendall(self._answer)
        if b" 200 " not in self._answer:
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
            return
        self.relay(sock, int(head.split()[1].rpartition(b":")[2]))


class SocksProxy(_Listener):
    """A SOCKS5 proxy, which finds every name on this machine."""

    def __init__(self, credentials: tuple[str, str] | None = None) -> None:
        super().__init__()
        self._credentials = credentials
        self.asked: list[str] = []

    def serve(self, sock: socket.socket, number: int) -> None:
        def take(count: int) -> bytes:
            data = b""
            while len(data) < count:
                data += sock.recv(count - len(data))
            return data

        methods = take(take(2)[1])
        sock.sendall(b"\x05\x02" if self._credentials else b"\x05\x00")
        if self._credentials:
            assert 2 in methods
            user, password = (take(take(size)[-1]).decode() for size in (2, 1))
            known = (user, password) == self._credentials
            sock.sendall(b"\x01\x00" if known else b"\x01\x01")
            if not known:
                return
        kind = take(4)[3]
        assert kind == 3, "a name is for the proxy to look up"
        host = take(take(1)[0]).decode()
        port = int.from_bytes(take(2), "big")
        self.asked.append(f"{host}:{port}")
        sock.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
        self.relay(sock, port)


class SocksAnswers(_Listener):
    """A SOCKS5 proxy that gives these answers, one to each message, and closes."""

    def __init__(self, *answers: bytes) -> None:
        super().__init__()
        self._answers = answers

    def serve(self, sock: socket.socket, number: int) -> None:
        for answer in self._answers:
            sock.recv(4096)
            sock.sendall(answer)
        sock.shutdown(socket.SHUT_RDWR)


def lead_through(monkeypatch: pytest.MonkeyPatch, port: int, proxy: int) -> None:
    """Let connections of the client to a port end at another, with not a byte of what they carry changed."""
    connect = sockets.open_socket

    def detour(host: str, wanted: int, *rest: Any) -> Socket:
        return connect(host, proxy if wanted == port else wanted, *rest)

    monkeypatch.setattr(sockets, "open_socket", detour)


def bucket(*, tls: bool = False) -> Server:
    return Server(store, tls=make_tls() if tls else None)


@contextmanager
def full_backlog() -> Iterator[str]:
    """A host that answers no connection: its queue is full, and nobody takes from it."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            for sock in waiting:
                sock.close()
