"""What the generated models say of themselves: the type and the JSON name of each attribute."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

import attrs
from scenario_uploads_client.types import Unset


class _Probe:
    """Stands in for a value of any type while a generated `to_dict` runs, to see under which name it comes out."""

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
    """What an answer holds besides the fields of a model; and which of those it did not hold.

    Attributes:
        absent: The attributes whose fields were not in the answer, and which therefore read None.
    """

    def __init__(self, values: Mapping[str, Any], absent: frozenset[str]) -> None:
        super().__init__(values)
        self.absent = absent

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.absent)


_NAMES: dict[type, dict[str, str]] = {}


def json_names(model: type[Any]) -> dict[str, str]:
    """Return, for each attribute of a generated model, the name under which it stands in JSON.

    Raises:
        TypeError: When the generated `to_dict` shows an attribute in a way that is not understood here.
    """
    if (known := _NAMES.get(model)) is not None:
        return known
    attributes = [field.name for field in attrs.fields(model) if field.init]
    probe: Any = model(**{attribute: _Probe(attribute) for attribute in attributes})
    # The one that was generated, should the model have been given another.
    shown = getattr(model, "_generated_to_dict", model.to_dict)(probe)
    names = {_find_attribute(value): key for key, value in shown.items()}
    if names.keys() != set(attributes):
        raise TypeError(f"to_dict of {model.__name__} does not show {set(attributes) ^ names.keys()}")
    _NAMES[model] = names
    return names


def _find_attribute(value: object) -> str:
    # A list, or a list of lists, is shown as such around its one item.
    while isinstance(value, list) and value:
        value = value[0]
    return str(value)


def attribute_hints(model: type) -> dict[str, Any]:
    """Return the resolved type annotation of each attribute of a generated model."""
    # The generated modules import one another for type checkers only, so their annotations are resolved here, by the
    # names that their package exports; its submodules have names too, such as `float` of a model `Float`.
    # The one that was generated, should the model be shown as another's.
    module: str = getattr(model, "_generated_module", model.__module__)
    package = sys.modules[module.rpartition(".")[0]]
    names = {name: getattr(package, name) for name in package.__all__}
    return typing.get_type_hints(model, vars(sys.modules[module]), names)


def allows_null(annotation: Any) -> bool:
    """Return whether null is a value of an annotation, and not only the absence of one."""
    return annotation in (Any, None) or type(None) in get_args(annotation)


def choices_of(annotation: Any) -> tuple[Any, ...]:
    """Return what an annotation allows besides being absent or null."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(choice for choice in get_args(annotation) if choice not in (Unset, type(None)))
    return (annotation,)
