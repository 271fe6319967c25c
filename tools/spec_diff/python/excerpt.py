"""Cut contracts down to what matters to a comparison of their generated clients."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, is_object
from tools.contract.operations import METHODS, Operation, find_references, list_components, list_operations
from tools.spec_diff.wire.places import find_changed

LARGE = 40
"""From how many operations on a contract is reduced to what matters before the generator reads it."""


def has_class(place: Pointer, value: Any) -> bool:
    """Return whether a component surely has a class of its own, so that others show no more of it than its name."""
    if place[:2] != ("components", "schemas") or not is_object(value):
        return False
    if value.keys() & {"allOf", "oneOf", "anyOf", "$ref", "const"}:
        return False
    return (value.get("type") == "object" and is_object(value.get("properties"))) or (
        "enum" in value and value.get("type") in ("string", "integer")
    )


def is_same(old: Any, new: Any) -> bool:
    """Return whether two values are written alike, in the same order: that of a constructor's arguments follows it."""
    return json.dumps(old) == json.dumps(new)


def make_excerpts(old: Contract, new: Contract) -> tuple[Contract, Contract]:
    """Return both contracts, large ones without what makes no difference to Python callers."""
    if all(len(list_operations(contract)) <= LARGE for contract in (old, new)):
        return old, new
    sides: list[dict[Pointer, Any]] = [
        {each.pointer: read_operation(contract, each) for each in list_operations(contract)} | list_components(contract)
        for contract in (old, new)
    ]
    changed = find_changed(sides, has_class)
    return cut(old, changed), cut(new, changed)


def read_operation(contract: Contract, operation: Operation) -> list[Any]:
    """Return an operation, and what is said of all operations of its path."""
    item = contract.at(operation.pointer[:-1])
    return [item[operation.method], {key: value for key, value in item.items() if key not in METHODS}]


def cut(contract: Contract, changed: Collection[Pointer]) -> Contract:
    """Return a contract without the operations that are the same, of whose other classes only the names are left."""
    paths: dict[str, Any] = {}
    for operation in list_operations(contract):
        if operation.pointer in changed:
            own, common = read_operation(contract, operation)
            paths.setdefault(operation.path, common)[operation.method] = own
    # What is a part of another shows what is in it.
    whole = {*changed, *(place for place, is_part in find_references(contract.document).items() if is_part)}
    components: dict[str | int, dict[str | int, Any]] = {}
    for place, value in list_components(contract).items():
        is_name = has_class(place, value) and place not in whole and "enum" not in value
        shown = {key: value[key] for key in ("type", "title") if key in value} if is_name else value
        components.setdefault(place[1], {})[place[2]] = shown
    return attrs.evolve(contract, document={**contract.document, "paths": paths, "components": components})
