"""Cut contracts down to what matters to a comparison of their generated clients."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object, parse_reference
from tools.contract.operations import METHODS, Operation, find_references, list_components, list_operations

LARGE = 40
"""From how many operations on a contract is reduced to what matters before the generator reads it."""
# The components of a contract, by their places.
Components = dict[Pointer, Any]


def has_class(value: Any) -> bool:
    """Return whether a schema surely has a class of its own, so that others show no more of it than its name."""
    if not is_object(value) or value.keys() & {"allOf", "oneOf", "anyOf", "$ref", "const"}:
        return False
    return (value.get("type") == "object" and is_object(value.get("properties"))) or (
        "enum" in value and value.get("type") in ("string", "integer")
    )


def expand(value: Any, components: Components, *, is_part: bool = False, seen: tuple[Pointer, ...] = ()) -> Any:
    """Return a value with what it refers to in place of references, but for classes, of which others show the name."""
    if is_object(value) and isinstance(value.get("$ref"), str):
        place = parse_reference(value["$ref"])[:3]
        target = components.get(place)
        if place in seen or (place[1] == "schemas" and has_class(target) and not is_part):
            return value
        return [value, expand(target, components, is_part=is_part, seen=(*seen, place))]
    if is_object(value):
        return {key: expand(child, components, is_part=key == "allOf", seen=seen) for key, child in value.items()}
    if is_array(value):
        return [expand(child, components, is_part=is_part, seen=seen) for child in value]
    return value


def is_same(old: Any, new: Any) -> bool:
    """Return whether two values are written alike, in the same order: that of a constructor's arguments follows it."""
    return json.dumps(old) == json.dumps(new)


def make_excerpts(old: Contract, new: Contract) -> tuple[Contract, Contract]:
    """Return both contracts, large ones without what makes no difference to Python callers."""
    if all(len(list_operations(contract)) <= LARGE for contract in (old, new)):
        return old, new
    operations: list[dict[Operation, str]] = []
    components: list[dict[Pointer, str]] = []
    for contract in (old, new):
        held = list_components(contract)
        components.append({place: json.dumps(expand(value, held)) for place, value in held.items()})
        said = {each: read_operation(contract, each) for each in list_operations(contract)}
        operations.append({each: json.dumps(expand(value, held)) for each, value in said.items()})
    places = {*components[0], *components[1]}
    changed = {place for place in places if components[0].get(place) != components[1].get(place)}
    excerpts: list[Contract] = []
    for contract, own, other in zip((old, new), operations, reversed(operations), strict=True):
        texts = {(each.path, each.method): text for each, text in other.items()}
        kept = [each.pointer for each, text in own.items() if texts.get((each.path, each.method)) != text]
        excerpts.append(cut(contract, kept, changed))
    return excerpts[0], excerpts[1]


def read_operation(contract: Contract, operation: Operation) -> tuple[Any, dict[str, Any]]:
    item = contract.at(operation.pointer[:-1])
    return item[operation.method], {key: value for key, value in item.items() if key not in METHODS}


def cut(contract: Contract, operations: Iterable[Pointer], full: Collection[Pointer]) -> Contract:
    """Return a contract of some operations alone, of whose other classes nothing but the names is left."""
    places = set(operations)
    paths: dict[str, Any] = {}
    for operation in list_operations(contract):
        if operation.pointer in places:
            own, common = read_operation(contract, operation)
            paths.setdefault(operation.path, common)[operation.method] = own
    # What is a part of another shows what is in it.
    whole = {*full, *(place for place, is_part in find_references(contract.document).items() if is_part)}
    components: dict[str | int, dict[str | int, Any]] = {}
    for place, value in list_components(contract).items():
        is_name = place[1] == "schemas" and place not in whole and has_class(value) and "enum" not in value
        shown = {key: value[key] for key in ("type", "title") if key in value} if is_name else value
        components.setdefault(place[1], {})[place[2]] = shown
    return attrs.evolve(contract, document={**contract.document, "paths": paths, "components": components})
