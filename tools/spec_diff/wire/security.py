"""Compare the ways to authenticate, and the schemes that they use, which are known by what they say, not by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.contract.document import Contract, Pointer, format_pointer, is_array, is_object
from tools.spec_diff.wire.keywords import Found, freeze
from tools.spec_diff.wire.places import is_words
from tools.spec_diff.wire.walk import Walk

# A way to authenticate: names of schemes, each with "" and with the scopes that are asked for.
Way = frozenset[tuple[str, str]]


def compare_security(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare the ways to authenticate: one that sufficed has to suffice still."""
    before, _ = list_ways(walk.old, old)
    own, where = list_ways(walk.new, new)
    renamed = match_schemes(walk, before, own)
    after = {frozenset((renamed.get(name, name), scope) for name, scope in way): place for way, place in own.items()}
    new_names = {renamed.get(name, name): name for way in own for name, _ in way}
    for name in dict.fromkeys(name for way in before for name, _ in sorted(way)):
        if name in new_names:
            compare_scheme(walk, name, new_names[name])
    if "security" not in walk.new.at(new) and "security" in walk.old.at(old):
        where = new
    for way in before:
        if not any(each <= way for each in after):
            words = describe_way(way)
            location = f"{format_pointer(where)}/{words}"
            found = Found("security-tightened", "new", where, location, f"{words} does not suffice any more")
            walk.note(found, walk.operation)
    for way, place in after.items():
        if way in before:
            continue
        if not way:
            walk.say("security-loosened", "new", place, "no authentication is needed any more")
        elif not any(each <= way for each in before):
            words = describe_way(way)
            location = f"{format_pointer(place[:-1] if place != where else place)}/{words}"
            walk.note(Found("security-added", "new", place, location, f"{words} may be used now"), walk.operation)


def list_ways(contract: Contract, operation: Pointer) -> tuple[dict[Way, Pointer], Pointer]:
    """Return the ways to authenticate, each as schemes with their scopes, and where they are said."""
    place: Pointer = (*operation, "security") if "security" in contract.at(operation) else ("security",)
    result: dict[Way, Pointer] = {}
    for index, way in enumerate(contract.get(place, list)):
        if not is_object(way) or not all(is_array(scopes) for scopes in way.values()):
            raise contract.fail((*place, index), "a security requirement should be an object of lists")
        needs = {(name, scope) for name, scopes in way.items() for scope in ("", *map(str, scopes))}
        result[frozenset(needs)] = (*place, index)
    # No way at all means that none is needed.
    return result or {frozenset(): place}, place


def find_scheme(contract: Contract, name: str) -> Pointer | None:
    """Return where a security scheme is, past any `$ref`; none when it is not there."""
    place: Pointer = ("components", "securitySchemes", name)
    return contract.resolve(place) if contract.has(place) else None


def match_schemes(walk: Walk, before: Mapping[Way, Any], after: Mapping[Way, Any]) -> dict[str, str]:
    """Return the old name of each scheme that has another one and says the same."""
    used = [{name for way in ways for name, _ in way} for ways in (before, after)]
    gone = {describe_scheme(walk.old, name): name for name in sorted(used[0] - used[1])}
    come = {name: describe_scheme(walk.new, name) for name in sorted(used[1] - used[0])}
    return {name: gone[text] for name, text in come.items() if text is not None and text in gone}


def describe_scheme(contract: Contract, name: str) -> str | None:
    """Return how credentials are given and where one gets them, as a text that equal schemes share."""
    place = find_scheme(contract, name)
    if place is None:
        return None
    said = flatten_scheme(contract.object_at(place))
    return freeze({format_pointer(key): value for key, value in said.items() if "scopes" not in key})


def flatten_scheme(scheme: Mapping[str, Any], place: Pointer = ()) -> dict[Pointer, Any]:
    """Return what a scheme says, by where in it; of an object, that it is there."""
    said: dict[Pointer, Any] = {}
    for key, value in scheme.items():
        here = (*place, key)
        if is_object(value):
            said |= {here: True, **flatten_scheme(value, here)}
        elif place[2:] == ("scopes",) or not is_words(here):
            said[here] = str(value).lower() if here == ("scheme",) else value
    return said


def compare_scheme(walk: Walk, old: str, new: str) -> None:
    there, here = find_scheme(walk.old, old), find_scheme(walk.new, new)
    walk.visit("scheme", there, here)
    if there is None or here is None:
        if there is not None:
            walk.say("security-scheme-changed", "old", there, f"the security scheme {old} was removed")
        elif here is not None:
            walk.say("security-scheme-extended", "new", here, f"the security scheme {new} was added")
        return
    before, after = flatten_scheme(walk.old.object_at(there)), flatten_scheme(walk.new.object_at(here))
    for key in dict.fromkeys([*before, *after]):
        place, name, kind = (*here, *key), key[-1], {2: "flow", 4: "scope"}.get(len(key))
        # What is in a flow goes with it, and scopes are named one by one.
        goes_along = len(key) > 2 and not (key[:2] in before and key[:2] in after)
        if before.get(key) == after.get(key) or goes_along or name in ("flows", "scopes"):
            continue
        if kind is None:
            walk.say("security-scheme-changed", "new", place, f"the {name} of the security scheme {old} was changed")
        elif key not in after:
            message = f"the {kind} {name} was removed from the security scheme {old}"
            found = Found("security-scheme-changed", "new", place[:-1], format_pointer(place), message)
            walk.note(found, walk.operation)
        elif key not in before:
            message = f"the {kind} {name} was added to the security scheme {old}"
            walk.say("security-scheme-extended", "new", place, message)
        else:
            walk.say("documentation-changed", "new", place, f"the description of the scope {name} was changed")


def describe_way(way: Way) -> str:
    names = sorted({name for name, _ in way})
    parts = []
    for name in names:
        scopes = sorted(scope for each, scope in way if each == name and scope)
        parts.append(f"{name} ({', '.join(scopes)})" if scopes else name)
    return " with ".join(parts) or "going without authentication"
