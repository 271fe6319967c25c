"""JSON to the generated models and back: tolerant of what a service may send, with enums that stay open.

The generated `from_dict` fails on the first surprise. Decoding here walks the same generated classes by their type
annotations instead, so it knows every field of every present and future model, and turns surprises into one report.
Which JSON name belongs to which attribute is asked of the generated `to_dict` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

import attrs

from scenario_uploads.redaction import mask_urls, snippet

from .decoders import Decoder, Report, find_decoder, find_item_decoder
from .fields import AdditionalProperties, allows_null, attribute_hints, json_names

T = TypeVar("T")

SHOWN_PROBLEMS = 10


@attrs.frozen
class Field:
    """One field of a model: its attribute, its name in JSON, whether it must be there, whether it may be null."""

    attribute: str
    key: str
    required: bool
    nullable: bool
    decode: Decoder
    build: Decoder


@attrs.frozen
class ModelShape:
    """What decoding needs to know of one generated model.

    Attributes:
        fields: What the contract names.
        keys: Their names in JSON.
        decode_extra: What decodes other fields; None when the contract allows none.
        build_extra: What takes other fields from a caller; None where they are likely slips of the pen.
    """

    fields: tuple[Field, ...]
    keys: frozenset[str]
    decode_extra: Decoder | None
    build_extra: Decoder | None


def decode(model: type[T], data: Mapping[str, Any], report: Report, path: str = "") -> T:
    """Build a generated model from a JSON object.

    Optional fields that are absent or null read as None. A required field that is absent, or null where the contract
    does not allow it, and a value of the wrong type, is passed to `report` and reads as None or as it came. What the
    contract does not name is kept in `additional_properties`.
    """
    shape = _shape(model)
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


def decode_answer(model: type[T], data: Mapping[str, Any]) -> tuple[T, str]:
    """Decode an answer and return it with what is wrong with it, as one text that is empty when all is well."""
    problems: list[str] = []
    more = 0

    def note(path: str, problem: str) -> None:
        nonlocal more
        # An answer may have a million.
        if len(problems) < SHOWN_PROBLEMS:
            problems.append(f"{snippet(path)} {problem}")
        else:
            more += 1

    result = decode(model, data, note)
    return result, "; ".join(problems) + (f"; and {more} more" if more else "")


def build_arguments(model: type[T], arguments: Mapping[str, Any], report: Report, path: str = "") -> T:
    """Build a generated request model from a caller's keyword arguments; those that are None are left out.

    Texts become enum members and mappings nested models. What does not fit is passed to `report`; the model is then not
    fit to be sent.
    """
    shape = _shape(model)
    attributes = [field.attribute for field in shape.fields]
    values: dict[str, Any] = {}
    for field in shape.fields:
        name = field.attribute if field.attribute in arguments else field.key
        value = arguments.get(name)
        if value is not None:
            values[field.attribute] = field.build(value, path + field.attribute, report)
        elif field.required:
            values[field.attribute] = None
            if not (field.nullable and name in arguments):
                report(path + field.attribute, "is missing")
    result = model(**values)
    for name, value in arguments.items():
        if name in shape.keys or name in attributes:
            continue
        if shape.build_extra is None:
            report(path + snippet(str(name), 60), f"is not known; there are {', '.join(attributes)}")
        else:
            shown = path + snippet(str(name), 60)
            result.additional_properties[name] = shape.build_extra(value, shown, report)  # type: ignore[attr-defined]
    return result


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
            nullable=allows_null(hints[field.name]),
            decode=find_decoder(hints[field.name], decode),
            build=find_decoder(hints[field.name], build_arguments, new_values=False),
        )
        for field in attrs.fields(model)
        if field.init
    )
    keys = frozenset(names.values())
    if "additional_properties" not in hints:
        return ModelShape(fields, keys, None, None)
    _, extra = get_args(hints["additional_properties"])
    decode_extra = find_item_decoder(extra, decode)
    build_extra = find_item_decoder(extra, build_arguments, new_values=False)
    # Where the contract only does not forbid more fields, a caller's unknown argument is a misspelt one.
    return ModelShape(fields, keys, decode_extra, build_extra if extra is not Any or not fields else None)
