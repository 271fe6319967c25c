"""Where the two clients differ, as docs/compat.md says: each test shows both."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import scenario_uploads
from scenario_uploads.sandbox import Sandbox

from tests.support import official as scenario_sdk
from tests.support.server import Server, lose, reply
from tests.support.service import UPLOAD_ID, Service, answer_upload, make_upload

SECRETS = {"s3cret-name", "s3cret-header", "s3cret-query"}
KEYS = {"api_key": "key_of_test", "api_secret": "s3cret-of-test"}
PAGE = (Path(__file__).parents[2] / "docs" / "compat.md").read_text(encoding="utf-8")


def official(service: Service, **options: Any) -> Any:
    return scenario_sdk.Scenario(**(KEYS | {"base_url": service.url, "max_retries": 0} | options))


def ours(service: Service, **options: Any) -> scenario_uploads.Scenario:
    return scenario_uploads.Scenario(**(KEYS | {"base_url": service.url, "max_retries": 0} | options))


def test_an_import_whose_answer_is_lost_is_not_asked_for_again(service: Service) -> None:
    service.script("create", lose, answer_upload())
    with official(service, max_retries=1) as client:
        client.uploads.create(kind="image", url="https://example.com/cat.png")
    assert service.steps == ["create", "create"]  # and perhaps two assets
    service.script("create", lose, answer_upload())
    with ours(service, max_retries=1) as client_of_ours, pytest.raises(scenario_uploads.APIConnectionError):
        client_of_ours.uploads.create(kind="image", url="https://example.com/cat.png")
    assert service.steps == ["create"] * 3


def test_a_complete_whose_answer_is_lost_is_settled_by_a_retrieve(service: Service) -> None:
    service.script("complete", lose, reply(400, {"reason": "already completed"}))
    with official(service, max_retries=1) as client, pytest.raises(scenario_sdk.BadRequestError):
        client.uploads.trigger_action(UPLOAD_ID, action="complete")
    service.script("complete", lose)
    with ours(service, max_retries=1) as client_of_ours:
        assert client_of_ours.uploads.trigger_action(UPLOAD_ID, action="complete").upload.status == "imported"
    assert service.steps == ["complete", "complete", "complete", "retrieve"]


def test_a_token_that_is_given_beats_a_key_in_the_environment(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "env_key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "env_secret")
    for package in (scenario_sdk, scenario_uploads):
        with package.Scenario(bearer_auth="token", base_url=service.url) as client:
            client.uploads.retrieve(UPLOAD_ID)
        with package.Scenario(**KEYS, base_url=service.url) as client:
            client.with_options(bearer_auth="token").uploads.retrieve(UPLOAD_ID)
    schemes = [(request.header("authorization") or "").partition(" ")[0] for request in service.requests]
    assert schemes == ["Basic", "Basic", "Bearer", "Bearer"]


def test_redirects_are_not_followed(service: Service) -> None:
    with Server(answer_upload()) as elsewhere:
        moved = reply(307, b"", {"Location": f"{elsewhere.origin}/v1/uploads/u"})
        service.script("retrieve", moved, moved)
        with official(service) as client:
            client.uploads.retrieve("u")
        assert len(elsewhere.requests) == 1
        with ours(service) as client_of_ours, pytest.raises(scenario_uploads.APIStatusError, match="307"):
            client_of_ours.uploads.retrieve("u")
        assert len(elsewhere.requests) == 1


def test_a_header_is_sent_once_whatever_its_case(service: Service) -> None:
    for client in (official(service, default_headers={"X-Team": "a"}), ours(service, default_headers={"X-Team": "a"})):
        with client:
            client.uploads.retrieve(UPLOAD_ID, extra_headers={"x-team": "b"})
    sent = [[value for name, value in request.headers if name.lower() == "x-team"] for request in service.requests]
    assert sent == [["a", "b"], ["b"]]


def test_missing_credentials_are_told_when_the_client_is_made(service: Service) -> None:
    with scenario_sdk.Scenario(base_url=service.url) as client, pytest.raises(TypeError, match="authentication"):
        client.uploads.retrieve(UPLOAD_ID)
    with pytest.raises(TypeError, match="No credentials"):
        scenario_uploads.Scenario(base_url=service.url)


def test_timeouts_are_always_finite(service: Service) -> None:
    with official(service, timeout=None) as client:
        assert client.timeout is None
    with ours(service, timeout=None) as client_of_ours:
        assert client_of_ours.timeout == httpx.Timeout(60, connect=10)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"<html>a proxy's page</html>", {"Content-Type": "text/html"}, "str"),
        (b"<html>", {}, "JSONDecodeError"),
        (b"[1]", {}, "list"),
        (gzip.compress(b'{"a":"' + b"x" * (8 << 20) + b'"}'), {"Content-Encoding": "gzip"}, "UploadRetrieveResponse"),
    ],
    ids=["page", "no json", "list", "huge"],
)
def test_an_answer_that_is_none_is_an_error(
    service: Service, body: bytes, headers: dict[str, str], expected: str
) -> None:
    service.script("retrieve", *[reply(200, body, headers)] * 2)
    with official(service) as client:
        assert type(attempt(lambda: client.uploads.retrieve(UPLOAD_ID))).__name__ == expected
    with ours(service) as client_of_ours, pytest.raises(scenario_uploads.APIResponseValidationError):
        client_of_ours.uploads.retrieve(UPLOAD_ID)


def attempt(call: Callable[[], Any]) -> Any:
    """Return what a call returns or raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error


