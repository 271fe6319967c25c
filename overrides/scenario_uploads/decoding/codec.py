"""Decode JSON to generated models, and build request models from a caller's arguments.

The generated `from_dict` raises on the first surprise. This module reads the type annotations of the generated classes
instead, so it handles every present and future model. Decoders never raise: a value of the wrong type is reported and
returned as it is.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs

from scenario_uploads.arguments import is_given
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.redaction import mask_urls, snippet

from .enums import is_known
from .fields import AdditionalProperties, allows_null, attribute_hints, choices_of, json_names, list_fields

T = TypeVar("T")

SHOWN_PROBLEMS = 10


@attrs.define
class Problems:
    """What is wrong with a response or, with `given`, with a caller's arguments, where what is unknown is a slip."""

    given: bool = False
    count: int = 0
    shown: list[str] = attrs.field(factory=list)

    def add(self, path: str, problem: str) -> None:
        """Record what is wrong with a field."""
        self.count += 1
        # A response may have a million problems.
        if self.count <= SHOWN_PROBLEMS:
            self.shown.append(f"{snippet(path)} {problem}")

    def __str__(self) -> str:
        """Return a text that lists the problems, empty when there are none."""
        more = self.count - len(self.shown)
        return "; ".join(self.shown) + (f"; and {more} more" if more else "")


Decoder = Callable[[Any, str, Problems], Any]
"""Takes a value that is not null, its path, and where to report."""


@attrs.frozen
class Field:
    """One field of a model."""

    attribute: str
    key: str
    required: bool
    nullable: bool
    decode: Decoder


@attrs.frozen
class ModelShape:
    """The fields of a generated model, and the decoder of others, or None where none are allowed."""

    fields: tuple[Field, ...]
    attributes: dict[str, str]  # the key of each
    keys: frozenset[str]
    decode_extra: Decoder | None
    any_extra: bool  # whether the contract says nothing about other fields


def decode_response(model: type[T], data: Mapping[str, Any]) -> tuple[T, str]:
    """Decode a response body; return it with a text that lists its problems, empty when there are none."""
    problems = Problems()
    return decode(model, data, problems), str(problems)


def build_body(model: type[T], operation: str, arguments: Mapping[str, Any]) -> T:
    """Return the body of an operation from a caller's keyword arguments; an error lists what is wrong with them."""
    problems = Problems(given=True)
    body = decode(model, {name: value for name, value in arguments.items() if is_given(value)}, problems)
    if problems.count:
        raise InvalidArgumentError(f"{operation}: {problems}.")
    return body


def decode(model: type[T], data: Mapping[str, Any], problems: Problems, path: str = "") -> T:
    """Build a model. In a response what is absent reads None; in arguments, of either name, None is left out."""
    shape, given = _find_shape(model), problems.given  # type: ignore[arg-type]  # mypy has no hash for types
    values: dict[str, Any] = {}
    absent: list[str] = []
    for field in shape.fields:
        name = shown = field.key
        if given:
            shown = field.attribute
            name = shown if shown in data else name
        value = data.get(name)
        if value is not None:
            values[field.attribute] = field.decode(value, path + shown, problems)
            continue
        if field.required or not given:
            values[field.attribute] = None
        if name not in data:
            absent.append(field.attribute)
        if field.required and not (field.nullable and name in data):
            problems.add(path + shown, "is null" if name in data and not given else "is missing")
    extra: dict[Any, Any] = {}
    for key in data:
        if key in shape.keys or (given and key in shape.attributes):
            continue
        shown = path + snippet(str(key), 60)
        if given and (shape.any_extra or shape.decode_extra is None):
            problems.add(shown, f"is not known; there are {', '.join(shape.attributes)}")
        elif shape.decode_extra is None:
            problems.add(shown, "is not in the contract, which allows no more fields here")
        else:
            extra[mask_urls(key)] = shape.decode_extra(data[key], shown, problems)
    result = model(**values)
    if shape.decode_extra is not None and (extra or absent):
        result.additional_properties = AdditionalProperties(extra, absent)  # type: ignore[attr-defined]
    return result


@cache
def _find_shape(model: Any) -> ModelShape:
    names, hints = json_names(model), attribute_hints(model)
    fields = tuple(
        Field(
            attribute=field.name,
            key=names[field.name],
            required=field.default is attrs.NOTHING,
            nullable=allows_null(hints[field.name]),
            decode=find_decoder(hints[field.name]),
        )
        for field in list_fields(model)
    )
    _, extra = get_args(hints.get("additional_properties", dict[str, None]))
    decode_extra = None if "additional_properties" not in hints else find_item_decoder(extra)
    # A model without fields of its own is a map, which takes any key.
    return ModelShape(fields, names, frozenset(names.values()), decode_extra, extra is Any and bool(fields))


