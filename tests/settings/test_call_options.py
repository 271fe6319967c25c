"""What a caller adds to a single call: headers, query, body, timeout."""

from typing import Any

import httpx
import pytest
from scenario_uploads import APIConnectionError, APITimeoutError, InvalidArgumentError, NotFoundError
from scenario_uploads.arguments import NOT_GIVEN, omit

from tests.support.clients import Clock, Connect, raises
from tests.support.server import hang, lose, reply, until
from tests.support.service import UPLOAD_ID, Service, answer_upload

MULTIPART = {"file_name": "dragon.glb", "content_type": "model/gltf-binary", "file_size": 100, "kind": "3d", "parts": 1}


def call_each(client: Any, **extra: Any) -> None:
    client.uploads.create(**MULTIPART, **extra)
    client.uploads.retrieve(UPLOAD_ID, **extra)
    client.uploads.trigger_action(UPLOAD_ID, action="complete", **extra)


class TestHeaders:
    def test_are_sent_besides_the_clients_or_in_place_of_them(self, connect: Connect, service: Service) -> None:
        client = connect(service.url, default_headers={"X-Team": "meshes", "X-Shift": "night"})
        call_each(client, extra_headers={"x-team": "images", "X-Trace": "1"})
        for request in service.requests:
            assert request.header("x-team") == "images"
            assert request.header("x-shift") == "night"
            assert request.header("x-trace") == "1"

    def test_those_of_one_call_are_not_sent_with_the_next(self, connect: Connect, service: Service) -> None:
        client = connect(service.url)
        client.uploads.retrieve(UPLOAD_ID, extra_headers={"X-Trace": "1"})
        client.uploads.retrieve(UPLOAD_ID)
        assert [request.header("x-trace") for request in service.requests] == ["1", None]

    def test_an_omitted_one_is_not_sent(self, connect: Connect, service: Service) -> None:
        client = connect(service.url, default_headers={"X-Team": "meshes"})
        call_each(client, extra_headers={"User-Agent": omit, "x-team": omit})
        for request in service.requests:
            assert request.names.isdisjoint({"user-agent", "x-team"})

    def test_credentials_of_one_call_replace_the_clients(self, connect: Connect, service: Service) -> None:
        call_each(connect(service.url), extra_headers={"authorization": "Bearer other"})
        assert {request.header("authorization") for request in service.requests} == {"Bearer other"}

    def test_credentials_of_one_call_are_hidden_when_the_service_echoes_them(
        self, connect: Connect, service: Service
    ) -> None:
        secret = "s3cret-of-one-call"
        for value in (f"Bearer {secret}", secret):
            service.script("retrieve", reply(404, {"reason": f"no {secret}"}))
            with pytest.raises(NotFoundError) as caught:
                connect(service.url).uploads.retrieve(UPLOAD_ID, extra_headers={"Authorization": value})
            assert secret not in str(caught.value) + caught.value.response.text + repr(caught.value.body)

    def test_the_encoding_that_is_asked_for_stays_ours(self, connect: Connect, service: Service) -> None:
        connect(service.url).uploads.retrieve(UPLOAD_ID, extra_headers={"accept-encoding": "br"})
        assert service.requests[0].header("accept-encoding") == "gzip"


class TestQuery:
    def test_is_sent_besides_the_clients_or_in_place_of_it(self, connect: Connect, service: Service) -> None:
        client = connect(service.url, default_query={"team": "meshes", "deep": True})
        call_each(client, extra_query={"team": "images", "ids": ["a", "b"]})
        for request in service.requests:
            assert request.query == [("team", "images"), ("deep", "true"), ("ids", "a,b")]

    @pytest.mark.parametrize("nothing", [None, omit])
    def test_a_default_can_be_left_out(self, connect: Connect, service: Service, nothing: Any) -> None:
        call_each(connect(service.url, default_query={"team": "meshes"}), extra_query={"team": nothing})
        for request in service.requests:
            assert request.query == []


