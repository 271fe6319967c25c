"""One part on one connection, byte by byte."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h11
import pytest
from scenario_uploads.errors import SourceChangedError
from scenario_uploads.system import user_agent
from scenario_uploads.transfer.connection import (
    RESPONSE_LIMIT,
    Connection,
    Storage,
    StorageResponse,
    StorageTimeouts,
)
from scenario_uploads.transfer.engine import transfer_parts
from scenario_uploads.transfer.sockets import HaltedError
from scenario_uploads.transfer.source import Source, open_source

from tests.support.content import make_content
from tests.support.server import Answering, Exchange, Server, encode_head, hang, lose, raw, reply, stall, until
from tests.support.storing import IMPATIENT, body_of, bucket, make_body, make_certificate, make_job, store

MIB = 1024 * 1024
URL = "/bucket/part-1?X-Amz-Signature=a%2Fb+c&x=1"
# More than the kernel holds for a peer that does not read.
LARGE = make_content(24 * MIB)


@contextmanager
def dial(server: Server, timeouts: StorageTimeouts | None = None) -> Iterator[Connection]:
    """Connect to a server, with TLS when it speaks that."""
    storage = Storage(timeouts or StorageTimeouts(5, 5, 5))
    connection = storage._connect(server.origin + "/", lambda: False)
    try:
        yield connection
    finally:
        connection.close()


def put(connection: Connection, server: Server, content: bytes = b"12345", **changes: Any) -> StorageResponse:
    return connection.put(server.origin + URL, body_of(content, **changes))


@pytest.fixture(scope="module")
def large_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("connection") / "large"
    path.write_bytes(LARGE)
    return path


@pytest.fixture
def large_file(large_path: Path) -> Iterator[Source]:
    source = open_source(large_path)
    yield source
    source.close()


@pytest.fixture(params=[False, True], ids=["http", "tls"])
def tls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        trust(monkeypatch)
    return bool(request.param)


def trust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate()))


class TestTheRequest:
    def test_is_these_bytes_and_no_others(self) -> None:
        """A header more, and the signature does not fit."""
        taken: list[bytes] = []

        def take() -> None:
            sock, _ = listener.accept()
            with sock:
                data = b""
                while not data.endswith(b"12345"):
                    data += sock.recv(65536)
                taken.append(data)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        with socket.create_server(("127.0.0.1", 0)) as listener:
            origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
            thread = threading.Thread(target=take)
            thread.start()
            storage = Storage()
            assert storage.put(origin + URL, body_of(b"12345")).status == 200
            storage.close()
            thread.join()
        lines = [f"PUT {URL} HTTP/1.1", f"Host: {origin[7:]}", "Content-Length: 5", "Accept: */*"]
        lines += [f"User-Agent: {user_agent()}", "", "12345"]
        assert "\r\n".join(lines).encode() == taken[0]

    @pytest.mark.parametrize(
        ("url", "target"), [("", "/"), ("?sig=1", "/?sig=1"), ("/a//b/../c?d?e", "/a//b/../c?d?e"), ("/a#b", "/a")]
    )
    def test_goes_to_its_url_letter_for_letter(self, url: str, target: str) -> None:
        with bucket() as server, dial(server) as connection:
            connection.put(server.origin + url, body_of(b"x"))
        assert target == server.requests[0].target

    @pytest.mark.parametrize("hashed", [False, True])
    @pytest.mark.parametrize("kind", ["path", "open file", "bytes", "BytesIO", "gzip"])
    def test_carries_the_bytes_of_its_part_whatever_they_are_read_from(
        self, kind: str, hashed: bool, tmp_path: Path, tls: bool
    ) -> None:
        content = LARGE[: 3 * MIB + 7]
        (tmp_path / "plain").write_bytes(b"123" + content if kind == "open file" else content)
        (tmp_path / "packed").write_bytes(gzip.compress(content, 0))
        with (
            (tmp_path / "plain").open("rb") as plain,
            gzip.open(tmp_path / "packed") as packed,
            bucket(tls=tls) as server,
            dial(server) as connection,
        ):
            plain.seek(3)
            given: dict[str, Any] = {
                "path": tmp_path / "plain",
                "open file": plain,
                "bytes": content,
                "BytesIO": io.BytesIO(content),
                "gzip": packed,
            }
            source, sent = open_source(given[kind]), list[int]()
            for offset, length in ((0, source.size), (MIB + 1, MIB + 5)):
                body = make_body(source, offset=offset, length=length, hashed=hashed, sent=sent.append)
                answer = connection.put(server.origin + "/", body)
                piece = content[offset : offset + length]
                assert answer.whole
                assert answer.md5 == (hashlib.md5(piece).hexdigest() if hashed else None)
                assert server.requests[-1].md5 == hashlib.md5(piece).hexdigest()
            source.close()
        assert sum(sent) == len(content) + MIB + 5
        assert server.connections == 1


class TestSendfile:
    @pytest.fixture
    def counted(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        moved: list[int] = []
        original = os.sendfile

        def sendfile(*arguments: int) -> int:
            moved.append(original(*arguments))
            return moved[-1]

        monkeypatch.setattr(os, "sendfile", sendfile)
        return moved

    @pytest.mark.posix
    @pytest.mark.parametrize("hashed", [False, True])
    def test_moves_files_that_are_not_hashed(self, large_file: Source, counted: list[int], hashed: bool) -> None:
        with bucket() as server, dial(server) as connection:
            connection.put(server.origin + "/", make_body(large_file, hashed=hashed))
        assert sum(counted) == (0 if hashed else len(LARGE))
        assert server.requests[0].md5 == hashlib.md5(LARGE).hexdigest()

    @pytest.mark.posix
    @pytest.mark.parametrize(
        ("number", "after"),
        [(errno.EINVAL, 0), (errno.ENOSYS, 0), (errno.EOPNOTSUPP, 0), (errno.EIO, 5 * MIB)],
    )
    def test_is_done_without_where_the_kernel_cannot(
        self, large_file: Source, monkeypatch: pytest.MonkeyPatch, number: int, after: int
    ) -> None:
        original, moved = os.sendfile, 0

        def sendfile(out: int, file: int, offset: int, count: int) -> int:
            nonlocal moved
            if moved >= after:
                raise OSError(number, os.strerror(number))
            moved += (done := original(out, file, offset, count))
            return done

        sent: list[int] = []
        monkeypatch.setattr(os, "sendfile", sendfile)
        with bucket() as server, dial(server) as connection:
            answer = connection.put(server.origin + "/", make_body(large_file, sent=sent.append))
        assert answer.whole
        assert sum(sent) == len(LARGE)
        assert server.requests[0].md5 == hashlib.md5(LARGE).hexdigest()

    def test_25_tells_that_the_file_was_cut(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(bytes(MIB))
        source = open_source(tmp_path / "file")
        os.truncate(tmp_path / "file", MIB // 2)
        with bucket() as server, dial(server) as connection, pytest.raises(SourceChangedError):
            connection.put(server.origin + "/", make_body(source))
        source.close()


class TestTheAnswer:
    def test_is_told_with_headers_in_lower_case(self) -> None:
        with Server(reply(404, b"<Error/>", {"ETag": '"AB"', "X-Thing": "one"})) as server, dial(server) as connection:
            answer = put(connection, server)
        assert (answer.status, answer.body, answer.whole) == (404, b"<Error/>", True)
        assert (answer.headers["etag"], answer.headers["x-thing"]) == ('"AB"', "one")

    @pytest.mark.parametrize(
        "first", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 3]
    )
    def test_comes_after_any_number_of_provisional_ones(self, first: bytes) -> None:
        def answer(exchange: Exchange) -> None:
            exchange.read_body()
            exchange.send(first)
            reply(201)(exchange)

        with Server(answer) as server, dial(server) as connection:
            assert put(connection, server).status == 201
            assert put(connection, server).status == 201
        assert server.connections == 1

    @pytest.mark.parametrize("hashed", [False, True])
    def test_that_is_provisional_and_comes_in_mid_body_ends_nothing(self, large_file: Source, hashed: bool) -> None:
        """Whoever cannot write any more must not take this for the answer, and wait for one that never comes."""

        def answer(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            exchange.server.stopping.wait(0.3)
            store(exchange)

        with Server(answer) as server, dial(server, StorageTimeouts(5, 2, 2)) as connection:
            answer_ = connection.put(server.origin + "/", make_body(large_file, hashed=hashed))
        assert (answer_.status, answer_.whole) == (200, True)
        assert server.requests[0].md5 == hashlib.md5(LARGE).hexdigest()

    def test_4_tls_has_words_of_its_own_in_mid_body_that_end_nothing(
        self, large_file: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """TLS 1.3 sends session tickets after the handshake, which are no answer."""

        def answer(exchange: Exchange) -> None:
            exchange.server.stopping.wait(0.3)
            store(exchange)

        trust(monkeypatch)
        with (
            bucket(tls=True) as server,
            dial(server, StorageTimeouts(5, 2, 2)) as connection,
        ):
            server.handle = answer
            answer_ = connection.put(server.origin + "/", make_body(large_file))
        assert (answer_.status, answer_.whole) == (200, True)
        assert server.requests[0].md5 == hashlib.md5(LARGE).hexdigest()

    def test_is_kept_to_its_start_when_it_is_huge(self) -> None:
        piece = b"e" * MIB

        def pour(exchange: Exchange) -> None:
            exchange.read_body()
            exchange.send(encode_head(500, [("Content-Length", str(20 * MIB))]))
            for _ in range(20):
                exchange.send(piece)

        with Server(pour) as server, dial(server) as connection:
            tracemalloc.start()
            answer = put(connection, server)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert connection.is_usable()
        assert answer.body == b"e" * RESPONSE_LIMIT
        assert peak < 2 * MIB

    def test_6_that_never_ends_is_given_up_at_the_deadline(self) -> None:
        def pour(exchange: Exchange) -> None:
            exchange.read_body()
            exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not exchange.server.stopping.wait(0.01):
                exchange.send(b"1\r\nx\r\n")

        with (
            Server(pour) as server,
            dial(server, IMPATIENT) as connection,
            pytest.raises(TimeoutError),
        ):
            put(connection, server)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"HTTP/1.1 200 OK",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\x15\x03\x01\x00\x02\x02\x16",
            b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000,
        ],
        ids=["nothing", "half-head", "half-body", "half-chunk", "ssh", "tls-alert", "endless-head"],
    )
    def test_6_that_is_cut_or_no_http_is_no_answer(self, data: bytes) -> None:
        broken = (h11.RemoteProtocolError, ConnectionError)
        with Server(raw(data)) as server, dial(server) as connection, pytest.raises(broken):
            put(connection, server)

    def test_of_http_1_0_lasts_until_the_connection_ends(self) -> None:
        with Server(raw(b"HTTP/1.0 200 OK\r\nETag: x\r\n\r\nbody")) as server, dial(server) as connection:
            assert put(connection, server).body == b"body"
            assert not connection.is_usable()


class TestAnEarlyRefusal:
    """S3 answers a request that it refuses while the body is still going out, and closes."""

    @pytest.mark.parametrize("hashed", [False, True])
    def test_3_11_is_read_thirty_times_of_thirty(self, large_file: Source, tls: bool, hashed: bool) -> None:
        def refuse(exchange: Exchange) -> None:
            # Else the kernel keeps the answer back, and forgets it at the reset.
            exchange.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            exchange.read_body(1000)
            body = b"<Error><Code>AccessDenied</Code></Error>"
            exchange.send(encode_head(403, [("Content-Length", str(len(body))), ("Connection", "close")]) + body)
            exchange.close()

        server = bucket(tls=tls)
        server.handle = refuse
        storage = Storage(StorageTimeouts(5, 5, 5))
        with server:
            answers = [storage.put(server.origin + "/", make_body(large_file, hashed=hashed)) for _ in range(30)]
        storage.close()
        assert [(403, False)] * 30 == [(answer.status, answer.whole) for answer in answers]
        assert all(b"AccessDenied" in answer.body for answer in answers)

    def test_that_keeps_the_connection_open_ends_the_sending(self, large_file: Source, tls: bool) -> None:
        def refuse(exchange: Exchange) -> None:
            exchange.read_body(1000)
            exchange.send(encode_head(503, [("Content-Length", "0")]))
            exchange.stall()

        server = bucket(tls=tls)
        server.handle = refuse
        with server, dial(server) as connection:
            answer = connection.put(server.origin + "/", make_body(large_file))
            assert (answer.status, answer.whole) == (503, False)
            assert not connection.is_usable()

    def test_3_without_a_word_is_a_broken_connection(self, large_file: Source) -> None:
        def leave(exchange: Exchange) -> None:
            exchange.read_body(1000)
            exchange.reset()

        with Server(leave) as server, dial(server) as connection, pytest.raises(ConnectionError):
            connection.put(server.origin + "/", make_body(large_file))


class TestKeepAlive:
    @pytest.mark.parametrize("concurrency", [1, 8, 32, 64])
    def test_there_are_never_more_connections_than_parts_at_once(self, concurrency: int) -> None:
        content = LARGE[: 3 * 64 * 1000]
        source, storage = open_source(content), Storage()
        with bucket() as server:
            for _ in range(2):
                transfer_parts(storage, make_job(source, server.origin, 1000, concurrency=concurrency))
            storage.close()
        assert 1 <= server.connections <= concurrency
        assert len(server.requests) == 2 * 3 * 64
        digests = {request.path: request.md5 for request in server.requests}
        pieces = [content[begin : begin + 1000] for begin in range(0, len(content), 1000)]
        assert {f"/part-{n}": hashlib.md5(piece).hexdigest() for n, piece in enumerate(pieces, 1)} == digests

    @pytest.mark.parametrize("tidy", [True, False], ids=["announced", "silent"])
    def test_a_connection_that_the_server_closed_is_not_usable(self, tidy: bool) -> None:
        def leave(exchange: Exchange) -> None:
            reply(200, b"", {"Connection": "close"} if tidy else {})(exchange)
            exchange.close()

        with Server(leave) as server, dial(server) as connection:
            assert connection.is_usable()
            assert put(connection, server).status == 200
            until(lambda: not connection.is_usable())

    @pytest.mark.parametrize("junk", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"x"])
    def test_a_connection_with_something_unasked_in_it_is_not_usable(self, junk: bytes, tls: bool) -> None:
        """It would pass for the answer to the next part."""

        def answer(exchange: Exchange) -> None:
            exchange.read_body()
            status = 200 if len(exchange.server.requests) == 1 else 503
            exchange.send(encode_head(status, [("Content-Length", "0")]) + junk)

        storage, server = Storage(StorageTimeouts(5, 5, 5)), bucket(tls=tls)
        server.handle = answer
        with server:
            statuses = [storage.put(server.origin + "/", body_of(b"x")).status for _ in range(3)]
            storage.close()
        assert [200, 503, 503] == statuses
        assert server.connections == 3

    def test_a_closed_connection_is_not_usable(self) -> None:
        with bucket() as server, dial(server) as connection:
            connection.close()
            assert not connection.is_usable()


class TestWaiting:
    @pytest.mark.parametrize("hashed", [False, True])
    def test_4_a_slow_link_is_no_fault_while_bytes_move(self, large_file: Source, hashed: bool) -> None:
        """It takes longer in all than silence is borne."""

        def dawdle(exchange: Exchange) -> None:
            request = exchange.request
            while request.received < request.length:
                exchange.read_body(min(request.received + 4 * MIB, request.length))
                exchange.server.stopping.wait(0.25)
            store(exchange)

        with Server(dawdle) as server, dial(server, StorageTimeouts(60, 1.0, 60)) as connection:
            begin = time.monotonic()
            answer = connection.put(server.origin + "/", make_body(large_file, hashed=hashed))
            assert time.monotonic() - begin > 1.0
        assert (answer.status, answer.whole) == (200, True)

    @pytest.mark.parametrize("hashed", [False, True])
    def test_5_a_receiver_that_stalls_is_a_timeout(self, large_file: Source, tls: bool, hashed: bool) -> None:
        server = bucket(tls=tls)
        server.handle = stall
        with (
            server,
            dial(server, IMPATIENT) as connection,
            pytest.raises(TimeoutError, match=r"no byte moved for 0\.5"),
        ):
            connection.put(server.origin + "/", make_body(large_file, hashed=hashed))

    def test_6_an_answer_that_does_not_come_is_a_timeout(self, tls: bool) -> None:
        server = bucket(tls=tls)
        server.handle = hang
        with server, dial(server, IMPATIENT) as connection, pytest.raises(TimeoutError):
            put(connection, server)

    @pytest.mark.parametrize("obstacle", [stall, hang])
    @pytest.mark.parametrize("hashed", [False, True])
    def test_28_whoever_waits_can_be_stopped(
        self, large_file: Source, tls: bool, hashed: bool, obstacle: Answering
    ) -> None:
        reached = threading.Event()

        def obstruct(exchange: Exchange) -> None:
            exchange.read_body(MIB if obstacle is stall else None)
            reached.set()
            obstacle(exchange)

        server = bucket(tls=tls)
        server.handle = obstruct
        with server, dial(server) as connection, pytest.raises(HaltedError):
            connection.put(server.origin + "/", make_body(large_file, hashed=hashed, halted=reached.is_set))

    @pytest.mark.posix
    def test_27_a_file_is_not_read_any_more_once_stopped(
        self, large_file: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its descriptor may be another file's by then."""
        stopped = threading.Event()

        def sendfile(*_arguments: int) -> int:
            assert not stopped.is_set()
            stopped.set()
            return 1000

        monkeypatch.setattr(os, "sendfile", sendfile)
        with Server(lose) as server, dial(server) as connection, pytest.raises(HaltedError):
            connection.put(server.origin + "/", make_body(large_file, halted=stopped.is_set))

    @pytest.mark.parametrize("hashed", [False, True])
    def test_a_limit_is_asked_before_bytes_go_out(self, large_file: Source, hashed: bool) -> None:
        asked: list[int] = []

        def allow(amount: int) -> int:
            asked.append(min(amount, 100_000))
            return asked[-1]

        with bucket() as server, dial(server) as connection:
            connection.put(server.origin + "/", make_body(large_file, hashed=hashed, allow=allow))
        assert server.requests[0].md5 == hashlib.md5(LARGE).hexdigest()
        assert sum(asked) == len(LARGE)
        assert max(asked) == 100_000


