"""What `upload_file` takes besides the client, and what its progress callback gets."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable
from enum import StrEnum
from typing import Any, BinaryIO

from attrs import frozen

from .checks import check_seconds
from .errors import InvalidArgumentError

MAX_CONCURRENCY = 64
# No link is faster by far.
MAX_BANDWIDTH = 10**15

FileInput = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes themselves, or a seekable binary file object."""


class UploadPhase(StrEnum):
    """What `upload_file` is doing."""

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

    phase: UploadPhase
    bytes_done: int
    bytes_total: int
    parts_done: int
    parts_total: int
    attempt: int = 1


OnProgress = Callable[[UploadProgress], object]


@frozen
class FileOptions:
    """What `upload_file` takes besides the file; see there."""

    kind: str | None = None
    content_type: str | None = None
    file_name: str | None = None
    asset_options: Any = None
    part_size: int | None = None
    concurrency: int = 8
    wait: bool = True
    timeout: float = 300
    on_progress: OnProgress | None = None
    integrity: bool = True
    resume: bool | str | os.PathLike[str] = False
    max_bandwidth: float | None = None
    restart_on_expiry: bool = True


def check_file_options(options: FileOptions) -> None:
    """Check what can be told from the arguments alone.

    Raises:
        InvalidArgumentError: When one cannot be used.
    """
    count = options.concurrency
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_CONCURRENCY:
        raise InvalidArgumentError(f"concurrency must be a whole number from 1 to {MAX_CONCURRENCY}, not {count!r}.")
    told = options.on_progress
    if told is not None and (not callable(told) or inspect.iscoroutinefunction(told)):
        raise InvalidArgumentError(f"on_progress must be a plain function, not {told!r}.")
    check_seconds("timeout", options.timeout, zero=True)
    folder = os.fspath(options.resume) if isinstance(options.resume, str | os.PathLike) else options.resume
    if not isinstance(folder, bool) and (not isinstance(folder, str) or not folder or "\0" in folder):
        raise InvalidArgumentError(f"resume must be True, False or the path of a folder, not {options.resume!r}.")
    rate = options.max_bandwidth
    number = isinstance(rate, int | float) and not isinstance(rate, bool)
    if rate is not None and not (number and (1 <= rate <= MAX_BANDWIDTH or rate == math.inf)):
        raise InvalidArgumentError(
            f"max_bandwidth must be a number of bytes a second from 1 to {MAX_BANDWIDTH:,}, not {rate!r}."
        )