class TestBody:
    def test_fields_are_sent_besides_the_arguments_or_in_place_of_them(
        self, connect: Connect, service: Service
    ) -> None:
        client = connect(service.url)
        client.uploads.create(**MULTIPART, extra_body={"fileSize": 7, "newField": [1], "kind": omit})
        assert service.requests[0].json == {
            "fileName": "dragon.glb",
            "contentType": "model/gltf-binary",
            "fileSize": 7,
            "parts": 1,
            "newField": [1],
        }
        client.uploads.trigger_action(UPLOAD_ID, action="complete", extra_body={"note": "x"})
        assert service.requests[1].json == {"action": "complete", "note": "x"}

    def test_a_retrieve_has_none(self, connect: Connect, service: Service) -> None:
        connect(service.url).uploads.retrieve(UPLOAD_ID, extra_body={"note": "x"})
        assert service.requests[0].length == 0
        assert "content-type" not in service.requests[0].names

    def test_an_import_in_it_is_never_created_twice(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("create", lose, lose)
        with pytest.raises(Exception, match="not sent again"):
            connect(service.url).uploads.create(kind="image", extra_body={"url": "https://example.com/cat.png"})
        assert service.steps == ["create"]

    def test_another_action_in_it_is_sent_and_not_settled_by_a_retrieve(
        self, connect: Connect, service: Service
    ) -> None:
        service.script("complete", reply(409, {"reason": "not now"}))
        with pytest.raises(Exception, match="not now"):
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete", extra_body={"action": "undo"})
        assert [request.json for request in service.requests] == [{"action": "undo"}]


class TestTimeout:
    @pytest.mark.parametrize("timeout", [0.5, httpx.Timeout(300, read=0.05)])
    def test_holds_for_this_call(self, connect: Connect, service: Service, timeout: Any) -> None:
        service.script("retrieve", hang)
        client = connect(service.url, max_retries=0)
        with pytest.raises(APITimeoutError):
            client.uploads.retrieve(UPLOAD_ID, timeout=timeout)
        assert client.uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID

    @pytest.mark.parametrize("timeout", [None, NOT_GIVEN, httpx.Timeout(None), httpx.Timeout(None, connect=3)])
    def test_is_the_clients_where_none_is_given(self, connect: Connect, service: Service, timeout: Any) -> None:
        service.script("retrieve", hang)
        with pytest.raises(APITimeoutError):
            connect(service.url, timeout=0.05, max_retries=0).uploads.retrieve(UPLOAD_ID, timeout=timeout)

    def test_holds_for_the_retrieve_that_settles_an_action_too(self, connect: Connect, service: Service) -> None:
        service.script("complete", lose)
        service.script("retrieve", hang)
        with pytest.raises(APIConnectionError):
            connect(service.url, max_retries=0).uploads.trigger_action(
                UPLOAD_ID, action="complete", timeout=httpx.Timeout(300, read=0.05)
            )
        until(lambda: service.steps == ["complete", "retrieve"])


def test_the_retrieve_that_settles_an_action_goes_with_its_headers_and_query(
    connect: Connect, service: Service
) -> None:
    service.script("complete", lose)
    service.script("retrieve", answer_upload(status="validating"))
    answer = connect(service.url).uploads.trigger_action(
        UPLOAD_ID, action="complete", extra_headers={"X-Trace": "1"}, extra_query={"q": 1}, extra_body={"note": "x"}
    )
    assert answer.upload.status == "validating"
    assert service.steps == ["complete", "retrieve"]
    assert [request.header("x-trace") for request in service.requests] == ["1", "1"]
    assert [request.query for request in service.requests] == [[("q", "1")]] * 2


@pytest.mark.parametrize(
    ("extra", "fragment"),
    [
        ({"extra_headers": "X: 1"}, "extra_headers must be a mapping"),
        ({"extra_headers": {"X": 1}}, "the header 'X'"),
        ({"extra_headers": {"X": "1\r\nY: 2"}}, "the header 'X'"),
        ({"extra_query": [("a", 1)]}, "extra_query must be a mapping"),
        ({"extra_query": {"a": object()}}, "the query parameter 'a'"),
        ({"extra_body": b"{}"}, "extra_body must be a mapping"),
        ({"extra_body": {"a": object()}}, "extra_body cannot be written as JSON"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0"),
        ({"timeout": "5"}, "timeout must be a number of seconds above 0"),
        ({"timeout": httpx.Timeout(5, read=-1)}, "timeout must be a number of seconds above 0"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_sent(
    connect: Connect, service: Service, extra: dict[str, Any], fragment: str
) -> None:
    client = connect(service.url)
    for call in (
        lambda: client.uploads.create(**MULTIPART, **extra),
        lambda: client.uploads.retrieve(UPLOAD_ID, **extra),
        lambda: client.uploads.trigger_action(UPLOAD_ID, action="complete", **extra),
    ):
        with raises(InvalidArgumentError, fragment) as caught:
            call()
        assert isinstance(caught.error, ValueError)
        assert isinstance(caught.error, TypeError)
    assert service.requests == []


@pytest.mark.parametrize("nothing", [None, omit, NOT_GIVEN])
def test_arguments_that_are_not_given_are_left_out(connect: Connect, service: Service, nothing: Any) -> None:
    connect(service.url).uploads.create(
        **MULTIPART, url=nothing, asset_options=nothing, extra_headers=nothing, extra_query=nothing, extra_body=nothing
    )
    assert service.requests[0].json.keys() == {"fileName", "contentType", "fileSize", "kind", "parts"}


@pytest.mark.parametrize("call", ["retrieve", "trigger_action"])
def test_an_empty_id_is_told_in_the_words_of_scenarios_other_client(
    connect: Connect, service: Service, call: str
) -> None:
    uploads = connect(service.url).uploads
    with pytest.raises(ValueError, match=r"^Expected a non-empty value for `upload_id` but received ''$"):
        uploads.retrieve("") if call == "retrieve" else uploads.trigger_action("", action="complete")
    assert service.requests == []


def test_an_upload_is_waited_for_by_its_id_itself_or_an_answer_with_it(connect: Connect, service: Service) -> None:
    client = connect(service.url)
    created = client.uploads.create(**MULTIPART)
    triggered = client.uploads.trigger_action(UPLOAD_ID, action="complete")
    retrieved = client.uploads.retrieve(UPLOAD_ID)
    for upload in (UPLOAD_ID, created, created.upload, triggered, retrieved):
        assert client.uploads.wait(upload).entity_id == "asset_1"


@pytest.mark.parametrize("upload", [None, 5, object(), {"upload": {"id": "u"}}])
def test_what_cannot_be_waited_for_is_told(connect: Connect, service: Service, upload: Any) -> None:
    with raises(InvalidArgumentError, "upload"):
        connect(service.url).uploads.wait(upload)
    assert service.requests == []
