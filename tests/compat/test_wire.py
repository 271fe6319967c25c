"""The same calls through both clients: what goes over the wire, and what comes back."""

import json
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import httpx
import pytest
import scenario_uploads
from scenario_uploads import Upload, UploadAssetOptions
from scenario_uploads.decoding.codec import find_json_names

from tests.compat.conftest import Side
from tests.support import official as scenario_sdk
from tests.support.server import Request, hang, reply
from tests.support.service import UPLOAD_ID, Service, make_upload

Sides = tuple[Side, Side]

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MULTIPART = {"file_name": "dragon.glb", "content_type": "model/gltf-binary", "file_size": 100, "kind": "3d", "parts": 1}
ASSET = {"collection_ids": ["c1", "c2"], "hide": True, "parent_id": "p"}

# What a server may act upon. Both say who they are in their own words; the official one counts its tries besides.
HEADERS = ("authorization", "accept", "content-type", "x-team", "x-trace", "x-shift", "cookie")

CALLS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "create": ("create", (), MULTIPART),
    "create with an asset": ("create", (), MULTIPART | {"asset_options": ASSET}),
    "create with words of other languages": ("create", (), MULTIPART | {"file_name": "ドラゴン ü.glb"}),
    "create from a url": ("create", (), {"url": "https://example.com/cat.png?a=1&b=2", "kind": "image"}),
    "create from hugging face": ("create", (), {"hugging_face_model_name": "stabilityai/sdxl"}),
    "create from civitai": ("create", (), {"civitai_model_url": "https://civitai.com/models/1/x"}),
    "create with extras": (
        "create",
        (),
        MULTIPART
        | {
            "extra_headers": {"X-Trace": "1"},
            "extra_query": {
                "a": True,
                "b": [1, "x"],
                "c": {"d": 0.5},
                "e": None,
                "day": date(2026, 1, 2),
                "at": NOON,
                "id": UUID(int=7),
            },
            "extra_body": {"newField": {"x": [1, None]}, "fileSize": 7},
        },
    ),
    "create for a project": ("create", (), MULTIPART | {"project_id": "proj_ü 1"}),
    "retrieve for a project": ("retrieve", (UPLOAD_ID,), {"project_id": "proj_1"}),
    "trigger for a project": ("trigger_action", (UPLOAD_ID,), {"action": "complete", "project_id": "proj_1"}),
    "a project that extras replace": ("retrieve", (UPLOAD_ID,), {"project_id": "a", "extra_query": {"projectId": "b"}}),
    "retrieve": ("retrieve", (UPLOAD_ID,), {}),
    "retrieve by keyword": ("retrieve", (), {"upload_id": UPLOAD_ID}),
    "retrieve an id with unusual characters": ("retrieve", ("upload_ü x~y:@!",), {}),
    "retrieve with extras": (
        "retrieve",
        (UPLOAD_ID,),
        {
            "extra_headers": {"X-Team": "images"},
            "extra_query": {"q": "a b&c=d/ü"},
            "extra_body": {"x": 1},
            "timeout": 7,
        },
    ),
    "trigger": ("trigger_action", (UPLOAD_ID,), {"action": "complete"}),
    "trigger with extras": (
        "trigger_action",
        (UPLOAD_ID,),
        {
            "action": "complete",
            "extra_headers": {"X-Team": "images"},
            "extra_query": {"q": 1},
            "extra_body": {"note": "x"},
            "timeout": httpx.Timeout(5.0, read=7.0),
        },
    ),
    "retrieve with other credentials": ("retrieve", (UPLOAD_ID,), {"extra_headers": {"Authorization": "Bearer other"}}),
    "retrieve with nothing given": ("retrieve", (UPLOAD_ID,), {"extra_headers": None, "extra_query": None}),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "key": {"api_key": "key", "api_secret": "se:cret"},
    "token": {"bearer_auth": "header.payload.sig"},
    "defaults": {"default_headers": {"X-Team": "meshes", "X-Shift": "night"}, "default_query": {"team": "m", "n": [1]}},
    "another authorization": {"default_headers": {"Authorization": "Token x"}},
}


def see(request: Request) -> dict[str, Any]:
    """Return what of a request a server may act upon."""
    return {
        "method": request.method,
        # One leaves `:` and `@` in an id as they are, one writes `%3A` and `%40`.
        "path": unquote(request.path),
        "query": sorted(request.query),
        "body": request.json if request.body else None,
        "headers": {name: request.header(name) for name in HEADERS},
    }


