"""Decode JSON to generated models, and build request models from a caller's arguments.

The generated `from_dict` raises on the first surprise. This module reads the type annotations of the generated classes
instead, so it handles every present and future model. Decoders never raise: a value of the wrong type is reported and
returned as it is.
"""

from __future__ import annotations

import datetime
import sys
import types
import typing
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import attrs
from scenario_uploads_client.types import Unset

from scenario_uploads.arguments import is_given
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.redaction import mask_urls, snippet

from .enums import is_known

T = TypeVar("T")

SHOWN_PROBLEMS = 10


@attrs.define
class Problems:
    """Problems of a response or, with `given`, of a caller's arguments, where unknown names are an error."""

    given: bool = False
    count: int = 0
    shown: list[str] = attrs.field(factory=list)

    def add(self, path: str, problem: str) -> None:
        self.count += 1
        # Keep a few: a response may have a million problems.
        if self.count <= SHOWN_PROBLEMS:
            self.shown.append(f"{snippet(path)} {problem}")

    def __str__(self) -> str:
        more = [f"and {self.count - SHOWN_PROBLEMS} more"] if self.count > SHOWN_PROBLEMS else []
        return "; ".join(self.shown + more)


Decoder = Callable[[Any, str, Problems], Any]
"""Takes a value that is not null, its path, and the problems to add to."""


class AdditionalProperties(dict[str, Any]):
    """The fields of a response that the model lacks; `absent` has the attributes that the response lacked."""

    absent: frozenset[str] = frozenset()


class Shape(NamedTuple):
    """The fields of a generated model."""

    names: dict[str, str]  # the key of each attribute
    fields: dict[str, tuple[str, Decoder, bool, bool]]  # by key: the attribute, if it is required and may be null
    decode_extra: Decoder | None  # None where the contract allows no other fields
    any_extra: bool  # whether the contract does not restrict them


def build_body(model: type[T], operation: str, arguments: Mapping[str, Any]) -> T:
    """Return the body of an operation from a caller's keyword arguments; an error lists what is wrong with them."""
    problems = Problems(given=True)
    body = decode(model, {name: value for name, value in arguments.items() if is_given(value)}, problems)
    if problems.count:
        raise InvalidArgumentError(f"{operation}: {problems}.")
    return body


def decode(model: type[T], data: Mapping[str, Any], problems: Problems, path: str = "") -> T:
    """Build a model. Absent fields of a response become None; arguments, under either name, leave None out."""
    shape, given = _find_shape(model), problems.given  # type: ignore[arg-type]  # mypy has no hash for types
    if given:
        data = {shape.names.get(name, name): value for name, value in data.items()}
    values: dict[str, Any] = {}
    absent: list[str] = []
    for key, (attribute, decode_value, required, nullable) in shape.fields.items():
        value, shown = data.get(key), path + (attribute if given else key)
        if value is not None:
            values[attribute] = decode_value(value, shown, problems)
            continue
        if required or not given:
            values[attribute] = None
        if key not in data:
            absent.append(attribute)
        if required and not (nullable and key in data):
            problems.add(shown, "is null" if key in data and not given else "is missing")
    extra: Any = AdditionalProperties()
    for key, value in data.items():
        if key in shape.fields:
            continue
        shown = path + snippet(str(key), 60)
        if shape.decode_extra is None or (given and shape.any_extra):
            problems.add(shown, f"is unknown; known are {', '.join(shape.names)}")
        else:
            extra[mask_urls(key)] = shape.decode_extra(value, shown, problems)
    result = model(**values)
    if shape.decode_extra is not None and (extra or absent):
        extra.absent = frozenset(absent)
        result.additional_properties = extra  # type: ignore[attr-defined]
    return result


@cache
def _find_shape(model: Any) -> Shape:
    names, hints = find_json_names(model), resolve_hints(model)
    fields: dict[str, tuple[str, Decoder, bool, bool]] = {}
    for field in list_fields(model):
        hint, required = hints[field.name], field.default is attrs.NOTHING
        fields[names[field.name]] = field.name, find_decoder(hint), required, allows_null(hint)
    if "additional_properties" not in hints:
        return Shape(names, fields, None, any_extra=False)
    _, extra = get_args(hints["additional_properties"])
    # A model without fields is a map, which takes any key.
    return Shape(names, fields, find_decoder(extra, item=True), any_extra=extra is Any and bool(fields))


def find_decoder(annotation: Any, *, item: bool = False) -> Decoder:
    """Return the decoder for a JSON value that is not null or, with `item`, for one of a list or map, which may be."""
    if item:
        return partial(_decode_item, find_decoder(annotation), allows_null(annotation))
    choices = list_choices(annotation)
    if len(choices) != 1:
        return partial(_decode_union, [find_decoder(choice) for choice in choices])
    (choice,) = choices
    if get_origin(choice) is list:
        return partial(_decode_list, find_decoder(get_args(choice)[0], item=True))
    if get_origin(choice) is Literal:
        return partial(_decode_literal, get_args(choice))
    if isinstance(choice, type) and issubclass(choice, Enum):
        return partial(_decode_enum, choice)
    if isinstance(choice, type) and attrs.has(choice):
        return partial(_decode_model, choice)
    return DECODERS.get(choice, lambda value, _path, _problems: mask_urls(value))


def _report_wrong(value: object, path: str, problems: Problems, expected: str) -> object:
    problems.add(path, f"should be {expected} and is {_describe(value)}")
    return mask_urls(value)


