"""The steps of each call: what is created, when a complete is done, how long is waited."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpcore._sync.socks_proxy import REPLY_CODES
from scenario_uploads import (
    APIConnectionError,
    APIResponseValidationError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
    SourceError,
    TransferError,
    Upload,
    UploadAction,
    UploadAssetOptions,
    UploadFailedError,
    UploadKind,
    UploadTimeoutError,
)
from scenario_uploads.api.responses import is_away

from tests.support.clients import Clock, Connect, raises
from tests.support.server import Answering, Server, hang, lose, reply
from tests.support.service import SIGNATURE, UPLOAD_ID, Service, answer_upload
from tests.support.storing import Resets

MIB = 1024 * 1024
PENDING = answer_upload(status="pending", entityId=None)
VALIDATING = answer_upload(status="validating", entityId=None)
IMPORTED = answer_upload()


def statuses(*values: str) -> list[Answering]:
    return [answer_upload(status=value, entityId=None) for value in values]


OTHER = answer_upload(id="upload_of_somebody_else", entityId="asset_of_somebody_else")


class TestAnswersAboutAnotherUpload:
    """Such as those of a cache, or of a gateway that mixes up: no result is taken from them."""

    def test_37_wait_asks_again(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", OTHER, OTHER)
        assert connect(service.url).uploads.wait(UPLOAD_ID).entity_id == "asset_1"
        assert service.steps == ["retrieve"] * 3

    def test_37_wait_fails_at_its_deadline_and_says_why(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *[OTHER] * 99)
        with raises(UploadTimeoutError, "no status was received") as caught:
            connect(service.url).uploads.wait(UPLOAD_ID, timeout=9)
        assert "the upload upload_of_somebody_else, not upload_1" in str(caught.error.__cause__)
        assert caught.error.upload_id == UPLOAD_ID

    def test_37_a_failure_of_another_upload_is_none(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", answer_upload(id="upload_of_somebody_else", status="failed"))
        assert connect(service.url).uploads.wait(UPLOAD_ID).entity_id == "asset_1"

    def test_37_no_complete_is_settled_by_one(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", reply(500, {}))
        service.script("retrieve", OTHER)
        answer = connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert (answer.upload.id, answer.upload.status) == (UPLOAD_ID, "validating")
        assert service.steps == ["complete", "retrieve", "complete"]

    @pytest.mark.parametrize("wait", [True, False])
    def test_37_nor_an_upload_of_a_file(self, connect: Connect, service: Service, clock: Clock, wait: bool) -> None:
        service.script("complete", OTHER)
        service.script("retrieve", OTHER)
        upload = connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb", wait=wait)
        assert upload.id == UPLOAD_ID
        assert service.steps[:5] == ["create", "part 1", "complete", "retrieve", "complete"]

    def test_37_an_abridged_answer_that_names_none_is_taken(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("retrieve", reply(200, {"upload": {"status": "imported"}}))
        assert connect(service.url).uploads.wait(UPLOAD_ID).status == "imported"

    def test_37_a_plain_retrieve_returns_what_came(self, connect: Connect, service: Service) -> None:
        service.script("retrieve", OTHER)
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == "upload_of_somebody_else"


class TestCreate:
    @pytest.mark.parametrize(
        ("name", "value"), [("file_size", 0), ("file_size", 6 * 1024**4), ("parts", 0), ("parts", 10_001)]
    )
    def test_how_much_the_service_takes_it_judges_itself(
        self, connect: Connect, service: Service, name: str, value: int
    ) -> None:
        service.script("create", answer_upload())
        connect(service.url).uploads.create(file_name="a.glb", **{name: value})
        assert service.requests[0].json == {"fileName": "a.glb", {"file_size": "fileSize"}.get(name, name): value}

    @pytest.mark.parametrize(
        ("arguments", "fragment"),
        [
            ({"file_size": "10"}, "file_size"),
            ({"kind": "hologram"}, "'3d'"),
            ({"kind": 3}, "kind"),
            ({"asset_options": {"hidden": True}}, "hidden"),
            ({"asset_options": {"hide": "yes"}}, "hide"),
            ({"asset_options": "hide"}, "asset_options"),
        ],
    )
    def test_an_argument_that_cannot_be_used_is_told_before_any_request(
        self, connect: Connect, service: Service, arguments: dict[str, Any], fragment: str
    ) -> None:
        with raises(InvalidArgumentError, "create", fragment):
            connect(service.url).uploads.create(**arguments)
        assert service.requests == []

    @pytest.mark.parametrize(
        "options", [{"collection_ids": ("c",)}, {"collectionIds": ["c"]}, UploadAssetOptions(collection_ids=["c"])]
    )
    def test_asset_options_are_a_mapping_or_the_model(self, connect: Connect, service: Service, options: Any) -> None:
        service.script("create", PENDING)
        connect(service.url).uploads.create(asset_options=options, kind=UploadKind.IMAGE)
        assert service.requests[0].json == {"assetOptions": {"collectionIds": ["c"]}, "kind": "image"}


class TestTriggerAction:
    @pytest.mark.parametrize("action", ["complete", UploadAction.COMPLETE])
    def test_complete_is_what_goes_over_the_wire(self, connect: Connect, service: Service, action: Any) -> None:
        answer = connect(service.url).uploads.trigger_action(UPLOAD_ID, action=action)
        assert answer.upload.status == "validating"
        assert service.requests[0].json == {"action": "complete"}
        assert service.requests[0].target == f"/v1/uploads/{UPLOAD_ID}/action"

    def test_an_action_that_the_contract_does_not_know_is_refused(self, connect: Connect, service: Service) -> None:
        with raises(InvalidArgumentError, "'complete'"):
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="upload-complete")
        assert service.requests == []

    def test_one_of_tomorrow_is_sent_once(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", reply(503, {}))
        with raises(InternalServerError) as caught:
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action=UploadAction("abort"))
        assert service.steps == ["complete"]
        assert service.requests[0].json == {"action": "abort"}
        assert caught.error.upload_id == UPLOAD_ID

    @pytest.mark.parametrize(
        "fault",
        [
            lose,
            hang,
            reply(500, {}),
            reply(503, {}),
            reply(409, {}),
            reply(400, {}),
            reply(429, {}),
            reply(200, b"<html>"),
        ],
        ids=["lost", "late", "500", "503", "409", "400", "429", "html"],
    )
    def test_18_a_complete_that_failed_is_done_when_the_upload_is_past_pending(
        self, connect: Connect, service: Service, clock: Clock, fault: Answering
    ) -> None:
        service.script("complete", fault)
        service.script("retrieve", VALIDATING)
        client = connect(service.url, timeout=1.0 if fault is hang else 300.0)
        answer = client.uploads.trigger_action(UPLOAD_ID, action="complete")
        assert answer.upload.status == "validating"
        assert service.steps == ["complete", "retrieve"]

    @pytest.mark.parametrize("fault", [lose, reply(500, {}), reply(429, {})], ids=["lost", "500", "429"])
    def test_18_and_is_said_again_while_it_is_pending(
        self, connect: Connect, service: Service, clock: Clock, fault: Answering
    ) -> None:
        service.script("complete", fault, fault)
        service.script("retrieve", PENDING, PENDING)
        connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert service.steps == ["complete", "retrieve", "complete", "retrieve", "complete"]
        assert clock.pauses == [0.5, 1.0]

    @pytest.mark.parametrize(("status", "kind"), [(400, BadRequestError), (409, ConflictError)])
    def test_18_a_refusal_of_a_pending_upload_is_one(
        self, connect: Connect, service: Service, clock: Clock, status: int, kind: type[BaseException]
    ) -> None:
        service.script("complete", reply(status, {"reason": "part 2 is missing"}))
        service.script("retrieve", PENDING)
        with raises(kind, "part 2 is missing"):
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert service.steps == ["complete", "retrieve"]

    @pytest.mark.parametrize("status", [400, 409])
    @pytest.mark.parametrize("look", [reply(404, {}), reply(400, {}), reply(503, {}), lose])
    def test_18_a_refusal_is_what_is_told_when_looking_fails_too(
        self, connect: Connect, service: Service, clock: Clock, status: int, look: Answering
    ) -> None:
        service.script("complete", reply(status, {"reason": "no"}))
        service.script("retrieve", look)
        with pytest.raises((BadRequestError, ConflictError), match="no") as caught:
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert caught.value.status_code == status  # type: ignore[attr-defined]

    @pytest.mark.parametrize("status", [401, 403, 404, 422])
    def test_any_other_refusal_is_told_at_once(
        self, connect: Connect, service: Service, clock: Clock, status: int
    ) -> None:
        service.script("complete", reply(status, {}))
        with pytest.raises(Exception, match=str(status)):
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert service.steps == ["complete"]

    def test_18_looking_may_fail_for_a_while_as_well(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", reply(503, {}))
        service.script("retrieve", reply(503, {}))
        connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert service.steps == ["complete", "retrieve", "complete"]

    def test_18_the_end_of_patience_is_the_failure_of_the_complete(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("complete", *[lose] * 5)
        service.script("retrieve", *[reply(503, {})] * 5)
        with raises(APIConnectionError, "trigger_upload_action") as caught:
            connect(service.url, max_retries=1).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert service.steps == ["complete", "retrieve"] * 2
        assert caught.error.upload_id == UPLOAD_ID

    def test_18_credentials_that_ran_out_meanwhile_are_told(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("complete", lose)
        service.script("retrieve", reply(401, {}))
        with raises(AuthenticationError):
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")

    def test_18_retry_after_is_honoured(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", reply(503, {}, {"Retry-After": "9"}))
        service.script("retrieve", PENDING)
        connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert clock.pauses == [9.0]

    def test_43_more_than_the_cap_is_told_at_once(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", reply(503, {}, {"Retry-After": "61"}))
        service.script("retrieve", PENDING)
        with raises(InternalServerError) as caught:
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert caught.error.retry_after == 61.0
        assert clock.pauses == []

    def test_41_a_status_that_nobody_knows_settles_nothing(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("complete", reply(500, {}))
        service.script("retrieve", *statuses("uploading"))
        answer = connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert answer.upload.status == "validating"
        assert service.steps == ["complete", "retrieve", "complete"]

    def test_41_and_in_the_end_the_failure_is_told(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", *[reply(500, {"reason": "oops"})] * 9)
        service.script("retrieve", *statuses(*["uploading"] * 9))
        with raises(InternalServerError, "oops"):
            connect(service.url).uploads.trigger_action(UPLOAD_ID, action="complete")
        assert len(service.of("complete")) == 3


class TestWait:
    def test_goes_through_every_status_that_is_no_end(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *statuses("pending", "validating", "validated", "complete"), IMPORTED)
        upload = connect(service.url).uploads.wait(UPLOAD_ID)
        assert isinstance(upload, Upload)
        assert (upload.status, upload.entity_id) == ("imported", "asset_1")
        assert len(service.requests) == 5

    def test_backs_off_to_five_seconds(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *statuses(*["validating"] * 12), IMPORTED)
        connect(service.url).uploads.wait(UPLOAD_ID)
        assert clock.pauses == sorted(clock.pauses)
        assert clock.pauses[0] < 1
        assert clock.pauses[-1] == 5.0

    def test_takes_the_upload_itself(self, connect: Connect, service: Service, clock: Clock) -> None:
        client = connect(service.url)
        upload = client.uploads.retrieve(UPLOAD_ID).upload
        assert client.uploads.wait(upload) == upload

    def test_an_entity_is_the_end_whatever_the_status(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", answer_upload(status="complete", entityId="asset_7"))
        assert connect(service.url).uploads.wait(UPLOAD_ID).entity_id == "asset_7"

    def test_22_imported_without_entity_is_returned(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", answer_upload(entityId=None))
        upload = connect(service.url).uploads.wait(UPLOAD_ID)
        assert (upload.status, upload.entity_id) == ("imported", None)

    def test_an_abridged_answer_is_enough(self, connect: Connect, service: Service, clock: Clock) -> None:
        """The service's docs show answers that lack most fields, the id among them."""
        service.script("retrieve", reply(200, {"upload": {"status": "imported", "entityId": "asset_7"}}))
        assert connect(service.url).uploads.wait(UPLOAD_ID).entity_id == "asset_7"

    @pytest.mark.parametrize(
        ("message", "shown"),
        [("not a mesh", "not a mesh"), (None, "no reason given"), ("", "no reason given"), (5, "5")],
    )
    def test_21_a_failed_upload_is_an_error_with_its_reason(
        self, connect: Connect, service: Service, clock: Clock, message: Any, shown: str
    ) -> None:
        service.script("retrieve", answer_upload(status="failed", errorMessage=message, entityId=None, id=None))
        with raises(UploadFailedError, UPLOAD_ID, shown) as caught:
            connect(service.url).uploads.wait(UPLOAD_ID)
        assert caught.error.upload_id == UPLOAD_ID
        assert caught.error.reason == (str(message) if message else None)
        assert caught.error.upload.status == "failed"

    def test_21_the_reason_shows_no_presigned_url(self, connect: Connect, service: Service, clock: Clock) -> None:
        url = f"https://bucket.example/x?X-Amz-Signature={SIGNATURE}"
        service.script("retrieve", answer_upload(status="failed", errorMessage=f"cannot read {url}", entityId=None))
        with raises(UploadFailedError, "bucket.example/x") as caught:
            connect(service.url).uploads.wait(UPLOAD_ID)
        assert SIGNATURE not in str(caught.error) + repr(caught.error.reason)

    def test_20_an_unknown_status_is_polled_on_and_named_at_the_deadline(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("retrieve", *statuses(*["transmogrifying"] * 50))
        with raises(UploadTimeoutError, "transmogrifying", UPLOAD_ID, "20 s") as caught:
            connect(service.url).uploads.wait(UPLOAD_ID, timeout=20)
        assert caught.error.status == "transmogrifying"
        assert caught.error.upload_id == UPLOAD_ID
        assert clock.seconds == 20

    @pytest.mark.parametrize("timeout", [1, 2.5, 300])
    def test_the_deadline_is_kept_and_looked_at_last(
        self, connect: Connect, service: Service, clock: Clock, timeout: float
    ) -> None:
        service.script("retrieve", *statuses(*["validating"] * 200))
        with raises(UploadTimeoutError, f"{timeout:g} s"):
            connect(service.url).uploads.wait(UPLOAD_ID, timeout=timeout)
        assert clock.seconds == pytest.approx(timeout)
        assert len(service.requests) == len(clock.pauses) + 1

    def test_a_timeout_of_zero_looks_once(self, connect: Connect, service: Service, clock: Clock) -> None:
        assert connect(service.url).uploads.wait(UPLOAD_ID, timeout=0).status == "imported"
        service.script("retrieve", VALIDATING)
        with raises(UploadTimeoutError, "'validating'"):
            connect(service.url).uploads.wait(UPLOAD_ID, timeout=0)
        assert len(service.requests) == 2
        assert clock.pauses == []

    @pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), "5", None, True])
    def test_a_timeout_that_is_none_is_refused(self, connect: Connect, service: Service, timeout: Any) -> None:
        with raises(InvalidArgumentError, "timeout"):
            connect(service.url).uploads.wait(UPLOAD_ID, timeout=timeout)
        assert service.requests == []

    @pytest.mark.parametrize(
        "fault", [lose, reply(500, {}), reply(503, {}), reply(408, {}), reply(429, {}), reply(502, b"<html>")]
    )
    def test_19_a_poll_that_fails_is_made_again(
        self, connect: Connect, service: Service, clock: Clock, fault: Answering
    ) -> None:
        service.script("retrieve", *[fault] * 10)
        assert connect(service.url, max_retries=0).uploads.wait(UPLOAD_ID).status == "imported"
        assert clock.pauses == sorted(clock.pauses)

    def test_19_until_the_deadline_which_names_the_last_fault(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("retrieve", VALIDATING, *[reply(503, {"reason": "tired"})] * 90)
        with raises(UploadTimeoutError, "'validating'") as caught:
            connect(service.url).uploads.wait(UPLOAD_ID, timeout=60)
        assert isinstance(caught.error.__cause__, InternalServerError)
        assert clock.seconds == pytest.approx(60)

    def test_19_a_poll_that_gets_no_answer_does_not_outlive_the_deadline(
        self, connect: Connect, service: Service
    ) -> None:
        service.script("retrieve", *[hang] * 3)
        with raises(UploadTimeoutError, "no status was received") as caught:
            connect(service.url).uploads.wait(UPLOAD_ID, timeout=0)
        assert caught.error.status is None

    def test_19_what_the_service_asks_for_is_waited_for(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", reply(429, {"remainingSeconds": 33}), reply(503, {}, {"Retry-After": "7200"}))
        connect(service.url).uploads.wait(UPLOAD_ID, timeout=100)
        assert clock.pauses == [33.0, 60.0]

    @pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (404, NotFoundError)])
    def test_a_refusal_is_told_at_once(
        self, connect: Connect, service: Service, clock: Clock, status: int, kind: type[BaseException]
    ) -> None:
        service.script("retrieve", VALIDATING, reply(status, {}))
        with raises(kind) as caught:
            connect(service.url).uploads.wait(UPLOAD_ID)
        assert caught.error.upload_id == UPLOAD_ID
        assert len(service.requests) == 2


