"""One call on the wire: what is sent, when it is sent again, and what a refusal becomes."""

import base64
import json
import logging
import math
import platform
import socket
import ssl
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from scenario_uploads import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    Error,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Scenario,
    ScenarioError,
    UnprocessableEntityError,
    UploadRetrieveResponse,
)
from scenario_uploads.api import calls
from scenario_uploads.api import exchange as http
from scenario_uploads.arguments import CallOptions
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.steps import Send
from scenario_uploads.system import find_version

from tests.support.clients import EPOCH, Clock, Connect, raises
from tests.support.pickles import pickle_whole
from tests.support.server import Exchange, Server, hang, lose, raw, reply, until
from tests.support.service import UPLOAD_ID, Service, answer_upload

MULTIPART = {
    "file_name": "dragon.glb",
    "content_type": "model/gltf-binary",
    "file_size": 100,
    "kind": "3d",
    "parts": 1,
}
IMPORTS = [
    {"url": "https://example.com/cat.png", "kind": "image"},
    {"hugging_face_model_name": "stabilityai/sdxl"},
    {"civitai_model_url": "https://civitai.com/models/1/x"},
]


def closed_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_an_operation_may_have_a_model_for_each_status() -> None:
    """Such as the 269 of a dry run, which holds no upload."""
    operation = evolve(calls.retrieve(CallOptions(), "u"), models={269: Error})
    api = http.Api(options_of_a_client())
    for status, model in ((200, UploadRetrieveResponse), (269, Error), (299, UploadRetrieveResponse)):
        steps = http.fetch(api, operation)
        send = next(steps)
        assert isinstance(send, Send)
        with pytest.raises(StopIteration) as end:
            steps.send(httpx.Response(status, content=b'{"upload":{}}', request=send.request))
        assert type(end.value.value.value) is model


def options_of_a_client() -> ClientOptions:
    return Scenario(api_key="k", api_secret="s")._options


