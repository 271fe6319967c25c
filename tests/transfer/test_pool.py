"""Connections to storage: how they come about, what may stand in the way, and who gets them."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads.errors import InvalidArgumentError, TransferError
from scenario_uploads.proxies import Network
from scenario_uploads.system import user_agent
from scenario_uploads.tls import create_tls_context, find_certificate_error
from scenario_uploads.transfer import sockets
from scenario_uploads.transfer.connection import Storage
from scenario_uploads.transfer.sockets import HaltedError, Socket, UnreachableError, open_socket

from tests.support.clients import Connect
from tests.support.server import Exchange, Server, cut, until, wake_acceptor
from tests.support.service import Service
from tests.support.storing import (
    ENDLESS,
    IMPATIENT,
    ConnectProxy,
    Silence,
    SocksProxy,
    body_of,
    bucket,
    closing_everything,
    full_backlog,
    make_certificate,
    make_tls,
    store,
)


@pytest.fixture
def storage() -> Iterator[Storage]:
    one = Storage(ENDLESS)
    yield one
    one.close()


@pytest.fixture
def impatient() -> Iterator[Storage]:
    one = Storage(IMPATIENT)
    yield one
    one.close()


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate()))


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Let every name have these addresses."""
    answers = [
        (socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
        for host, port in addresses
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: answers)


def named(server: Server) -> str:
    """Return the origin of a server by a name that only a proxy can find it by."""
    return f"{server.origin.partition(':')[0]}://storage.example:{server.port}"


class TestConnecting:
    def test_1_a_name_that_has_no_address_is_unreachable(self, storage: Storage) -> None:
        # Reserved for this by RFC 6761.
        with pytest.raises(UnreachableError) as caught:
            storage.put("http://storage.invalid/?sig=s3cret", body_of(b"x"))
        assert isinstance(caught.value.__cause__, socket.gaierror)

    def test_1_a_refusal_is_unreachable(self, storage: Storage) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            with pytest.raises(UnreachableError, match="refused"):
                storage.put(f"http://127.0.0.1:{unused.getsockname()[1]}/", body_of(b"x"))

    def test_1_a_refusal_has_words_where_strerror_has_none(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On Windows, where the codes of sockets have a table of their own."""
        monkeypatch.setattr(socket, "errorTab", {errno.ECONNREFUSED: "Connection refused."}, raising=False)
        monkeypatch.setattr(os, "strerror", lambda _: "Unknown error")
        self.test_1_a_refusal_is_unreachable(storage)

    def test_1_a_host_that_does_not_answer_is_unreachable(self, impatient: Storage) -> None:
        with full_backlog() as url, pytest.raises(UnreachableError, match=r"0\.5 s"):
            impatient.put(url, body_of(b"x"))

    def test_1_every_address_of_a_host_is_tried(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        with bucket() as server:
            resolve(monkeypatch, ("127.0.0.1", 1), ("127.0.0.1", server.port))
            assert storage.put("http://storage.example/", body_of(b"x")).status == 200

    def test_1_an_address_of_a_family_that_the_machine_lacks_is_passed_over(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make = socket.socket

        def lack(family: int = socket.AF_INET, *rest: Any, **options: Any) -> socket.socket:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            return make(family, *rest, **options)

        with bucket() as server:
            resolve(monkeypatch, ("2001:db8::1", server.port), ("127.0.0.1", server.port))
            monkeypatch.setattr(socket, "socket", lack)
            assert storage.put("http://storage.example/", body_of(b"x")).status == 200

    def test_1_and_a_host_without_any_is_unreachable(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        resolve(monkeypatch)
        with pytest.raises(UnreachableError, match=r"storage\.example has no address"):
            storage.put("http://storage.example/", body_of(b"x"))

    def test_ipv6_is_spoken(self, storage: Storage) -> None:
        heads: list[bytes] = []

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                while not heads or not heads[0].endswith(b"12345"):
                    heads[:] = [b"".join(heads) + sock.recv(65536)]
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            thread = threading.Thread(target=serve)
            thread.start()
            port = listener.getsockname()[1]
            assert storage.put(f"http://[::1]:{port}/x", body_of(b"12345")).status == 200
            thread.join()
        assert f"Host: [::1]:{port}\r\n".encode() in heads[0]

    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("https://storage.example:443/x", "storage.example"),
            ("https://storage.example:80/x", "storage.example:80"),
            ("http://storage.example:80/x", "storage.example"),
            ("https://[2001:db8::443]/x", "[2001:db8::443]"),
        ],
    )
    def test_the_host_header_is_without_the_port_that_goes_without_saying(
        self, storage: Storage, trusted: None, monkeypatch: pytest.MonkeyPatch, url: str, host: str
    ) -> None:
        """Presigned URLs sign it so."""
        with bucket() as server:
            monkeypatch.setattr(
                sockets, "open_socket", lambda _host, _port, *rest: open_socket("127.0.0.1", server.port, *rest)
            )
            monkeypatch.setattr(Socket, "start_tls", lambda *_arguments: None)
            assert storage.put(url, body_of(b"x")).status == 200
        assert server.requests[0].header("host") == host

    @pytest.mark.usefixtures("trusted")
    def test_tls_is_trusted_as_the_environment_says(self, storage: Storage) -> None:
        with bucket(tls=True) as server:
            for _ in range(3):
                assert storage.put(server.origin, body_of(b"x")).status == 200
        assert server.connections == 1

    def test_2_a_certificate_that_nobody_trusts_is_told(self, storage: Storage) -> None:
        with closing_everything():
            with bucket(tls=True) as server, pytest.raises(UnreachableError) as caught:
                storage.put(server.origin, body_of(b"x"))
            assert "self-signed" in str(find_certificate_error(caught.value))
            assert server.requests == []

    @pytest.mark.usefixtures("trusted")
    def test_2_a_certificate_of_another_host_is_told(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        with bucket(tls=True) as server:
            resolve(monkeypatch, ("127.0.0.1", server.port))
            with pytest.raises(UnreachableError) as caught:
                storage.put("https://other.example/", body_of(b"x"))
        assert "mismatch" in str(find_certificate_error(caught.value))

    def test_a_server_that_speaks_no_tls_is_unreachable(self, storage: Storage) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def greet() -> None:
                sock, _ = listener.accept()
                with sock:
                    sock.sendall(b"220 smtp.example ESMTP\r\n" * 10)
                    sock.recv(65536)

            thread = threading.Thread(target=greet)
            thread.start()
            with pytest.raises(UnreachableError) as caught:
                storage.put(f"https://127.0.0.1:{listener.getsockname()[1]}/", body_of(b"x"))
            thread.join()
        assert find_certificate_error(caught.value) is None

    def test_5_a_handshake_that_stalls_is_unreachable(self, impatient: Storage) -> None:
        with closing_everything(), Silence() as server, pytest.raises(UnreachableError, match=r"0\.5 s"):
            impatient.put(f"https://127.0.0.1:{server.port}/", body_of(b"x"))


class TestStopping:
    @pytest.mark.parametrize("obstacle", ["connect", "handshake", "tunnel"])
    def test_27_28_ends_the_making_of_a_connection(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch, obstacle: str
    ) -> None:
        with closing_everything(), full_backlog() as full, Silence() as silence:
            url = full
            if obstacle == "connect":
                halted = lambda: time.monotonic() > begin + 0.1  # noqa: E731
            else:
                halted = lambda: silence.connections > 0  # noqa: E731
                url = f"https://127.0.0.1:{silence.port}/"
            if obstacle == "tunnel":
                url = "https://storage.example/"
                monkeypatch.setenv("HTTPS_PROXY", silence.origin)
            begin = time.monotonic()
            with pytest.raises(HaltedError):
                storage.put(url, body_of(b"x", halted=halted))


class TestProxies:
    """Storage behind TLS, a proxy before it."""

    @pytest.fixture
    def server(self, trusted: None) -> Iterator[Server]:
        with bucket(tls=True) as one:
            yield one

    @pytest.fixture
    def proxy(self) -> Iterator[ConnectProxy]:
        with ConnectProxy() as one:
            yield one

    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
    @pytest.mark.parametrize("scheme", ["http://", ""])
    def test_that_the_environment_names_open_a_tunnel(
        self,
        storage: Storage,
        server: Server,
        proxy: ConnectProxy,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        scheme: str,
    ) -> None:
        monkeypatch.setenv(name, f"{scheme}127.0.0.1:{proxy.port}")
        for _ in range(2):
            assert storage.put(named(server) + "/x?sig=1", body_of(b"bytes")).status == 200
        head = f"CONNECT storage.example:{server.port} HTTP/1.1\r\nHost: storage.example:{server.port}\r\n"
        head += f"User-Agent: {user_agent()}\r\n\r\n"
        assert [head] == proxy.heads
        assert [name for name, _ in server.requests[0].headers] == ["Host", "Content-Length", "Accept", "User-Agent"]

    def test_alone_get_their_credentials(
        self, storage: Storage, server: Server, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%65r:p%40ss:word@127.0.0.1:{proxy.port}")
        storage.put(named(server), body_of(b"x"))
        assert "Proxy-Authorization: Basic dXNlcjpwQHNzOndvcmQ=\r\n" in proxy.heads[0]
        assert "proxy-authorization" not in server.requests[0].names

    def test_are_not_used_for_a_host_in_no_proxy(
        self, storage: Storage, server: Server, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve(monkeypatch, ("127.0.0.1", server.port))
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        monkeypatch.setenv("NO_PROXY", "example.com,.example")
        assert storage.put(named(server), body_of(b"x")).status == 200
        assert proxy.connections == 0

    def test_are_not_used_for_this_machine(
        self, storage: Storage, server: Server, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALL_PROXY", proxy.origin)
        with bucket() as plain:
            assert storage.put(plain.origin, body_of(b"x")).status == 200
        assert storage.put(server.origin, body_of(b"x")).status == 200
        assert proxy.connections == 0

    def test_are_not_used_when_the_environment_is_not_trusted(
        self, server: Server, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve(monkeypatch, ("127.0.0.1", server.port))
        monkeypatch.setenv("ALL_PROXY", proxy.origin)
        blind = Storage(IMPATIENT, network=Network.read(trust_env=False))
        with pytest.raises(UnreachableError):
            blind.put(named(server), body_of(b"x"))
        assert (proxy.connections, server.connections) == (0, 1)

    def test_get_requests_for_plain_http_themselves(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        with bucket() as server:
            monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{server.port}")
            for _ in range(2):
                assert storage.put("http://storage.example:80/x?sig=1", body_of(b"bytes")).status == 200
        request = server.requests[0]
        assert request.target == "http://storage.example/x?sig=1"
        assert request.header("host") == "storage.example"
        assert request.header("proxy-authorization") == "Basic dXNlcjp3b3Jk"
        assert (request.body, server.connections) == (b"bytes", 1)

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "the proxy answered 407"),
            (b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", "the proxy answered 503"),
            (b"", None),
            (b"SSH-2.0-OpenSSH\r\n", None),
        ],
        ids=["407", "503", "nothing", "no-http"],
    )
    def test_1_that_refuse_are_unreachable_and_their_password_is_not_told(
        self, storage: Storage, server: Server, monkeypatch: pytest.MonkeyPatch, answer: bytes, told: str | None
    ) -> None:
        with ConnectProxy(answer) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:passw0rd@127.0.0.1:{proxy.port}")
            with pytest.raises(UnreachableError, match=told) as caught:
                storage.put(named(server), body_of(b"x"))
        assert "passw0rd" not in f"{caught.value!r}{caught.value.__cause__!r}"
        assert server.connections == 0

    def test_5_that_are_silent_are_unreachable(self, impatient: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        with closing_everything(), Silence() as silence:
            monkeypatch.setenv("HTTPS_PROXY", silence.origin)
            with pytest.raises(UnreachableError, match=r"0\.5 s"):
                impatient.put("https://storage.example/", body_of(b"x"))

    def test_may_answer_provisionally_first(self, storage: Storage, server: Server, monkeypatch: Any) -> None:
        with ConnectProxy(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
            assert storage.put(named(server), body_of(b"x")).status == 200

    @pytest.mark.parametrize("tls", [True, False])
    @pytest.mark.parametrize("hashed", [True, False])
    def test_may_speak_tls_themselves(
        self, storage: Storage, trusted: None, monkeypatch: pytest.MonkeyPatch, tls: bool, hashed: bool
    ) -> None:
        content = os.urandom(5_000_000)
        with bucket(tls=tls) as server, ConnectProxy(tls=make_tls()) as proxy:
            monkeypatch.setenv("ALL_PROXY", f"https://user:word@localhost:{proxy.port}")
            url = named(server) + "/x?sig=1"
            if tls:
                for _ in range(2):
                    response = storage.put(url, body_of(content, hashed=hashed))
                    assert (response.status, response.whole) == (200, True)
                assert server.connections == 1
                assert [content] * 2 == [request.body for request in server.requests]
                assert server.requests[0].sha256 == hashlib.sha256(content).hexdigest()
            else:
                storage.put(url, body_of(b"x"))
            assert proxy.heads[0].startswith("CONNECT storage.example" if tls else "PUT http://storage.example")
            assert "Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in proxy.heads[0]

    def test_that_speak_tls_are_trusted_as_others_are(
        self, storage: Storage, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        with ConnectProxy(tls=make_tls()) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
            with pytest.raises(UnreachableError) as caught:
                storage.put(named(server), body_of(b"x"))
        assert "self-signed" in str(find_certificate_error(caught.value))

    @pytest.mark.usefixtures("trusted")
    def test_a_refusal_that_comes_early_is_read_through_tls_in_tls(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(exchange: Exchange) -> None:
            exchange.read_body(65536)
            exchange.send(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            exchange.stall()

        with Server(refuse, tls=make_tls()) as server, ConnectProxy(tls=make_tls()) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
            response = storage.put(named(server), body_of(bytes(64 * 1024 * 1024)))
        assert (response.status, response.whole) == (403, False)

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
    @pytest.mark.parametrize("credentials", [None, ("user", "p@ss")])
    @pytest.mark.parametrize("tls", [True, False])
    def test_may_speak_socks(
        self,
        storage: Storage,
        trusted: None,
        monkeypatch: pytest.MonkeyPatch,
        scheme: str,
        credentials: tuple[str, str] | None,
        tls: bool,
    ) -> None:
        with bucket(tls=tls) as server, SocksProxy(credentials) as proxy:
            asked = f"storage.example:{server.port}"
            user = "user:p%40ss@" if credentials else ""
            monkeypatch.setenv("ALL_PROXY", f"{scheme}://{user}127.0.0.1:{proxy.port}")
            for _ in range(2):
                assert storage.put(named(server), body_of(b"bytes")).status == 200
        assert [asked] == proxy.asked
        assert [b"bytes"] * 2 == [request.body for request in server.requests]

    @pytest.mark.parametrize(
        ("answers", "told"),
        [
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SOCKS5"),
            (b"\x05\xff", "or requires other credentials"),
            (b"\x05", "does not speak SOCKS5"),
        ],
    )
    def test_1_that_speak_socks_and_refuse_are_unreachable(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch, answers: bytes, told: str
    ) -> None:
        with closing_everything(), ConnectProxy(answers, greets=True) as proxy:
            monkeypatch.setenv("ALL_PROXY", f"socks5://user:passw0rd@127.0.0.1:{proxy.port}")
            with pytest.raises(UnreachableError, match=told) as caught:
                storage.put("https://storage.example/", body_of(b"x"))
        assert "passw0rd" not in f"{caught.value!r}{caught.value.__cause__!r}"

    def test_1_that_speak_socks_and_know_another_password_are_unreachable(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with SocksProxy(("user", "other")) as proxy:
            monkeypatch.setenv("ALL_PROXY", f"socks5://user:passw0rd@127.0.0.1:{proxy.port}")
            with pytest.raises(UnreachableError, match="the proxy refused: wrong user name or password") as caught:
                storage.put("https://storage.example/", body_of(b"x"))
        assert "passw0rd" not in f"{caught.value!r}{caught.value.__cause__!r}"

    def test_that_are_none_are_a_clear_error_at_once(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALL_PROXY", "ftp://user:passw0rd@127.0.0.1:21")
        with pytest.raises(InvalidArgumentError, match="ALL_PROXY must be the URL"):
            storage.put("https://storage.example/", body_of(b"x"))

    def test_reach_an_ipv6_host_by_its_brackets(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        with ConnectProxy(b"HTTP/1.1 502 No\r\n\r\n") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
            with pytest.raises(UnreachableError):
                storage.put("https://[2001:db8::1]/", body_of(b"x"))
        assert proxy.heads[0].startswith("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n")


class TestKeeping:
    def test_3_a_connection_that_went_stale_is_replaced_before_anything_is_sent(self, storage: Storage) -> None:
        exchanges: list[Exchange] = []

        def answer(exchange: Exchange) -> None:
            exchanges.append(exchange)
            store(exchange)

        with Server(answer) as server:
            for number in range(3):
                assert storage.put(server.origin, body_of(b"x")).status == 200
                assert server.connections == number + 1
                ((idle,),) = storage._idle.values()
                assert idle.is_usable()
                cut(exchanges[-1].sock)
                until(lambda kept=idle: not kept.is_usable())  # type: ignore[misc]

    def test_each_host_has_connections_of_its_own(self, storage: Storage) -> None:
        with bucket() as one, bucket() as other:
            for server in (one, other, one, other):
                storage.put(server.origin, body_of(b"x"))
        assert (one.connections, other.connections) == (1, 1)

    def test_a_connection_whose_part_failed_is_not_kept(self, storage: Storage) -> None:
        body = body_of(b"x")
        body.source.close()
        with closing_everything(), bucket() as server, pytest.raises(TransferError):
            storage.put(server.origin, body)

    def test_35_closing_closes_what_is_idle_and_what_comes_back(self, storage: Storage) -> None:
        with closing_everything():
            with bucket() as server:
                storage.put(server.origin, body_of(b"x"))
                body = body_of(b"x", sent=lambda _amount: storage.close())
                assert storage.put(server.origin, body).status == 200
                assert storage.put(server.origin, body_of(b"x")).status == 200
                storage.close()
            assert server.connections == 2

    @pytest.mark.posix
    def test_35_a_fork_makes_connections_of_its_own(self, storage: Storage) -> None:
        with bucket() as server:
            storage.put(server.origin, body_of(b"parent"))
            with warnings.catch_warnings():
                # Newer Pythons warn of forking beside threads; those here are the test's server.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = 0 if storage.put(server.origin, body_of(b"child")).status == 200 else 2
                    storage.close()
                finally:
                    os._exit(code)
            assert os.waitpid(child, 0)[1] == 0
            storage.put(server.origin, body_of(b"parent"))
        assert [(1, b"parent"), (2, b"child"), (1, b"parent")] == [
            (request.connection, request.body) for request in server.requests
        ]

    def test_35_what_a_fork_inherited_is_closed(self, storage: Storage) -> None:
        with bucket() as server:
            storage.put(server.origin, body_of(b"x"))
            ((inherited,),) = storage._idle.values()
            storage.after_fork()
            storage.put(server.origin, body_of(b"x"))
            assert not inherited.is_usable()
        assert server.connections == 2

    def test_what_is_secret_is_in_no_repr(self, storage: Storage) -> None:
        with bucket() as server:
            storage.put(server.origin + "/?sig=s3cret", body_of(b"x"))
        assert "s3cret" not in repr(storage) + repr(vars(storage))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, trusted: None) -> list[object]:
    """With what the certificates of the machine were read."""
    made: list[object] = []
    create = httpx.create_ssl_context

    def note(**options: Any) -> ssl.SSLContext:
        made.append(options)
        return create(**options)

    monkeypatch.setattr(httpx, "create_ssl_context", note)
    return made


def send_provisional_answers(exchange: Exchange) -> None:
    """Take nothing of the body, and say again and again that it may come."""
    exchange.keep = False
    with suppress(OSError):
        while not exchange.server.stopping.wait(0.05):
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def dribble_a_head(exchange: Exchange) -> None:
    """Take nothing of the body, and begin to answer, a byte at a time."""
    exchange.keep = False
    with suppress(OSError):
        exchange.send(b"HTTP/1.1 200 OK\r\nX-Padding: ")
        while not exchange.server.stopping.wait(0.05):
            exchange.send(b"x")


@pytest.mark.parametrize("answer", [send_provisional_answers, dribble_a_head])
@pytest.mark.parametrize("hashed", [True, False])
def test_5_what_trickles_in_is_no_reason_to_wait_longer_for_bytes_to_go_out(
    impatient: Storage, answer: Callable[[Exchange], None], hashed: bool
) -> None:
    body = body_of(bytes(32 * 1024 * 1024), hashed=hashed)
    with Server(answer) as server, pytest.raises(TimeoutError, match=r"no byte moved for 0\.5 s"):
        impatient.put(server.origin, body)


def test_6_nor_for_an_answer_that_dribbles(impatient: Storage) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        dribble_a_head(exchange)

    with Server(answer) as server, pytest.raises(TimeoutError, match=r"no whole response within 0\.5 s"):
        impatient.put(server.origin, body_of(b"x"))


def test_6_nor_for_provisional_answers_without_a_pause(impatient: Storage) -> None:
    """Where there is always something to read, nobody ever waits, and the time is up all the same."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.keep = False
        with suppress(OSError):
            while not exchange.server.stopping.is_set():
                exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    with Server(answer) as server, pytest.raises(TimeoutError, match=r"no whole response within 0\.5 s"):
        impatient.put(server.origin, body_of(b"x"))


@contextmanager
def dribble_to_everybody(begin: bytes, piece: bytes) -> Iterator[int]:
    """Listen, and send each who connects something, again and again."""
    ended = threading.Event()

    def serve(sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.sendall(begin)
            while not ended.wait(0.05):
                sock.sendall(piece)

    def accept() -> None:
        while not ended.is_set():
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            wake_acceptor(listener.getsockname()[1])
            acceptor.join()


def test_1_a_handshake_that_dribbles_takes_no_longer_than_one_that_is_silent(impatient: Storage) -> None:
    """The head of a record of 16 KiB, and then byte after byte of it."""
    with dribble_to_everybody(b"\x16\x03\x03\x40\x00", b"\x02") as port, pytest.raises(UnreachableError) as caught:
        impatient.put(f"https://127.0.0.1:{port}/", body_of(b"x"))
    assert "no connection within 0.5 s" in str(caught.value)


def test_1_a_proxy_that_never_ends_its_answer_is_given_up(impatient: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with dribble_to_everybody(b"", b"HTTP/1.1 100 Continue\r\n\r\n") as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(UnreachableError, match=r"no connection within 0\.5 s"):
            impatient.put("https://storage.example/", body_of(b"x"))


def test_keys_of_connections_are_nobodys_when_the_environment_is_shut_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert create_tls_context(trust_env=True).keylog_filename == str(tmp_path / "keys")
    assert create_tls_context(trust_env=False).keylog_filename is None


def test_the_trust_is_read_once(made: list[object]) -> None:
    one = Storage(ENDLESS)
    with Server(store, tls=make_tls()) as first, Server(store, tls=make_tls()) as second:
        one.put(first.origin, body_of(b"x"))
        one.put(second.origin, body_of(b"x"))
        one.close()
    assert [{"trust_env": True}] == made


def test_api_and_storage_trust_the_same(made: list[object], connect: Connect) -> None:
    """Whom a client trusts is read once, which takes longer than a handshake."""
    with Service(tls=make_tls()) as service:
        connect(service.url).uploads.upload_file(b"x", file_name="a.glb", wait=False)
    assert [{"trust_env": True}] == made
