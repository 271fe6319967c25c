"""What an `on_progress` callback is told."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from attrs import frozen


class UploadPhase(StrEnum):
    """What `upload_file` is doing."""

    __module__ = "scenario_uploads"

    TRANSFERRING = "transferring"
    COMPLETING = "completing"
    WAITING = "waiting"
    DONE = "done"


@frozen
class UploadProgress:
    """Where an upload stands, as `on_progress` gets it.

    Attributes:
        phase: What is being done.
        bytes_done: Bytes sent so far. It falls only when a part is sent again.
        bytes_total: Bytes of the file.
        parts_done: Parts that storage has acknowledged.
        parts_total: Parts of the file.
        attempt: The most often that any part has been tried, from 1.
    """

    __module__ = "scenario_uploads"

    phase: UploadPhase
    bytes_done: int
    bytes_total: int
    parts_done: int
    parts_total: int
    attempt: int = 1


OnProgress = Callable[[UploadProgress], object]
