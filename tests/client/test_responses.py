"""Answers as they came: whole with `with_raw_response`, to be read with `with_streaming_response`."""

import asyncio
import datetime
import gc
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads import (
    APIConnectionError,
    APIResponseValidationError,
    APITimeoutError,
    AsyncScenario,
    InvalidArgumentError,
    NotFoundError,
    Scenario,
    ScenarioError,
    Upload,
    UploadCreateResponse,
    UploadRetrieveResponse,
    UploadTriggerActionResponse,
)

from tests.support.clients import Blocking, Clock, Connect, raises
from tests.support.server import Exchange, encode_head, lose, reply
from tests.support.service import UPLOAD_ID, Service, answer_upload, make_upload

MULTIPART = {"file_name": "dragon.glb", "content_type": "model/gltf-binary", "file_size": 100, "kind": "3d", "parts": 1}
KEYS = {"api_key": "key_of_test", "api_secret": "s3cret-of-test"}
WAYS = ["with_raw_response", "with_streaming_response"]


class Response:
    """Gets answers in one of the two ways, and lets go of them at the end."""

    def __init__(self, uploads: Any, way: str, stack: ExitStack) -> None:
        self._calls, self._way, self._stack = getattr(uploads, way), way, stack

    def __call__(self, call: str, *args: Any, **keywords: Any) -> Any:
        got = getattr(self._calls, call)(*args, **keywords)
        if self._way == "with_raw_response":
            return got
        return self._stack.enter_context(got)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def respond(connect: Connect, service: Service, way: str) -> Iterator[Response]:
    with ExitStack() as stack:
        yield Response(connect(service.url).uploads, way, stack)


