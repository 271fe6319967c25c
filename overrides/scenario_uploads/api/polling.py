"""When an upload is done, and when to look again. Pure.

The service's docs poll every 3 seconds for ever. Small files are ready sooner and large ones take minutes, so the
delay starts short and grows.
"""

from __future__ import annotations

from enum import Enum

FIRST_DELAY = 0.25
GROWTH = 1.5
LONGEST_DELAY = 5.0


class UploadState(Enum):
    """What a status means for someone who waits."""

    DONE = "done"
    FAILED = "failed"
    OPEN = "open"


def classify_status(status: object, entity_id: object) -> UploadState:
    """Return whether an upload with this status and entity id is at its end.

    `imported` is, with or without an entity; so is any upload that has an entity. `complete` means that the service
    still works on it, and a status that this client does not know is waited on.
    """
    if status == "failed":
        return UploadState.FAILED
    if status == "imported" or (isinstance(entity_id, str) and entity_id):
        return UploadState.DONE
    return UploadState.OPEN


def is_past_pending(status: object) -> bool:
    """Return whether the service has accepted that all parts are there."""
    return isinstance(status, str) and status != "pending"


def is_complete_due(pending: int) -> bool:
    """Return whether `complete` is to be sent again after so many polls that said `pending`.

    After 2, 4, 8, 16 of them: the first may be a look at what the service has not written yet.
    """
    return pending > 1 and pending & (pending - 1) == 0


def next_poll(poll: int, remaining: float) -> float | None:
    """Return the seconds to sleep before looking again, or None when the time is up.

    Args:
        poll: How often was looked before, from 0.
        remaining: Seconds to the deadline. The last look is at the deadline, not before it.
    """
    if remaining <= 0:
        return None
    return min(LONGEST_DELAY, FIRST_DELAY * GROWTH ** min(poll, 30), remaining)
