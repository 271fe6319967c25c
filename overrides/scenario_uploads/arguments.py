"""Types of arguments, the sentinels for arguments that are not given, named as scenario-sdk's, and limits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import BinaryIO, Final, Literal, Protocol

import httpx
from attrs import field, frozen

from .errors import InvalidArgumentError

MIB = 1024 * 1024
GIB = 1024 * MIB
# Limits of S3's multipart upload, in bytes, where Scenario stores files.
MIN_PART_SIZE = 5 * MIB
MAX_PART_SIZE = 5 * GIB
MAX_PARTS = 10_000
MAX_FILE_SIZE = 5 * 1024 * GIB
# Limits of our own.
MAX_AT_ONCE = 64  # files, and parts
MAX_SECONDS = 1_000_000_000  # larger timeouts overflow on some operating systems


class _Sentinel:
    _name = ""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return self._name


class NotGiven(_Sentinel):
    """The type of `NOT_GIVEN`, which as an argument means the same as leaving it out."""

    __module__ = "scenario_uploads"
    _name = "NOT_GIVEN"


class Omit(_Sentinel):
    """The type of `omit`: an argument that is left out; a header or a query parameter that is not sent even by default.

    `client.uploads.create(url=url, kind=kind or omit)` leaves out an empty kind.
    """

    __module__ = "scenario_uploads"
    _name = "omit"


NOT_GIVEN: Final = NotGiven()
not_given: Final = NOT_GIVEN
omit: Final = Omit()

Headers = Mapping[str, str | Omit]
"""Header names and values; `omit` for a header not to send."""

Query = Mapping[str, object]
"""Names of query parameters and their values: strings, numbers, booleans, dates, and lists or mappings of these."""


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int = ..., /) -> bytes:
        """Return at most `size` bytes; empty at the end."""
        ...


FileInput = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Readable
"""A path, the URL of a file, the bytes themselves, or a binary file object."""


@frozen
class CallOptions:
    """What one call adds to the client's settings, checked; `timeout` and `project_id` may be None."""

    headers: Headers = field(factory=dict, repr=False)
    query: Query = field(factory=dict, repr=False)
    body: Mapping[str, object] = field(factory=dict, repr=False)
    timeout: httpx.Timeout | None = None
    project_id: str | None = None
    about: str = ""  # how its log lines begin: with the name of the file, if any


def is_given(value: object) -> bool:
    """Return whether an argument is neither `NOT_GIVEN` nor `omit`."""
    return not isinstance(value, NotGiven | Omit)


def check_argument(name: str, value: object, usable: object, what: str) -> None:
    """Raise InvalidArgumentError for a value that is not usable, saying what is."""
    if not usable:
        raise InvalidArgumentError(f"{name} must be {what}, not {value!r}.")


def check_count(name: str, value: object) -> None:
    """Check how many parts or files may be sent at once."""
    usable = type(value) is int and 1 <= value <= MAX_AT_ONCE
    check_argument(name, value, usable, f"a whole number from 1 to {MAX_AT_ONCE}")


def check_path(name: str, value: object, what: str) -> None:
    """Check a path. A blank one, as of a variable that is not set, would be the current folder."""
    text = os.fsdecode(value) if isinstance(value, str | os.PathLike) else ""
    check_argument(name, value, text.strip() and "\0" not in text, what)


def check_seconds(name: str, value: object, *, zero: bool = False) -> float:
    """Return `value` when it is a number of seconds above 0 (with `zero`, from 0) and below 30 years."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    usable = number and 0 <= value <= MAX_SECONDS and (value != 0 or zero)  # type: ignore[operator]
    check_argument(name, value, usable, f"a number of seconds {'from' if zero else 'above'} 0 to {MAX_SECONDS:,}")
    return float(value)  # type: ignore[arg-type]
