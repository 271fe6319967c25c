"""When an upload is done."""

from typing import Any

import pytest
from scenario_uploads import UploadFailedError
from scenario_uploads.api.calls import is_imported, is_past_pending
from scenario_uploads.models import Upload, UploadStatus

NEW_STATUS = UploadStatus("quarantined")


def make_upload(status: Any, entity_id: Any) -> Upload:
    upload = Upload.from_dict({"id": "upload_1"})
    upload.status, upload.entity_id = status, entity_id
    return upload


@pytest.mark.parametrize(
    ("status", "entity_id", "expected"),
    [
        (UploadStatus.PENDING, None, False),
        (UploadStatus.VALIDATING, None, False),
        (UploadStatus.VALIDATED, None, False),
        (UploadStatus.COMPLETE, None, False),
        (UploadStatus.IMPORTED, "asset_1", True),
        (UploadStatus.IMPORTED, None, True),
        (UploadStatus.COMPLETE, "asset_1", True),
        (UploadStatus.VALIDATED, "asset_1", True),
        (NEW_STATUS, None, False),
        (NEW_STATUS, "asset_1", True),
        (None, None, False),
        (UploadStatus.VALIDATING, "", False),
        (5, 7, False),
        ([], {}, False),
    ],
)
def test_20_22_what_a_status_means_for_who_waits(status: Any, entity_id: Any, expected: bool) -> None:
    """`imported` without an entity is done, `complete` is not, and a status of tomorrow is waited on."""
    assert is_imported(make_upload(status, entity_id), "upload_1") is expected


@pytest.mark.parametrize("entity_id", [None, "asset_1"])
def test_21_failed_is_an_error(entity_id: str | None) -> None:
    with pytest.raises(UploadFailedError, match="upload_1 failed: no reason given"):
        is_imported(make_upload(UploadStatus.FAILED, entity_id), "upload_1")


@pytest.mark.parametrize("status", [status for status in UploadStatus if status != "pending"] + [NEW_STATUS])
def test_18_every_other_status_comes_after_pending(status: UploadStatus) -> None:
    assert is_past_pending(status)


@pytest.mark.parametrize("status", [UploadStatus.PENDING, "pending", None, 5])
def test_18_an_upload_without_a_status_is_not_taken_for_complete(status: object) -> None:
    assert not is_past_pending(status)
