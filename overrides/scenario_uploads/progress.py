"""The events of `on_progress` callbacks, and formatting of bytes and times."""

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
    """The progress of an upload, passed to `on_progress`.

    Attributes:
        phase: The current step.
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


@frozen
class BulkProgress:
    """The progress of `upload_many`, passed to `on_progress`.

    Attributes:
        files_found: Files found so far, including skipped ones.
        files_done: Files that were uploaded.
        files_skipped: Files that were not sent: done before, excluded, hidden, links.
        files_failed: Files with an error.
        bytes_found: Bytes of the files to send, found so far.
        bytes_done: Bytes sent so far. It falls only when a part is sent again.
        complete: Whether all sources were listed, so that `files_found` is final.
    """

    __module__ = "scenario_uploads"

    files_found: int = 0
    files_done: int = 0
    files_skipped: int = 0
    files_failed: int = 0
    bytes_found: int = 0
    bytes_done: int = 0
    complete: bool = False


OnProgress = Callable[[UploadProgress], object]


def format_size(size: float, of: float | None = None) -> str:
    """Return a number of bytes in binary units, such as `1.5 MiB`; with `of`, in its unit, as `0.2/1.5 MiB`."""
    values = [float(size)] if of is None else [float(size), float(of)]
    units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    # 1023.95 would round to 1024.0.
    while values[-1] >= 1023.95 and len(units) > 1:
        values = [value / 1024 for value in values]
        units.pop(0)
    digits = 0 if units[0] == "B" or values[-1] >= 100 else 1
    return f"{'/'.join(f'{value:.{digits}f}' for value in values)} {units[0]}"


def format_duration(seconds: float) -> str:
    """Return a time such as `12 s`, `2:13` or `1:02:13`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}" if minutes else f"{rest} s"
