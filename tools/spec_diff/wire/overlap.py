"""Whether one value may fit two schemas, as far as their types, listed values, bounds and properties tell."""

from __future__ import annotations

from itertools import permutations

from tools.spec_diff.wire.reading import Reader
from tools.spec_diff.wire.views import Group, Places, View, join_types

MAX_DEPTH = 8
COUNTED = {"string": "Length", "array": "Items", "object": "Properties"}


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
