"""Compare what an operation is sent, and media types wherever there are any."""

from __future__ import annotations

from typing import Any

from tools.contract.document import Contract, Pointer, is_object
from tools.spec_diff.wire.views import Direction, freeze
from tools.spec_diff.wire.walk import Walk

# Only of these a body has parts that are written one by one.
FORMS = ("multipart/", "application/x-www-form-urlencoded")


def compare_bodies(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare what an operation is sent."""
    before, after = (
        None if (place := walk.find(contract, holder, "requestBody")) is None else contract.resolve(place)
        for contract, holder in walk.sides(old, new)
    )
    if before is not None and after is not None:
        walk.visit("body", before, after)
        rules = ("body-became-required", "body-became-optional")
        walk.compare_flag(before, after, "required", rules, ("the body became required", "the body became optional"))
        compare_content(walk, before, after, "request")
    elif after is not None:
        required = walk.new.object_at(after).get("required") is True
        rule = "required-body-added" if required else "body-added"
        message = f"a{' required' if required else 'n optional'} body was added"
        walk.say(rule, "new", after, message, direction="request", kind="body")
    elif before is not None:
        walk.say("body-removed", "old", before, "the body was removed", direction="request", kind="body")


def list_media_types(contract: Contract, holder: Pointer) -> dict[str, Pointer]:
    """Return where the media types of a body, an answer, a parameter or a header are, by their names in one form."""
    places = {name: (*holder, "content", name) for name in contract.get((*holder, "content"), dict)}
    plain = {normalize_media_type(name): place for name, place in places.items()}
    return plain if len(plain) == len(places) else {name.lower(): place for name, place in places.items()}


def normalize_media_type(name: str) -> str:
    """Return a media type without its charset, in lower case."""
    first, *parameters = (part.strip() for part in name.lower().split(";"))
    return ";".join([first, *(part for part in parameters if not part.startswith("charset="))])


def is_range_of(general: str, name: str) -> bool:
    """Return whether a media type such as `text/*` covers another."""
    return general == "*/*" or (general.endswith("/*") and name.startswith(general[:-1]))


def compare_content(walk: Walk, old: Pointer, new: Pointer, direction: Direction) -> None:
    """Compare the media types of a body, an answer, a parameter or a header."""
    before, after = (list_media_types(contract, holder) for contract, holder in walk.sides(old, new))
    way = walk.turn(direction)
    for name, place in before.items():
        # Wider is fine for what is sent, and narrower for what comes.
        covers = is_range_of if way == "request" else lambda each, own: is_range_of(own, each)
        match = name if name in after else next((each for each in after if covers(each, name)), None)
        if match is not None:
            compare_media_type(walk, place, after[match], direction)
        else:
            message = f"the media type {place[-1]} was removed"
            walk.say(f"{way}-media-type-removed", "old", place, message, direction=direction, kind="media")
    for name, place in after.items():
        match = next((each for each in before if is_range_of(each, name)), None) if way == "response" else None
        if name not in before and match is None:
            message = f"the media type {place[-1]} was added"
            walk.say(f"{way}-media-type-added", "new", place, message, direction=direction, kind="media")
        elif name not in before and match is not None:
            compare_media_type(walk, before[match], place, direction)


def compare_media_type(walk: Walk, old: Pointer, new: Pointer, direction: Direction) -> None:
    """Compare two versions of what has one media type."""
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
    keys = ("contentType", "style", "explode", "allowReserved", "headers")
    parts = {
        name: {key: value[key] for key in keys if key in value} if is_object(value) else value
        for name, value in encoding.items()
    }
    return freeze({name: value for name, value in parts.items() if value})
