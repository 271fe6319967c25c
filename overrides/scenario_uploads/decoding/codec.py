"""Decode JSON to generated models, and build request models from a caller's arguments.

The generated `from_dict` raises on the first surprise. This module reads the type annotations of the generated classes
instead, so it handles every present and future model. Decoders never raise: a value of the wrong type is reported and
returned as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache, partial
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs

from scenario_uploads.arguments import is_given
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.redaction import mask_urls, snippet

from .decoders import (
    DECODERS,
    Decoder,
    Problems,
    decode_any,
    decode_enum,
    decode_list,
    decode_literal,
    decode_union,
    report_wrong,
)
from .fields import AdditionalProperties, allows_null, attribute_hints, choices_of, json_names, list_fields

T = TypeVar("T")


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
    """The fields of a generated model, and the decoder of additional ones, or None where none are allowed."""

    fields: tuple[Field, ...]
    attributes: dict[str, str]  # the key of each
    keys: frozenset[str]
    decode_extra: Decoder | None
    any_extra: bool  # whether the contract does not restrict additional fields


def decode_response(model: type[T], data: Mapping[str, Any]) -> tuple[T, str]:
    """Decode a response body; return it with its problems as text, empty when there are none."""
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
    """Build a model. Absent fields of a response become None; arguments, under either name, leave None out."""
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
            problems.add(shown, f"is unknown; known are {', '.join(shape.attributes)}")
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
    # A model without fields is a map, which takes any key.
    return ModelShape(fields, names, frozenset(names.values()), decode_extra, extra is Any and bool(fields))


def find_decoder(annotation: Any) -> Decoder:
    """Return the decoder for a JSON value that is not null."""
    choices = choices_of(annotation)
    if len(choices) != 1:
        return partial(decode_union, [find_decoder(choice) for choice in choices])
    (choice,) = choices
    if get_origin(choice) is list:
        return partial(decode_list, find_item_decoder(get_args(choice)[0]))
    if get_origin(choice) is Literal:
        return partial(decode_literal, get_args(choice))
    if isinstance(choice, type) and issubclass(choice, Enum):
        return partial(decode_enum, choice)
    if isinstance(choice, type) and attrs.has(choice):
        return partial(_decode_model, choice)
    return DECODERS.get(choice, decode_any)


def find_item_decoder(annotation: Any) -> Decoder:
    """Return the decoder for an item of a list or map, which reports null unless the annotation allows it."""
    return partial(_decode_item, find_decoder(annotation), allows_null(annotation))


def _decode_item(decode_value: Decoder, nullable: bool, value: Any, path: str, problems: Problems) -> Any:
    if value is not None:
        return decode_value(value, path, problems)
    if not nullable:
        problems.add(path, "is null")
    return None


def _decode_model(model: type, value: Any, path: str, problems: Problems) -> Any:
    if isinstance(value, model):
        return value
    return (
        decode(model, value, problems, f"{path}.")
        if isinstance(value, Mapping)
        else report_wrong(value, path, problems, "an object")
    )
