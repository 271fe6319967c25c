"""Which alternatives are the same ones, and whether one value may fit two of them, as far as types and bounds tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

from tools.contract.document import Pointer
from tools.spec_diff.wire.reading import Reader
from tools.spec_diff.wire.views import Group, Places, Side, View, join_types, list_types

MAX_DEPTH = 8
# What is the same on both sides, in pairs, what is gone and what has come.
Matches = tuple[list[tuple[Any, Any]], list[Any], list[Any]]
COUNTED = {"string": "Length", "array": "Items", "object": "Properties"}


def match_members(readers: Mapping[Side, Reader], old: Group, new: Group) -> Matches:
    keys: tuple[Callable[[Reader, Places], Any], ...] = (
        lambda reader, places: name_component(reader.locate(places[0])),
        lambda reader, places: reader.digest(places),
        lambda reader, places: reader.read(places).types,
    )
    return match(readers, keys, old.members, new.members)


def match_groups(readers: Mapping[Side, Reader], old: Sequence[Group], new: Sequence[Group]) -> Matches:
    keys: tuple[Callable[[Reader, Group], Any], ...] = (
        lambda reader, group: (group.keyword, *sorted(map(reader.digest, group.members))),
        lambda _, group: group.keyword,
        lambda _reader, _group: "any",
    )
    return match(readers, keys, old, new)


def match(
    readers: Mapping[Side, Reader], keys: Iterable[Callable[[Reader, Any], Any]], old: Sequence[Any], new: Sequence[Any]
) -> Matches:
    """Return the things that share a key, by the first key that they share, and those that share none."""
    matched, gone, come = [], list(old), list(new)
    for key in keys:
        wanted: dict[Any, list[Any]] = {}
        for thing in come:
            wanted.setdefault(key(readers["new"], thing), []).append(thing)
        for thing in list(gone):
            own = key(readers["old"], thing)
            if own is not None and wanted.get(own):
                partner = wanted[own].pop(0)
                matched.append((thing, partner))
                gone.remove(thing)
                come.remove(partner)
    return matched, gone, come


def name_alternative(reader: Reader, places: Places) -> str:
    """Return a short name of a schema that is one of several."""
    component = name_component(reader.locate(places[0]))
    return str(component) if component else list_types(reader.read(places))


def name_component(place: Pointer) -> Any:
    """Return the name of a schema that is a component; none when it stands inline."""
    return place[2] if place[:2] == ("components", "schemas") and len(place) == 3 else None


def find_overlapping(reader: Reader, group: Group) -> set[Places]:
    """Return the alternatives that rule out what fits another one as well."""
    if group.keyword == "anyOf" or "discriminator" in reader.node(group.place[:-1]):
        return set()
    pairs = permutations(group.members, 2)
    return {one for one, other in pairs if may_overlap(reader, reader.read(one), reader.read(other))}


def may_overlap(reader: Reader, one: View, other: View, depth: int = MAX_DEPTH) -> bool:
    types = join_types(one.types, other.types)
    if (one.nullable and other.nullable) or not depth:
        return True
    if types == frozenset():
        return False
    if one.values is not None and other.values is not None:
        return not {*one.values}.isdisjoint(other.values)
    pairs = ((one, other), (other, one))
    if types is None or len(types) > 1:
        return True
    name = COUNTED.get(next(iter(types)), "")
    bounds = (f"min{name}", f"max{name}") if name else ("minimum", "maximum")
    if any(is_above(low, high, *bounds) for low, high in pairs):
        return False
    return "object" not in types or not any(is_told_apart(reader, *pair, depth - 1) for pair in pairs)


def is_above(one: View, other: View, low: str, high: str) -> bool:
    """Return whether all that fits one schema is above all that fits the other."""
    if low not in one.limits or high not in other.limits:
        return False
    above, below = one.limits[low], other.limits[high]
    return above.value > below.value or (above.value == below.value and (above.exclusive or below.exclusive))


def is_told_apart(reader: Reader, one: View, other: View, depth: int) -> bool:
    """Return whether the other schema rules out a property that one demands."""
    others = other.properties
    beyond = other.groups or {keyword for keyword, _ in other.children} - {"properties", "additionalProperties"}
    views = [
        (reader.read(one.properties[name]), reader.read(others[name]))
        for name in one.required
        if name in others and name in one.properties
    ]
    is_ruled_out = other.closed and not beyond and not one.required.keys() <= others.keys()
    return is_ruled_out or not all(may_overlap(reader, *pair, depth) for pair in views)