class TestMemory:
    @pytest.mark.parametrize("hashed", [False, True])
    def test_does_not_grow_with_a_part_nor_with_their_number(self, tmp_path: Path, hashed: bool) -> None:
        with (tmp_path / "sparse").open("wb") as file:
            file.truncate(64 * MIB)
        source = open_source(tmp_path / "sparse")
        with Server(drop_body) as server, dial(server) as connection:
            connection.put(server.origin + "/", make_body(source, length=MIB, hashed=hashed))
            tracemalloc.start()
            connection.put(server.origin + "/", make_body(source, hashed=hashed))
            for _ in range(50):
                connection.put(server.origin + "/", make_body(source, length=1, hashed=hashed))
            now, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        source.close()
        # One buffer of the test's server is in it.
        assert peak < 3 * MIB
        assert now < MIB


def drop_body(exchange: Exchange) -> None:
    """Take the body without keeping a byte of it."""
    vars(exchange.request)["take"] = exchange_counter(exchange)
    exchange.read_body()
    exchange.send(encode_head(200, [("Content-Length", "0")]))


def exchange_counter(exchange: Exchange) -> Callable[[bytes], None]:
    def count(chunk: bytes) -> None:
        exchange.request.received += len(chunk)
        exchange.request.whole = exchange.request.received >= exchange.request.length

    return count


def test_what_is_secret_is_in_no_repr() -> None:
    body = body_of(b"precious", hashed=True)
    answer = StorageResponse(403, {"x": "hidden"}, b"hidden body")
    with bucket() as server, dial(server) as connection:
        put(connection, server)
        shown = f"{body!r} {answer!r} {connection!r}"
    for secret in ("precious", "hidden", "Signature"):
        assert secret not in shown
