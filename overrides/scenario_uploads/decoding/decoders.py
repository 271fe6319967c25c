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
        """Return a text that lists the problems, empty when there are none."""
        more = self.count - len(self.shown)
        return "; ".join(self.shown) + (f"; and {more} more" if more else "")


Decoder = Callable[[Any, str, Problems], Any]
"""Takes a value that is not null, its path, and the problems to add to."""


def report_wrong(value: object, path: str, problems: Problems, expected: str) -> object:
    """Report a wrong value; return it without secrets."""
    problems.add(path, f"should be {expected} and is {_describe(value)}")
    return mask_urls(value)


def _describe(value: object) -> str:
    """Describe a wrong value, shortened and without secrets."""
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


def _decode_scalar(scalar: type, expected: str, value: Any, path: str, problems: Problems) -> Any:
    if type(value) is scalar or (scalar is float and type(value) is int):
        return value
    # A member of an IntEnum is a whole number, and so is 5.0, since JSON has one type of numbers.
    whole = value.is_integer() if isinstance(value, float) else isinstance(value, int) and type(value) is not bool
    return int(value) if scalar is int and whole else report_wrong(value, path, problems, expected)


def _decode_parsed(kind: type, parse: Callable[[str], object], value: Any, path: str, problems: Problems) -> Any:
    if type(value) is kind:
        return value
    try:
        if isinstance(value, str):
            return parse(value)
    except (ValueError, OverflowError):
        pass
    return report_wrong(value, path, problems, f"a {kind.__name__}")


def _parse_datetime(text: str) -> datetime.datetime:
    from dateutil.parser import isoparse  # noqa: PLC0415 - slow to import, and rarely needed

    return isoparse(text)


DECODERS: dict[Any, Decoder] = {
    str: _decode_text,
    int: partial(_decode_scalar, int, "a whole number"),
    float: partial(_decode_scalar, float, "a number"),
    bool: partial(_decode_scalar, bool, "true or false"),
    datetime.datetime: partial(_decode_parsed, datetime.datetime, _parse_datetime),
    datetime.date: partial(_decode_parsed, datetime.date, datetime.date.fromisoformat),
    uuid.UUID: partial(_decode_parsed, uuid.UUID, uuid.UUID),
}


def decode_list(decode_item: Decoder, value: Any, path: str, problems: Problems) -> Any:
    """Decode the items of a list."""
    if not isinstance(value, list | tuple):
        return report_wrong(value, path, problems, "a list")
    return [decode_item(item, f"{path}[{index}]", problems) for index, item in enumerate(value)]


def decode_literal(allowed: tuple[Any, ...], value: Any, path: str, problems: Problems) -> Any:
    """Return one of a few constants."""
    known = any(type(value) is type(choice) and value == choice for choice in allowed)
    return value if known else report_wrong(value, path, problems, " or ".join(map(repr, allowed)))


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
        problems.add(
            path, f"is {_describe(plain)}, and the contract knows {', '.join(repr(one.value) for one in enum)}"
        )
    return member


def decode_union(decoders: Sequence[Decoder], value: Any, path: str, problems: Problems) -> Any:
    """Decode a value that may be of several types, as the one that fits best."""
    fitting: list[object] = []
    for decode_choice in decoders:
        found = Problems(problems.given)
        result = decode_choice(value, path, found)
        if not found.count:
            fitting.append(result)
    # A string may fit several choices: known values and dates win over unknown enum values and plain strings.
    return (
        min(fitting, key=_rank) if fitting else report_wrong(value, path, problems, "one of what the contract allows")
    )


def _rank(decoded: object) -> int:
    if isinstance(decoded, Enum):
        return 0 if is_known(decoded) else 1
    return 2 if isinstance(decoded, str) else 0
