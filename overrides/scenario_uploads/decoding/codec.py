"""Decode JSON to generated models, and build request models from a caller's arguments.

The generated `from_dict` raises on the first surprise. This module reads the type annotations of the generated classes
instead, so it handles every present and future model, and reports surprises without raising.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

import attrs

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.redaction import mask_urls, snippet
from scenario_uploads.sentinels import is_given

from .decoders import Decoder, Nested, Report, find_decoder, find_item_decoder
from .fields import AdditionalProperties, allows_null, attribute_hints, json_names, list_fields

T = TypeVar("T")

SHOWN_PROBLEMS = 10


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
    keys: frozenset[str]
    decode_extra: Decoder | None


def decode(model: type[T], data: Mapping[str, Any], report: Report, path: str = "") -> T:
    """Build a model from a JSON object. Surprises go to `report` and read as sent, or None; absent fields read None."""
    shape = _find_shape(model, decode)
    values: dict[str, Any] = {}
    absent: list[str] = []
    for field in shape.fields:
        value = data.get(field.key)
        if value is not None:
            values[field.attribute] = field.decode(value, path + field.key, report)
            continue
        values[field.attribute] = None
        if field.key not in data:
            absent.append(field.attribute)
        if field.required and not (field.nullable and field.key in data):
            report(path + field.key, "is null" if field.key in data else "is missing")
    result = model(**values)
    if absent and shape.decode_extra is not None:
        result.additional_properties = AdditionalProperties({}, frozenset(absent))  # type: ignore[attr-defined]
    for key in data:
        if key in shape.keys:
            continue
        shown = path + snippet(key, 60)
        if shape.decode_extra is None:
            report(shown, "is not in the contract, which allows no more fields here")
        else:
            extra = shape.decode_extra(data[key], shown, report)
            result.additional_properties[mask_urls(key)] = extra  # type: ignore[attr-defined]
    return result


def decode_response(model: type[T], data: Mapping[str, Any]) -> tuple[T, str]:
    """Decode a response body; return it with a text that lists its problems, empty when there are none."""
    problems: list[str] = []
    more = 0

    def note(path: str, problem: str) -> None:
        nonlocal more
        # A response may have a million problems.
        if len(problems) < SHOWN_PROBLEMS:
            problems.append(f"{snippet(path)} {problem}")
        else:
            more += 1

    result = decode(model, data, note)
    return result, "; ".join(problems) + (f"; and {more} more" if more else "")


def build_body(model: type[T], operation: str, arguments: Mapping[str, Any]) -> T:
    """Return the body of an operation from a caller's keyword arguments; an error lists every problem."""
    problems: list[str] = []
    given = {name: value for name, value in arguments.items() if is_given(value)}
    params = build_arguments(model, given, lambda name, problem: problems.append(f"{name} {problem}"))
    if problems:
        raise InvalidArgumentError(f"{operation}: {'; '.join(problems)}.")
    return params


def build_arguments(model: type[T], arguments: Mapping[str, Any], report: Report, path: str = "") -> T:
    """Build a request model from keyword arguments; None is left out, and problems go to `report`."""
    shape = _find_shape(model, build_arguments)
    attributes = [field.attribute for field in shape.fields]
    values: dict[str, Any] = {}
    for field in shape.fields:
        name = field.attribute if field.attribute in arguments else field.key
        value = arguments.get(name)
        if value is not None:
            values[field.attribute] = field.decode(value, path + field.attribute, report)
        elif field.required:
            values[field.attribute] = None
            if not (field.nullable and name in arguments):
                report(path + field.attribute, "is missing")
    result = model(**values)
    for name, value in arguments.items():
        if name in shape.keys or name in attributes:
            continue
        if shape.decode_extra is None:
            report(path + snippet(str(name), 60), f"is not known; there are {', '.join(attributes)}")
        else:
            shown = path + snippet(str(name), 60)
            result.additional_properties[name] = shape.decode_extra(value, shown, report)  # type: ignore[attr-defined]
    return result


_SHAPES: dict[tuple[type, Nested], ModelShape] = {}


def _find_shape(model: type[Any], nested: Nested) -> ModelShape:
    """Return the shape of a model for one of the two functions above."""
    if (known := _SHAPES.get((model, nested))) is not None:
        return known
    names, hints, new_values = json_names(model), attribute_hints(model), nested is decode
    fields = tuple(
        Field(
            attribute=field.name,
            key=names[field.name],
            required=field.default is attrs.NOTHING,
            nullable=allows_null(hints[field.name]),
            decode=find_decoder(hints[field.name], nested, new_values=new_values),
        )
        for field in list_fields(model)
    )
    decode_extra = None
    if "additional_properties" in hints:
        _, extra = get_args(hints["additional_properties"])
        # Where the contract allows any further field, an unknown argument is taken for a typo.
        if new_values or extra is not Any or not fields:
            decode_extra = find_item_decoder(extra, nested, new_values=new_values)
    shape = _SHAPES[model, nested] = ModelShape(fields, frozenset(names.values()), decode_extra)
    return shape