class TestTheRequest:
    def test_basic_credentials_are_sent_as_rfc_7617_says(self, connect: Connect, service: Service) -> None:
        connect(service.url, api_key="key", api_secret="se:cret").uploads.retrieve(UPLOAD_ID)
        expected = "Basic " + base64.b64encode(b"key:se:cret").decode()
        assert expected == service.requests[0].header("authorization")

    def test_a_bearer_token_is_sent_as_it_is(self, connect: Connect, service: Service) -> None:
        connect(service.url, bearer_auth="header.payload.sig").uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("authorization") == "Bearer header.payload.sig"

    def test_a_given_token_is_not_overridden_by_a_pair_in_the_environment(
        self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
        connect(service.url, bearer_auth="token").uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("authorization") == "Bearer token"

    def test_all_settings_may_come_from_the_environment(
        self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SCENARIO_BASE_URL", service.url)
        monkeypatch.setenv("SCENARIO_SDK_JWT", "token")
        client = connect(None, bearer_auth=None)
        client.uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("authorization") == "Bearer token"

    def test_a_netrc_file_and_user_names_of_the_machine_are_not_used(
        self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        connect(service.url, bearer_auth="token").uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("authorization") == "Bearer token"

    @pytest.mark.parametrize("ending", ["", "/", "//"])
    def test_a_base_url_may_end_with_slashes(self, connect: Connect, service: Service, ending: str) -> None:
        connect(service.url + ending).uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].target == f"/v1/uploads/{UPLOAD_ID}"

    @pytest.mark.parametrize("prefix", ["", "/some/where/v1"])
    def test_a_base_url_may_have_any_path(self, connect: Connect, prefix: str) -> None:
        with Server(answer_upload()) as server:
            connect(httpx.URL(server.origin + prefix)).uploads.retrieve("u")
        assert server.requests[0].target == f"{prefix}/uploads/u"

    def test_default_headers_and_query_go_with_every_call(self, connect: Connect, service: Service) -> None:
        client = connect(
            service.url,
            default_headers={"X-Team": "meshes"},
            default_query={"projectId": "a b&c", "deep": True, "left": None},
        )
        client.uploads.create(**MULTIPART)
        client.uploads.retrieve(UPLOAD_ID)
        client.uploads.trigger_action(UPLOAD_ID, action="complete")
        for request in service.requests:
            assert request.query == [("projectId", "a b&c"), ("deep", "true")]
            assert request.header("x-team") == "meshes"
        assert service.steps == ["create", "retrieve", "complete"]

    def test_default_headers_replace_ours_whatever_their_case_but_for_the_encoding(
        self, connect: Connect, service: Service
    ) -> None:
        client = connect(
            service.url,
            bearer_auth="token",
            default_headers={"authorization": "Basic eA==", "user-agent": "mine", "ACCEPT-ENCODING": "br"},
        )
        client.uploads.retrieve(UPLOAD_ID)
        request = service.requests[0]
        assert request.header("authorization") == "Basic eA=="
        assert request.header("user-agent") == "mine"
        assert request.header("accept-encoding") == "gzip"

    def test_a_default_content_type_does_not_replace_that_of_the_body(self, connect: Connect, service: Service) -> None:
        connect(service.url, default_headers={"content-type": "text/plain"}).uploads.create(**MULTIPART)
        assert service.requests[0].header("content-type") == "application/json"

    def test_the_client_says_who_it_is(self, connect: Connect, service: Service) -> None:
        connect(service.url).uploads.retrieve(UPLOAD_ID)
        agent = service.requests[0].header("user-agent") or ""
        assert agent.startswith("scenario-uploads/")
        assert agent.endswith(f" python/{platform.python_version()}")

    def test_a_source_tree_that_is_not_installed_works(
        self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from importlib import metadata  # noqa: PLC0415

        def fail(name: str) -> str:
            raise metadata.PackageNotFoundError(name)

        find_version.cache_clear()
        monkeypatch.setattr(metadata, "version", fail)
        connect(service.url).uploads.retrieve(UPLOAD_ID)
        find_version.cache_clear()
        assert (service.requests[0].header("user-agent") or "").startswith("scenario-uploads/0 ")

    def test_a_create_sends_the_fields_under_their_json_names(self, connect: Connect, service: Service) -> None:
        connect(service.url).uploads.create(
            **MULTIPART, asset_options={"hide": True, "collection_ids": ["c1", "c2"], "parent_id": "p"}
        )
        assert service.requests[0].json == {
            "fileName": "dragon.glb",
            "contentType": "model/gltf-binary",
            "fileSize": 100,
            "kind": "3d",
            "parts": 1,
            "assetOptions": {"hide": True, "collectionIds": ["c1", "c2"], "parentId": "p"},
        }

    def test_names_of_any_language_arrive(self, connect: Connect, service: Service) -> None:
        connect(service.url).uploads.create(**(MULTIPART | {"file_name": "龍 🐉.glb"}))
        assert service.requests[0].json["fileName"] == "龍 🐉.glb"

    @pytest.mark.parametrize("upload_id", ["a b", "ä", "a+b&c=d", "a:b;c@d", "..."])
    def test_34_an_upload_id_stays_one_segment_of_the_path(
        self, connect: Connect, service: Service, upload_id: str
    ) -> None:
        connect(service.url).uploads.retrieve(upload_id)
        path = service.requests[0].target
        assert httpx.URL(service.server.origin + path).path == f"/v1/uploads/{upload_id}"
        assert path.count("/") == 3
        assert "?" not in path

    @pytest.mark.parametrize(
        "upload_id", ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a%2Fb", "a\nb", "\x00", "\ud800", None, 7]
    )
    @pytest.mark.parametrize("method", ["retrieve", "trigger_action", "wait"])
    def test_34_an_upload_id_that_is_none_is_refused_before_any_request(
        self, connect: Connect, service: Service, method: str, upload_id: Any
    ) -> None:
        keywords = {"action": "complete"} if method == "trigger_action" else {}
        with raises(InvalidArgumentError):
            getattr(connect(service.url).uploads, method)(upload_id, **keywords)
        assert service.requests == []

    def test_34_an_endless_upload_id_is_refused(self, connect: Connect, service: Service) -> None:
        with raises(InvalidArgumentError, "too long"):
            connect(service.url).uploads.retrieve("a" * 70_000)
        assert service.requests == []

    def test_text_that_no_encoding_takes_is_refused(self, connect: Connect, service: Service) -> None:
        with raises(InvalidArgumentError):
            connect(service.url).uploads.create(**(MULTIPART | {"file_name": "\ud800.glb"}))
        assert service.requests == []

    @pytest.mark.parametrize("url", ["http://a..b/v1", "http://*\N{SNOWMAN}.com/v1"])
    def test_a_host_that_cannot_be_is_told_in_our_words(self, connect: Connect, url: str) -> None:
        with pytest.raises((InvalidArgumentError, APIConnectionError)):
            connect(url).uploads.retrieve("u")


class UnspeakableError(Exception):
    """An exception that fails to say what it is."""

    def __str__(self) -> str:
        raise ZeroDivisionError


class RepeatingError(Exception):
    """An exception whose text is not made from its arguments."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request

    def __str__(self) -> str:
        return f"refused {self.request.headers['Authorization']}"


class TestAGivenHttpClient:
    """`http_client=` lends its transport, and nothing else."""

    @staticmethod
    def make(connect: Connect, handler: Any, **options: Any) -> Any:
        kind = httpx.AsyncClient if connect.is_async else httpx.Client
        return kind(transport=httpx.MockTransport(handler), **options)

    @staticmethod
    def end(connect: Connect, given: Any) -> None:
        if connect.is_async:
            connect.run(given.aclose())
        else:
            given.close()

    def test_its_transport_is_used_even_one_that_has_read_its_answer(self, connect: Connect) -> None:
        body = json.dumps({"upload": {"id": "u"}}).encode()
        given = self.make(connect, lambda request: httpx.Response(200, content=body))
        assert connect("http://nowhere.invalid/v1", http_client=given).uploads.retrieve("u").upload.id == "u"
        self.end(connect, given)

    def test_nothing_but_its_transport_is_used(self, connect: Connect) -> None:
        seen: list[httpx.Request] = []

        def handler(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(302, headers={"Location": "http://elsewhere.invalid/", "Set-Cookie": "b=2"})

        given = self.make(
            connect,
            handler,
            base_url="http://other.invalid/v9",
            auth=("someone", "else"),
            headers={"X-Theirs": "1", "User-Agent": "theirs"},
            cookies={"a": "1"},
            params={"theirs": "1"},
            timeout=0.001,
            follow_redirects=True,
        )
        client = connect("http://api.invalid/v1", bearer_auth="token", timeout=7.0, http_client=given)
        for _ in range(2):
            with raises(APIStatusError, "302"):
                client.uploads.retrieve("u")
        assert [str(request.url) for request in seen] == ["http://api.invalid/v1/uploads/u"] * 2
        for request in seen:
            assert request.headers["authorization"] == "Bearer token"
            assert not {"x-theirs", "cookie"} & set(request.headers)
            assert request.headers["user-agent"].startswith("scenario-uploads/")
            assert request.extensions["timeout"] == {"connect": 7.0, "read": 7.0, "write": 7.0, "pool": 7.0}
        self.end(connect, given)

    def test_its_proxy_is_used(self, connect: Connect) -> None:
        with Server(answer_upload()) as proxy:
            given = (httpx.AsyncClient if connect.is_async else httpx.Client)(proxy=proxy.origin)
            connect("http://api.invalid/v1", http_client=given).uploads.retrieve("u")
            self.end(connect, given)
        assert proxy.requests[0].target == "http://api.invalid/v1/uploads/u"

    def test_closing_our_client_leaves_it_open(self, connect: Connect, service: Service) -> None:
        given = (httpx.AsyncClient if connect.is_async else httpx.Client)()
        client = connect(service.url, http_client=given)
        client.uploads.retrieve(UPLOAD_ID)
        client.close()
        assert not given.is_closed
        self.end(connect, given)

    def test_what_a_strange_transport_raises_becomes_one_of_our_errors(self, connect: Connect) -> None:
        def handler(request: httpx.Request) -> httpx.Response:
            raise ssl.SSLError(1, "[SSL] record layer failure")

        given = self.make(connect, handler)
        with raises(APIConnectionError, "record layer failure"):
            connect("http://api.invalid/v1", max_retries=0, http_client=given).uploads.retrieve("u")
        self.end(connect, given)

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError("their own"),
            KeyError("k"),
            EOFError(),
            ExceptionGroup("all", [ValueError("x")]),
            UnicodeDecodeError("ascii", b"\xff", 0, 1, "their own"),
            UnspeakableError(),
        ],
    )
    def test_what_it_raises_is_a_fault_of_the_connection_and_tried_again(
        self, connect: Connect, clock: Clock, error: Exception
    ) -> None:
        """As with the official client: a transport, or a hook, raises what it likes."""
        answers = [error, error]

        def handler(request: httpx.Request) -> httpx.Response:
            if answers:
                raise answers.pop()
            return httpx.Response(200, json={"upload": {"id": "u"}})

        given = self.make(connect, handler)
        assert connect("http://api.invalid/v1", http_client=given).uploads.retrieve("u").upload.id == "u"
        assert clock.pauses == [0.5, 1.0]
        answers += [error] * 9
        with raises(APIConnectionError, "retrieve_upload: no response from api.invalid") as caught:
            connect("http://api.invalid/v1", http_client=given).uploads.retrieve("u")
        assert caught.error.__cause__ is error
        # What may have been received is not sent again when that could do harm.
        answers[:] = [error] * 2
        with raises(APIConnectionError, "so it was not sent again"):
            connect("http://api.invalid/v1", http_client=given).uploads.create(**IMPORTS[0])
        self.end(connect, given)

    @pytest.mark.parametrize(
        "make",
        [
            RepeatingError,
            lambda request: OSError(5, request.headers["Authorization"]),
            lambda request: Exception(dict(request.headers.items())),
            lambda request: ExceptionGroup("all", [ValueError(request.headers["Authorization"])]),
            lambda request: ExceptionGroup(request.headers["Authorization"], [ValueError("x")]),
        ],
    )
    def test_48_what_it_raises_shows_no_credential_in_a_traceback(
        self, connect: Connect, make: Callable[[httpx.Request], Exception]
    ) -> None:
        def handler(request: httpx.Request) -> httpx.Response:
            raise make(request)

        given = self.make(connect, handler)
        client = connect("http://api.invalid/v1", bearer_auth="s3cretToken99", http_client=given, max_retries=0)
        with raises(APIConnectionError, "no response from api.invalid") as caught:
            client.uploads.retrieve("u")
        assert "s3cretToken99" not in "".join(traceback.format_exception(caught.error))
        assert b"s3cretToken99" not in pickle_whole(caught.error)
        self.end(connect, given)


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_credentials_are_never_carried_to_where_a_redirect_points(
        self, connect: Connect, service: Service, status: int
    ) -> None:
        with Server(answer_upload()) as elsewhere:
            service.script("retrieve", reply(status, b"", {"Location": f"{elsewhere.origin}/v1/uploads/u?token=x"}))
            with raises(APIStatusError, str(status)) as caught:
                connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert caught.error.status_code == status
        assert elsewhere.requests == []
        assert len(service.requests) == 1


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (300, APIStatusError),
            (304, APIStatusError),
            (400, BadRequestError),
            (401, AuthenticationError),
            (402, APIStatusError),
            (403, PermissionDeniedError),
            (404, NotFoundError),
            (408, APIStatusError),
            (409, ConflictError),
            (418, APIStatusError),
            (422, UnprocessableEntityError),
            (429, RateLimitError),
            (499, APIStatusError),
            (500, InternalServerError),
            (502, InternalServerError),
            (503, InternalServerError),
            (504, InternalServerError),
            (520, InternalServerError),
            (599, InternalServerError),
        ],
    )
    def test_each_status_becomes_its_class(
        self, connect: Connect, service: Service, status: int, kind: type[APIStatusError]
    ) -> None:
        body = {} if status == 304 else {"reason": "because", "traceId": "trace-1"}
        service.script("retrieve", reply(status, b"" if status == 304 else body, {"X-Extra": "1"}))
        with raises(kind, str(status), "retrieve_upload") as caught:
            connect(service.url, max_retries=0).uploads.retrieve(UPLOAD_ID)
        error = caught.error
        assert (error.status_code, error.response.status_code) == (status, status)
        assert error.response.headers["x-extra"] == "1"
        assert error.response.elapsed.total_seconds() > 0
        assert str(error.response.url).endswith(UPLOAD_ID)
        assert error.upload_id == UPLOAD_ID
        if status != 304:
            assert (error.reason, error.trace_id, error.body) == ("because", "trace-1", body)
            assert "because" in str(error)
            assert "trace-1" in str(error)
            assert error.response.json() == body

    @pytest.mark.parametrize("key", ["reason", "message", "error", "detail"])
    def test_the_reason_is_found_under_any_key(self, connect: Connect, service: Service, key: str) -> None:
        service.script("create", reply(400, {key: "parts is required", "trace_id": "t"}))
        with raises(BadRequestError, "parts is required") as caught:
            connect(service.url).uploads.create(**MULTIPART)
        assert (caught.error.reason, caught.error.trace_id) == ("parts is required", "t")
        assert caught.error.upload_id is None

    @pytest.mark.parametrize(
        "body",
        [
            b"<html><h1>Bad Gateway</h1></html>",
            b"",
            b"\xff\xfe\x00",
            b"[" * 100_000,
            b'{"error":' * 900 + b"1" + b"}" * 900,
            b"x" * 3_000_000,
            b"null",
        ],
        ids=["html", "empty", "no-text", "deep", "deep-reason", "huge", "null"],
    )
    def test_24_a_refusal_with_any_body_is_still_told_by_its_status(
        self, connect: Connect, service: Service, body: bytes
    ) -> None:
        service.script("retrieve", reply(502, body))
        with raises(InternalServerError, "502") as caught:
            connect(service.url, max_retries=0).uploads.retrieve(UPLOAD_ID)
        assert len(str(caught.error)) < 400

    @pytest.mark.parametrize("encoding", ["br", "gzip", "zstd"])
    def test_24_a_refusal_that_cannot_be_unpacked_is_tried_again(
        self, connect: Connect, service: Service, clock: Clock, encoding: str
    ) -> None:
        """Gateways answer as they like, and a retry mends it."""
        service.script("retrieve", reply(503, b"\x1b\x2f\x00", {"Content-Encoding": encoding}))
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID

    def test_a_service_that_echoes_the_credentials_does_not_bring_them_into_the_error(
        self, connect: Connect, service: Service
    ) -> None:
        def echo(exchange: Exchange) -> None:
            header = exchange.request.header("authorization") or ""
            secret = base64.b64decode(header.partition(" ")[2]).decode()
            reply(401, {"reason": f"wrong: {header} which is {secret}"})(exchange)

        service.script("retrieve", echo)
        with raises(AuthenticationError, "wrong") as caught:
            connect(service.url).uploads.retrieve(UPLOAD_ID)
        encoded = base64.b64encode(b"key_of_test:s3cret-of-test").decode()
        shown = "".join(
            [*traceback.format_exception(caught.error), repr(caught.error.body), caught.error.response.text]
        )
        assert encoded not in shown
        assert "s3cret-of-test" not in shown


class TestRetries:
    @pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 520])
    def test_a_fault_that_passes_is_not_seen(
        self, connect: Connect, service: Service, clock: Clock, status: int
    ) -> None:
        service.script("retrieve", reply(status, {}), reply(status, {}))
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID
        assert len(service.requests) == 3
        assert clock.pauses == [0.5, 1.0]

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 422])
    def test_a_refusal_that_stays_is_not_tried_again(
        self, connect: Connect, service: Service, clock: Clock, status: int
    ) -> None:
        service.script("retrieve", reply(status, {}))
        with pytest.raises(APIStatusError):
            connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert len(service.requests) == 1

    @pytest.mark.parametrize("max_retries", [0, 1, 4])
    def test_the_number_of_retries_is_kept(
        self, connect: Connect, service: Service, clock: Clock, max_retries: int
    ) -> None:
        service.script("retrieve", *[reply(503, {})] * 6)
        with raises(InternalServerError):
            connect(service.url, max_retries=max_retries).uploads.retrieve(UPLOAD_ID)
        assert len(service.requests) == max_retries + 1

    def test_there_may_be_no_end_of_them(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *[reply(503, {})] * 40)
        connect(service.url, max_retries=math.inf).uploads.retrieve(UPLOAD_ID)
        assert len(clock.pauses) == 40

    @pytest.mark.parametrize(("status", "told", "requests"), [(503, "false", 1), (400, "true", 2), (503, "perhaps", 2)])
    def test_what_the_service_says_of_trying_again_is_heeded(
        self, connect: Connect, service: Service, clock: Clock, status: int, told: str, requests: int
    ) -> None:
        service.script("retrieve", reply(status, {}, {"x-should-retry": told}))
        with suppress(ScenarioError):
            connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert len(service.requests) == requests

    @pytest.mark.parametrize(("cooldown", "requests"), [({}, 1), ({"remainingSeconds": 1}, 2)])
    def test_a_plan_that_allows_no_more_is_asked_once(
        self, connect: Connect, service: Service, clock: Clock, cooldown: dict[str, int], requests: int
    ) -> None:
        limit = {"details": {"actionName": "upload", "actionLimit": 5}} | cooldown
        service.script("retrieve", reply(429, limit, {"Retry-After": "1"}))
        with suppress(RateLimitError):
            connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert len(service.requests) == requests

    def test_17_but_for_an_import_that_might_run_twice(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("create", reply(503, {}, {"x-should-retry": "true"}))
        with pytest.raises(InternalServerError):
            connect(service.url).uploads.create(**IMPORTS[0])
        assert len(service.requests) == 1

    def test_1_a_refused_connection_is_tried_again(self, connect: Connect, clock: Clock) -> None:
        with raises(APIConnectionError, "127.0.0.1") as caught:
            connect(f"http://127.0.0.1:{closed_port()}/v1").uploads.retrieve("u")
        assert len(clock.pauses) == 2
        assert caught.error.upload_id == "u"

    @pytest.mark.parametrize("arguments", [MULTIPART, *IMPORTS])
    def test_1_any_create_is_tried_again_until_a_connection_can_be_made(
        self, connect: Connect, clock: Clock, arguments: dict[str, Any]
    ) -> None:
        port = closed_port()
        servers: list[Server] = []
        sleep = clock.sleep

        def sleep_and_rise(seconds: float) -> None:
            sleep(seconds)
            if len(clock.pauses) == 2:
                servers.append(Server(answer_upload(), port=port))
                servers[0].__enter__()

        clock.sleep = sleep_and_rise  # type: ignore[method-assign]
        try:
            created = connect(f"http://127.0.0.1:{port}/v1").uploads.create(**arguments)
        finally:
            for server in servers:
                server.__exit__(None, None, None)
        assert created.upload.id == UPLOAD_ID
        assert len(servers[0].requests) == 1

    @pytest.mark.parametrize(
        "fault", [lose, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), raw(b"SSH-2.0\r\n")]
    )
    def test_a_lost_answer_to_a_retrieve_is_asked_for_again(
        self, connect: Connect, service: Service, clock: Clock, fault: Any
    ) -> None:
        service.script("retrieve", fault, fault)
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID
        assert len(service.requests) == 3

    def test_17_a_multipart_create_whose_answer_is_lost_is_sent_once_more(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("create", lose)
        assert connect(service.url, max_retries=5).uploads.create(**MULTIPART).upload.id == UPLOAD_ID
        assert service.steps == ["create", "create"]

    def test_17_and_only_once(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("create", *[lose] * 6)
        with raises(APIConnectionError, "create_upload"):
            connect(service.url, max_retries=5).uploads.create(**MULTIPART)
        assert service.steps == ["create", "create"]

    def test_17_also_after_other_faults(self, connect: Connect, service: Service, clock: Clock) -> None:
        """What was refused for now was not lost."""
        service.script("create", reply(503), lose)
        assert connect(service.url).uploads.create(**MULTIPART).upload.id == UPLOAD_ID
        assert service.steps == ["create", "create", "create"]

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_a_multipart_create_that_is_refused_for_now_is_tried_again(
        self, connect: Connect, service: Service, clock: Clock, status: int
    ) -> None:
        service.script("create", reply(status, {}), reply(status, {}))
        assert connect(service.url).uploads.create(**MULTIPART).upload.id == UPLOAD_ID
        assert len(service.requests) == 3

    @pytest.mark.parametrize("arguments", IMPORTS, ids=["url", "hugging-face", "civitai"])
    @pytest.mark.parametrize(
        "fault",
        [
            lose,
            reply(500, {}),
            reply(503, {}, {"Retry-After": "0"}),
            reply(429, {}),
            reply(408, {}),
            reply(200, b"<html>"),
        ],
        ids=["lost", "500", "503", "429", "408", "html"],
    )
    def test_17_an_import_is_never_sent_twice(
        self, connect: Connect, service: Service, clock: Clock, arguments: dict[str, Any], fault: Any
    ) -> None:
        service.script("create", *[fault] * 3)
        with pytest.raises((APIConnectionError, APIStatusError, ScenarioError)) as caught:
            connect(service.url, max_retries=5).uploads.create(**arguments)
        assert service.steps == ["create"]
        if fault is lose:
            assert "unknown" in str(caught.value)

    def test_17_an_import_whose_answer_is_late_is_not_sent_again(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("create", *[hang] * 3)
        with raises(APITimeoutError, "unknown"):
            connect(service.url, timeout=httpx.Timeout(300, read=0.1)).uploads.create(**IMPORTS[0])
        until(lambda: service.steps == ["create"])

    def test_a_late_answer_is_a_timeout(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *[hang] * 3)
        with raises(APITimeoutError, "retrieve_upload"):
            connect(service.url, timeout=httpx.Timeout(300, read=0.1), max_retries=1).uploads.retrieve(UPLOAD_ID)
        until(lambda: len(service.requests) == 2)

    def test_6_an_answer_that_dribbles_for_ever_is_given_up(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        def dribble(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not exchange.server.stopping.wait(0.02):
                exchange.send(b" ")

        service.script("retrieve", dribble)
        with raises(APITimeoutError, "retrieve_upload: no response"):
            connect(service.url, timeout=1.0, max_retries=0).uploads.retrieve(UPLOAD_ID)


class TestWhatTheServiceAsksFor:
    @pytest.mark.parametrize(
        ("headers", "body", "pause"),
        [
            ({"Retry-After": "7"}, {}, 7.0),
            ({"Retry-After": "7.5"}, {}, 7.5),
            ({"Retry-After": format_datetime(EPOCH.replace(second=20), usegmt=True)}, {}, 20.0),
            ({"Retry-After": "60"}, {}, 60.0),
            ({"Retry-After": "0"}, {}, 0.5),
            ({"retry-after-ms": "1500", "Retry-After": "9"}, {}, 1.5),
            ({"retry-after-ms": "soon", "Retry-After": "9"}, {}, 9.0),
            ({"Retry-After": "soon"}, {}, 0.5),
            ({"Retry-After": "-5"}, {}, 0.5),
            ({"Retry-After": "nan"}, {}, 0.5),
            ({}, {"remainingSeconds": 9}, 9.0),
            ({}, {"remainingSeconds": True}, 0.5),
            ({"Retry-After": "3"}, {"remainingSeconds": 9}, 9.0),
            ({"Retry-After": format_datetime(EPOCH.replace(year=2020), usegmt=True)}, {}, 0.5),
        ],
    )
    @pytest.mark.parametrize("status", [429, 503])
    def test_is_waited_for_within_reason(
        self,
        connect: Connect,
        service: Service,
        clock: Clock,
        status: int,
        headers: dict[str, str],
        body: dict[str, Any],
        pause: float,
    ) -> None:
        service.script("retrieve", reply(status, body, headers))
        connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert clock.pauses == [pause]

    @pytest.mark.parametrize("told", [("Retry-After", "3600", {}), ("X-Other", "0", {"remainingSeconds": 3600})])
    def test_43_more_than_a_minute_is_told_at_once(
        self, connect: Connect, service: Service, clock: Clock, told: tuple[str, str, Any]
    ) -> None:
        service.script("retrieve", reply(429, told[2], {told[0]: told[1]}))
        with raises(RateLimitError) as caught:
            connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert caught.error.retry_after == 3600.0
        assert clock.pauses == []

    def test_is_told_when_there_is_no_further_try(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", reply(429, {"remainingSeconds": 42}))
        with raises(RateLimitError) as caught:
            connect(service.url, max_retries=0).uploads.retrieve(UPLOAD_ID)
        assert caught.error.retry_after == 42.0
        assert clock.pauses == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody trusts, with its key."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-keyout", file, "-out", file.with_suffix(".crt")], check=True, capture_output=True
    )
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


@pytest.fixture
def tls_service(certificate: Path) -> Iterator[Service]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Service(tls=context) as running:
        yield running


class TestCertificates:
    def test_2_one_that_is_not_trusted_fails_at_once_and_says_so(
        self, connect: Connect, tls_service: Service, clock: Clock
    ) -> None:
        with raises(APIConnectionError, "certificate", "127.0.0.1"):
            connect(tls_service.url).uploads.retrieve(UPLOAD_ID)
        assert clock.pauses == []
        assert tls_service.server.connections == 1
        assert tls_service.requests == []

    def test_2_nor_is_an_upload_tried_again_over_it(self, connect: Connect, tls_service: Service, clock: Clock) -> None:
        with raises(APIConnectionError, "certificate"):
            connect(tls_service.url).uploads.wait(UPLOAD_ID)
        assert tls_service.server.connections == 1

    def test_one_that_is_trusted_works(self, connect: Connect, tls_service: Service, certificate: Path) -> None:
        trust = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))
        given: Any = (httpx.AsyncClient if connect.is_async else httpx.Client)(verify=trust)
        assert connect(tls_service.url, http_client=given).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID
        TestAGivenHttpClient.end(connect, given)


def test_calls_from_many_threads_share_a_client(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    connect = Connect("sync")
    client = connect(service.url)
    found: list[str] = []

    def work() -> None:
        found.extend(client.uploads.retrieve(UPLOAD_ID).upload.id for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    with caplog.at_level(logging.DEBUG):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    connect.end()
    assert found == [UPLOAD_ID] * 80
    assert service.server.connections <= 8


def test_a_connection_is_used_again(connect: Connect, service: Service) -> None:
    client = connect(service.url)
    for _ in range(5):
        client.uploads.retrieve(UPLOAD_ID)
    assert service.server.connections == 1
