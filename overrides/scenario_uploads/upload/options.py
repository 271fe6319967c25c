"""The arguments of `upload_file`, checked."""

from __future__ import annotations

import inspect
import math
import os
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from scenario_uploads.arguments import CallOptions, check_seconds
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.progress import OnProgress
from scenario_uploads.retry import DEFAULT_PATIENCE
from scenario_uploads.transfer.engine import Turns

from .control import Control

MAX_CONCURRENCY = 64
# Far above any network link.
MAX_BANDWIDTH = 10**15


@frozen
class FileOptions:
    """The arguments of `upload_file` except the file; documented there."""

    kind: str | None = None
    content_type: str | None = None
    file_name: str | None = None
    asset_options: Any = None
    part_size: int | None = None
    concurrency: int = 8
    wait: bool = True
    timeout: float = 300
    patience: float = DEFAULT_PATIENCE
    progress: bool = False
    on_progress: OnProgress | None = None
    integrity: bool = True
    resume: bool | str | os.PathLike[str] | None = None
    max_bandwidth: float | None = None
    restart_on_expiry: bool = True
    deadline: float | None = None
    size: int | None = None
    complete: bool = True
    """Whether to complete the upload once all parts are stored, instead of leaving that to the caller."""
    on_sent: Callable[[str, Mapping[int, str | None]], object] | None = None
    """Called with the id of the upload and the MD5s of its parts when all are stored, before it is completed."""
    turns: Turns | None = None
    """The turns to send a part, when shared with other files."""
    control: Control | None = None
    """Pauses a background upload."""
    call: CallOptions = field(factory=CallOptions)
    """The options of each of its calls to the API: the project."""


def check_file_options(options: FileOptions) -> None:
    """Check the arguments of `upload_file` that can be checked without the file."""
    count = options.concurrency
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_CONCURRENCY:
        raise InvalidArgumentError(f"concurrency must be a whole number from 1 to {MAX_CONCURRENCY}, not {count!r}.")
    told = options.on_progress
    if told is not None and (not callable(told) or inspect.iscoroutinefunction(told)):
        raise InvalidArgumentError(f"on_progress must be a plain function, not {told!r}.")
    check_seconds("timeout", options.timeout, zero=True)
    check_seconds("patience", options.patience, zero=True)
    if options.deadline is not None:
        check_seconds("deadline", options.deadline)
    folder = os.fspath(options.resume) if isinstance(options.resume, str | os.PathLike) else options.resume
    if not isinstance(folder, bool | None) and (not isinstance(folder, str) or not folder or "\0" in folder):
        raise InvalidArgumentError(f"resume must be True, False or the path of a folder, not {options.resume!r}.")
    rate = options.max_bandwidth
    number = isinstance(rate, int | float) and not isinstance(rate, bool)
    if rate is not None and not (number and (1 <= rate <= MAX_BANDWIDTH or rate == math.inf)):
        raise InvalidArgumentError(
            f"max_bandwidth must be a number of bytes a second from 1 to {MAX_BANDWIDTH:,}, not {rate!r}."
        )


# Control characters, surrogates and Unicode line ends. Unusual spaces are allowed: macOS uses one in the names of
# screenshots.
_NOT_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def check_file_name(name: str | None) -> str:
    """Return the name to upload under; it must not be empty or have control characters."""
    if name is None:
        raise InvalidArgumentError("The upload has no file name; give file_name=, such as 'dragon.glb'.")
    if not isinstance(name, str) or not name.strip() or any(unicodedata.category(c) in _NOT_IN_NAMES for c in name):
        raise InvalidArgumentError(f"file_name must be a name without control characters, not {name!r}.")
    return name
