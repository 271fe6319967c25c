"""Credentials reach the API's own origin, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scenario_uploads import InvalidArgumentError, TransferError
from scenario_uploads.api.calls import check_upload_id, retrieve, trigger_action
from scenario_uploads.api.exchange import build_request
from scenario_uploads.arguments import CallOptions
from scenario_uploads.settings.client import ClientArguments, resolve_options

from tests.support.clients import Connect, raises
from tests.support.content import make_content
from tests.support.server import Exchange, Server, encode_head, reply
from tests.support.service import UPLOAD_ID, Service, answer_upload, make_upload

MIB = 1024 * 1024
PART = 5 * MIB
CONTENT = make_content(2 * PART + 9)
CREDENTIALS = [
    {"api_key": "key_of_test", "api_secret": "s3cret-of-test"},
    {"bearer_auth": "t0ken.of.test"},
]
# None of them comes in an answer of the test's service, so each can only be the client's.
SECRETS = ("key_of_test", "s3cret-of-test", "a2V5X29mX3Rlc3Q6czNjcmV0LW9mLXRlc3Q", "t0ken.of.test", "t3nant", "c00kie")


@given(
    upload_id=st.text() | st.text("./\\?#%@:;&=[]\t\r\n \N{FULLWIDTH FULL STOP}aé", max_size=12),
    base_url=st.sampled_from(["https://api.example/v1", "http://127.0.0.1:8080", "https://[::1]:9/a/b"]),
)
@example("https://evil.example/", "https://api.example/v1")
@example("//evil.example", "https://api.example/v1")
@example("\\\\evil.example", "https://api.example/v1")
@example("@evil.example", "https://api.example/v1")
@example(":80@evil.example", "http://127.0.0.1:8080")
@example("evil.example:80", "https://api.example/v1")
@example("..", "https://api.example/v1")
@example("..;", "https://api.example/v1")
@example("%2e%2e", "https://api.example/v1")
@example("\N{FULLWIDTH FULL STOP}" * 2, "https://api.example/v1")
@example("\N{ONE DOT LEADER}" * 2, "https://api.example/v1")
@example("u HTTP/1.1\r\nHost: evil.example", "https://api.example/v1")
def test_34_no_upload_id_leads_a_request_elsewhere(upload_id: str, base_url: str) -> None:
    """Whatever is taken for an id is one segment of the path, at the origin of the base URL."""
    options = resolve_options({}, ClientArguments(bearer_auth="t", base_url=base_url, max_retries=0))
    try:
        check_upload_id(upload_id)
    except InvalidArgumentError:
        return
    for operation, rest in (
        (retrieve(CallOptions(), upload_id), []),
        (trigger_action(CallOptions(), upload_id), ["action"]),
    ):
        request = build_request(options, operation)
        path = request.url.raw_path.decode("ascii")
        base = base_url.partition("://")[2].partition("/")
        assert (
            f"{request.url.scheme}://{request.url.netloc.decode()}/" == f"{base_url.partition('://')[0]}://{base[0]}/"
        )
        before, segments = path.split("/")[1 : -1 - len(rest)], path.split("/")[-1 - len(rest) :]
        assert before == [*filter(None, base[2].split("/")), "uploads"]
        assert segments[1:] == rest
        assert segments[0] not in ("", ".", "..")
        assert request.headers["host"] == request.url.netloc.decode()


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=["basic", "bearer"])
def test_storage_gets_the_bytes_and_not_a_credential(
    connect: Connect, service: Service, tmp_path: Path, credentials: dict[str, str]
) -> None:
    """Neither the credentials nor the caller's headers and query nor the API's cookies go where the parts go."""

    def create(exchange: Exchange) -> None:
        exchange.read_body()
        parts = service.make_parts(exchange.request.json["parts"])
        upload = make_upload(status="pending", entityId=None, parts=parts)
        reply(200, {"upload": upload}, {"Set-Cookie": "session=c00kie; Domain=127.0.0.1; Path=/"})(exchange)

    service.script("create", create)
    (tmp_path / "a.glb").write_bytes(CONTENT)
    client = connect(
        service.url, default_headers={"X-Tenant": "t3nant"}, default_query={"tenant": "t3nant"}, **credentials
    )
    assert client.uploads.upload_file(tmp_path / "a.glb", part_size=PART).id == UPLOAD_ID
    assert len(service.parts) == 3
    for request in service.parts.values():
        assert request.names == {"host", "content-length", "accept", "user-agent"}
        assert re.fullmatch(r"scenario-uploads/\S+ python/\S+", request.header("user-agent") or "")
        for secret in SECRETS:
            assert secret not in f"{request.target} {request.headers}"
    # Cookies are not sent back either: nothing of this API needs them.
    assert all("cookie" not in request.names for request in service.requests)
    assert {request.header("authorization") for request in service.of("retrieve")} != {None}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_14_a_redirect_of_storage_is_not_followed(connect: Connect, service: Service, status: int) -> None:
    with Server(reply(200, b"", {"ETag": '"0"'})) as elsewhere:
        service.script("part 1", reply(status, b"", {"Location": f"{elsewhere.origin}/bucket/part-1?sig=x"}))
        with raises(TransferError, str(status)):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
        assert elsewhere.connections == 0
    assert "complete" not in service.steps


@pytest.mark.parametrize("step", ["create", "retrieve", "complete"])
def test_no_redirect_of_the_api_is_followed_whatever_was_asked(connect: Connect, service: Service, step: str) -> None:
    with Server(answer_upload()) as elsewhere:
        service.script(step, *[reply(308, b"", {"Location": elsewhere.origin + "/v1/uploads"})] * 9)
        with pytest.raises(Exception, match="308"):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
        assert elsewhere.connections == 0


def test_addresses_in_answers_are_only_shown(connect: Connect, service: Service) -> None:
    """Of all that an answer says, the URLs of parts alone are connected to, and the id alone stands in a path."""
    with Server(answer_upload()) as elsewhere:
        evil = elsewhere.origin + "/v1/uploads/x"
        tricks: dict[str, Any] = {
            "url": evil,
            "self": evil,
            "href": evil,
            "jobId": evil,
            "ownerId": evil,
            "config": evil,
        }
        headers = {
            "Link": f"<{evil}>; rel=next",
            "Content-Location": evil,
            "Refresh": f"0; url={evil}",
            "Alt-Svc": evil,
        }
        service.script("retrieve", *[reply(200, {"upload": make_upload(**tricks)}, headers)] * 2)
        client = connect(service.url)
        assert client.uploads.retrieve(UPLOAD_ID).upload.url == evil
        assert client.uploads.wait(UPLOAD_ID).id == UPLOAD_ID
        client.uploads.trigger_action(UPLOAD_ID, action="complete")
        assert elsewhere.connections == 0
    assert {request.header("host") for request in service.requests} == {service.server.origin.partition("//")[2]}


@pytest.mark.parametrize(
    "url",
    [
        "http://{host}@127.0.0.1/x?sig=1",
        "http://127.0.0.1@{host}/x?sig=1",
        "//{host}/x",
        "HTTP:///{host}",
        "http:\\\\{host}\\x",
        "http://{host}\t/x",
        "http://{host}/x HTTP/1.1\r\nX-Evil: 1\r\n\r\n",
        "file:///etc/passwd",
        "gopher://{host}/_x",
        "http://0x7f.1/x",
        "http://2130706433/x",
        "http://127.0.0.1.evil.example/x",
        "http://localhost.evil.example/x",
        "http://[::ffff:169.254.169.254]/x",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_15_a_url_that_tricks_readers_is_refused_before_connecting(
    connect: Connect, service: Service, url: str
) -> None:
    def silent(exchange: Exchange) -> None:
        exchange.send(encode_head(200, [("Content-Length", "0")]))

    with Server(silent) as elsewhere:
        service.part_url = url.replace("{host}", f"127.0.0.1:{elsewhere.port}")
        with raises(TransferError, "The URL of part 1 is refused"):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
        assert elsewhere.connections == 0
    assert service.steps == ["create"]
