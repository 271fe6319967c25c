"""Introspection of generated models: the type and the JSON name of each attribute."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Union, get_args, get_origin

import attrs
from scenario_uploads_client.types import Unset


class _Probe(str):
    """An attribute's name, passed through a generated `to_dict` as its value to find its JSON name."""

    __slots__ = ()

    @property
    def value(self) -> _Probe:
        return self

    def to_dict(self) -> _Probe:
        return self

    isoformat = to_tuple = to_dict

    def __iter__(self) -> Iterator[_Probe]:
        yield self


class AdditionalProperties(dict[str, Any]):
    """The fields of a response that the model lacks; `absent` has the attributes that the response lacked."""

    def __init__(self, values: Mapping[str, Any], absent: Iterable[str]) -> None:
        super().__init__(values)
        self.absent = frozenset(absent)


def list_fields(model: type[Any]) -> list[attrs.Attribute[Any]]:
    """Return the fields of a generated model, without `additional_properties`."""
    return [field for field in attrs.fields(model) if field.init]


def _find_generated(model: type[Any]) -> Callable[[Any], dict[str, Any]]:
    """Return the generated `to_dict`, also where `extend_models` has replaced it."""
    return getattr(model, "_generated_to_dict", model.to_dict)  # type: ignore[no-any-return]


@cache
def json_names(model: type[Any]) -> dict[str, str]:
    """Return the JSON name of each attribute of a generated model; TypeError when its `to_dict` is not understood."""
    attributes = [field.name for field in list_fields(model)]
    probe = model(**{attribute: _Probe(attribute) for attribute in attributes})
    names: dict[str, str] = {}
    for key, value in _find_generated(model)(probe).items():
        item = value
        # Unwrap the one item of a list or of nested lists.
        while isinstance(item, list) and item:
            item = item[0]
        names[str(item)] = key
    if names.keys() != set(attributes):
        raise TypeError(f"to_dict of {model.__name__} does not show {set(attributes) ^ names.keys()}")
    return {attribute: names[attribute] for attribute in attributes}


def attribute_hints(model: type[Any]) -> dict[str, Any]:
    """Return the resolved type annotation of each attribute of a generated model."""
    # Generated modules import each other under TYPE_CHECKING only, so annotations are resolved with the package's
    # exports. Not with all its names: the submodule of a model `Float` is called `float`.
    module = sys.modules[_find_generated(model).__module__]  # the class itself shows `scenario_uploads`
    package = sys.modules[module.__name__.rpartition(".")[0]]
    return typing.get_type_hints(model, vars(module), {name: getattr(package, name) for name in package.__all__})


def allows_null(annotation: Any) -> bool:
    """Return whether an annotation allows null, not only absence."""
    return annotation in (Any, None) or type(None) in get_args(annotation)


def choices_of(annotation: Any) -> tuple[Any, ...]:
    """Return the types that an annotation allows besides absent and null."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(choice for choice in get_args(annotation) if choice not in (Unset, type(None)))
    return (annotation,)