def test_numbers_are_whole_where_the_service_counts(service: Service) -> None:
    service.script("retrieve", *[reply(200, {"upload": make_upload(fileSize=100, partsCount=1)})] * 2)
    with official(service) as client, ours(service) as client_of_ours:
        assert [type(one.uploads.retrieve(UPLOAD_ID).upload.file_size) for one in (client, client_of_ours)] == [
            float,
            int,
        ]


def test_extra_fields_are_those_that_are_extra(service: Service) -> None:
    service.script("retrieve", *[reply(200, {"upload": make_upload(newField=1)})] * 2)
    with official(service) as client, ours(service) as client_of_ours:
        theirs, mine = (one.uploads.retrieve(UPLOAD_ID).upload.model_extra for one in (client, client_of_ours))
    assert mine == {"newField": 1}
    assert theirs is not None
    assert {"authorId", "newField"} <= theirs.keys()


@pytest.mark.parametrize("arguments", [{"kind": "dream"}, {"parts": "2"}, {"file_size": "100"}, {"asset_options": 5}])
def test_arguments_are_checked_before_anything_is_sent(service: Service, arguments: dict[str, Any]) -> None:
    with ours(service) as client_of_ours, pytest.raises(scenario_uploads.InvalidArgumentError):
        client_of_ours.uploads.create(**arguments)
    assert service.requests == []


@pytest.mark.parametrize("upload_id", ["a/b", "..", "a?b", "a#b", "a%2Fb", "a\nb"])
def test_an_id_that_is_none_is_refused(service: Service, upload_id: str) -> None:
    with ours(service) as client_of_ours, pytest.raises(scenario_uploads.InvalidArgumentError):
        client_of_ours.uploads.retrieve(upload_id)
    assert service.requests == []


def test_an_empty_query_parameter_is_sent(service: Service) -> None:
    for client in (official(service), ours(service)):
        with client:
            client.uploads.retrieve(UPLOAD_ID, extra_query={"q": "", "none": None})
    assert [request.query for request in service.requests] == [[], [("q", "")]]


def test_only_the_official_client_tells_of_the_machine(service: Service) -> None:
    for client in (official(service), ours(service)):
        with client:
            client.uploads.retrieve(UPLOAD_ID)
    told = [{name for name in request.names if name.startswith("x-stainless")} for request in service.requests]
    assert len(told[0]) > 5
    assert told[1] == set()