def compare(sides: Sides, service: Service, use: Any, **options: Any) -> tuple[Any, Any]:
    """Use both clients, expect equal requests, and return what came of them."""
    seen, results = [], []
    for side in sides:
        before = len(service.requests)
        results.append(side.run(use, base_url=options.get("base_url", service.url), **_without(options, "base_url")))
        seen.append([see(request) for request in service.requests[before:]])
    assert seen[0]
    assert seen[1] == seen[0]
    return results[0], results[1]


def _without(options: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != name}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_calls_send_the_same_and_return_the_same(
    sides: Sides, service: Service, call: tuple[str, Any, Any], options: dict[str, Any]
) -> None:
    name, args, keywords = call
    if name == "create" and "parts" not in keywords:
        service.script("create", *[reply(200, {"upload": make_upload(source="url")})] * 2)
    official, ours = compare(sides, service, lambda client: getattr(client.uploads, name)(*args, **keywords), **options)
    assert type(ours).__name__ == type(official).__name__
    assert ours.to_dict() == official.to_dict()


@pytest.mark.parametrize("way", ["true", "api"])
def test_costs_are_asked_for_in_the_same_way(sides: Sides, service: Service, way: str) -> None:
    cost = {"creativeUnitsCost": 4.5, "creativeUnitsDiscount": 0, "costDetails": {"a": 1}}
    service.script("create", *[reply(269, cost)] * 2)
    official, ours = compare(
        sides, service, lambda client: client.uploads.create(**MULTIPART, project_id="proj_1", dry_run=way)
    )
    assert ours.to_dict() == cost
    assert ours.creative_units_cost == official.model_extra["creativeUnitsCost"]


@pytest.mark.parametrize("ending", ["", "/"])
def test_base_urls_may_end_with_a_slash(sides: Sides, service: Service, ending: str) -> None:
    official, ours = compare(
        sides, service, lambda client: client.uploads.retrieve(UPLOAD_ID), base_url=service.url + ending
    )
    assert ours.to_dict() == official.to_dict()


CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "headers": {"default_headers": {"X-Team": "images"}},
    "all headers": {"set_default_headers": {"X-Trace": "1"}},
    "query": {"default_query": {"team": "i", "more": 1}},
    "all of the query": {"set_default_query": {"more": 1}},
    "key": {"api_key": "other", "api_secret": "pair"},
    "secret": {"api_secret": "other"},
    "numbers": {"timeout": 7, "max_retries": 0},
}


