"""Decode single values: strings, numbers, dates, enums, lists, unions. A wrong value is reported and returned as is."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any

import attrs

from scenario_uploads.redaction import mask_urls, snippet

from .enums import is_known

SHOWN_PROBLEMS = 10


@attrs.define
class Problems:
    """Problems of a response or, with `given`, of a caller's arguments, where unknown names are an error."""

    given: bool = False
    count: int = 0
    shown: list[str] = attrs.field(factory=list)

    def add(self, path: str, problem: str) -> None:
        """Record what is wrong with a field."""
        self.count += 1
        # Keep a few: a response may have a million problems.
        if self.count <= SHOWN_PROBLEMS:
            self.shown.append(f"{snippet(path)} {problem}")

    def __str__(self) -> str:
        more = self.count - len(self.shown)
        return "; ".join(self.shown) + (f"; and {more} more" if more else "")


Decoder = Callable[[Any, str, Problems], Any]
"""Takes a value that is not null, its path, and the problems to add to."""


def report_wrong(value: object, path: str, problems: Problems, expected: str) -> object:
    """Report a wrong value; return it without secrets."""
    problems.add(path, f"should be {expected} and is {_describe(value)}")
    return mask_urls(value)


def _describe(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a huge number"
    return snippet(repr(mask_urls(value)), 60)


def decode_any(value: Any, path: str, problems: Problems) -> Any:  # noqa: ARG001
    """Return a value of any type, with masked URLs."""
    return mask_urls(value)


def _decode_text(value: Any, path: str, problems: Problems) -> Any:
    return mask_urls(value) if isinstance(value, str) else report_wrong(value, path, problems, "a string")


def _decode_scalar(
    kind: type, expected: str, convert: Callable[[Any], object], value: Any, path: str, problems: Problems
) -> Any:
    try:
        return value if type(value) is kind else convert(value)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return report_wrong(value, path, problems, expected)


def _to_whole(value: Any) -> int:
    # JSON has one type of numbers, so 5.0 is a whole one.
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(value)
    return int(value)


def _to_number(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(value)
    return value


def _to_datetime(value: Any) -> datetime.datetime:
    from dateutil.parser import isoparse  # noqa: PLC0415 - slow to import, and rarely needed

    return isoparse(value)


def decode_list(decode_item: Decoder, value: Any, path: str, problems: Problems) -> Any:
    """Decode the items of a list."""
    if not isinstance(value, list | tuple):
        return report_wrong(value, path, problems, "a list")
    return [decode_item(item, f"{path}[{index}]", problems) for index, item in enumerate(value)]


def decode_literal(allowed: tuple[Any, ...], value: Any, path: str, problems: Problems) -> Any:
    """Return one of a few constants."""
    known = any(type(value) is type(choice) and value == choice for choice in allowed)
    return value if known else report_wrong(value, path, problems, " or ".join(map(repr, allowed)))


DECODERS: dict[Any, Decoder] = {
    str: _decode_text,
    int: partial(_decode_scalar, int, "a whole number", _to_whole),
    float: partial(_decode_scalar, float, "a number", _to_number),
    bool: partial(decode_literal, (True, False)),
    datetime.datetime: partial(_decode_scalar, datetime.datetime, "a datetime", _to_datetime),
    datetime.date: partial(_decode_scalar, datetime.date, "a date", datetime.date.fromisoformat),
    uuid.UUID: partial(_decode_scalar, uuid.UUID, "a UUID", uuid.UUID),
}


def decode_enum(enum: type[Enum], value: Any, path: str, problems: Problems) -> Any:
    """Return a member, one of its own for a value that the contract does not know."""
    if isinstance(value, enum):
        return value
    base: type = str if issubclass(enum, str) else int
    plain = DECODERS[base](value, path, problems)
    if not isinstance(plain, base) or isinstance(plain, bool):
        return plain
    member = enum(plain)
    if problems.given and not is_known(member):
        known = ", ".join(repr(one.value) for one in enum)
        problems.add(path, f"is {_describe(plain)}, and the contract knows {known}")
    return member


def decode_union(decoders: Sequence[Decoder], value: Any, path: str, problems: Problems) -> Any:
    """Decode a value that may be of several types, as the one that fits best."""
    fitting: list[object] = []
    for decode_choice in decoders:
        found = Problems(problems.given)
        result = decode_choice(value, path, found)
        if not found.count:
            fitting.append(result)
    if not fitting:
        return report_wrong(value, path, problems, "one of what the contract allows")
    # A string may fit several choices: known values and dates win over unknown enum values and plain strings.
    return min(fitting, key=_rank)


def _rank(decoded: object) -> int:
    if isinstance(decoded, Enum):
        return 0 if is_known(decoded) else 1
    return 2 if isinstance(decoded, str) else 0
