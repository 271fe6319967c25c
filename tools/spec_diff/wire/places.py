"""Places in a contract: what they are called, which are words, which changed, and which nothing leads to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

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


def is_component(place: Pointer) -> bool:
    return place[:1] == ("components",)


def find_changed(
    sides: Sequence[Mapping[Pointer, Any]], hides: Callable[[Pointer, Any], bool] | None = None
) -> frozenset[Pointer]:
    """Return the places whose values are not the same on both sides, or lead to such, where `$ref` would name them.

    What `hides` is true of leads to nothing, unless it is a part of another (`allOf`).
    """
    texts = [{place: json.dumps(value) for place, value in side.items()} for side in sides]
    changed = {place for place, _ in texts[0].items() ^ texts[1].items()}
    holders: defaultdict[Pointer, set[Pointer]] = defaultdict(set)
    for side, own in zip(sides, texts, strict=True):
        for place, value in side.items():
            for target, is_part in find_references(value).items():
                if is_part or hides is None or not hides(target, side.get(target)):
                    holders[target].add(place)
                if not is_component(target):
                    changed.add(place)
            # What has a discriminator may lead to any other.
            if changed and '"discriminator"' in own[place]:
                changed.add(place)
    return frozenset(reach(changed, lambda place: holders[place]))


@lru_cache(maxsize=2)
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


def list_parts(contract: Contract, place: Pointer) -> Iterator[tuple[str, str]]:
    """Yield the parts of a place that have names: what each one is, and how it is called."""
    steps = [str(step) for step in place]
    at = 0
    while at < len(steps):
        kind, following = steps[at], steps[at + 1] if at + 1 < len(steps) else None
        if kind == "components" and at + 2 < len(steps):
            yield "component", steps[at + 2]
            at += 3
        elif kind in ("properties", "patternProperties", "responses", "headers") and following is not None:
            yield kind, following
            at += 2
        elif kind == "content" and following is not None:
            at += 2
        elif kind == "parameters" and following is not None:
            value = contract.at(place[: at + 2]) if following.isdigit() else None
            yield kind, str(value.get("name")) if is_object(value) else following.partition(".")[2] or following
            at += 2
        elif kind in ("paths", "webhooks", "callbacks") and following is not None:
            # Below the name of a callback there is an expression, and then what is called.
            at += 3 if kind == "callbacks" else 2
            method = steps[at].upper() if at < len(steps) and steps[at] in METHODS else "path"
            yield "operation", f"{'callback' if kind == 'callbacks' else method} {following}"
            at += method != "path"
        else:
            yield "other", kind
            at += 1


def name_place(contract: Contract, place: Pointer) -> str:
    """Return a short name of a place, as `Upload.kind` or `body.fileName`."""
    name = "the contract"
    parts = list(list_parts(contract, place))
    for index, (kind, step) in enumerate(parts):
        if kind in ("component", "operation"):
            name = step
        elif kind == "responses":
            name = f"answer {step}"
        elif kind == "parameters":
            name = f"parameter {step}"
        elif kind == "headers":
            name += f" header {step}"
        elif kind in ("properties", "patternProperties"):
            name += f".{step}"
        elif step == "requestBody":
            name = "body"
        elif step == "items":
            name += "[]"
        elif step == "additionalProperties" and index + 1 < len(parts):
            name += ".*"
    return name
