"""What becomes of an answer: of good ones, of odd ones, and of what is no answer at all (row 24)."""

import gzip
import json
import logging
import subprocess
import sys
import zlib
from typing import Any

import pytest
from scenario_uploads import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    NotFoundError,
    Scenario,
    Upload,
    UploadAction,
    UploadDryRunResponse,
    UploadStatus,
    is_known,
)
from scenario_uploads.api.calls import RESPONSE_LIMIT_PER_PART
from scenario_uploads.api.exchange import RESPONSE_LIMIT
from scenario_uploads.api.responses import DEEPEST, LOOKED_AT

from tests.support.clients import Clock, Connect, raises
from tests.support.server import Exchange, Server, encode_head, raw, reply
from tests.support.service import SIGNATURE, UPLOAD_ID, Service, answer_upload, make_upload

MULTIPART = {"file_name": "a.glb", "content_type": "model/gltf-binary", "file_size": 100, "kind": "3d", "parts": 1}
GOOD = json.dumps({"upload": make_upload()}).encode()


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "scenario_uploads"]


class TestGoodAnswers:
    def test_every_field_is_read(self, connect: Connect, service: Service, caplog: pytest.LogCaptureFixture) -> None:
        service.script(
            "retrieve",
            answer_upload(
                assetOptions={"collectionIds": ["c"], "hide": False, "parentId": None},
                config={"any": ["thing"]},
                partsCount=2,
                provider="other",
                somethingNew={"kept": True},
            ),
        )
        upload = connect(service.url, strict_responses=True).uploads.retrieve(UPLOAD_ID).upload
        assert upload.asset_options.collection_ids == ["c"]
        assert upload.asset_options.parent_id is None
        assert (upload.parts_count, upload.provider, upload.error_message) == (2, "other", None)
        assert upload.additional_properties == {"somethingNew": {"kept": True}}
        assert warnings_of(caplog) == []

    @pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 269, 299])
    def test_any_2xx_is_an_answer(self, connect: Connect, service: Service, status: int) -> None:
        service.script("retrieve", reply(status, GOOD))
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.status == "imported"

    def test_23_269_is_a_cost_and_no_upload_though_nobody_asked(
        self, connect: Connect, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        costs = {"creativeUnitsCost": 2.5, "creativeUnitsDiscount": 0, "costDetails": {"a": 1}}
        service.script("create", reply(269, costs))
        created: Any = connect(service.url).uploads.create(**MULTIPART)
        assert type(created) is UploadDryRunResponse
        assert created.to_dict() == costs
        assert warnings_of(caplog) == []

    def test_23_269_does_not_begin_an_upload_of_a_file(self, connect: Connect, service: Service) -> None:
        service.script("create", reply(269, {"creativeUnitsCost": 2.5}))
        with raises(APIResponseValidationError, "269", "no upload") as caught:
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
        assert caught.error.status_code == 269
        assert service.steps == ["create"]

    @pytest.mark.parametrize("packing", ["gzip", "GZIP", " x-gzip"])
    def test_gzip_is_unpacked(self, connect: Connect, service: Service, packing: str) -> None:
        service.script("retrieve", reply(200, gzip.compress(GOOD), {"Content-Encoding": packing}))
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID

    def test_an_answer_may_come_in_chunks(self, connect: Connect, service: Service) -> None:
        def answer(exchange: Exchange) -> None:
            exchange.send(encode_head(200, [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")]))
            for byte in gzip.compress(GOOD):
                exchange.send(b"1\r\n" + bytes([byte]) + b"\r\n")
            exchange.send(b"0\r\n\r\n")

        service.script("retrieve", answer)
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID

    def test_an_answer_may_end_with_the_connection(self, connect: Connect, service: Service) -> None:
        service.script("retrieve", raw(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD))
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID

    def test_a_create_answer_with_ten_thousand_parts_fits(self, connect: Connect, service: Service) -> None:
        service.part_url = "https://storage.example/" + "k" * 1500 + "?X-Amz-Signature=x&partNumber={number}"
        answer = answer_upload(parts=service.make_parts(10_000))
        service.script("create", answer)
        created = connect(service.url).uploads.create(**(MULTIPART | {"parts": 10_000}))
        assert len(created.upload.parts) == 10_000
        assert RESPONSE_LIMIT + 10_000 * RESPONSE_LIMIT_PER_PART < 64 * 1024 * 1024


ODD: dict[str, Any] = {"status": "archived", "fileName": None, "fileSize": "big", "parts": [{"number": 1}]}


class TestAnswersThatDifferFromTheContract:
    def test_cost_one_warning_and_read_as_what_there_is(
        self, connect: Connect, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.script("retrieve", answer_upload(**ODD))
        upload = connect(service.url).uploads.retrieve(UPLOAD_ID).upload
        assert isinstance(upload, Upload)
        assert isinstance(upload.status, UploadStatus)
        assert upload.status == "archived"
        assert not is_known(upload.status)
        assert (upload.file_name, upload.file_size, upload.parts[0].url) == (None, "big", None)
        (warning,) = warnings_of(caplog)
        for fragment in ("retrieve_upload", "upload.fileName", "upload.fileSize", "upload.parts[0].url"):
            assert fragment in warning

    def test_are_errors_that_name_operation_and_field_when_strict(
        self, connect: Connect, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.script("retrieve", answer_upload(**ODD))
        with raises(APIResponseValidationError, "retrieve_upload", "upload.fileName", "fileSize", "200") as caught:
            connect(service.url, strict_responses=True).uploads.retrieve(UPLOAD_ID)
        assert caught.error.response.json()["upload"]["status"] == "archived"
        assert caught.error.upload_id == UPLOAD_ID
        assert warnings_of(caplog) == []

    def test_a_new_value_of_an_enum_is_no_difference(self, connect: Connect, service: Service) -> None:
        service.script("retrieve", answer_upload(status="archived", kind="text", source="new"))
        upload = connect(service.url, strict_responses=True).uploads.retrieve(UPLOAD_ID).upload
        assert (upload.status, upload.kind, upload.source) == ("archived", "text", "new")

    @pytest.mark.parametrize("body", [{}, {"upload": None}, {"upload": "x"}, {"upload": []}])
    @pytest.mark.parametrize("step", ["create", "retrieve", "complete"])
    def test_38_an_answer_without_upload_is_an_error(
        self, connect: Connect, service: Service, step: str, body: Any
    ) -> None:
        """`answer.upload.status` on None would be nobody's error to read."""
        uploads = connect(service.url).uploads
        calls: dict[str, tuple[Any, dict[str, Any]]] = {
            "create": (uploads.with_raw_response.create, MULTIPART),
            "retrieve": (uploads.with_raw_response.retrieve, {"upload_id": UPLOAD_ID}),
            "complete": (uploads.with_raw_response.trigger_action, {"upload_id": UPLOAD_ID, "action": "complete"}),
        }
        raw, arguments = calls[step]
        service.script(step, *[reply(200, body)] * 2)
        with raises(APIResponseValidationError, "200 and no upload"):
            raw(**arguments).parse()
        if step != "complete":
            with raises(APIResponseValidationError, "200 and no upload"):
                getattr(uploads, step)(**arguments)

    def test_38_an_action_without_upload_is_settled_or_an_error(self, connect: Connect, service: Service) -> None:
        service.script("complete", reply(200, {}))
        assert connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete").upload.status == "imported"
        service.script("complete", reply(200, {}))
        with raises(APIResponseValidationError, "200 and no upload"):
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action=UploadAction("abort"))

    def test_a_presigned_url_in_the_wrong_place_is_not_shown(
        self, connect: Connect, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        url = f"https://bucket.example/part?X-Amz-Signature={SIGNATURE}"
        service.script("retrieve", answer_upload(fileSize=url, parts=url, status=[url], errorMessage={"at": url}))
        answer = connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert len(warnings_of(caplog)) == 1
        assert SIGNATURE not in repr(answer) + repr(warnings_of(caplog))


DEEP = b'{"upload":{"config":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
RATHER_DEEP = b'{"upload":{"config":' + b"[" * (DEEPEST - 2) + b"0" + b"]" * (DEEPEST - 2) + b"}}"
NO_ANSWERS = {
    "html": (b"<html><body>Sign in to the hotel's network</body></html>", "hotel"),
    "empty": (b"", "empty"),
    "blank": (b" \n", "empty"),
    "cut": (GOOD[:-20], "not JSON"),
    "list": (b"[1, 2]", "not an object"),
    "text": (b'"upload"', "not an object"),
    "null": (b"null", "not an object"),
    "deep": (DEEP, "deeply nested"),
    "rather-deep": (RATHER_DEEP, "deeply nested"),
    "huge": (b'{"upload": "' + b"x" * (2 * RESPONSE_LIMIT) + b'"}', "more than"),
    "long-number": (b'{"upload": ' + b"1" * 10_000 + b"}", "not JSON"),
    "no-utf-8": (b'{"upload": "\xff"}', "not JSON"),
}


def test_a_large_refusal_is_cut_and_shows_no_half_secret(service: Service) -> None:
    token = "token-of-some-length" * 5
    service.script("retrieve", reply(404, b"." * (LOOKED_AT - 30) + token.encode() * 10))
    with Scenario(base_url=service.url, bearer_auth=token) as client, raises(NotFoundError, "404") as caught:
        client.uploads.retrieve(UPLOAD_ID)
    for shown in (caught.error.body, caught.error.response.text):
        assert set(shown) == {"."}


class TestWhatIsNoAnswer:
    @pytest.mark.parametrize(("body", "fragment"), NO_ANSWERS.values(), ids=NO_ANSWERS)
    def test_24_is_told_with_status_and_how_it_begins(
        self, connect: Connect, service: Service, body: bytes, fragment: str
    ) -> None:
        service.script("retrieve", reply(200, body))
        with raises(APIResponseValidationError, "retrieve_upload", "200", fragment) as caught:
            connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert caught.error.status_code == 200
        assert len(caught.error.response.content) <= 4096
        assert len(str(caught.error)) < 400
        assert "\n" not in str(caught.error)

    @pytest.mark.parametrize("status", [204, 205])
    def test_24_nor_is_one_without_content(self, connect: Connect, service: Service, status: int) -> None:
        service.script("retrieve", raw(b"HTTP/1.1 %d No Content\r\n\r\n" % status))
        with raises(APIResponseValidationError, str(status), "empty"):
            connect(service.url).uploads.retrieve(UPLOAD_ID)

    @pytest.mark.parametrize(
        ("packing", "body", "fragment"),
        [
            ("br", GOOD, "'br'"),
            ("gzip", GOOD, "not the gzip"),
            ("gzip", gzip.compress(GOOD)[:-30], "ends in the middle"),
            ("gzip", gzip.compress(GOOD) + b"x" * 100, "goes on after"),
            ("gzip", b"", "ends in the middle"),
            ("gzip, gzip", GOOD, "gzip, gzip"),
        ],
    )
    def test_24_nor_is_one_that_is_packed_wrongly(
        self, connect: Connect, service: Service, packing: str, body: bytes, fragment: str
    ) -> None:
        service.script("retrieve", reply(200, body, {"Content-Encoding": packing}))
        with raises(APIResponseValidationError, "retrieve_upload", "200", fragment):
            connect(service.url).uploads.retrieve(UPLOAD_ID)

    @pytest.mark.parametrize(
        "fault",
        [
            reply(200, GOOD, length=len(GOOD) + 1),
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        ],
        ids=["short", "chunk"],
    )
    def test_24_one_that_is_cut_is_asked_for_again_and_named_at_the_end(
        self, connect: Connect, service: Service, clock: Clock, fault: Any
    ) -> None:
        service.script("retrieve", fault, fault, fault)
        with raises(APIResponseValidationError, "retrieve_upload", "status 200", "cut short"):
            connect(service.url, max_retries=1).uploads.retrieve(UPLOAD_ID)
        assert service.steps == ["retrieve", "retrieve"]

    @pytest.mark.parametrize(
        "fault",
        [raw(b"HTTP/1.1 2"), raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000 + b"\r\n\r\n" + GOOD)],
        ids=["cut", "endless"],
    )
    def test_24_one_whose_head_never_ends_is_a_fault_of_the_connection(
        self, connect: Connect, service: Service, fault: Any
    ) -> None:
        service.script("retrieve", fault)
        with raises(APIConnectionError, "retrieve_upload"):
            connect(service.url, max_retries=0).uploads.retrieve(UPLOAD_ID)

    def test_24_the_message_shows_no_presigned_url(self, connect: Connect, service: Service) -> None:
        body = f'<a href="https://bucket.example/x?X-Amz-Signature={SIGNATURE}">'.encode()
        service.script("retrieve", reply(200, body))
        with raises(APIResponseValidationError, "bucket.example") as caught:
            connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert SIGNATURE not in str(caught.error)

    @pytest.mark.parametrize(
        "answer",
        [reply(200, b"<html>"), reply(200, b""), reply(200, {"upload": {"status": "pending"}}), reply(200, {})],
        ids=["html", "empty", "no-id", "no-upload"],
    )
    def test_24_an_upload_of_a_file_does_not_go_on_from_it(
        self, connect: Connect, service: Service, answer: Any
    ) -> None:
        service.script("create", answer)
        with raises(APIResponseValidationError, "create_upload"):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
        assert service.steps == ["create"]

    @pytest.mark.parametrize("upload_id", ["..", "a/b", "", 7])
    def test_34_nor_from_an_id_that_leaves_its_place(
        self, connect: Connect, service: Service, upload_id: object
    ) -> None:
        service.script("create", answer_upload(id=upload_id, parts=service.make_parts(1)))
        with raises(APIResponseValidationError, "id"):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
        assert service.steps == ["create"]

    def test_24_an_endless_body_after_the_gzip_is_not_read(self, connect: Connect, service: Service) -> None:
        def answer(exchange: Exchange) -> None:
            exchange.send(encode_head(200, [("Content-Encoding", "gzip")]) + gzip.compress(GOOD))
            while not exchange.server.stopping.is_set():
                exchange.send(b"x" * 65536)

        service.script("retrieve", answer)
        with raises(APIResponseValidationError, "goes on after"):
            connect(service.url).uploads.retrieve(UPLOAD_ID)


MEASURE = """
import asyncio, resource, sys
from scenario_uploads import APIError, AsyncScenario, Scenario

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

options = dict(base_url=sys.argv[1], bearer_auth="token", max_retries=0)

def call():
    if sys.argv[2] == "sync":
        with Scenario(**options) as client:
            client.uploads.retrieve("u")
    else:
        async def main():
            async with AsyncScenario(**options) as client:
                await client.uploads.retrieve("u")
        asyncio.run(main())

call()
before = peak()
try:
    call()
except APIError as error:
    print(type(error).__name__, peak() - before)
"""


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """97 KB that unpack to 100 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()


@pytest.mark.posix
@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [("sync", 200, "APIResponseValidationError"), ("async", 500, "InternalServerError")],
    ids=["200", "500"],
)
def test_24_a_gzip_bomb_takes_no_memory(bomb: bytes, kind: str, status: int, expected: str) -> None:
    """The bare generated client takes three times as much."""
    answers = iter([reply(200, GOOD), reply(status, bomb, {"Content-Encoding": "gzip"})])

    def answer(exchange: Exchange) -> None:
        next(answers)(exchange)

    with Server(answer) as server:
        command = [sys.executable, "-c", MEASURE, server.origin, kind]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    name, grown = done.stdout.split()
    assert name == expected
    assert int(grown) < 32, "MiB"


def test_a_wait_goes_on_after_what_is_no_answer(
    connect: Connect, service: Service, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service.script("retrieve", reply(200, b"<html>"), reply(200, {}), reply(200, b""), reply(200, DEEP))
    with caplog.at_level(logging.WARNING):
        assert connect(service.url).uploads.wait(UPLOAD_ID).entity_id == "asset_1"
    assert len(service.requests) == 5


def test_a_wait_does_not_when_strict(connect: Connect, service: Service, clock: Clock) -> None:
    service.script("retrieve", reply(200, b"<html>"))
    with pytest.raises(APIError, match="html"):
        connect(service.url, strict_responses=True).uploads.wait(UPLOAD_ID)
    assert len(service.requests) == 1
