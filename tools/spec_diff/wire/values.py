"""Compare what is sent and what comes: parameters, headers, bodies, their media types, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tools.contract.document import Contract, Pointer, is_object
from tools.contract.operations import Operation
from tools.spec_diff.wire.keywords import Direction, freeze
from tools.spec_diff.wire.places import is_words
from tools.spec_diff.wire.walk import Both, Walk

# OpenAPI leaves these to other parts of the contract.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
DEFAULT_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
SEPARATED = ("form", "spaceDelimited", "pipeDelimited")
# Only of these a body has parts that are written one by one.
FORMS = ("multipart/", "application/x-www-form-urlencoded")


def list_parameters(contract: Contract, operation: Operation) -> dict[tuple[str, str], Pointer]:
    """Return where the parameters of an operation are, those of its path included, by where they go and their names."""
    result: dict[tuple[str, str], Pointer] = {}
    in_path = re.findall(r"\{([^{}]*)\}", operation.path)
    for holder in (operation.pointer[:-1], operation.pointer):
        for place in map(contract.resolve, contract.members(holder, "parameters")):
            value = contract.at(place)
            if not is_object(value) or not isinstance(value.get("name"), str) or "in" not in value:
                raise contract.fail(place, "a parameter should have a name and an in")
            name, where = value["name"], str(value["in"])
            if where == "header":
                name = name.lower()
            elif where == "path" and name in in_path:
                # The wire knows it by its position alone.
                name = str(in_path.index(name))
            if not (where == "header" and name in IGNORED_HEADERS):
                result[where, name] = place
    return result


def compare_parameters(walk: Walk, old: Operation, new: Operation) -> None:
    before, after = list_parameters(walk.old, old), list_parameters(walk.new, new)
    come = [key for key in after if key not in before]
    for key, place in before.items():
        where, name = key
        match = next((each for each in come if each[1] in (name.lower(), name)), None)
        if key in after:
            compare_parameter(walk, place, after[key])
        elif match is not None:
            come.remove(match)
            message = f"the {where} parameter {name} moved to {match[0]}"
            walk.say("parameter-moved", "new", after[match], message, "request")
            compare_parameter(walk, place, after[match])
        else:
            message = f"the {where} parameter {walk.old.at(place)['name']} was removed"
            walk.say("parameter-removed", "old", place, message, "request", "parameter")
    for where, name in come:
        place = after[where, name]
        value = walk.new.at(place)
        is_needed = value.get("required") is True
        need, rule = ("required", "required-parameter-added") if is_needed else ("optional", "parameter-added")
        walk.say(rule, "new", place, f"the {need} {where} parameter {value['name']} was added", "request", "parameter")


def compare_parameter(walk: Walk, old: Pointer, new: Pointer) -> None:
    walk.visit("parameter", old, new)
    before, after = walk.old.at(old), walk.new.at(new)
    name, where = after["name"], str(after["in"])
    if before["in"] == after["in"] == "path" and before["name"] != name:
        walk.say("path-parameter-renamed", "new", (*new, "name"), f"{before['name']} became {name}")
    walk.compare_required("parameter", f"the parameter {name}", (old, new), "request")
    keys = ["style", "explode"] if before["in"] == after["in"] else []
    keys += ["allowReserved", "allowEmptyValue"] if keys and where == "query" else []
    compare_value(walk, f"the parameter {name}", (old, new), "request", DEFAULT_STYLES.get(where, "form"), keys)


def compare_value(
    walk: Walk, subject: str, places: Both, direction: Direction, default: str, keys: Iterable[str]
) -> None:
    old, new = places
    rule = "parameter-style-changed" if direction == "request" else "header-style-changed"
    walk.compare_flag(places, "deprecated", "request")
    before, after = ("content" in contract.object_at(place) for contract, place in walk.sides(old, new))
    if before != after:
        walk.say(rule, "new", new, f"{subject} is written in another way", direction)
    elif before:
        compare_content(walk, old, new, direction)
    else:
        styles = list_styles(walk, old, new, default)
        for key in keys:
            if styles[0][key] != styles[1][key]:
                words = f"was {freeze(styles[0][key])} and is {freeze(styles[1][key])}"
                walk.say_key(rule, places, key, f"{key} of {subject} {words}", direction)
        walk.compare_schema(direction, old, new)


def list_styles(walk: Walk, old: Pointer, new: Pointer, default: str) -> list[dict[str, Any]]:
    """Return how both versions of a parameter or a header are written; what means nothing for the type is alike."""
    sides = ((walk.readers["old"], old), (walk.readers["new"], new))
    schemas = [(reader, (*place, "schema")) for reader, place in sides]
    views = [reader.read((place,)) for reader, place in schemas if reader.contract.has(place)]
    has_items, has_keys = (len(views) < 2 or any(view.may_be(name) for view in views) for name in ("array", "object"))
    styles: list[dict[str, Any]] = []
    for reader, place in sides:
        said = reader.contract.object_at(place)
        style = str(said.get("style", default))
        explode = said.get("explode", style == "form")
        if not (has_items or has_keys):
            # Scalars are written alike.
            style, explode = "form" if style in (*SEPARATED, "deepObject") else style, None
        flags = {key: said.get(key, False) for key in ("allowReserved", "allowEmptyValue")}
        styles.append({"style": style, "explode": explode, **flags})
    if not has_keys and all(style["explode"] and style["style"] in SEPARATED for style in styles):
        # Each item stands for itself then, and nothing is between them.
        styles = [{**style, "style": "form"} for style in styles]
    return styles


def compare_bodies(walk: Walk, old: Pointer, new: Pointer) -> None:
    before, after = (
        contract.resolve((*holder, "requestBody")) if "requestBody" in contract.object_at(holder) else None
        for contract, holder in walk.sides(old, new)
    )
    if before is not None and after is not None:
        walk.visit("body", before, after)
        walk.compare_required("body", "the body", (before, after), "request")
        compare_content(walk, before, after, "request")
    elif after is not None:
        is_needed = walk.new.object_at(after).get("required") is True
        rule, need = ("required-body-added", "a required") if is_needed else ("body-added", "an optional")
        walk.say(rule, "new", after, f"{need} body was added", "request", "body")
    elif before is not None:
        walk.say("body-removed", "old", before, "the body was removed", "request", "body")


def list_media_types(contract: Contract, holder: Pointer) -> dict[str, Pointer]:
    """Return where the media types of a body, an answer, a parameter or a header are, by their names in one form."""
    places = {name: (*holder, "content", name) for name in contract.get((*holder, "content"), dict)}
    # Without the charset, where they still differ.
    parts = {name: map(str.strip, name.lower().split(";")) for name in places}
    plain = {
        ";".join(part for part in own if not part.startswith("charset=")): places[name] for name, own in parts.items()
    }
    return plain if len(plain) == len(places) else {name.lower(): place for name, place in places.items()}


def is_range_of(general: str, name: str) -> bool:
    """Return whether a media type such as `text/*` covers another."""
    return general == "*/*" or (general.endswith("/*") and name.startswith(general[:-1]))


def compare_content(walk: Walk, old: Pointer, new: Pointer, direction: Direction) -> None:
    before, after = (list_media_types(contract, holder) for contract, holder in walk.sides(old, new))
    way = walk.turn(direction)
    for name, place in before.items():
        # Wider is fine for what is sent, and narrower for what comes.
        fitting = (each for each in after if (is_range_of(each, name) if way == "request" else is_range_of(name, each)))
        match = name if name in after else next(fitting, None)
        if match is not None:
            compare_media_type(walk, place, after[match], direction)
        else:
            message = f"the media type {place[-1]} was removed"
            walk.say(f"{way}-media-type-removed", "old", place, message, direction, "media")
    for name in [name for name in after if name not in before]:
        place = after[name]
        match = next((each for each in before if way == "response" and is_range_of(each, name)), None)
        if match is not None:
            compare_media_type(walk, before[match], place, direction)
        else:
            message = f"the media type {place[-1]} was added"
            walk.say(f"{way}-media-type-added", "new", place, message, direction, "media")


def compare_media_type(walk: Walk, old: Pointer, new: Pointer, direction: Direction) -> None:
    walk.visit("media", old, new)
    walk.compare_schema(direction, old, new)
    before, after = (describe_encoding(contract, place) for contract, place in walk.sides(old, new))
    if before != after:
        is_there = "encoding" in walk.new.at(new)
        walk.say("encoding-changed", "new" if is_there else "old", new if is_there else old, "the encoding was changed")


def describe_encoding(contract: Contract, place: Pointer) -> str:
    """Return how the parts of a form are written, as a text that equal ways share; words are left out."""
    encoding: Any = contract.object_at(place).get("encoding")
    if not is_object(encoding) or not str(place[-1]).lower().startswith(FORMS):
        return "{}"
    parts = {
        name: {key: value[key] for key in value if not is_words((key,))} if is_object(value) else value
        for name, value in encoding.items()
    }
    return freeze({name: value for name, value in parts.items() if value})
