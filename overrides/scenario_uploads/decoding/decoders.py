"""The decoder for each type annotation of a generated model.

Decoders never raise. A value of the wrong type is reported and returned as it is.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import attrs

from scenario_uploads.redaction import mask_urls, snippet

from .enums import is_known, unknown_member
from .fields import allows_null, choices_of

Report = Callable[[str, str], None]
"""Takes the path of a field and what is wrong with it."""

Decoder = Callable[[Any, str, Report], Any]
"""Takes a value, its path, and where to report."""

Nested = Callable[[type, Mapping[str, Any], Report, str], Any]
_SCALARS: dict[type, str] = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def find_decoder(annotation: Any, nested: Nested, *, new_values: bool = True) -> Decoder:
    """Return the decoder for a JSON value that is not null; with `new_values`, enums accept unknown values."""
    choices = choices_of(annotation)
    if len(choices) != 1:
        return _decode_union(tuple(find_decoder(choice, nested, new_values=new_values) for choice in choices))
    (choice,) = choices
    if choice in _SCALARS:
        return _decode_text if choice is str else _decode_scalar(choice)
    if get_origin(choice) is list:
        return _decode_list(find_item_decoder(get_args(choice)[0], nested, new_values=new_values))
    if get_origin(choice) is Literal:
        return _decode_literal(get_args(choice))
    if isinstance(choice, type) and issubclass(choice, Enum):
        return _decode_enum(choice, new_values=new_values)
    if isinstance(choice, type) and attrs.has(choice):
        return _decode_model(choice, nested)
    if choice in (datetime.datetime, datetime.date, uuid.UUID):
        return _decode_parsed(choice)
    return _decode_any


def find_item_decoder(annotation: Any, nested: Nested, *, new_values: bool = True) -> Decoder:
    """Return the decoder for an item of a list or map, which reports null unless the annotation allows it."""
    decode_value, nullable = find_decoder(annotation, nested, new_values=new_values), allows_null(annotation)

    def decode_item(value: Any, path: str, report: Report) -> Any:
        if value is not None:
            return decode_value(value, path, report)
        if not nullable:
            report(path, "is null")
        return None

    return decode_item


def _wrong(value: object, path: str, report: Report, expected: str) -> object:
    report(path, f"should be {expected} and is {_describe(value)}")
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


def _decode_any(value: Any, path: str, report: Report) -> Any:  # noqa: ARG001
    return mask_urls(value)


def _decode_text(value: Any, path: str, report: Report) -> Any:
    return mask_urls(value) if isinstance(value, str) else _wrong(value, path, report, "a string")


def _decode_scalar(scalar: type) -> Decoder:
    def decode_scalar(value: Any, path: str, report: Report) -> Any:
        if type(value) is scalar or (scalar is float and type(value) is int):
            return value
        # A member of an IntEnum is a whole number, and so is 5.0, since JSON has one type of numbers.
        whole = value.is_integer() if isinstance(value, float) else isinstance(value, int) and type(value) is not bool
        return int(value) if scalar is int and whole else _wrong(value, path, report, _SCALARS[scalar])

    return decode_scalar


def _decode_list(decode_item: Decoder) -> Decoder:
    def decode_list(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, list | tuple):
            return _wrong(value, path, report, "a list")
        return [decode_item(item, f"{path}[{index}]", report) for index, item in enumerate(value)]

    return decode_list


def _decode_literal(allowed: tuple[Any, ...]) -> Decoder:
    def decode_literal(value: Any, path: str, report: Report) -> Any:
        known = any(type(value) is type(choice) and value == choice for choice in allowed)
        return value if known else _wrong(value, path, report, " or ".join(map(repr, allowed)))

    return decode_literal


def _decode_enum(enum: type[Enum], *, new_values: bool) -> Decoder:
    base: type = str if issubclass(enum, str) else int
    decode_base = _decode_text if base is str else _decode_scalar(base)

    def decode_enum(value: Any, path: str, report: Report) -> Any:
        if isinstance(value, enum):
            return value
        plain = decode_base(value, path, report)
        if not isinstance(plain, base) or isinstance(plain, bool):
            return plain
        if (member := enum._value2member_map_.get(plain)) is not None:
            return member
        if not new_values:
            known = ", ".join(repr(choice.value) for choice in enum)
            report(path, f"is {_describe(plain)}, and the contract knows {known}")
        return unknown_member(enum, plain)

    return decode_enum


def _decode_model(model: type, nested: Nested) -> Decoder:
    def decode_model(value: Any, path: str, report: Report) -> Any:
        if isinstance(value, model):
            return value
        if not isinstance(value, Mapping):
            return _wrong(value, path, report, "an object")
        return nested(model, value, report, f"{path}.")

    return decode_model


def _decode_parsed(kind: type) -> Decoder:
    def decode_parsed(value: Any, path: str, report: Report) -> Any:
        if type(value) is kind:
            return value
        from dateutil.parser import isoparse  # noqa: PLC0415 - slow to import, and rarely needed

        parse: dict[type, Callable[[str], object]] = {
            datetime.datetime: isoparse,
            datetime.date: datetime.date.fromisoformat,
            uuid.UUID: uuid.UUID,
        }
        try:
            if isinstance(value, str):
                return parse[kind](value)
        except (ValueError, OverflowError):
            pass
        return _wrong(value, path, report, f"a {kind.__name__}")

    return decode_parsed


def _decode_union(decoders: tuple[Decoder, ...]) -> Decoder:
    def decode_union(value: Any, path: str, report: Report) -> Any:
        fitting = []
        for decode_choice in decoders:
            problems: list[tuple[str, ...]] = []
            result = decode_choice(value, path, lambda *problem, problems=problems: problems.append(problem))
            if not problems:
                fitting.append(result)
        # A string may fit several choices: known values and dates win over unknown enum values and plain strings.
        return min(fitting, key=_rank) if fitting else _wrong(value, path, report, "one of what the contract allows")

    return decode_union


def _rank(decoded: object) -> int:
    if isinstance(decoded, Enum):
        return 0 if is_known(decoded) else 1
    return 2 if isinstance(decoded, str) else 0
