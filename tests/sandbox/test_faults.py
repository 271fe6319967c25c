"""Faults on request: what an upload meets, and what the client makes of it."""

import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from scenario_uploads import (
    RateLimitError,
    Scenario,
    UploadFailedError,
    UploadTimeoutError,
    UploadURLExpiredError,
    is_known,
)
from scenario_uploads.sandbox import Sandbox, SandboxError
from scenario_uploads.sandbox.state.faults import FAULTS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.glb"
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 3000) + bytes(2988))
    return path


def list_puts(box: Sandbox, upload_id: str) -> list[tuple[int, str]]:
    return [(call.status, call.note) for call in box._journal.find(upload_id).requests if call.part is not None]


@pytest.mark.parametrize("fault", ["slow_down", "reset", "wrong_etag"])
def test_a_part_that_fails_once_is_sent_again(fault, file, scenario_sandbox: Sandbox, scenario_client: Scenario):
    scenario_sandbox.fail_next(fault)
    upload = scenario_client.uploads.upload_file(file)
    assert upload.status == "imported"
    status = {"slow_down": 503, "reset": 0, "wrong_etag": 200}[fault]
    assert list_puts(scenario_sandbox, upload.id) == [(status, fault), (200, "")]
    # The next one meets nothing.
    assert list_puts(scenario_sandbox, scenario_client.uploads.upload_file(file).id) == [(200, "")]


@pytest.mark.scenario_faults("expired", times=2)
def test_as_many_uploads_meet_it_as_were_asked_for(file, scenario_sandbox, scenario_client):
    """`upload_file` starts once afresh, so two expire in one call."""
    with pytest.raises(UploadURLExpiredError):
        scenario_client.uploads.upload_file(file)
    assert scenario_client.uploads.upload_file(file).status == "imported"


@pytest.mark.scenario_faults("rate_limited")
def test_a_create_that_is_refused_may_be_repeated(file, scenario_sandbox, scenario_client):
    impatient = scenario_client.with_options(max_retries=0)
    with pytest.raises(RateLimitError) as caught:
        impatient.uploads.upload_file(file)
    assert caught.value.retry_after == 1
    assert impatient.uploads.upload_file(file).status == "imported"


@pytest.mark.scenario_faults("never_finishes")
def test_an_upload_that_never_finishes_is_waited_for_in_vain(file, scenario_client):
    with pytest.raises(UploadTimeoutError, match="validating"):
        scenario_client.uploads.upload_file(file, timeout=0.2)


@pytest.mark.scenario_faults("validation_failed")
def test_a_file_is_judged_invalid(file, scenario_client):
    with pytest.raises(UploadFailedError, match="The file is not valid"):
        scenario_client.uploads.upload_file(file)


@pytest.mark.scenario_faults("unknown_status")
def test_a_status_that_nobody_knows_is_seen_before_the_end(file, scenario_client):
    upload = scenario_client.uploads.upload_file(file, wait=False)
    seen = [upload.status]
    while seen[-1] != "imported":
        seen.append(scenario_client.uploads.retrieve(upload.id).upload.status)
    assert [status for status in seen if not is_known(status)] != []
    assert scenario_client.uploads.wait(upload.id).entity_id


@pytest.mark.scenario_faults("expired")
@pytest.mark.scenario_faults("validation_failed", times=2)
def test_an_import_leaves_the_faults_of_parts_to_others(scenario_sandbox, scenario_client):
    upload = scenario_client.uploads.create(hugging_face_model_name="a/b").upload
    with pytest.raises(UploadFailedError):
        scenario_client.uploads.wait(upload.id)
    assert scenario_sandbox._faults.pending == {"expired": 1, "validation_failed": 1}


def test_a_dry_run_meets_none(scenario_sandbox, scenario_client):
    scenario_sandbox.fail_next("rate_limited")
    scenario_client.uploads.create(hugging_face_model_name="a/b", dry_run=True)
    assert scenario_sandbox._faults.pending == {"rate_limited": 1}
    scenario_sandbox.clear_faults()
    assert scenario_sandbox._faults.pending == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("broken", 1), "there is no fault 'broken'; there are expired, slow_down, reset"),
        (("expired", 0), "times must be a whole number from 1 to 10000 in all, not 0"),
        (("expired", 10_001), "not 10001"),
        (("expired", 1.5), "not 1.5"),
        (("expired", True), "not True"),
    ],
)
def test_what_makes_no_sense_is_a_clear_error(arguments, message, scenario_sandbox):
    with pytest.raises(SandboxError, match=message.replace("(", r"\(")):
        scenario_sandbox.fail_next(*arguments)
    assert scenario_sandbox._faults.pending == {}


def test_another_s3_has_no_faults_of_parts():
    box = Sandbox(s3_endpoint="http://127.0.0.1:9")
    with pytest.raises(SandboxError, match="expired is a fault of the embedded storage"):
        box.fail_next("expired")
    box.fail_next("never_finishes")


class TestOverHTTP:
    """`POST /_sandbox/faults` does what `fail_next` does."""

    def post(self, box: Sandbox, **options) -> httpx.Response:
        with httpx.Client(base_url=box.page_url, trust_env=False) as client:
            return client.post("/_sandbox/faults", **options)

    @pytest.fixture(autouse=True)
    def _clear(self, scenario_sandbox: Sandbox) -> Iterator[None]:
        yield
        scenario_sandbox.clear_faults()

    @pytest.mark.parametrize("fault", FAULTS)
    def test_every_fault_can_be_planned(self, fault, scenario_sandbox):
        token = {"X-Sandbox-Token": scenario_sandbox.page_token}
        response = self.post(scenario_sandbox, json={"fault": fault, "times": 3}, headers=token)
        assert (response.status_code, response.json()) == (200, {"pending": {fault: 3}})
        assert scenario_sandbox._faults.pending == {fault: 3}

    def test_a_form_without_a_script_does_it_too(self, scenario_sandbox):
        form = {"fault": "reset", "times": "2", "token": scenario_sandbox.page_token}
        response = self.post(scenario_sandbox, data=form)
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert scenario_sandbox._faults.pending == {"reset": 2}

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ({"fault": "broken"}, "there is no fault 'broken'"),
            ({"fault": ["reset"]}, "there is no fault"),
            ({"fault": "reset", "times": "many"}, "times must be"),
            ({}, "there is no fault ''"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, body, reason, scenario_sandbox):
        response = self.post(scenario_sandbox, json={**body, "token": scenario_sandbox.page_token})
        assert response.status_code == 400
        assert reason in response.json()["reason"]