class TestUploadFile:
    def test_says_all_that_a_multipart_upload_needs(
        self, connect: Connect, service: Service, clock: Clock, tmp_path: Path
    ) -> None:
        file = tmp_path / "dragon.glb"
        file.write_bytes(b"x" * (11 * MIB))
        upload = connect(service.url).uploads.upload_file(file, part_size=5 * MIB, asset_options={"hide": True})
        assert upload.entity_id == "asset_1"
        assert service.steps[0] == "create"
        assert sorted(service.steps[1:4]) == ["part 1", "part 2", "part 3"]
        assert service.steps[4:] == ["complete", "retrieve"]
        assert service.requests[0].json == {
            "fileName": "dragon.glb",
            "fileSize": 11 * MIB,
            "contentType": "model/gltf-binary",
            "kind": "3d",
            "parts": 3,
            "assetOptions": {"hide": True},
        }

    def test_what_is_given_beats_what_the_name_says(self, connect: Connect, service: Service, clock: Clock) -> None:
        connect(service.url).uploads.upload_file(
            b"x", file_name="a.glb", kind=UploadKind.ASSET, content_type="application/x-mine"
        )
        assert service.requests[0].json["kind"] == "asset"
        assert service.requests[0].json["contentType"] == "application/x-mine"

    def test_without_waiting_the_completed_upload_is_returned(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        upload = connect(service.url).uploads.upload_file(b"x", file_name="a.glb", wait=False)
        assert upload.status == "validating"
        assert service.steps == ["create", "part 1", "complete"]

    @pytest.mark.parametrize("wait", [True, False])
    def test_21_a_failed_import_is_an_error(self, connect: Connect, service: Service, clock: Clock, wait: bool) -> None:
        failed = answer_upload(status="failed", errorMessage="not a mesh", entityId=None)
        service.script("complete", failed)
        service.script("retrieve", failed)
        with raises(UploadFailedError, "not a mesh") as caught:
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb", wait=wait)
        assert caught.error.upload_id == UPLOAD_ID

    def test_the_time_to_wait_is_that_of_the_import(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *statuses(*["validating"] * 20))
        with raises(UploadTimeoutError, "4 s") as caught:
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb", timeout=4)
        assert caught.error.upload_id == UPLOAD_ID
        assert clock.seconds == pytest.approx(4)

    def test_18_a_long_transfer_is_not_given_up_for_a_short_outage(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        """Even a client that never retries takes several tries for what completes hours of work."""
        service.script("complete", *[reply(503, {})] * 5)
        service.script("retrieve", *[reply(503, {})] * 5)
        upload = connect(service.url, max_retries=0).uploads.upload_file(b"x", file_name="a.glb")
        assert upload.entity_id == "asset_1"

    def test_18_a_complete_without_upload_is_settled_too(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("complete", reply(200, {}))
        service.script("retrieve", VALIDATING)
        upload = connect(service.url).uploads.upload_file(b"x", file_name="a.glb", wait=False)
        assert upload.status == "validating"

    @pytest.mark.parametrize("refusal", [400, 409])
    def test_18_a_complete_that_is_refused_under_a_status_that_nobody_knows_is_left_to_polls(
        self, connect: Connect, service: Service, clock: Clock, refusal: int
    ) -> None:
        """Its first response was lost, and the service says that it is complete already."""
        service.script("complete", lose, *[reply(refusal, {})] * 9)
        service.script("retrieve", *statuses(*["scanning"] * 9))
        upload = connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
        assert upload.entity_id == "asset_1"
        assert service.steps.count("create") == 1

    def test_18_a_refused_complete_names_the_upload(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", *[reply(400, {"reason": "part 1 is missing"})] * 9)
        service.script("retrieve", *[PENDING] * 9)
        with raises(BadRequestError, "part 1 is missing") as caught:
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
        assert caught.error.upload_id == UPLOAD_ID
        # Row 40: after three refusals one fresh upload, which fares no better.
        assert service.steps.count("create") == 2
        assert service.steps.count("complete") == 6

    def test_17_a_create_whose_answer_is_lost_is_made_again(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("create", lose)
        assert connect(service.url).uploads.upload_file(b"x", file_name="a.glb").entity_id == "asset_1"
        assert service.steps[:3] == ["create", "create", "part 1"]

    @pytest.mark.parametrize(
        "parts",
        [
            None,
            [],
            5,
            "parts",
            {"1": 2},
            [None],
            [5],
            [{"number": 1}],
            [{"number": 2, "url": "https://a.example/2", "expires": ""}],
            [{"number": "1", "url": "https://a.example/1", "expires": ""}],
            [{"number": [1], "url": "https://a.example/1", "expires": ""}],
            [{"number": 1, "url": "https://a.example/1", "expires": ""}] * 2,
            [{"number": number, "url": "https://a.example/1", "expires": ""} for number in (1, 2)],
        ],
    )
    def test_16_parts_that_are_not_those_of_the_plan_are_refused_before_any_byte(
        self, connect: Connect, service: Service, clock: Clock, parts: Any
    ) -> None:
        service.script("create", answer_upload(status="pending", parts=parts))
        with raises(TransferError, "part") as caught:
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
        assert caught.error.upload_id == UPLOAD_ID
        assert service.steps == ["create"]

    @pytest.mark.parametrize(
        "url",
        [
            "http://storage.example/part",
            "http://192.168.0.1/part",
            "https://user:hunter2@storage.example/part",
            "ftp://127.0.0.1/part",
            "file:///etc/passwd",
            "//127.0.0.1/part",
            "/part",
            "",
            "https://",
            "https://a b/",
            "http://127.0.0.1:99999/",
            "https://storage.example/\r\nX-Evil: 1",
            7,
        ],
    )
    def test_15_a_url_that_is_not_safe_is_refused_before_any_byte(
        self, connect: Connect, service: Service, clock: Clock, url: Any
    ) -> None:
        service.script("create", answer_upload(parts=[{"number": 1, "url": url, "expires": "2099-01-01T00:00:00Z"}]))
        with raises(TransferError, "part 1") as caught:
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
        assert caught.error.upload_id == UPLOAD_ID
        assert "hunter2" not in str(caught.error)
        assert service.steps == ["create"]

    @pytest.mark.parametrize(
        ("arguments", "kind"),
        [
            ({"file": b"", "file_name": "a.glb"}, SourceError),
            ({"file": io.BytesIO(), "file_name": "a.glb"}, SourceError),
            ({"file": io.StringIO("x"), "file_name": "a.glb"}, SourceError),
            ({"file": "/no/such/file.glb"}, SourceError),
            ({"file": Path("/")}, SourceError),
            ({"file": "/dev/null", "file_name": "a.glb"}, SourceError),
            ({"file": "a\0b.glb"}, SourceError),
            ({"file": 5, "file_name": "a.glb"}, SourceError),
            ({"file": None, "file_name": "a.glb"}, SourceError),
            ({"file": b"x"}, InvalidArgumentError),
            ({"file": b"x", "file_name": ""}, InvalidArgumentError),
            ({"file": b"x", "file_name": " "}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a\n.glb"}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a\u2028.glb"}, InvalidArgumentError),
            ({"file": b"x", "file_name": "\udcff.glb"}, InvalidArgumentError),
            ({"file": b"x", "file_name": 5}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.unknowable"}, SourceError),
            ({"file": b"x", "file_name": "noextension"}, SourceError),
            ({"file": b"x", "file_name": "a.glb", "kind": "hologram"}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "content_type": "nonsense"}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "asset_options": {"hidden": 1}}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "part_size": 5 * MIB - 1}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "part_size": 5 * 1024 * MIB + 1}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "part_size": 5e6}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "concurrency": 0}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "concurrency": 65}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "concurrency": True}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "concurrency": 2.0}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "timeout": -1}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "timeout": float("nan")}, InvalidArgumentError),
            ({"file": b"x", "file_name": "a.glb", "on_progress": 5}, InvalidArgumentError),
        ],
    )
    def test_31_32_what_cannot_be_sent_is_told_before_any_request(
        self, connect: Connect, service: Service, arguments: dict[str, Any], kind: type[BaseException]
    ) -> None:
        with raises(kind):
            connect(service.url).uploads.upload_file(**arguments)
        assert service.requests == []

    def test_a_coroutine_function_is_no_progress_callback(self, connect: Connect, service: Service) -> None:
        async def watch(progress: object) -> None:
            """Would never be awaited."""

        with raises(InvalidArgumentError, "plain function"):
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb", on_progress=watch)
        assert service.requests == []

    @pytest.mark.parametrize(
        ("size", "part_size"), [(5 * 1024**4 + 1, None), (10_001 * 5 * MIB, 5 * MIB)], ids=["5TiB", "parts"]
    )
    def test_32_a_file_that_is_too_large_is_told_before_any_request(
        self, connect: Connect, service: Service, tmp_path: Path, size: int, part_size: int | None
    ) -> None:
        file = tmp_path / "a.glb"
        with file.open("wb") as opened:
            opened.truncate(size)
        with pytest.raises(InvalidArgumentError, match=r"5 TiB|10,000"):
            connect(service.url).uploads.upload_file(file, part_size=part_size)
        assert service.requests == []

    @pytest.mark.parametrize(
        "name",
        ["Screenshot 2026-01-01 at 9.41.00\u202fAM.png", "a\u00a0b.png", "👨\u200d👩\u200d👧.png", "ファイル.png"],
    )
    def test_names_that_systems_give_are_taken(
        self, connect: Connect, service: Service, clock: Clock, tmp_path: Path, name: str
    ) -> None:
        """macOS puts a narrow no-break space into the name of each screenshot."""
        (tmp_path / name).write_bytes(b"x")
        connect(service.url).uploads.upload_file(tmp_path / name)
        assert service.requests[0].json["fileName"] == name

    def test_a_refused_create_leaves_the_file_as_it_was(self, connect: Connect, service: Service) -> None:
        service.script("create", reply(400, {"reason": "no"}))
        file = io.BytesIO(b"0123456789")
        file.seek(3)
        with raises(BadRequestError, "no") as caught:
            connect(service.url).uploads.upload_file(file, file_name="a.glb")
        assert (file.closed, file.tell(), caught.error.upload_id) == (False, 3, None)

    def test_strict_answers_are_asked_of_every_step(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("complete", reply(200, {"upload": {"status": "validating"}}))
        with raises(APIResponseValidationError, "trigger_upload_action", "upload.id") as caught:
            connect(service.url, strict_responses=True).uploads.upload_file(b"x", file_name="a.glb")
        assert caught.error.upload_id == UPLOAD_ID


class TestOutages:
    """Row 42: nobody can be reached for minutes. Time passes only in pauses, and at 400 s all is well again."""

    @pytest.fixture
    def away(self, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[str]:
        """Refuse every connection to the API in the steps that are named, until 400 s have passed since."""
        steps: list[str] = []
        since: dict[str, float] = {}
        send, send_async = httpx.Client.send, httpx.AsyncClient.send

        def check(request: httpx.Request) -> None:
            step = f"{request.method} {request.url.path.rpartition('/')[2]}"
            if step in steps and clock.seconds < since.setdefault(step, clock.seconds) + 400:
                raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

        def send_late(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
            check(request)
            return send(client, request, **options)

        async def send_late_async(client: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
            check(request)
            return await send_async(client, request, **options)

        monkeypatch.setattr(httpx.Client, "send", send_late)
        monkeypatch.setattr(httpx.AsyncClient, "send", send_late_async)
        return steps

    @pytest.mark.parametrize("step", ["POST uploads", "POST action", f"GET {UPLOAD_ID}"])
    def test_42_an_upload_outlasts_one_in_each_of_its_calls(
        self, connect: Connect, service: Service, clock: Clock, away: list[str], step: str
    ) -> None:
        away.append(step)
        upload = connect(service.url, max_retries=0).uploads.upload_file(b"glTF", file_name="a.glb", timeout=1000)
        assert upload.status == "imported"
        assert service.steps == ["create", "part 1", "complete", "retrieve"]
        assert clock.seconds >= 400

    @pytest.mark.parametrize(
        ("step", "kind"),
        [
            ("POST uploads", APIConnectionError),
            ("POST action", APIConnectionError),
            (f"GET {UPLOAD_ID}", UploadTimeoutError),
        ],
    )
    def test_42_but_not_longer_than_its_patience(
        self,
        connect: Connect,
        service: Service,
        clock: Clock,
        away: list[str],
        step: str,
        kind: type[BaseException],
    ) -> None:
        away += [step, f"GET {UPLOAD_ID}"]
        with pytest.raises(kind):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb", timeout=1000, patience=90)
        assert clock.seconds == pytest.approx(90)

    def test_42_a_handshake_that_is_reset_is_an_outage(self, connect: Connect, clock: Clock) -> None:
        with Resets() as server, raises(APIConnectionError):
            client = connect(f"https://127.0.0.1:{server.port}/v1", max_retries=0)
            client.uploads.upload_file(b"glTF", file_name="a.glb", patience=90)
        assert clock.seconds == pytest.approx(90)

    @pytest.mark.parametrize(("status", "seconds"), [(502, 90), (503, 90), (504, 90), (403, 0), (407, 0), (500, 0)])
    def test_42_a_proxy_that_does_not_reach_the_service_is_one_too(
        self, connect: Connect, clock: Clock, monkeypatch: pytest.MonkeyPatch, status: int, seconds: float
    ) -> None:
        with Server(reply(status)) as proxy, raises(APIConnectionError, str(status)):
            monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
            client = connect("https://api.example/v1", max_retries=0)
            client.uploads.upload_file(b"glTF", file_name="a.glb", patience=90)
        assert clock.seconds == pytest.approx(seconds)

    @pytest.mark.parametrize("code", REPLY_CODES)
    def test_42_by_socks_as_well(self, code: bytes) -> None:
        fault = httpx.ProxyError(f"Proxy Server could not connect: {REPLY_CODES[code]}.")
        assert is_away(fault) is (code in (b"\x01", b"\x03", b"\x04", b"\x05", b"\x06"))

    def test_42_a_single_call_counts_as_before(
        self, connect: Connect, service: Service, clock: Clock, away: list[str]
    ) -> None:
        away.append(f"GET {UPLOAD_ID}")
        with raises(APIConnectionError):
            connect(service.url, max_retries=3).uploads.retrieve(UPLOAD_ID)
        assert clock.pauses == [0.5, 1.0, 2.0]

    def test_42_without_any_patience_an_import_is_waited_for(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("retrieve", *[answer_upload(status="validating", entityId=None)] * 2)
        assert connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb", patience=0).entity_id

    @pytest.mark.parametrize("patience", [-1, float("nan"), "5", None, True])
    def test_42_patience_is_a_number_of_seconds(self, connect: Connect, service: Service, patience: Any) -> None:
        with raises(InvalidArgumentError, "patience"):
            connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb", patience=patience)
        assert service.requests == []


class TestCompleteAgain:
    """Row 41: `complete` was answered, and nothing came of it."""

    def upload(self, connect: Connect, service: Service, **options: Any) -> Any:
        return connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb", **options)

    def test_41_is_said_again_when_polls_go_on_saying_pending(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("retrieve", *statuses("pending", "pending"))
        assert self.upload(connect, service).status == "imported"
        assert service.steps[2:] == ["complete", "retrieve", "retrieve", "complete", "retrieve"]

    def test_41_less_and_less_often_until_the_deadline(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *statuses(*["pending"] * 90))
        with raises(UploadTimeoutError, "'pending'"):
            self.upload(connect, service)
        assert len(service.of("complete")) == 7

    @pytest.mark.parametrize("fault", [lose, reply(409, {}), reply(500, {}), reply(200, b"<html>")])
    def test_41_whatever_becomes_of_it_polls_tell(
        self, connect: Connect, service: Service, clock: Clock, fault: Answering
    ) -> None:
        service.script("complete", VALIDATING, fault)
        service.script("retrieve", *statuses("pending", "pending", "validating"))
        assert self.upload(connect, service).status == "imported"

    def test_41_one_that_is_not_settled_is_left_to_polls(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("complete", *[reply(500, {})] * 6)
        service.script("retrieve", *statuses(*["uploading"] * 7, "pending", "pending"))
        assert self.upload(connect, service).status == "imported"
        assert len(service.of("complete")) == 7

    def test_41_a_stranger_who_waits_completes_nothing(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("retrieve", *statuses(*["pending"] * 9))
        connect(service.url).uploads.wait(UPLOAD_ID)
        assert set(service.steps) == {"retrieve"}

    def test_43_a_long_wait_is_cut_where_a_transfer_is_at_stake(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("complete", reply(503, {}, {"Retry-After": "3600"}))
        service.script("retrieve", PENDING)
        assert self.upload(connect, service).status == "imported"
        assert clock.pauses == [60.0]