class TestBoth:
    @pytest.mark.parametrize(
        ("call", "arguments", "model"),
        [
            ("create", MULTIPART, UploadCreateResponse),
            ("retrieve", {"upload_id": UPLOAD_ID}, UploadRetrieveResponse),
            ("trigger_action", {"upload_id": UPLOAD_ID, "action": "complete"}, UploadTriggerActionResponse),
        ],
    )
    def test_every_call_gives_its_model(
        self, respond: Response, call: str, arguments: dict[str, Any], model: type
    ) -> None:
        response = respond(call, **arguments)
        parsed = response.parse()
        assert type(parsed) is model
        assert type(parsed.upload) is Upload
        assert parsed.upload.id == UPLOAD_ID
        assert response.parse() is parsed

    def test_an_answer_shows_all_that_came(self, respond: Response, service: Service) -> None:
        service.script("retrieve", reply(201, {"upload": make_upload()}, {"X-Trace": "1"}))
        response = respond("retrieve", UPLOAD_ID, extra_query={"a": 1})
        assert response.status_code == 201
        assert response.headers["x-trace"] == "1"
        assert response.method == "GET"
        assert response.url == httpx.URL(f"{service.url}/uploads/{UPLOAD_ID}?a=1")
        assert response.http_request.headers["authorization"].startswith("Basic ")
        assert response.http_version == "HTTP/1.1"
        assert isinstance(response.http_response, httpx.Response)
        assert response.retries_taken == 0
        body = json.dumps({"upload": make_upload()}).encode()
        assert response.read() == response.content == body
        assert response.text() == body.decode()
        assert response.json() == {"upload": make_upload()}
        assert response.http_response.json() == response.json()
        assert response.is_closed
        assert response.elapsed > datetime.timedelta(0)
        assert response.http_response.headers["x-trace"] == "1"

    def test_its_repr_has_no_secret(self, respond: Response, service: Service) -> None:
        response = respond("retrieve", UPLOAD_ID, extra_query={"token": "t0ken"})
        shown = getattr(response, "response", response)
        assert "[200] type=UploadRetrieveResponse>" in repr(shown)
        assert "t0ken" not in repr(shown)

    def test_tries_are_counted(self, respond: Response, service: Service, clock: Clock) -> None:
        service.script("retrieve", reply(503, {}), reply(429, {}))
        assert respond("retrieve", UPLOAD_ID).retries_taken == 2
        service.script("complete", reply(503, {}))
        service.script("retrieve", answer_upload(status="pending"))
        assert respond("trigger_action", UPLOAD_ID, action="complete").retries_taken == 1

    def test_an_action_that_a_retrieve_has_settled_has_the_answer_to_that(
        self, respond: Response, service: Service, clock: Clock
    ) -> None:
        service.script("complete", lose)
        service.script("retrieve", answer_upload(status="validating"))
        response = respond("trigger_action", UPLOAD_ID, action="complete")
        assert response.method == "GET"
        assert type(response.parse()) is UploadTriggerActionResponse
        assert response.parse().upload.status == "validating"

    def test_a_refusal_is_an_error_at_once(self, respond: Response, service: Service) -> None:
        service.script("retrieve", reply(404, {"reason": "no such upload"}))
        with raises(NotFoundError, "no such upload") as caught:
            respond("retrieve", UPLOAD_ID)
        assert caught.error.upload_id == UPLOAD_ID
        assert caught.error.body == {"reason": "no such upload"}

    def test_bad_arguments_are_told_before_anything_is_sent(self, respond: Response, service: Service) -> None:
        for call, arguments in (("retrieve", {"upload_id": ""}), ("create", {"kind": 3})):
            with pytest.raises(InvalidArgumentError):
                respond(call, **arguments)
        assert service.requests == []

    @pytest.mark.parametrize(
        ("to", "expected"),
        [
            (dict, {"upload": make_upload()}),
            (dict[str, Any], {"upload": make_upload()}),
            (object, {"upload": make_upload()}),
            (str, json.dumps({"upload": make_upload()})),
            (bytes, json.dumps({"upload": make_upload()}).encode()),
        ],
    )
    def test_an_answer_can_be_parsed_to_something_else(
        self, respond: Response, service: Service, to: Any, expected: Any
    ) -> None:
        service.script("retrieve", answer_upload())
        assert respond("retrieve", UPLOAD_ID).parse(to=to) == expected

    def test_an_answer_can_be_parsed_to_another_model(self, respond: Response) -> None:
        response = respond("retrieve", UPLOAD_ID)
        assert type(response.parse(to=UploadCreateResponse)) is UploadCreateResponse
        assert type(response.parse()) is UploadRetrieveResponse
        assert response.parse(to=httpx.Response).json()["upload"]["id"] == UPLOAD_ID

    @pytest.mark.parametrize(
        ("body", "call", "fragment"),
        [
            (b"<html>", "json", "not JSON: <html>"),
            (b"<html>", "parse", "not JSON: <html>"),
            (b"[1]", "parse", "JSON that is not an object"),
            (b"[" * 100_000, "json", "too deeply nested"),
            (b"[]" + b" " * (1 << 21), "read", "a body of more than"),
            (b"[]" + b" " * (1 << 21), "text", "a body of more than"),
        ],
    )
    def test_a_body_that_cannot_be_used_is_told_when_it_is_asked_for(
        self, respond: Response, service: Service, body: bytes, call: str, fragment: str
    ) -> None:
        service.script("retrieve", reply(200, body))
        response = respond("retrieve", UPLOAD_ID)
        assert response.status_code == 200
        for _ in range(2):
            with raises(APIResponseValidationError, fragment) as caught:
                getattr(response, call)()
        assert caught.error.upload_id == UPLOAD_ID
        assert response.is_closed

    def test_a_list_is_no_dict(self, respond: Response, service: Service) -> None:
        service.script("retrieve", reply(200, [1]))
        response = respond("retrieve", UPLOAD_ID)
        assert response.parse(to=list) == [1]
        with raises(APIResponseValidationError, "JSON that is not an object"):
            response.parse(to=dict)

    def test_a_packed_body_is_unpacked(self, respond: Response, service: Service) -> None:
        body = gzip.compress(json.dumps({"upload": make_upload(fileName="ü" * 100)}).encode())
        service.script("retrieve", reply(200, body, {"Content-Encoding": "gzip"}))
        response = respond("retrieve", UPLOAD_ID)
        assert response.headers["content-encoding"] == "gzip"
        assert response.parse().upload.file_name == "ü" * 100
        assert response.http_response.text == response.text()

    def test_a_strict_client_is_strict_when_it_parses(self, connect: Connect, service: Service, way: str) -> None:
        service.script("retrieve", reply(200, {"upload": {"id": UPLOAD_ID}}))
        with ExitStack() as stack:
            client = connect(service.url, strict_responses=True)
            response = Response(client.uploads, way, stack)("retrieve", UPLOAD_ID)
            assert response.json() == {"upload": {"id": UPLOAD_ID}}
            with raises(APIResponseValidationError, "differs from the contract"):
                response.parse()

    def test_a_body_is_given_in_pieces(self, respond: Response, service: Service) -> None:
        body = "".join(f"ü{number}\r\n" for number in range(40)).encode()
        for packed in (False, True):
            headers = {"Content-Encoding": "gzip"} if packed else {}
            answer = reply(200, gzip.compress(body) if packed else body, headers)
            service.script("retrieve", *[answer] * 5)
            assert b"".join(respond("retrieve", UPLOAD_ID).iter_bytes()) == body
            pieces = list(respond("retrieve", UPLOAD_ID).iter_bytes(7))
            assert b"".join(pieces) == body
            assert {len(piece) for piece in pieces[:-1]} == {7}
            assert "".join(respond("retrieve", UPLOAD_ID).iter_text()) == body.decode()
            assert "".join(respond("retrieve", UPLOAD_ID).iter_text(3)) == body.decode()
            assert list(respond("retrieve", UPLOAD_ID).iter_lines()) == body.decode().splitlines()

    def test_a_body_is_written_to_a_file(self, respond: Response, service: Service, tmp_path: Path) -> None:
        service.script("retrieve", *[reply(200, b"0123456789")] * 2)
        respond("retrieve", UPLOAD_ID).stream_to_file(tmp_path / "whole")
        respond("retrieve", UPLOAD_ID).stream_to_file(str(tmp_path / "pieces"), chunk_size=3)
        assert (tmp_path / "whole").read_bytes() == (tmp_path / "pieces").read_bytes() == b"0123456789"

    def test_what_was_read_can_be_given_in_pieces_again_and_again(self, respond: Response) -> None:
        response = respond("retrieve", UPLOAD_ID)
        body = response.read()
        for _ in range(2):
            assert b"".join(response.iter_bytes(10)) == body
            assert list(response.iter_lines()) == [body.decode()]
        response.close()
        assert response.read() == body


