"""When an upload is done, and when to poll again. Pure functions.

The delay grows: small files are ready within a second, large ones take minutes.
"""

from __future__ import annotations

from enum import Enum

FIRST_DELAY = 0.25
GROWTH = 1.5
LONGEST_DELAY = 5.0


class UploadState(Enum):
    """What a status means to a caller who waits."""

    DONE = "done"
    FAILED = "failed"
    OPEN = "open"


def classify_status(status: object, entity_id: object) -> UploadState:
    """Return the state for a status and entity id; `complete` and unknown statuses mean that it goes on."""
    if status == "failed":
        return UploadState.FAILED
    if status == "imported" or (isinstance(entity_id, str) and entity_id):
        return UploadState.DONE
    return UploadState.OPEN


def is_past_pending(status: object) -> bool:
    """Return whether the service has accepted that all parts are there."""
    return isinstance(status, str) and status != "pending"


def is_complete_due(pending: int) -> bool:
    """Return whether to repeat `complete` after 2, 4, 8 or 16 `pending` polls; the first may be stale."""
    return pending > 1 and pending & (pending - 1) == 0


def next_poll(poll: int, remaining: float) -> float | None:
    """Return the seconds before the next poll, or None at the deadline; the last poll is at the deadline."""
    if remaining <= 0:
        return None
    return min(LONGEST_DELAY, FIRST_DELAY * GROWTH ** min(poll, 30), remaining)
