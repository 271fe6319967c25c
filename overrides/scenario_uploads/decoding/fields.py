"""What generated models say about themselves: the type and the JSON name of each attribute."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

import attrs
from scenario_uploads_client.types import Unset


class _Probe:
    """A stand-in for any value, passed through a generated `to_dict` to see which JSON name it gets."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    @property
    def value(self) -> _Probe:
        return self

    def to_dict(self) -> _Probe:
        return self

    isoformat = to_dict

    def __iter__(self) -> Iterator[_Probe]:
        yield self

    def __str__(self) -> str:
        return self.attribute


class AdditionalProperties(dict[str, Any]):
    """The fields of a response that the model lacks, and in `absent` the attributes that the response lacked."""

    def __init__(self, values: Mapping[str, Any], absent: frozenset[str]) -> None:
        super().__init__(values)
        self.absent = absent

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.absent)


def list_fields(model: type[Any]) -> list[attrs.Attribute[Any]]:
    """Return the fields of a generated model, without `additional_properties`."""
    return [field for field in attrs.fields(model) if field.init]


_NAMES: dict[type, dict[str, str]] = {}


def json_names(model: type[Any]) -> dict[str, str]:
    """Return the JSON name of each attribute of a generated model; TypeError when its `to_dict` is not understood."""
    if (known := _NAMES.get(model)) is not None:
        return known
    attributes = [field.name for field in list_fields(model)]
    probe: Any = model(**{attribute: _Probe(attribute) for attribute in attributes})
    # The generated method, if `extend_models` has replaced it.
    shown = getattr(model, "_generated_to_dict", model.to_dict)(probe)
    names = {_find_attribute(value): key for key, value in shown.items()}
    if names.keys() != set(attributes):
        raise TypeError(f"to_dict of {model.__name__} does not show {set(attributes) ^ names.keys()}")
    _NAMES[model] = names
    return names


def _find_attribute(value: object) -> str:
    # Unpack a list, or a list of lists, around its one item.
    while isinstance(value, list) and value:
        value = value[0]
    return str(value)


def attribute_hints(model: type) -> dict[str, Any]:
    """Return the resolved type annotation of each attribute of a generated model."""
    # Generated modules import each other under TYPE_CHECKING only, so annotations are resolved with the package's
    # exports. Not with all its names: the submodule of a model `Float` is called `float`.
    module: str = getattr(model, "_generated_module", model.__module__)
    package = sys.modules[module.rpartition(".")[0]]
    names = {name: getattr(package, name) for name in package.__all__}
    return typing.get_type_hints(model, vars(sys.modules[module]), names)


def allows_null(annotation: Any) -> bool:
    """Return whether an annotation allows null, not only absence."""
    return annotation in (Any, None) or type(None) in get_args(annotation)


def choices_of(annotation: Any) -> tuple[Any, ...]:
    """Return the types that an annotation allows besides absent and null."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(choice for choice in get_args(annotation) if choice not in (Unset, type(None)))
    return (annotation,)
