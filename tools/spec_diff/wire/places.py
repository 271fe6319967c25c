"""Places in a contract: what they are called, which are words, and which nothing leads to."""

from __future__ import annotations

from tools.contract.document import Contract, Pointer, format_pointer, is_array, is_object
from tools.contract.operations import METHODS, find_references, list_components, list_operations, reach

WORDS = frozenset(
    {
        *("description", "summary", "title", "example", "examples", "externalDocs", "tags", "$comment", "info"),
        *("termsOfService", "contact", "license", "bearerFormat", "$schema"),
    }
)
"""Keys that hold words about the contract."""
NAMED = frozenset(
    {
        *("properties", "patternProperties", "dependentSchemas", "$defs", "schemas", "responses", "parameters"),
        *("headers", "requestBodies", "securitySchemes", "links", "callbacks", "pathItems", "paths", "webhooks"),
        *("content", "encoding", "variables", "mapping", "scopes", "flows"),
    }
)
"""Keys below which there are names, whatever they are."""


def format_place(contract: Contract, place: Pointer) -> str:
    """Return a place as a JSON pointer that knows a parameter by where and what it is, not by its index in a list."""
    steps = list(place)
    for index in range(1, len(place)):
        if place[index - 1] == "parameters" and place[0] == "paths" and str(place[index]).isdigit():
            value = contract.at(place[: index + 1])
            if is_object(value) and "in" in value and "name" in value:
                steps[index] = f"{value['in']}.{value['name']}"
    return format_pointer(tuple(steps))


def find_unused(contract: Contract) -> set[Pointer]:
    """Return the components that nothing else leads to, and the security schemes that no operation asks for."""
    components = list_components(contract)
    ways = [contract.document.get("security")]
    ways += [contract.at(each.pointer).get("security") for each in list_operations(contract)]
    starts = find_references({key: value for key, value in contract.document.items() if key != "components"})
    for way in (way for own in ways if is_array(own) for way in own if is_object(way)):
        starts |= {("components", "securitySchemes", name): False for name in way}
    return components.keys() - reach(starts, lambda place: find_references(components.get(place)))


def is_words(place: Pointer) -> bool:
    """Return whether a place is words about the contract; a property that is called `tags` is none."""
    steps = iter(map(str, place))
    for step in steps:
        if step in WORDS or step.startswith("x-"):
            return True
        if step in NAMED:
            next(steps, None)
    return False


def name_place(contract: Contract, place: Pointer) -> str:
    """Return a short name of a place, as `Upload.kind` or `body.fileName`."""
    steps = list(place)
    name = "the contract"
    if steps[:1] == ["components"] and len(steps) >= 3:
        name, steps = str(steps[2]), steps[3:]
    elif steps[:1] in (["paths"], ["webhooks"]):
        name, steps = name_in_operation(contract, place)
    index = 0
    while index < len(steps):
        step = steps[index]
        if step in ("properties", "patternProperties") and index + 1 < len(steps):
            index += 1
            name += f".{steps[index]}"
        elif step == "items":
            name += "[]"
        elif step == "additionalProperties" and index + 1 < len(steps):
            name += ".*"
        index += 1
    return name


def name_in_operation(contract: Contract, place: Pointer) -> tuple[str, list[str | int]]:
    """Return a short name of the part of an operation that a place is in, and the steps that are left."""
    name = str(place[2]).upper() if len(place) > 2 and place[2] in METHODS else "path"
    name = f"{name} {place[1]}" if len(place) > 1 else "".join(map(str, place))
    start = 3 if len(place) > 2 and place[2] in METHODS else 2
    rest = list(place[start:])
    if rest[:1] == ["callbacks"] and len(rest) > 3:
        # What is below is an operation of its own.
        name, start = f"callback {rest[1]}", start + 4
        rest = rest[4:]
    if rest[:1] == ["requestBody"]:
        name, rest = "body", rest[1:]
    elif rest[:1] == ["responses"] and len(rest) > 1:
        name, rest = f"answer {rest[1]}", rest[2:]
        if rest[:1] == ["headers"] and len(rest) > 1:
            name, rest = f"{name} header {rest[1]}", rest[2:]
    elif rest[:1] == ["parameters"] and len(rest) > 1:
        value = contract.at(place[: start + 2])
        name, rest = f"parameter {value.get('name') if is_object(value) else rest[1]}", rest[2:]
    return name, rest