def _describe(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a huge number"  # Python refuses to write the largest
    return "a list" if isinstance(value, list | tuple) else snippet(repr(mask_urls(value)), 60)


def _decode_item(decode_value: Decoder, nullable: bool, value: Any, path: str, problems: Problems) -> Any:
    if value is not None:
        return decode_value(value, path, problems)
    if not nullable:
        problems.add(path, "is null")
    return None


def _decode_list(decode_item: Decoder, value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, list | tuple):
        return _report_wrong(value, path, problems, "a list")
    return [decode_item(item, f"{path}[{index}]", problems) for index, item in enumerate(value)]


def _decode_model(model: type, value: Any, path: str, problems: Problems) -> Any:
    if isinstance(value, Mapping):
        return decode(model, value, problems, f"{path}.")
    return value if isinstance(value, model) else _report_wrong(value, path, problems, "an object")


def _decode_literal(allowed: tuple[Any, ...], value: Any, path: str, problems: Problems) -> Any:
    known = any(type(value) is type(choice) and value == choice for choice in allowed)
    return value if known else _report_wrong(value, path, problems, " or ".join(map(repr, allowed)))


def _decode_text(value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, str):
        return _report_wrong(value, path, problems, "a string")
    return mask_urls(value) if "?" in value else value


def _decode_scalar(
    kind: type, expected: str, convert: Callable[[Any], object], value: Any, path: str, problems: Problems
) -> Any:
    try:
        return value if type(value) is kind else convert(value)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return _report_wrong(value, path, problems, expected)


def _to_whole(value: Any) -> int:
    # JSON has one type of numbers, so 5.0 is a whole one.
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(value)
    return int(value)


DECODERS: dict[Any, Decoder] = {
    str: _decode_text,
    int: partial(_decode_scalar, int, "a whole number", _to_whole),
    float: partial(_decode_scalar, float, "a number", _to_whole),
    bool: partial(_decode_literal, (True, False)),
    datetime.datetime: partial(_decode_scalar, datetime.datetime, "a datetime", datetime.datetime.fromisoformat),
    datetime.date: partial(_decode_scalar, datetime.date, "a date", datetime.date.fromisoformat),
    uuid.UUID: partial(_decode_scalar, uuid.UUID, "a UUID", uuid.UUID),
}


def _decode_enum(enum: type[Enum], value: Any, path: str, problems: Problems) -> Any:
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


def _decode_union(decoders: Sequence[Decoder], value: Any, path: str, problems: Problems) -> Any:
    fitting: list[object] = []
    for decode_choice in decoders:
        found = Problems(problems.given)
        result = decode_choice(value, path, found)
        if not found.count:
            fitting.append(result)
    if not fitting:
        return _report_wrong(value, path, problems, "one of what the contract allows")
    # A string may fit several choices: known values and dates win over unknown enum values and plain strings.
    return min(fitting, key=_rank)


def _rank(decoded: object) -> int:
    if isinstance(decoded, Enum):
        return 0 if is_known(decoded) else 1
    return 2 if isinstance(decoded, str) else 0


class _Probe(str):
    """An attribute's name, passed through a generated `to_dict` as its value to find its JSON name."""

    value = property(lambda self: self)
    to_dict = to_tuple = isoformat = lambda self: self

    def __iter__(self) -> Iterator[_Probe]:
        yield self


def list_fields(model: type[Any]) -> list[attrs.Attribute[Any]]:
    """Return the fields of a generated model, without `additional_properties`."""
    return [field for field in attrs.fields(model) if field.init]


def _find_generated(model: type[Any]) -> Callable[[Any], dict[str, Any]]:
    """Return the generated `to_dict`, also where `extend_models` has replaced it."""
    return getattr(model, "_generated_to_dict", model.to_dict)  # type: ignore[no-any-return]


@cache
def find_json_names(model: type[Any]) -> dict[str, str]:
    """Return the JSON name of each attribute of a generated model; TypeError when its `to_dict` is not understood."""
    attributes = {field.name: _Probe(field.name) for field in list_fields(model)}
    names: dict[str, str] = {}
    for key, value in _find_generated(model)(model(**attributes)).items():
        # Unwrap the one item of a list or of nested lists.
        while isinstance(value, list) and value:
            (value,) = value  # noqa: PLW2901
        names[str(value)] = key
    if names.keys() != attributes.keys():
        raise TypeError(f"to_dict of {model.__name__} does not show {attributes.keys() ^ names.keys()}")
    return {attribute: names[attribute] for attribute in attributes}


def resolve_hints(model: type[Any]) -> dict[str, Any]:
    """Return the resolved type annotation of each attribute of a generated model."""
    # Generated modules import each other under TYPE_CHECKING only, so annotations are resolved with the package's
    # exports. Not with all its names: the submodule of a model `Float` is called `float`.
    module = sys.modules[_find_generated(model).__module__]  # the class itself shows `scenario_uploads`
    package = sys.modules[module.__name__.rpartition(".")[0]]
    return typing.get_type_hints(model, vars(module), {name: getattr(package, name) for name in package.__all__})


def allows_null(annotation: Any) -> bool:
    """Return whether an annotation allows null, not only absence."""
    return annotation in (Any, None) or type(None) in get_args(annotation)


def list_choices(annotation: Any) -> tuple[Any, ...]:
    """Return the types that an annotation allows besides absent and null."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(choice for choice in get_args(annotation) if choice not in (Unset, type(None)))
    return (annotation,)