@pytest.mark.parametrize("way", ["copy", "with_options"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_copies_send_the_same(sides: Sides, service: Service, way: str, change: dict[str, Any]) -> None:
    options: dict[str, Any] = OPTIONS["defaults"]
    compare(sides, service, lambda client: getattr(client, way)(**change).uploads.retrieve(UPLOAD_ID), **options)


def test_omitted_headers_and_arguments_are_not_sent(sides: Sides, service: Service) -> None:
    for side in sides:
        package = side.package
        side.run(
            lambda client, package=package: client.uploads.create(
                kind="image",
                url=package.omit,
                file_name=package.Omit(),
                extra_headers={"X-Team": package.omit},
                timeout=package.NOT_GIVEN,
                parts=1,
            ),
            base_url=service.url,
            default_headers={"X-Team": "meshes"},
        )
    official, ours = map(see, service.requests)
    assert ours == official
    assert ours["body"] == {"kind": "image", "parts": 1}
    assert ours["headers"]["x-team"] is None


def test_settings_of_the_environment_are_the_same(
    sides: Sides, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "env_key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "env_secret")
    monkeypatch.setenv("SCENARIO_BASE_URL", service.url)
    monkeypatch.setenv("SCENARIO_CUSTOM_HEADERS", "X-Team: meshes\n X-Trace :1:2\nnothing\n")
    for side in sides:
        side.run(
            lambda client: client.uploads.retrieve(UPLOAD_ID),
            api_key=None,
            base_url=None,
            default_headers={"X-Shift": "night"},
        )
    official, ours = map(see, service.requests)
    assert ours == official
    assert ours["headers"]["x-team"] == "meshes"
    assert ours["headers"]["x-trace"] == "1:2"


ANSWERS: dict[str, Any] = {
    "all": {"upload": make_upload(parts=[{"number": 1, "url": "https://x/?X-Amz-Signature=y", "expires": "e"}])},
    "null": {"upload": make_upload(entityId=None, errorMessage=None, assetOptions=None, parts=None, config=None)},
    "little": {"upload": {"id": "u", "status": "pending"}},
    "new values": {"upload": make_upload(status="hologram", kind="dream", source="moon", provider="nobody")},
    "new fields": {"upload": make_upload(newField={"a": [1]}, assetOptions={"new": 1}), "more": True},
    "any config": {"upload": make_upload(config={"deep": [1, {"er": None}]})},
}


# The official models keep each field whose name is not that of Python a second time, as an extra one.
ALIASES = {
    json_name for model in (Upload, UploadAssetOptions) for name, json_name in find_json_names(model).items()
} - {name for model in (Upload, UploadAssetOptions) for name in find_json_names(model)}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answers_are_read_the_same(sides: Sides, service: Service, answer: Any) -> None:
    service.script("retrieve", *[reply(200, answer)] * 2)
    official, ours = compare(sides, service, lambda client: client.uploads.retrieve(UPLOAD_ID))
    assert ours.to_dict() == official.to_dict() == answer
    assert json.loads(ours.to_json()) == json.loads(official.to_json()) == answer
    for fewer in ({}, {"exclude_none": True}, {"exclude_defaults": True}):
        named = official.to_dict(use_api_names=False, **fewer)
        assert ours.to_dict(use_api_names=False, **fewer) == _without_aliases(named)
    assert ours.model_extra == official.model_extra
    assert ours.model_fields_set == official.model_fields_set
    assert ours.upload.model_extra == _without_aliases(official.upload.model_extra)
    assert ours.upload.model_fields_set == official.upload.model_fields_set
    for name in official.upload.model_fields_set:
        assert _plain(getattr(ours.upload, name)) == _plain(getattr(official.upload, name))


def _without_aliases(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_aliases(item) for key, item in value.items() if key not in ALIASES}
    return value


def _plain(value: Any) -> Any:
    """Return a value without which class its models are of."""
    return [_plain(item) for item in value] if isinstance(value, list) else getattr(value, "to_dict", lambda: value)()


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (418, "APIStatusError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "InternalServerError"),
    ],
)
@pytest.mark.parametrize("body", [{"reason": "no", "traceId": "t"}, b"<html>", b""])
def test_refusals_raise_the_same(sides: Sides, service: Service, status: int, name: str, body: Any) -> None:
    service.script("retrieve", *[reply(status, body, {"X-Trace": "1"})] * 2)
    official, ours = compare(sides, service, lambda client: client.uploads.retrieve(UPLOAD_ID))
    assert type(ours).__name__ == type(official).__name__ == name
    assert [cls.__name__ for cls in type(official).__mro__ if cls.__name__ != "object"] == [
        cls.__name__ for cls in type(ours).__mro__ if cls.__name__ != "object"
    ]
    for attribute in ("status_code", "body"):
        assert getattr(ours, attribute) == getattr(official, attribute)
    assert ours.response.headers["x-trace"] == official.response.headers["x-trace"]
    assert ours.response.text == official.response.text
    assert ours.response.status_code == official.response.status_code
    assert ours.request.url == official.request.url
    assert isinstance(ours.message, str)


def test_a_service_that_is_not_there_raises_the_same(sides: Sides) -> None:
    for side in sides:
        error = side.run(lambda client: client.uploads.retrieve("u"), base_url="http://127.0.0.1:9/v1")
        assert type(error) is side.package.APIConnectionError
        assert isinstance(error.__cause__, httpx.ConnectError)
        assert error.request.url == "http://127.0.0.1:9/v1/uploads/u"
        assert error.body is None


def test_a_service_that_is_silent_raises_the_same(sides: Sides, service: Service) -> None:
    service.script("retrieve", hang, hang)
    for side in sides:
        error = side.run(lambda client: client.uploads.retrieve("u", timeout=0.1), base_url=service.url)
        assert type(error) is side.package.APITimeoutError
        assert isinstance(error, side.package.APIConnectionError)


def test_an_empty_id_raises_the_same(sides: Sides, service: Service) -> None:
    for use in (
        lambda client: client.uploads.retrieve(""),
        lambda client: client.uploads.trigger_action("", action="complete"),
    ):
        errors = [side.run(use, base_url=service.url) for side in sides]
        assert [str(error) for error in errors] == [
            "Expected a non-empty value for `upload_id` but received ''",
        ] * 2
        assert all(isinstance(error, ValueError) for error in errors)


@pytest.mark.parametrize("options", [{"http_client": httpx.AsyncClient()}, {"max_retries": None}])
def test_settings_of_the_wrong_kind_raise_the_same(options: dict[str, Any]) -> None:
    for package in (scenario_sdk, scenario_uploads):
        with pytest.raises(TypeError):
            package.Scenario(api_key="k", api_secret="s", **options)


class TestAnswersAsTheyCame:
    def test_raw_ones_have_the_same_in_them(self, service: Service) -> None:
        shown = []
        for package in (scenario_sdk, scenario_uploads):
            service.script("retrieve", reply(200, {"upload": make_upload()}, {"X-Trace": "1"}))
            with package.Scenario(api_key="k", api_secret="s", base_url=service.url) as client:
                response = client.uploads.with_raw_response.retrieve(UPLOAD_ID, extra_query={"a": 1})
                shown.append(
                    {
                        "status": response.status_code,
                        "header": response.headers["X-Trace"],
                        "method": response.method,
                        "url": response.url,
                        "version": response.http_version,
                        "closed": response.is_closed,
                        "retries": response.retries_taken,
                        "request": response.http_request.method,
                        "elapsed": response.elapsed.total_seconds() > 0,
                        "read": response.read(),
                        "text": response.text(),
                        "json": response.json(),
                        "model": response.parse().to_dict(),
                        "kept": response.parse() is response.parse(),
                        "str": response.parse(to=str),
                        "lines": list(response.iter_lines()),
                        "bytes": list(response.iter_bytes(7)),
                        "chunks": list(response.iter_text(7)),
                    }
                )
        assert shown[1] == shown[0]

    def test_streamed_ones_have_the_same_in_them(self, service: Service) -> None:
        shown = []
        for package in (scenario_sdk, scenario_uploads):
            with package.Scenario(api_key="k", api_secret="s", base_url=service.url) as client:
                for read in (
                    lambda response: response.read(),
                    lambda response: response.text(),
                    lambda response: response.json(),
                    lambda response: response.parse().to_dict(),
                    lambda response: list(response.iter_bytes(100)),
                    lambda response: list(response.iter_lines()),
                ):
                    with client.uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
                        shown.append((package, response.is_closed, read(response), response.is_closed))
                    assert response.is_closed
        official, ours = (
            [row[1:] for row in shown if row[0] is package] for package in (scenario_sdk, scenario_uploads)
        )
        assert ours == official

    def test_both_are_on_the_client_as_well(self, service: Service) -> None:
        for package in (scenario_sdk, scenario_uploads):
            with package.Scenario(api_key="k", api_secret="s", base_url=service.url) as client:
                assert client.with_raw_response.uploads.retrieve(UPLOAD_ID).parse().upload.id == UPLOAD_ID
                with client.with_streaming_response.uploads.retrieve(UPLOAD_ID) as response:
                    assert response.parse().upload.id == UPLOAD_ID

    def test_refusals_are_raised_in_both(self, service: Service) -> None:
        for package in (scenario_sdk, scenario_uploads):
            service.script("retrieve", *[reply(404, {"reason": "no"})] * 2)
            with package.Scenario(api_key="k", api_secret="s", base_url=service.url) as client:
                with pytest.raises(package.NotFoundError):
                    client.uploads.with_raw_response.retrieve(UPLOAD_ID)
                with (
                    pytest.raises(package.NotFoundError),
                    client.uploads.with_streaming_response.retrieve(UPLOAD_ID),
                ):
                    pytest.fail("the block is entered")

    def test_tries_are_counted_in_both(self, service: Service) -> None:
        for package in (scenario_sdk, scenario_uploads):
            service.script("retrieve", reply(500, {}), reply(429, {}))
            with package.Scenario(api_key="k", api_secret="s", base_url=service.url) as client:
                assert client.uploads.with_raw_response.retrieve(UPLOAD_ID).retries_taken == 2
