"""What a service sends is bounded: in bytes, in depth, and in how long it may take to end."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads import (
    APIConnectionError,
    APIResponseValidationError,
    APITimeoutError,
    InternalServerError,
    ScenarioError,
    TransferError,
    UploadTimeoutError,
)
from scenario_uploads.api import async_http, sync_http
from scenario_uploads.api.async_http import AsyncApiClient
from scenario_uploads.api.network import drop_lost_connections, find_pools
from scenario_uploads.api.sync_http import ApiClient
from scenario_uploads.retry import RetryPolicy
from scenario_uploads.transfer import part
from scenario_uploads.upload.ledger import SUFFIX, list_entries

from tests.support.clients import Connect, raises
from tests.support.server import Answering, Exchange, Server, encode_head, reply
from tests.support.service import UPLOAD_ID, Service, answer_upload
from tests.support.storing import make_certificate, make_tls

DEEP = 100_000
GOOD = json.dumps({"upload": {"id": UPLOAD_ID}}).encode()


def dribble(pieces: Callable[[], Iterator[bytes]]) -> Answering:
    """Send piece after piece, each well within a read timeout, for as long as the client listens."""

    def answer(exchange: Exchange) -> None:
        exchange.keep = False
        for piece in pieces():
            exchange.send(piece)
            if exchange.server.stopping.wait(0.02):
                return

    return answer


def in_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Slow: "
    while True:
        yield b"x"


def in_provisional_answers() -> Iterator[bytes]:
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def in_sizes_of_chunks() -> Iterator[bytes]:
    yield encode_head(200, [("Transfer-Encoding", "chunked")]) + b"1\r\n{\r\n1;"
    while True:
        yield b"x"


def in_body() -> Iterator[bytes]:
    yield encode_head(200, [("Content-Length", "100000")])
    while True:
        yield b" "


def in_trailers() -> Iterator[bytes]:
    size = f"{len(GOOD):x}".encode()
    yield encode_head(200, [("Transfer-Encoding", "chunked")]) + size + b"\r\n" + GOOD + b"\r\n0\r\n"
    while True:
        yield b"X: y\r\n"


DRIBBLING = [in_head, in_provisional_answers, in_sizes_of_chunks, in_body, in_trailers]


@pytest.mark.parametrize("pieces", DRIBBLING, ids=lambda pieces: pieces.__name__)
class TestAnAnswerThatDribbles:
    def test_6_is_given_up_after_the_read_timeout(
        self, connect: Connect, service: Service, pieces: Callable[[], Iterator[bytes]]
    ) -> None:
        service.script("retrieve", dribble(pieces))
        with raises(APITimeoutError, "retrieve_upload: no response"):
            connect(service.url, timeout=0.5, max_retries=0).uploads.retrieve(UPLOAD_ID)


def test_6_a_wait_does_not_dribble_past_its_deadline(connect: Connect, service: Service) -> None:
    service.script("retrieve", *[dribble(in_body)] * 20)
    with raises(UploadTimeoutError, "no status was received"):
        connect(service.url).uploads.wait(UPLOAD_ID, timeout=0.5)


def test_6_a_dribble_over_tls_is_given_up_too(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate()))
    with Service(tls=make_tls()) as service:
        service.script("retrieve", answer_upload(), dribble(in_trailers))
        client = connect(service.url, timeout=0.5, max_retries=0)
        # The second one comes over a connection that is kept.
        client.uploads.retrieve(UPLOAD_ID, timeout=300)
        with raises(APITimeoutError):
            client.uploads.retrieve(UPLOAD_ID)


def test_a_kept_connection_has_the_whole_time_for_each_answer(connect: Connect, service: Service) -> None:
    """The time of one answer is not counted against the next, nor is the pause between them."""
    client = connect(service.url, timeout=1.5, max_retries=0)
    for _ in range(5):
        client.uploads.retrieve(UPLOAD_ID)
        time.sleep(0.4)
    assert service.server.connections == 1


def endless_head(exchange: Exchange) -> None:
    exchange.keep = False
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while not exchange.server.stopping.is_set():
        exchange.send(b"X-More: " + b"x" * 8192 + b"\r\n")


def endless_line(exchange: Exchange) -> None:
    exchange.keep = False
    while not exchange.server.stopping.is_set():
        exchange.send(b"x" * 65536)


@pytest.mark.parametrize("answer", [endless_head, endless_line])
class TestAHeadWithoutEnd:
    def test_24_of_the_api_is_a_fault_of_the_connection(
        self, connect: Connect, service: Service, answer: Answering
    ) -> None:
        service.script("retrieve", answer)
        with raises(APIConnectionError):
            connect(service.url, max_retries=0).uploads.retrieve(UPLOAD_ID)

    def test_24_of_storage_is_a_fault_of_the_part(
        self, connect: Connect, service: Service, answer: Answering, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(part, "PART_POLICY", RetryPolicy(max_retries=0))
        service.script("part 1", answer)
        with raises(TransferError, "Part 1"):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
        assert "complete" not in service.steps


def nest(opening: str, closing: str, *, cut: bool = False) -> bytes:
    return (opening * DEEP + ("" if cut else closing * DEEP)).encode()


DEEP_ONES = {
    "lists": nest("[", "]"),
    "objects": nest('{"a":', "}")[:-DEEP] + b"1" + b"}" * DEEP,
    "cut": nest("[", "]", cut=True),
    "in an upload": b'{"upload": {"id": "upload_1", "config": ' + nest("[", "]") + b"}}",
    "in a reason": b'{"reason": ' + nest("[", "]") + b"}",
    "in a reason's reason": b'{"reason":' * (DEEP // 2) + b'"x"' + b"}" * (DEEP // 2),
}


@pytest.mark.parametrize("body", DEEP_ONES.values(), ids=DEEP_ONES.keys())
class TestDeepJSON:
    def test_24_is_no_answer(self, connect: Connect, service: Service, body: bytes) -> None:
        service.script("retrieve", reply(200, body))
        with raises(APIResponseValidationError, "too deeply nested" if not body.endswith(b"[") else ""):
            connect(service.url).uploads.retrieve(UPLOAD_ID)

    def test_24_of_a_refusal_is_a_refusal(self, connect: Connect, service: Service, body: bytes) -> None:
        service.script("retrieve", reply(500, body))
        with raises(InternalServerError, "500"):
            connect(service.url, max_retries=0).uploads.retrieve(UPLOAD_ID)

    def test_30_in_a_ledger_is_damage(self, tmp_path: Path, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / f"a{SUFFIX}").write_bytes(body + b"\n")
        assert list(list_entries(tmp_path)) == []
        assert "damaged" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"upload": {"fileSize": ' + b"9" * 900_000 + b"}}",
        b'{"upload": {"fileSize": 1e' + b"9" * 900_000 + b"}}",
        b'{"upload": {"fileSize": -' + b"9" * 4000 + b', "partsCount": 1e999, "id": NaN}}',
        b'{"upload": {' + b",".join(b'"k%d": 0' % n for n in range(10_000)) + b"}}",
        b'{"upload": ' + b'{"upload": {}}' + b"}" + b" " * 1_000_000,
        b'{"upload": {"parts": [' + b"{}," * 30_000 + b"{}]}}",
        b'{"upload": {"kind": "' + b"x" * 1_000_000 + b'"}}',
        b"\xff\xfe" + '{"upload": {}}'.encode("utf-16-le"),
        b'{"upload": {"id": "\\ud800"}}',
    ],
    ids=["digits", "exponent", "numbers", "keys", "spaces", "parts", "enum", "utf-16", "surrogate"],
)
@pytest.mark.parametrize("connect", ["sync"], indirect=True)
def test_24_a_heavy_answer_is_an_answer_or_one_of_our_errors(
    connect: Connect, service: Service, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Within the limit of bytes, whatever is in it costs little, and a line in the log stays a line."""
    service.script("retrieve", reply(200, body))
    told = ""
    try:
        repr(connect(service.url).uploads.retrieve(UPLOAD_ID))
    except ScenarioError as error:
        told = str(error)
    assert len(told) < 2000
    assert all(len(record.getMessage()) < 5000 for record in caplog.records)


