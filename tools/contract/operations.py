"""The operations and components of a contract, and what leads to what."""

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object, parse_reference

Place = TypeVar("Place")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@attrs.frozen
class Operation:
    pointer: Pointer
    path: str
    method: str
    name: str


def list_operations(contract: Contract) -> list[Operation]:
    result: list[Operation] = []
    for path in contract.get(("paths",), dict):
        if path.startswith("x-"):
            continue
        place = find_path_item(contract, ("paths", path))
        item = contract.object_at(place, "a path")
        for method in filter(item.__contains__, METHODS):
            value = contract.object_at((*place, method), "an operation")
            name = str(value.get("operationId") or f"{method.upper()} {path}")
            result.append(Operation((*place, method), path, method, name))
    return result


def find_path_item(contract: Contract, pointer: Pointer) -> Pointer:
    """Return where a path or a webhook is described, past a `$ref`, beside which there may be words alone."""
    item = contract.at(pointer)
    beside = item.keys() - {"$ref", "summary", "description"} if is_object(item) and "$ref" in item else ()
    if any(not key.startswith("x-") for key in beside):
        raise contract.fail(pointer, "a $ref with more beside it; which of the two holds is not defined")
    return contract.resolve(pointer)


def normalize_path(path: str) -> str:
    """Return a path without the names of its parameters, which nobody sees on the wire; a callback's `{$…}` stays."""
    return re.sub(r"\{[^{}$]*\}", "{}", path)


def match_operations(old: Iterable[Operation], new: Iterable[Operation]) -> dict[Operation, Operation]:
    """Return the new operation at the same address, for each old one that has one."""
    places = {(normalize_path(each.path), each.method): each for each in new}
    # Two paths may differ by the names of their parameters alone.
    places |= {(each.path, each.method): each for each in new}
    found = {
        each: places.get((each.path, each.method), places.get((normalize_path(each.path), each.method))) for each in old
    }
    return {each: match for each, match in found.items() if match is not None}


def list_components(contract: Contract) -> dict[Pointer, Any]:
    groups = contract.document.get("components")
    return {
        ("components", kind, name): value
        for kind, group in (groups.items() if is_object(groups) else ())
        for name, value in (group.items() if is_object(group) else ())
    }


def find_references(value: Any) -> dict[Pointer, bool]:
    """Return the components that a value refers to, and whether it takes one in as a part of itself (`allOf`)."""
    found: dict[Pointer, bool] = {}
    stack = [(value, False)]
    while stack:
        value, merged = stack.pop()
        if is_object(value):
            for reference in (value[key] for key in ("$ref", "$dynamicRef") if isinstance(value.get(key), str)):
                place = parse_reference(reference)
                found[place[:3]] = found.get(place[:3], False) or merged or len(place) > 3
            # What a field refers to is no part of the schema, though the schema be a part of another.
            stack += [(child, key == "allOf") for key, child in value.items()]
        elif is_array(value):
            stack += [(child, merged) for child in value]
    return found


def reach(starts: Iterable[Place], leads: Callable[[Place], Iterable[Place]]) -> dict[Place, None]:
    """Return what one gets to, the starts first."""
    found = dict.fromkeys(starts)
    queue = deque(found)
    while queue:
        for place in leads(queue.popleft()):
            if place not in found:
                found[place] = None
                queue.append(place)
    return found