def test_a_copy_that_is_closed_leaves_the_original_open(service: Service) -> None:
    client = official(service)
    client.copy().close()
    assert client.is_closed()
    with ours(service) as client_of_ours:
        client_of_ours.copy().close()
        assert not client_of_ours.is_closed()


def test_an_http_client_of_the_callers_is_left_open(service: Service) -> None:
    for make, closed in ((official, True), (ours, False)):
        with httpx.Client() as given:
            make(service, http_client=given).close()
            assert given.is_closed is closed


def test_settings_are_changed_in_a_copy(service: Service) -> None:
    client = official(service)
    client.max_retries = 7
    client.close()
    with ours(service) as client_of_ours, pytest.raises(AttributeError):
        client_of_ours.max_retries = 7  # type: ignore[misc]


LOGGING = """
import sys
from PACKAGE import Scenario
with Scenario(base_url=sys.argv[1]) as client:
    client.uploads.create(
        file_name="s3cret-name.glb", kind="3d", content_type="model/gltf-binary", file_size=12, parts=1,
        extra_headers={"X-Token": "s3cret-header"}, extra_query={"q": "s3cret-query"},
    )
"""


def test_the_log_has_no_bodies_headers_and_queries(box: Sandbox) -> None:
    shown = {}
    for package in ("scenario_sdk", "scenario_uploads"):
        told = {"SCENARIO_SDK_API_KEY": box.api_key, "SCENARIO_SDK_API_SECRET": box.api_secret, "SCENARIO_LOG": "debug"}
        done = subprocess.run(
            [sys.executable, "-c", LOGGING.replace("PACKAGE", package), box.base_url],
            env=os.environ | told,
            capture_output=True,
            text=True,
            check=True,
        )
        shown[package] = {secret for secret in SECRETS if secret in done.stderr}
        assert "200" in done.stderr
    assert shown == {"scenario_sdk": SECRETS, "scenario_uploads": set()}


@pytest.mark.parametrize(
    ("setting", "official", "ours"),
    [
        ({"timeout": 0}, "0", "InvalidArgumentError"),
        ({"timeout": 5}, "5", "Timeout(timeout=5.0)"),
        ({"max_retries": -1}, "-1", "InvalidArgumentError"),
        ({"base_url": "a.example"}, "URL('a.example/')", "InvalidArgumentError"),
        ({"base_url": ""}, "URL('')", "URL('https://api.cloud.scenario.com/v1/')"),
    ],
)
def test_settings_are_checked_when_the_client_is_made(setting: dict[str, Any], official: str, ours: str) -> None:
    (name,) = setting
    made = [
        attempt(lambda package=package: getattr(package.Scenario(api_key="k", api_secret="s", **setting), name))
        for package in (scenario_sdk, scenario_uploads)
    ]
    shown = [type(each).__name__ if isinstance(each, Exception) else repr(each) for each in made]
    assert shown == [official, ours]


def test_a_closed_client_is_no_fault_of_the_network() -> None:
    found = []
    for package in (scenario_sdk, scenario_uploads):
        client = package.Scenario(api_key="k", api_secret="s", base_url="http://127.0.0.1:9", max_retries=0)
        client.close()
        raised = attempt(lambda client=client: client.uploads.retrieve("upload_1"))  # type: ignore[misc]
        found.append(type(raised).__name__)
    assert found == ["APIConnectionError", "ScenarioError"]


def test_every_difference_here_is_on_the_page() -> None:
    for word in (
        "imported twice",
        "settled by a `retrieve`",
        "beats a key in the environment",
        "Redirects",
        "whatever its case",
        "when the client is made",
        "always finite",
        "no JSON object",
        "whole numbers",
        "`model_extra`",
        "checked before",
        "is refused",
        "empty query parameter",
        "X-Stainless",
        "Closing a copy",
        "`http_client`",
        "read-only",
        "`SCENARIO_LOG`",
        "settings that cannot be used",
        "after `close()`",
    ):
        assert word in PAGE, word
