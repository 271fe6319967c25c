"""Rows of the table of faults that concern an upload from its beginning to its end, by their number."""

import hashlib
from pathlib import Path

import pytest
from scenario_uploads import APIConnectionError, TransferError

from tests.support.clients import Clock, Connect, find_upload_threads, raises
from tests.support.content import make_content
from tests.support.interrupts import interrupt, start
from tests.support.server import Exchange, hang, lose, reply, reset_in_body, stall, until
from tests.support.service import SIGNATURE, UPLOAD_ID, Service, answer_upload
from tests.support.storing import bear_with_storage

MIB = 1024 * 1024
PART = 5 * MIB
CONTENT = make_content(2 * PART + 9)


def upload(connect: Connect, service: Service, **options: object) -> object:
    return connect(service.url).uploads.upload_file(CONTENT, file_name="a.glb", part_size=PART, **options)


def assert_arrived(service: Service) -> None:
    pieces = {number: CONTENT[(number - 1) * PART : number * PART] for number in (1, 2, 3)}
    expected = {number: hashlib.sha256(piece).hexdigest() for number, piece in pieces.items()}
    assert expected == {number: request.sha256 for number, request in service.parts.items()}
    assert service.steps[-2:] == ["complete", "retrieve"]


def test_everything_that_passes_at_once(connect: Connect, service: Service, clock: Clock) -> None:
    """A bad day: every step fails first, each in its own way."""
    service.script("create", lose)
    service.script("part 1", reset_in_body)
    service.script("part 2", reply(503), lose)
    service.script("part 3", reply(200, b"<Error><Code>InternalError</Code></Error>"))
    service.script("complete", lose, reply(502, b"<html>"))
    service.script("retrieve", answer_upload(status="pending"), reply(503), lose)
    upload(connect, service)
    pieces = {number: CONTENT[(number - 1) * PART : number * PART] for number in (1, 2, 3)}
    assert {n: hashlib.sha256(piece).hexdigest() for n, piece in pieces.items()} == {
        number: request.sha256 for number, request in service.parts.items()
    }


def test_1_storage_that_is_not_there_fails_the_upload_with_its_host(
    connect: Connect, service: Service, clock: Clock
) -> None:
    service.part_url = "http://127.0.0.1:1/part-{number}?sig=" + SIGNATURE
    with raises(TransferError, "127.0.0.1", "refused") as caught:
        upload(connect, service, patience=0.1)
    assert SIGNATURE not in str(caught.error)
    assert caught.error.upload_id == UPLOAD_ID
    assert service.steps == ["create"]


def test_3_a_connection_that_went_stale_is_replaced(connect: Connect, service: Service, clock: Clock) -> None:
    def leave(exchange: Exchange) -> None:
        reply(200)(exchange)
        exchange.close()

    client = connect(service.url)
    for number in (1, 2, 3):
        service.script(f"part {number}", leave)
    client.uploads.upload_file(CONTENT, file_name="a.glb", part_size=PART)
    client.uploads.upload_file(CONTENT, file_name="a.glb", part_size=PART)
    assert_arrived(service)


def test_5_a_receiver_that_stalls_costs_one_more_try(
    connect: Connect, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bear_with_storage(monkeypatch, 0.5)
    service.script("part 1", stall)
    connect(service.url).uploads.upload_file(CONTENT, file_name="a.glb")
    assert len(service.of("part 1")) >= 2
    assert service.parts[1].received == 8 * MIB


def test_6_an_answer_that_never_comes_costs_one_more_try(
    connect: Connect, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bear_with_storage(monkeypatch, 0.5)
    service.script("part 3", hang)
    upload(connect, service)
    assert_arrived(service)


def test_6_an_answer_that_dribbles_costs_one_more_try(
    connect: Connect, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dribble(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not exchange.server.stopping.wait(0.05):
            exchange.send(b" ")

    bear_with_storage(monkeypatch, 0.5)
    service.script("part 2", dribble)
    upload(connect, service)
    assert_arrived(service)


def test_9_an_etag_may_be_missing(connect: Connect, service: Service, clock: Clock) -> None:
    service.script("part 1", reply(200))
    assert upload(connect, service, wait=False)


def test_17_an_upload_whose_creation_cannot_be_known_names_no_upload(
    connect: Connect, service: Service, clock: Clock
) -> None:
    service.script("create", lose, lose)
    with raises(APIConnectionError, "create_upload") as caught:
        upload(connect, service)
    assert caught.error.upload_id is None
    assert service.steps == ["create", "create"]


# A stop that waits for storage would not end.
INTERRUPTED = """
import sys, threading
from scenario_uploads import Scenario
from scenario_uploads.transfer import connection

patient = connection.StorageTimeouts(3600, 3600, 3600)
connection.StorageTimeouts = lambda: patient
with Scenario(base_url=sys.argv[1], bearer_auth="token") as client:
    try:
        client.uploads.upload_file(sys.argv[2], part_size=5 * 1024 * 1024)
    except KeyboardInterrupt:
        left = {thread.name for thread in threading.enumerate()} - {"MainThread", "interrupter"}
        print("interrupted", left)
"""


@pytest.mark.parametrize("obstacle", [hang, stall], ids=["never-answers", "never-reads"])
def test_27_an_interrupt_ends_the_upload_and_leaves_no_thread(
    service: Service, tmp_path: Path, obstacle: object
) -> None:
    file = tmp_path / "a.glb"
    file.write_bytes(CONTENT * 3)
    for number in range(1, 9):
        service.script(f"part {number}", obstacle)  # type: ignore[arg-type]
    with start(INTERRUPTED, service.url, str(file)) as process:
        # An upload begins with two parts at once, and these keep it from sending more.
        until(lambda: len([request for request in service.requests if request.method == "PUT"]) >= 2)
        interrupt(process)
        out, err = process.communicate()
    assert (out, err) == ("interrupted set()\n", "")
    assert "complete" not in service.steps
    assert not find_upload_threads()
