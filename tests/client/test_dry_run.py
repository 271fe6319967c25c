"""Asking what an upload would cost: `dry_run`, answered with status 269."""

from typing import Any

import pytest
from scenario_uploads import (
    APIResponseValidationError,
    BadRequestError,
    InvalidArgumentError,
    Scenario,
    UploadCreateResponse,
    UploadDryRun,
    UploadDryRunResponse,
)
from scenario_uploads.arguments import NOT_GIVEN, omit
from scenario_uploads.sandbox import Sandbox

from tests.support.clients import Connect, raises
from tests.support.server import reply
from tests.support.service import UPLOAD_ID, Service

MULTIPART = {"file_name": "dragon.glb", "content_type": "model/gltf-binary", "file_size": 100, "kind": "3d", "parts": 1}
COST = {"creativeUnitsCost": 4.5, "creativeUnitsDiscount": 0.5, "costDetails": {"storage": 4.5}, "currency": "cu"}


def test_the_cost_is_returned_and_typed(connect: Connect, service: Service) -> None:
    service.script("create", reply(269, COST))
    cost = connect(service.url).uploads.create(**MULTIPART, dry_run="true")
    assert type(cost) is UploadDryRunResponse
    assert (cost.creative_units_cost, cost.creative_units_discount) == (4.5, 0.5)
    assert cost.cost_details.additional_properties == {"storage": 4.5}
    assert cost.additional_properties == {"currency": "cu"}
    assert service.requests[0].query == [("dryRun", "true")]


@pytest.mark.parametrize(
    ("dry_run", "sent"), [("api", "api"), (UploadDryRun.API, "api"), (UploadDryRun.TRUE, "true"), (True, "true")]
)
def test_each_way_to_ask(connect: Connect, service: Service, dry_run: Any, sent: str) -> None:
    service.script("create", reply(269, COST))
    connect(service.url, project_id="proj_1").uploads.create(**MULTIPART, dry_run=dry_run)
    assert service.requests[0].query == [("projectId", "proj_1"), ("dryRun", sent)]


@pytest.mark.parametrize("nothing", [None, omit, NOT_GIVEN])
def test_is_not_asked_for_unless_wanted(connect: Connect, service: Service, nothing: Any) -> None:
    assert type(connect(service.url).uploads.create(**MULTIPART, dry_run=nothing)) is UploadCreateResponse
    assert service.requests[0].query == []


@pytest.mark.parametrize("wrong", [False, "yes", "", 1])
def test_another_value_is_refused_before_any_request(connect: Connect, service: Service, wrong: Any) -> None:
    with raises(InvalidArgumentError, "dry_run must be 'api' or 'true'", repr(wrong)):
        connect(service.url).uploads.create(**MULTIPART, dry_run=wrong)
    assert service.requests == []


def test_an_upload_that_was_created_all_the_same_is_told(connect: Connect, service: Service) -> None:
    """A service that does not know the parameter creates the upload; nobody shall take that for a cost."""
    with raises(APIResponseValidationError, "no cost", f"it has created upload {UPLOAD_ID}"):
        connect(service.url).uploads.create(**MULTIPART, dry_run="true")


def test_an_answer_that_is_neither_is_told(connect: Connect, service: Service) -> None:
    service.script("create", reply(200, {}))
    with raises(APIResponseValidationError, "no cost"):
        connect(service.url).uploads.create(**MULTIPART, dry_run="true")


def test_a_cost_that_lacks_fields_is_read_as_far_as_it_goes(connect: Connect, service: Service) -> None:
    service.script("create", reply(269, {"creativeUnitsCost": 3}))
    cost = connect(service.url).uploads.create(**MULTIPART, dry_run="true")
    assert (cost.creative_units_cost, cost.creative_units_discount, cost.cost_details) == (3, None, None)


def test_upload_file_never_asks(connect: Connect, service: Service) -> None:
    """Not even when every call of the client is told to, as a default."""
    client = connect(service.url, default_query={"dryRun": "true", "team": "meshes"})
    assert client.uploads.upload_file(b"glTF", file_name="dragon.glb").entity_id == "asset_1"
    (create,) = (request for request in service.requests if request.path == "/v1/uploads")
    assert create.query == [("team", "meshes")]


def test_upload_file_does_not_take_a_cost_for_an_upload(connect: Connect, service: Service) -> None:
    service.script("create", reply(269, COST))
    with raises(APIResponseValidationError, "no upload"):
        connect(service.url).uploads.upload_file(b"glTF", file_name="dragon.glb")
    assert service.steps == ["create"]


def test_the_raw_answer_parses_to_the_cost(service: Service) -> None:
    service.script("create", reply(269, COST))
    with Scenario(base_url=service.url, bearer_auth="token") as client:
        raw = client.uploads.with_raw_response.create(**MULTIPART, dry_run="true")
    assert raw.status_code == 269
    assert isinstance(raw.parse(), UploadDryRunResponse)


def test_nothing_is_created() -> None:
    """The sandbox names a price, refuses what it would refuse to create, and keeps no upload."""
    with (
        Sandbox(step_delay=0.01) as box,
        Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret) as client,
    ):
        large = MULTIPART | {"file_size": 250 * 1024 * 1024}
        assert client.uploads.create(**large, dry_run="true").creative_units_cost == 3
        assert client.uploads.create(
            url="https://example.com/a.png", kind="image", dry_run="api"
        ).cost_details.to_dict() == {"upload": 0}
        with pytest.raises(BadRequestError, match="parts is required"):
            client.uploads.create(**{key: value for key, value in MULTIPART.items() if key != "parts"}, dry_run="true")