STORAGE_BOMB = """
import resource, sys
from scenario_uploads import Scenario, TransferError
from scenario_uploads.retry import RetryPolicy
from scenario_uploads.transfer import part

part.PART_POLICY = RetryPolicy(max_retries=0)

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

with Scenario(base_url=sys.argv[1], bearer_auth="token") as client:
    client.uploads.upload_file(b"glTF", file_name="a.glb")
    before = peak()
    try:
        client.uploads.upload_file(b"glTF", file_name="a.glb")
    except TransferError as error:
        print(type(error).__name__, peak() - before)
"""


@pytest.mark.posix
def test_24_a_huge_answer_of_storage_takes_no_memory(service: Service) -> None:
    def flood(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(encode_head(400, [("Content-Length", str(256 << 20))]))
        for _ in range(256):
            exchange.send(bytes(1 << 20))

    service.script("part 1", reply(200, b"", {"ETag": '"0"'}), flood)
    command = [sys.executable, "-c", STORAGE_BOMB, service.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    name, grown = done.stdout.split()
    assert name == "TransferError"
    assert int(grown) < 32, "MiB"


def test_the_time_of_an_answer_is_that_of_one_read(service: Service) -> None:
    """What is private to httpx and is relied on is there: the pools below a client and their backends."""
    given: list[Any] = [ApiClient(), AsyncApiClient()]
    for client in given:
        pools = find_pools(client)
        assert pools
        assert {type(pool._network_backend).__module__ for pool in pools} <= {sync_http.__name__, async_http.__name__}
    given[0].close()


@pytest.mark.parametrize("kind", [ApiClient, AsyncApiClient])
@pytest.mark.parametrize("renamed", ["pool", "backend"])
def test_versions_that_differ_inside_are_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: Callable[[], Any], renamed: str
) -> None:
    """Without these names a response that never ends would not be bounded, and nobody would know."""
    name = "HTTPTransport" if kind is ApiClient else "AsyncHTTPTransport"
    given = getattr(httpx, name)

    class Other(given):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            if renamed == "pool":
                del self._pool
            else:
                del self._pool._network_backend

    monkeypatch.setattr(httpx, name, Other)
    kind()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"httpx {httpx.__version__}" in caplog.text


def test_a_pool_that_differs_inside_is_told(caplog: pytest.LogCaptureFixture) -> None:
    client = httpx.AsyncClient()
    del client._transport._pool._requests  # type: ignore[attr-defined]
    asyncio.run(drop_lost_connections(client))
    assert "a cancelled call may cost a connection" in caplog.text


def test_proxies_keep_the_time_too(connect: Connect, monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    """An http proxy of the environment that dribbles is given up like the API itself."""

    def answer(exchange: Exchange) -> None:
        dribble(in_head)(exchange)

    with Server(answer) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        with raises(APITimeoutError):
            connect("http://api.example/v1", timeout=0.5, max_retries=0).uploads.retrieve(UPLOAD_ID)
        assert proxy.requests[0].target.startswith("http://api.example/v1/")
