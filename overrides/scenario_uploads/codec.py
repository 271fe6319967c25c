"""JSON to the generated models and back: tolerant of what a service may send, with enums that stay open.

The generated `from_dict` fails on the first surprise. Decoding here walks the same generated classes by their type
annotations instead, so it knows every field of every present and future model, and turns surprises into one report.
Which JSON name belongs to which attribute is asked of the generated `to_dict` itself.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
from scenario_uploads_client.types import Unset

from .enums import is_known
from .redaction import shield, snippet
from .shapes import attribute_hints, choices_of, json_names, nested_model

T = TypeVar("T")

Report = Callable[[str, str], None]
"""Takes the path of a field and what is wrong with it."""
Decoder = Callable[[Any, str, Report], Any]

_SCALARS: dict[type, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


@attrs.frozen
class Field:
    """One field of a model: its attribute, its name in JSON, whether it must be there, what it holds."""

    attribute: str
    key: str
    required: bool
    decode: Decoder
    model: type[Any] | None


@attrs.frozen
class ModelShape:
    """What decoding needs to know of one generated model."""

    fields: tuple[Field, ...]
    keys: frozenset[str]
    decode_extra: Decoder


def decode(model: type[T], data: Mapping[str, Any], report: Report, path: str = "") -> T:
    """Build a generated model from a JSON object.

    Optional fields that are absent or null read as None. A required field that is absent or null, and a value of the
    wrong type, is passed to `report` and reads as None or as it came. What the contract does not name is kept in
    `additional_properties`.
    """
    shape = _shape(model)
    values: dict[str, Any] = {}
    for field in shape.fields:
        value = data.get(field.key)
        if value is not None:
            values[field.attribute] = field.decode(value, path + field.key, report)
            continue
        values[field.attribute] = None
        if field.required:
            report(path + field.key, "is null" if field.key in data else "is missing")
    result = model(**values)
    if len(data) > len(shape.fields) or not shape.keys.issuperset(data):
        extra = {key: shape.decode_extra(data[key], path + key, report) for key in data if key not in shape.keys}
        result.additional_properties = extra  # type: ignore[attr-defined]
    return result


def decode_answer(model: type[T], data: Mapping[str, Any]) -> tuple[T, str]:
    """Decode an answer and return it with what is wrong with it, as one text that is empty when all is well."""
    problems: list[str] = []
    result = decode(model, data, lambda path, problem: problems.append(f"{path} {problem}"))
    return result, "; ".join(problems[:10]) + (f"; and {len(problems) - 10} more" if len(problems) > 10 else "")


def encode(value: object) -> Any:
    """Return a decoded model as a JSON value, whatever the service put into it; fields that are None are left out."""
    if attrs.has(type(value)):
        shape = _shape(type(value))
        pairs = ((field.key, getattr(value, field.attribute)) for field in shape.fields)
        known = {key: encode(item) for key, item in pairs if item is not None and not isinstance(item, Unset)}
        return known | encode(getattr(value, "additional_properties", {}))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, datetime.date) else value


def build_arguments(model: type[T], arguments: Mapping[str, Any], report: Report, path: str = "") -> T:
    """Build a generated request model from a caller's keyword arguments; those that are None are left out.

    Texts become enum members and mappings nested models. What does not fit is passed to `report`.
    """
    shape = _shape(model)
    values: dict[str, Any] = {}
    for field in shape.fields:
        value = arguments.get(field.attribute, arguments.get(field.key))
        if value is None:
            if field.required:
                report(path + field.attribute, "is missing")
            continue
        if field.model is not None and isinstance(value, Mapping):
            values[field.attribute] = build_arguments(field.model, value, report, f"{path}{field.attribute}.")
            continue
        decoded = field.decode(list(value) if isinstance(value, tuple) else value, path + field.attribute, report)
        if isinstance(decoded, Enum) and not is_known(decoded) and not isinstance(value, Enum):
            known = ", ".join(repr(member.value) for member in type(decoded))
            report(path + field.attribute, f"is {value!r}, and the contract knows {known}")
        values[field.attribute] = decoded
    names = shape.keys | {field.attribute for field in shape.fields}
    for name in arguments:
        if name not in names:
            expected = ", ".join(field.attribute for field in shape.fields)
            report(f"{path}{name}", f"is not known; there are {expected}")
    return model(**values)


_SHAPES: dict[type, ModelShape] = {}


def _shape(model: type[Any]) -> ModelShape:
    if (known := _SHAPES.get(model)) is None:
        known = _SHAPES[model] = _find_shape(model)
    return known


def _find_shape(model: type[Any]) -> ModelShape:
    names, hints = json_names(model), attribute_hints(model)
    fields = tuple(
        Field(
            attribute=field.name,
            key=names[field.name],
            required=field.default is attrs.NOTHING,
            decode=_decoder(hints[field.name]),
            model=nested_model(hints[field.name]),
        )
        for field in attrs.fields(model)
        if field.init
    )
    extras = get_args(hints.get("additional_properties", dict[str, Any]))
    return ModelShape(fields, frozenset(names.values()), _decoder(extras[1] if extras else Any))


def _decoder(annotation: Any) -> Decoder:
    """Return what decodes a JSON value, never null, that the contract describes by this annotation."""
    choices = choices_of(annotation)
    if len(choices) != 1:
        return _decode_union(tuple(_decoder(choice) for choice in choices))
    (choice,) = choices
    if choice in _SCALARS:
        return _decode_text if choice is str else _decode_scalar(choice)
    if get_origin(choice) is list:
        return _decode_list(_decoder(get_args(choice)[0]))
    if get_origin(choice) is Literal:
        return _decode_literal(get_args(choice))
    if isinstance(choice, type) and issubclass(choice, Enum):
        return _decode_enum(choice)
    if isinstance(choice, type) and attrs.has(choice):
        return _decode_model(choice)
    if choice in (datetime.datetime, datetime.date, uuid.UUID):
        return _decode_parsed(choice)
    return _decode_any


def _wrong(value: object, path: str, report: Report, expected: str) -> object:
    report(path, f"should be {expected} and is {snippet(repr(shield(value)), 60)}")
    return shield(value)


def _decode_any(value: Any, path: str, report: Report) -> Any:  # noqa: ARG001
    return shield(value)


def _decode_text(value: Any, path: str, report: Report) -> Any:
    return shield(value) if isinstance(value, str) else _wrong(value, path, report, "a text")


def _decode_scalar(scalar: type) -> Decoder:
    def decode_scalar(value: Any, path: str, report: Report) -> Any:
        if type(value) is scalar or (scalar is float and type(value) is int):
            return value
        # JSON has one kind of number; the reference writes sizes as such.
        if scalar is int and isinstance(value, float) and value.is_integer():
            return int(value)
        return _wrong(value, path, report, _SCALARS[scalar])

    return decode_scalar


def _decode_list(decode_item: Decoder) -> Decoder:
    def decode_list(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, list):
            return _wrong(value, path, report, "a list")
        return [
            _wrong(item, f"{path}[{index}]", report, "a value")
            if item is None
            else decode_item(item, f"{path}[{index}]", report)
            for index, item in enumerate(value)
        ]

    return decode_list


def _decode_literal(allowed: tuple[Any, ...]) -> Decoder:
    def decode_literal(value: Any, path: str, report: Report) -> Any:
        return value if value in allowed else _wrong(value, path, report, repr(allowed[0]))

    return decode_literal


def _decode_enum(enum: type[Enum]) -> Decoder:
    def decode_enum(value: Any, path: str, report: Report) -> Any:
        try:
            return enum(value)
        except (ValueError, TypeError):
            return _wrong(value, path, report, "a text" if issubclass(enum, str) else "a whole number")

    return decode_enum


def _decode_model(model: type) -> Decoder:
    def decode_model(value: Any, path: str, report: Report) -> Any:
        if isinstance(value, model):
            return value
        if not isinstance(value, dict):
            return _wrong(value, path, report, "an object")
        return decode(model, value, report, f"{path}.")

    return decode_model


def _decode_parsed(kind: type) -> Decoder:
    def decode_parsed(value: Any, path: str, report: Report) -> Any:
        from dateutil.parser import isoparse  # noqa: PLC0415 - slow to import, and rarely needed

        try:
            if not isinstance(value, str):
                raise TypeError
            if kind is uuid.UUID:
                return uuid.UUID(value)
            moment = isoparse(value)
        except (ValueError, TypeError, OverflowError):
            return _wrong(value, path, report, f"a {kind.__name__}")
        return moment if kind is datetime.datetime else moment.date()

    return decode_parsed


def _decode_union(decoders: tuple[Decoder, ...]) -> Decoder:
    def decode_union(value: Any, path: str, report: Report) -> Any:
        for decode_choice in decoders:
            problems: list[tuple[str, str]] = []

            def note(field: str, problem: str, problems: list[tuple[str, str]] = problems) -> None:
                problems.append((field, problem))

            result = decode_choice(value, path, note)
            if not problems:
                return result
        return _wrong(value, path, report, "one of what the contract allows")

    return decode_union