class TestRaw:
    def test_is_read_when_the_call_returns(self, connect: Connect, service: Service) -> None:
        response = connect(service.url).uploads.with_raw_response.retrieve(UPLOAD_ID)
        assert response.is_closed
        assert response.content

    def test_a_body_that_was_cut_is_an_error_at_once(self, connect: Connect, service: Service) -> None:
        service.script("complete", reply(200, b"{}", length=10))
        service.script("retrieve", answer_upload(status="validating"))
        response = connect(service.url).uploads.with_raw_response.trigger_action(UPLOAD_ID, action="complete")
        assert response.method == "GET"
        service.script("retrieve", reply(200, b"{}", length=10))
        with raises(APIResponseValidationError, "cut short"):
            connect(service.url, max_retries=0).uploads.with_raw_response.retrieve(UPLOAD_ID)


def answer_in_steps(*steps: bytes, length: int | None = None, wait: Any = None) -> Any:
    """Answer with a body of which each piece but the first waits for the test."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        size = sum(map(len, steps)) if length is None else length
        exchange.send(encode_head(200, [("Content-Length", str(size))]) + steps[0])
        for step in steps[1:]:
            wait.wait()
            exchange.send(step)
        if length is not None:
            exchange.close()

    return answer


class TestStreaming:
    def test_nothing_is_sent_before_the_block_is_entered(self, connect: Connect, service: Service) -> None:
        manager = connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID)
        assert service.requests == []
        with manager as response:
            assert response.status_code == 200
        assert service.steps == ["retrieve"]

    def test_a_body_is_not_read_ahead(self, connect: Connect, service: Service) -> None:
        """The second half is sent when the first has been seen."""
        seen = threading.Event()
        service.script("retrieve", answer_in_steps(b"first\n", b"second\n", wait=seen))
        with connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
            assert not response.is_closed
            lines = response.iter_lines()
            assert next(lines) == "first"
            seen.set()
            assert list(lines) == ["second"]
            assert response.is_closed

    def test_leaving_the_block_gives_up_what_is_not_read(self, connect: Connect, service: Service) -> None:
        client = connect(service.url)
        service.script("retrieve", *[answer_in_steps(b"x" * 10, length=20)] * 2)
        with client.uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
            assert not response.is_closed
        assert response.is_closed
        with raises(ScenarioError, "closed"):
            response.read()
        with raises(ScenarioError, "closed"):
            list(response.iter_bytes())
        with raises(ScenarioError, "not read yet"):
            _ = response.content

        def leave_by_an_error() -> None:
            nonlocal response
            with client.uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            leave_by_an_error()
        assert response.is_closed
        client.uploads.retrieve(UPLOAD_ID)

    def test_the_connection_is_used_again_once_the_body_is_read(self, connect: Connect, service: Service) -> None:
        client = connect(service.url)
        for _ in range(3):
            with client.uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
                response.parse()
        assert service.server.connections == 1

    def test_what_was_streamed_is_not_kept(self, connect: Connect, service: Service) -> None:
        with connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
            list(response.iter_bytes())
            for read in (response.read, response.text, response.json, response.parse):
                with raises(ScenarioError, "has been streamed already"):
                    read()
            with raises(ScenarioError, "has been streamed already"):
                list(response.iter_lines())

    def test_what_was_read_within_the_block_stays(self, connect: Connect, service: Service) -> None:
        with connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
            response.read()
        assert response.parse().upload.id == UPLOAD_ID

    @pytest.mark.parametrize("call", ["read", "json", "parse"])
    def test_a_body_that_is_cut_is_told(self, connect: Connect, service: Service, call: str) -> None:
        service.script("retrieve", answer_in_steps(b"{}", length=10))
        with (
            connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID) as response,
            raises(APIResponseValidationError, "cut short"),
        ):
            getattr(response, call)()

    def test_a_body_that_is_cut_while_it_is_streamed_is_told(self, connect: Connect, service: Service) -> None:
        service.script("retrieve", answer_in_steps(b"{}", length=10))
        with connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
            pieces = response.iter_bytes()
            assert next(pieces) == b"{}"
            with raises(APIConnectionError) as caught:
                next(pieces)
        assert caught.error.upload_id == UPLOAD_ID
        assert isinstance(caught.error.__cause__, httpx.RemoteProtocolError)

    @pytest.mark.parametrize("call", ["read", "iter_bytes"])
    def test_a_body_that_does_not_go_on_is_told_in_time(self, connect: Connect, service: Service, call: str) -> None:
        def stop(exchange: Exchange) -> None:
            exchange.read_body()
            exchange.send(encode_head(200, [("Content-Length", "10")]) + b"{}")
            exchange.hang()

        service.script("retrieve", stop)
        streaming = connect(service.url).uploads.with_streaming_response
        with streaming.retrieve(UPLOAD_ID, timeout=1.0) as response:
            with raises(APITimeoutError):
                list(getattr(response, call)())
            assert response.is_closed

    @pytest.mark.parametrize(
        ("headers", "body", "fragment"),
        [
            ({"Content-Encoding": "br"}, b"x", "packed with 'br'"),
            ({"Content-Encoding": "gzip"}, b"not gzip", "not the gzip"),
        ],
        ids=["packing", "damaged"],
    )
    def test_a_body_that_cannot_be_unpacked_is_told(
        self, connect: Connect, service: Service, headers: dict[str, str], body: bytes, fragment: str
    ) -> None:
        service.script("retrieve", reply(200, body, headers))
        streaming = connect(service.url).uploads.with_streaming_response
        with streaming.retrieve(UPLOAD_ID) as response, raises(APIResponseValidationError, fragment) as caught:
            response.read()
        assert caught.error.upload_id == UPLOAD_ID

    def test_an_answer_keeps_the_connections_of_a_client_that_nobody_has(self, service: Service) -> None:
        manager = Scenario(**KEYS, base_url=service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID)
        with manager as response:
            gc.collect()
            assert response.parse().upload.id == UPLOAD_ID

    def test_a_manager_that_is_never_entered_is_no_warning(self, connect: Connect, service: Service) -> None:
        connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID)
        gc.collect()
        assert service.requests == []

    def test_a_call_that_fails_leaves_nothing_to_close(self, connect: Connect, service: Service) -> None:
        service.script("retrieve", reply(404, {}))
        with (
            pytest.raises(NotFoundError),
            connect(service.url).uploads.with_streaming_response.retrieve(UPLOAD_ID),
        ):
            pytest.fail("the block is entered")

    def test_a_transport_without_a_socket_may_have_read_it_all(self, connect: Connect) -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"upload": make_upload()}))
        given: Any = (httpx.AsyncClient if connect.is_async else httpx.Client)(transport=transport)
        client = connect("http://x/v1", http_client=given)
        with client.uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
            assert response.parse().upload.id == UPLOAD_ID
        connect.run(given.aclose()) if connect.is_async else given.close()

    def test_a_hook_may_have_read_it_all_as_text(self, service: Service) -> None:
        seen: list[str] = []

        def note(response: httpx.Response) -> None:
            response.read()
            seen.append(response.text)

        with (
            httpx.Client(event_hooks={"response": [note]}) as given,
            Scenario(**KEYS, base_url=service.url, http_client=given) as client,
        ):
            raw = client.uploads.with_raw_response.retrieve(UPLOAD_ID)
            assert raw.parse().upload.id == UPLOAD_ID
            with client.uploads.with_streaming_response.retrieve(UPLOAD_ID) as streamed:
                assert streamed.text() == raw.text() == seen[0]


@pytest.mark.parametrize("name", WAYS)
def test_the_client_itself_has_them_too(connect: Connect, service: Service, name: str) -> None:
    client = connect(service.url)
    uploads = getattr(client.client if isinstance(client, Blocking) else client, name).uploads
    assert {"create", "retrieve", "trigger_action"} <= set(vars(uploads))
    assert "Args:" in uploads.retrieve.__doc__
    if not connect.is_async:
        manager = uploads.retrieve(UPLOAD_ID)
        with manager if name == "with_streaming_response" else Scenario(**KEYS):
            assert service.of("retrieve")


def test_the_asynchronous_ones_are_awaited(service: Service) -> None:
    async def run() -> None:
        async with AsyncScenario(**KEYS, base_url=service.url) as client:
            response = await client.with_raw_response.uploads.retrieve(UPLOAD_ID)
            assert (await response.parse()).upload.id == UPLOAD_ID
            async with client.with_streaming_response.uploads.retrieve(UPLOAD_ID) as streamed:
                assert [line async for line in streamed.iter_lines()] == [await response.text()]

    asyncio.run(run())