def find_decoder(annotation: Any) -> Decoder:
    """Return the decoder for a JSON value that is not null."""
    choices = choices_of(annotation)
    if len(choices) != 1:
        return partial(_decode_union, [find_decoder(choice) for choice in choices])
    (choice,) = choices
    if get_origin(choice) is list:
        return partial(_decode_list, find_item_decoder(get_args(choice)[0]))
    if get_origin(choice) is Literal:
        return partial(_decode_literal, get_args(choice))
    if isinstance(choice, type) and issubclass(choice, Enum):
        return partial(_decode_enum, choice)
    if isinstance(choice, type) and attrs.has(choice):
        return partial(_decode_model, choice)
    return _DECODERS.get(choice, _decode_any)


def find_item_decoder(annotation: Any) -> Decoder:
    """Return the decoder for an item of a list or map, which reports null unless the annotation allows it."""
    return partial(_decode_item, find_decoder(annotation), allows_null(annotation))


def _decode_item(decode_value: Decoder, nullable: bool, value: Any, path: str, problems: Problems) -> Any:
    if value is not None:
        return decode_value(value, path, problems)
    if not nullable:
        problems.add(path, "is null")
    return None


def _wrong(value: object, path: str, problems: Problems, expected: str) -> object:
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


def _decode_any(value: Any, path: str, problems: Problems) -> Any:  # noqa: ARG001
    return mask_urls(value)


def _decode_text(value: Any, path: str, problems: Problems) -> Any:
    return mask_urls(value) if isinstance(value, str) else _wrong(value, path, problems, "a string")


def _decode_scalar(scalar: type, expected: str, value: Any, path: str, problems: Problems) -> Any:
    if type(value) is scalar or (scalar is float and type(value) is int):
        return value
    # A member of an IntEnum is a whole number, and so is 5.0, since JSON has one type of numbers.
    whole = value.is_integer() if isinstance(value, float) else isinstance(value, int) and type(value) is not bool
    return int(value) if scalar is int and whole else _wrong(value, path, problems, expected)


def _decode_parsed(kind: type, parse: Callable[[str], object], value: Any, path: str, problems: Problems) -> Any:
    if type(value) is kind:
        return value
    try:
        if isinstance(value, str):
            return parse(value)
    except (ValueError, OverflowError):
        pass
    return _wrong(value, path, problems, f"a {kind.__name__}")


def _parse_datetime(text: str) -> datetime.datetime:
    from dateutil.parser import isoparse  # noqa: PLC0415 - slow to import, and rarely needed

    return isoparse(text)


_DECODERS: dict[Any, Decoder] = {
    str: _decode_text,
    int: partial(_decode_scalar, int, "a whole number"),
    float: partial(_decode_scalar, float, "a number"),
    bool: partial(_decode_scalar, bool, "true or false"),
    datetime.datetime: partial(_decode_parsed, datetime.datetime, _parse_datetime),
    datetime.date: partial(_decode_parsed, datetime.date, datetime.date.fromisoformat),
    uuid.UUID: partial(_decode_parsed, uuid.UUID, uuid.UUID),
}


def _decode_list(decode_item: Decoder, value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, list | tuple):
        return _wrong(value, path, problems, "a list")
    return [decode_item(item, f"{path}[{index}]", problems) for index, item in enumerate(value)]


def _decode_literal(allowed: tuple[Any, ...], value: Any, path: str, problems: Problems) -> Any:
    known = any(type(value) is type(choice) and value == choice for choice in allowed)
    return value if known else _wrong(value, path, problems, " or ".join(map(repr, allowed)))


def _decode_enum(enum: type[Enum], value: Any, path: str, problems: Problems) -> Any:
    if isinstance(value, enum):
        return value
    base: type = str if issubclass(enum, str) else int
    plain = _DECODERS[base](value, path, problems)
    if not isinstance(plain, base) or isinstance(plain, bool):
        return plain
    member = enum(plain)
    if problems.given and not is_known(member):
        problems.add(
            path, f"is {_describe(plain)}, and the contract knows {', '.join(repr(one.value) for one in enum)}"
        )
    return member


def _decode_model(model: type, value: Any, path: str, problems: Problems) -> Any:
    if isinstance(value, model):
        return value
    return (
        decode(model, value, problems, f"{path}.")
        if isinstance(value, Mapping)
        else _wrong(value, path, problems, "an object")
    )


def _decode_union(decoders: Sequence[Decoder], value: Any, path: str, problems: Problems) -> Any:
    fitting: list[object] = []
    for decode_choice in decoders:
        found = Problems(problems.given)
        result = decode_choice(value, path, found)
        if not found.count:
            fitting.append(result)
    # A string may fit several choices: known values and dates win over unknown enum values and plain strings.
    return min(fitting, key=_rank) if fitting else _wrong(value, path, problems, "one of what the contract allows")


def _rank(decoded: object) -> int:
    if isinstance(decoded, Enum):
        return 0 if is_known(decoded) else 1
    return 2 if isinstance(decoded, str) else 0
