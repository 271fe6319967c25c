"""When an upload is done, and when to look again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.api.calls import (
    FIRST_DELAY,
    LONGEST_DELAY,
    UploadState,
    classify_status,
    is_past_pending,
    next_poll,
)
from scenario_uploads.models import UploadStatus

NEW_STATUS = UploadStatus("quarantined")


@pytest.mark.parametrize(
    ("status", "entity_id", "expected"),
    [
        (UploadStatus.PENDING, None, UploadState.OPEN),
        (UploadStatus.VALIDATING, None, UploadState.OPEN),
        (UploadStatus.VALIDATED, None, UploadState.OPEN),
        (UploadStatus.COMPLETE, None, UploadState.OPEN),
        (UploadStatus.IMPORTED, "asset_1", UploadState.DONE),
        (UploadStatus.IMPORTED, None, UploadState.DONE),
        (UploadStatus.COMPLETE, "asset_1", UploadState.DONE),
        (UploadStatus.VALIDATED, "asset_1", UploadState.DONE),
        (UploadStatus.FAILED, None, UploadState.FAILED),
        (UploadStatus.FAILED, "asset_1", UploadState.FAILED),
        (NEW_STATUS, None, UploadState.OPEN),
        (NEW_STATUS, "asset_1", UploadState.DONE),
        (None, None, UploadState.OPEN),
        (UploadStatus.VALIDATING, "", UploadState.OPEN),
        (5, 7, UploadState.OPEN),
        ([], {}, UploadState.OPEN),
    ],
)
def test_20_22_what_a_status_means_for_who_waits(status: object, entity_id: object, expected: UploadState) -> None:
    """`imported` without an entity is done, `complete` is not, and a status of tomorrow is waited on."""
    assert classify_status(status, entity_id) is expected


@pytest.mark.parametrize("status", [status for status in UploadStatus if status != "pending"] + [NEW_STATUS])
def test_18_every_other_status_comes_after_pending(status: UploadStatus) -> None:
    assert is_past_pending(status)


@pytest.mark.parametrize("status", [UploadStatus.PENDING, "pending", None, 5])
def test_18_an_upload_without_a_status_is_not_taken_for_complete(status: object) -> None:
    assert not is_past_pending(status)


@given(st.integers(0, 10_000), st.floats(-1e6, 1e6))
def test_polls_come_within_bounds_and_end_with_the_time(poll: int, remaining: float) -> None:
    delay = next_poll(poll, remaining)
    if remaining <= 0:
        assert delay is None
        return
    assert delay is not None
    assert 0 < delay <= min(LONGEST_DELAY, remaining)
    assert delay >= min(FIRST_DELAY, remaining)


def test_polls_begin_soon_and_back_off() -> None:
    delays = [next_poll(poll, 1e6) or 0.0 for poll in range(20)]
    assert delays[0] == FIRST_DELAY
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY


def test_the_last_look_is_at_the_deadline() -> None:
    assert next_poll(20, 0.01) == 0.01
