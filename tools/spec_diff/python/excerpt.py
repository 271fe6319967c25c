"""Cut contracts down to what matters to a comparison of their generated clients."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, is_object
from tools.contract.operations import METHODS, Operation, find_references, list_components, list_operations, reach
from tools.spec_diff.wire.views import freeze

# Both contracts' components, by their places.
Components = tuple[dict[Pointer, Any], dict[Pointer, Any]]


def has_class(value: Any) -> bool:
    """Return whether a schema surely has a class of its own, so that others show no more of it than its name."""
    if not is_object(value) or value.keys() & {"allOf", "oneOf", "anyOf", "$ref", "const"}:
        return False
    return (value.get("type") == "object" and is_object(value.get("properties"))) or (
        "enum" in value and value.get("type") in ("string", "integer")
    )


def find_changed(sides: Components) -> set[Pointer]:
    """Return the components that may look different in Python, because of what they say or of what they hold."""
    holders: dict[Pointer, dict[Pointer, bool]] = {}
    for side in sides:
        for place, value in side.items():
            for target, merged in find_references(value).items():
                own = holders.setdefault(target, {})
                own[place] = own.get(place, False) or merged

    def list_holders(place: Pointer) -> list[Pointer]:
        shown = is_shown(place, sides)
        return [holder for holder, merged in holders.get(place, {}).items() if shown or merged]

    places = sides[0].keys() | sides[1].keys()
    changed = [
        place
        for place in places
        if not all(place in side for side in sides) or not is_same(*(side[place] for side in sides))
    ]
    return {*reach(changed, list_holders)}


def is_same(old: Any, new: Any) -> bool:
    """Return whether two values are written alike, in the same order: that of a constructor's arguments follows it."""
    return json.dumps(old) == json.dumps(new)


def is_shown(place: Pointer, sides: Components) -> bool:
    """Return whether who refers to a component may show more of it than the name of its class."""
    return place[1] != "schemas" or not all(has_class(side.get(place)) for side in sides)


def make_excerpts(old: Contract, new: Contract) -> tuple[Contract, Contract]:
    """Return both contracts without what makes no difference to Python callers."""
    sides = list_components(old), list_components(new)
    changed = find_changed(sides)
    shown = {place for place in changed if is_shown(place, sides)}
    return (
        cut(old, find_operations(old, new, shown), changed, changed),
        cut(new, find_operations(new, old, shown), changed, changed),
    )


def find_operations(contract: Contract, other: Contract, shown: set[Pointer]) -> set[Pointer]:
    """Return where the operations are that differ from the other contract's or lead to what differs."""
    counterparts = {(operation.path, operation.method): operation for operation in list_operations(other)}
    kept = set()
    for operation in list_operations(contract):
        counterpart = counterparts.get((operation.path, operation.method))
        own, common = read_operation(contract, operation)
        if counterpart is not None and shown.isdisjoint(find_references([own, common])):
            other_own, other_common = read_operation(other, counterpart)
            if is_same(own, other_own) and freeze(common) == freeze(other_common):
                continue
        kept.add(operation.pointer)
    return kept


def read_operation(contract: Contract, operation: Operation) -> tuple[Any, dict[str, Any]]:
    item = contract.at(operation.pointer[:-1])
    return item[operation.method], {key: value for key, value in item.items() if key not in METHODS}


def cut(
    contract: Contract, operations: Iterable[Pointer], full: Collection[Pointer], roots: Iterable[Pointer] = ()
) -> Contract:
    """Return a contract of some operations alone, from which a client is generated in a fraction of the time."""
    places = set(operations)
    paths: dict[str, Any] = {}
    for operation in list_operations(contract):
        if operation.pointer in places:
            own, common = read_operation(contract, operation)
            paths.setdefault(operation.path, common)[operation.method] = own
    held = list_components(contract)
    schemes = [place for place in held if place[1] == "securitySchemes"]
    wanted = [*find_references(paths).items(), *((place, False) for place in [*roots, *schemes])]
    seen: dict[Pointer, Any] = {}
    while wanted:
        place, merged = wanted.pop()
        value = held.get(place)
        if value is None:
            continue
        if place[1] == "schemas" and place not in full and not merged and has_class(value) and "enum" not in value:
            seen.setdefault(place, {key: value[key] for key in ("type", "title") if key in value})
        elif seen.get(place) is not value:
            seen[place] = value
            wanted += find_references(value).items()
    components: dict[str | int, dict[str | int, Any]] = {}
    # In the order of the whole one, which the generated code follows.
    for place in held:
        if place in seen:
            components.setdefault(place[1], {})[place[2]] = seen[place]
    return attrs.evolve(contract, document={**contract.document, "paths": paths, "components": components})
