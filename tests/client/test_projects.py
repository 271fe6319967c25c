"""The project that calls are about: of the client, of one call, of none."""

from pathlib import Path
from typing import Any

import pytest
from scenario_uploads import InvalidArgumentError, PermissionDeniedError, Scenario
from scenario_uploads.arguments import NOT_GIVEN, omit
from scenario_uploads.sandbox import Sandbox

from tests.support.clients import Connect
from tests.support.service import UPLOAD_ID, Service

MULTIPART = {"file_name": "dragon.glb", "content_type": "model/gltf-binary", "file_size": 100, "kind": "3d", "parts": 1}
MIB = 1024 * 1024


def call_each(client: Any, **extra: Any) -> None:
    client.uploads.create(**MULTIPART, **extra)
    client.uploads.retrieve(UPLOAD_ID, **extra)
    client.uploads.trigger_action(UPLOAD_ID, action="complete", **extra)
    client.uploads.wait(UPLOAD_ID, **extra)
    client.uploads.upload_file(b"glTF", file_name="dragon.glb", **extra)


def queries(service: Service) -> set[tuple[tuple[str, str], ...]]:
    """The queries of all calls to the API; a part's URL has another host and a signature of its own."""
    return {tuple(request.query) for request in service.requests if not request.path.startswith("/bucket/")}


def test_no_project_is_named_unless_one_is_given(connect: Connect, service: Service) -> None:
    call_each(connect(service.url))
    assert queries(service) == {()}


def test_the_one_of_a_call_is_sent(connect: Connect, service: Service) -> None:
    call_each(connect(service.url), project_id="proj_1")
    assert queries(service) == {(("projectId", "proj_1"),)}


@pytest.mark.parametrize("nothing", [None, NOT_GIVEN])
def test_the_one_of_the_client_is_sent_with_every_call(connect: Connect, service: Service, nothing: Any) -> None:
    client = connect(service.url, project_id="proj_1")
    call_each(client, project_id=nothing)
    assert queries(service) == {(("projectId", "proj_1"),)}


def test_the_one_of_a_call_wins(connect: Connect, service: Service) -> None:
    call_each(connect(service.url, project_id="proj_1"), project_id="proj_2")
    assert queries(service) == {(("projectId", "proj_2"),)}


def test_a_call_can_be_about_none(connect: Connect, service: Service) -> None:
    call_each(connect(service.url, project_id="proj_1"), project_id=omit)
    assert queries(service) == {()}


def test_copies_keep_change_and_drop_it(service: Service) -> None:
    with Scenario(base_url=service.url, bearer_auth="token", project_id="proj_1") as client:
        copies = [client.with_options(**changed) for changed in ({}, {"project_id": "proj_2"}, {"project_id": omit})]
        assert [copy.project_id for copy in copies] == ["proj_1", "proj_2", None]
        for copy in copies:
            copy.uploads.retrieve(UPLOAD_ID)
    assert [request.query for request in service.requests] == [[("projectId", "proj_1")], [("projectId", "proj_2")], []]


@pytest.mark.parametrize("project_id", ["", "  ", "proj\n1", 7, True])
def test_what_is_no_id_is_refused_before_any_request(connect: Connect, service: Service, project_id: Any) -> None:
    for act in (
        lambda: connect(service.url, project_id=project_id),
        lambda: connect(service.url).uploads.retrieve(UPLOAD_ID, project_id=project_id),
        lambda: connect(service.url).uploads.upload_file(b"x", file_name="a.glb", project_id=project_id),
    ):
        with pytest.raises(InvalidArgumentError, match="project_id must be the id of a project"):
            act()
    assert service.requests == []


def test_an_upload_belongs_to_its_project() -> None:
    """The service sets the owner at creation, and refuses who asserts another one afterwards."""
    with (
        Sandbox(step_delay=0.01) as box,
        Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret, project_id="proj_1") as client,
    ):
        upload = client.uploads.upload_file(b"glTF", file_name="dragon.glb")
        assert upload.owner_id == "proj_1"
        assert client.uploads.retrieve(upload.id).upload.owner_id == "proj_1"
        with pytest.raises(PermissionDeniedError, match="proj_2") as caught:
            client.uploads.wait(upload.id, project_id="proj_2")
        assert caught.value.upload_id == upload.id


def test_another_project_is_another_upload_to_resume(connect: Connect, service: Service, tmp_path: Path) -> None:
    """What was begun for one project is not taken up for another."""
    file = tmp_path / "dragon.glb"
    file.write_bytes(bytes(6 * MIB))
    client = connect(service.url)
    for project in ("proj_1", "proj_2", None):
        with pytest.raises(ZeroDivisionError):
            client.uploads.upload_file(
                file,
                part_size=5 * MIB,
                resume=tmp_path / "ledgers",
                project_id=project,
                on_progress=lambda progress: 1 // 0 if progress.parts_done else None,
            )
    assert len(list((tmp_path / "ledgers").glob("*.json*"))) == 3
