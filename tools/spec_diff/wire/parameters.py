"""Compare the parameters of an operation: which there are, how they are written, and their schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tools.contract.document import Contract, Pointer, is_object
from tools.contract.operations import Operation
from tools.spec_diff.wire.bodies import compare_content
from tools.spec_diff.wire.reading import Reader
from tools.spec_diff.wire.views import Direction, View, freeze
from tools.spec_diff.wire.walk import Walk

# OpenAPI leaves these to other parts of the contract.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
DEFAULT_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
# Scalars: these are written alike.
SEPARATED = ("form", "spaceDelimited", "pipeDelimited")
ALIKE = {"spaceDelimited": "form", "pipeDelimited": "form", "deepObject": "form", "form": "form", "simple": "simple"}


def list_parameters(contract: Contract, operation: Operation) -> dict[tuple[str, str], Pointer]:
    """Return where the parameters of an operation are, those of its path included, by where they go and their names."""
    result: dict[tuple[str, str], Pointer] = {}
    in_path = {name: index for index, name in enumerate(re.findall(r"\{([^{}]*)\}", operation.path))}
    for holder in (operation.pointer[:-1], operation.pointer):
        for index in range(len(contract.get((*holder, "parameters"), list))):
            place = contract.resolve((*holder, "parameters", index))
            value = contract.at(place)
            if not is_object(value) or not isinstance(value.get("name"), str) or "in" not in value:
                raise contract.fail(place, "a parameter should have a name and an in")
            name, where = value["name"], str(value["in"])
            if where == "header":
                name = name.lower()
            elif where == "path" and name in in_path:
                # The wire knows it by its position alone.
                name = str(in_path[name])
            if not (where == "header" and name in IGNORED_HEADERS):
                result[where, name] = place
    return result


def compare_parameters(walk: Walk, old: Operation, new: Operation) -> None:
    """Compare the parameters of an operation, matched by where they are and what they are called."""
    before, after = list_parameters(walk.old, old), list_parameters(walk.new, new)
    gone = {key: place for key, place in before.items() if key not in after}
    come = {key: place for key, place in after.items() if key not in before}
    for (where, name), place in list(gone.items()):
        match = next((key for key in come if key[1] in (name.lower(), name)), None)
        if match is not None:
            message = f"the {where} parameter {name} moved to {match[0]}"
            walk.say("parameter-moved", "new", come[match], message, direction="request")
            compare_parameter(walk, place, come.pop(match))
            del gone[where, name]
    for (where, _), place in gone.items():
        name = walk.old.at(place)["name"]
        message = f"the {where} parameter {name} was removed"
        walk.say("parameter-removed", "old", place, message, direction="request", kind="parameter")
    for (where, _), place in come.items():
        value = walk.new.at(place)
        required = value.get("required") is True
        rule = "required-parameter-added" if required else "parameter-added"
        message = f"the {'required' if required else 'optional'} {where} parameter {value['name']} was added"
        walk.say(rule, "new", place, message, direction="request", kind="parameter")
    for key, place in before.items():
        if key in after:
            compare_parameter(walk, place, after[key])


def compare_parameter(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare two versions of one parameter."""
    walk.visit("parameter", old, new)
    before, after = walk.old.at(old), walk.new.at(new)
    name = after["name"]
    if before["in"] == after["in"] == "path" and before["name"] != name:
        walk.say("path-parameter-renamed", "new", (*new, "name"), f"{before['name']} became {name}")
    rules = ("parameter-became-required", "parameter-became-optional")
    words = (f"the parameter {name} became required", f"the parameter {name} became optional")
    walk.compare_flag(old, new, "required", rules, words)
    keys = ["style", "explode"] if before["in"] == after["in"] else []
    keys += ["allowReserved", "allowEmptyValue"] if keys and after["in"] == "query" else []
    default = DEFAULT_STYLES.get(str(after["in"]), "form")
    compare_value(walk, f"the parameter {name}", (old, new), "request", default, keys)


def compare_value(
    walk: Walk, subject: str, places: tuple[Pointer, Pointer], direction: Direction, default: str, keys: Iterable[str]
) -> None:
    """Compare how a parameter or a header is written, and its schema; `default` is its style without a word."""
    old, new = places
    rule = "parameter-style-changed" if direction == "request" else "header-style-changed"
    walk.compare_deprecation(old, new)
    before, after = ("content" in contract.object_at(place) for contract, place in walk.sides(old, new))
    if before != after:
        walk.say(rule, "new", new, f"{subject} is written in another way", direction=direction)
    elif before:
        compare_content(walk, old, new, direction)
    else:
        for key, change in compare_style(walk, old, new, default, keys).items():
            walk.say_key(rule, old, new, key, f"{key} of {subject} {change}", direction)
        walk.compare_schema(direction, old, new)


def compare_style(walk: Walk, old: Pointer, new: Pointer, default: str, keys: Iterable[str]) -> dict[str, str]:
    """Return what differs in how a parameter or a header is written, where that means something for its type."""
    sides = ((walk.readers["old"], old), (walk.readers["new"], new))
    styles = [describe_style(reader.contract.object_at(place), default) for reader, place in sides]
    if not any(may_be(reader, place, "array", "object") for reader, place in sides):
        for style in styles:
            style |= {"explode": None, "style": ALIKE.get(str(style["style"]), style["style"])}
    elif all(style["explode"] and style["style"] in SEPARATED for style in styles) and not any(
        may_be(reader, place, "object") for reader, place in sides
    ):
        # Each item stands for itself then, and nothing is between them.
        for style in styles:
            style["style"] = "form"
    before, after = styles
    return {key: f"was {freeze(before[key])} and is {freeze(after[key])}" for key in keys if before[key] != after[key]}


def describe_style(parameter: Mapping[str, Any], default: str) -> dict[str, Any]:
    """Return how a parameter or a header is written, defaults filled in."""
    style = parameter.get("style", default)
    return {
        "style": style,
        "explode": parameter.get("explode", style == "form"),
        "allowReserved": parameter.get("allowReserved", False),
        "allowEmptyValue": parameter.get("allowEmptyValue", False),
    }


def may_be(reader: Reader, holder: Pointer, *names: str) -> bool:
    """Return whether the value of a parameter or a header may be of one of some types."""
    if "schema" not in reader.contract.object_at(holder):
        return True
    view = reader.read(((*holder, "schema"),))
    return any(allows_type(reader, view, name, 0) for name in names)


def allows_type(reader: Reader, view: View, name: str, depth: int) -> bool:
    """Return whether a schema may accept values of a type."""
    if view.types is not None:
        return name in view.types
    members: Any = [member for group in view.groups for member in group.members]
    return not members or depth > 8 or any(allows_type(reader, reader.read(each), name, depth + 1) for each in members)
