"""What Redocly saw and no fact covers: words, parts that nothing uses, and what no rule knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.contract.document import Contract, Pointer, is_array, is_object
from tools.contract.operations import METHODS, list_operations
from tools.spec_diff.redocly import Seen
from tools.spec_diff.wire.keywords import JUDGED_KEYWORDS, Found, Side, freeze
from tools.spec_diff.wire.places import NAMED, find_unused, format_place, is_words, name_place
from tools.spec_diff.wire.walk import Walk

STYLE = frozenset({"required", "schema", "content", "style", "explode", "deprecated", "$ref"})
JUDGED_KEYS: Mapping[str, frozenset[str]] = {
    "operation": frozenset(
        {"operationId", "parameters", "requestBody", "responses", "security", "deprecated", "servers", "callbacks"}
    ),
    # Of what the service calls the rest is not worked out.
    "call": frozenset({"parameters", "requestBody", "responses", "deprecated"}),
    "called path": frozenset({"parameters", "$ref", "key", *METHODS}),
    "path": frozenset({"parameters", "servers", "$ref", "key", *METHODS}),
    "parameter": STYLE | {"name", "in", "allowReserved", "allowEmptyValue"},
    "header": STYLE,
    "body": frozenset({"required", "content", "$ref"}),
    "response": frozenset({"content", "headers", "$ref"}),
    "media": frozenset({"schema", "encoding"}),
    "scheme": frozenset({"type", "scheme", "name", "in", "flows", "openIdConnectUrl", "$ref"}),
    "server": frozenset({"url"}),
    "components": NAMED,
    "root": frozenset({"paths", "security", "servers", "openapi", "webhooks"}),
    "info": frozenset({"version"}),
    "schema": JUDGED_KEYWORDS,
}
"""What the walk compares of each kind of thing."""
LOOKED_INTO = frozenset({"components", "tags", "links", "variables", "servers", "security", "callbacks"})
"""Keys of objects and lists that Redocly looks into; below one that it does not know it sees nothing."""


def explain(walk: Walk, seen: Iterable[Seen]) -> None:
    """Note what Redocly saw and the walk has not compared."""
    left = [each for each in seen if not is_judged(walk, each)]
    left += find_unknown(walk)
    if not (left or walk.found):
        left = list(find_hidden_words(walk))
    for each in left:
        is_old = each.new is None or (each.key is not None and each.old is not None and not walk.new.has(each.new))
        where: Side = "old" if is_old else "new"
        place = (each.old if is_old else each.new) or ()
        if each.key is None and place[:1] == ("components",) and len(place) <= 3:
            note_components(walk, where, place, each.change)
        else:
            note(walk, where, place, each)


def find_unknown(walk: Walk) -> Iterator[Seen]:
    """Yield the objects and lists that differ under keys that nobody knows, such as one that is misspelt."""
    for (old, new), kind in walk.compared.items():
        before, after = (contract.object_at(place) for contract, place in walk.sides(old, new))
        for key in (before.keys() | after.keys()) - JUDGED_KEYS[kind] - LOOKED_INTO:
            values = before.get(key), after.get(key)
            is_deep = any(is_object(value) or is_array(value) for value in values)
            if is_deep and not is_words((key,)) and freeze(values[0]) != freeze(values[1]):
                # Where Redocly has it, which knows lists of plain values.
                there, here = ((*place, key) if key in own else place for place, own in ((old, before), (new, after)))
                yield Seen("modified", key, tuple(map(str, there)), tuple(map(str, here)))


def find_hidden_words(walk: Walk) -> Iterator[Seen]:
    """Yield the examples and extensions that differ; Redocly does not look into those that are objects or lists."""
    old, new = (dict(list_words(contract, (), contract.document)) for contract in (walk.old, walk.new))
    for name in dict.fromkeys([*old, *new]):
        place, text = new.get(name) or old[name]
        if name not in old or name not in new or old[name][1] != text:
            change = "added" if name not in old else "removed" if name not in new else "modified"
            yield Seen(change, str(place[-1]), place[:-1] if name in old else None, place[:-1])


def list_words(contract: Contract, holder: Pointer, value: Any) -> Iterator[tuple[str, tuple[Pointer, str]]]:
    """Yield the examples and extensions in a value, by what their places are called."""
    for key, child in value.items() if is_object(value) else enumerate(value) if is_array(value) else ():
        place = (*holder, key)
        if str(key).startswith(("example", "x-")) and is_words(place):
            yield format_place(contract, place), (place, freeze(child))
        else:
            yield from list_words(contract, place, child)


def note(walk: Walk, where: Side, place: Pointer, seen: Seen) -> None:
    """Note what no other part of the walk has an opinion of."""
    contract = walk.readers[where].contract
    key = seen.key if seen.key is not None else str(place[-1]) if place else ""
    verb = "changed" if seen.change == "modified" else seen.change
    message = f"{name_place(contract, place)}: {key} was {verb}"
    if place[:1] == ("tags",) and len(place) > 1:
        tag = contract.at(place[:2])
        name = tag.get("name") if is_object(tag) else tag
        message = f"the tag {name} was {verb if len(place) == 2 and seen.key is None else 'changed'}"
    if is_words((*place, key)):
        rule = "documentation-changed"
    elif place[:3] in find_unused(contract):
        rule = "unused-component-changed"
    elif key == "key":
        # What has a new name only was met under both, once removed and once added.
        return
    else:
        rule = "other-added" if seen.change == "added" else "other-changed"
    # None when it is in none or in many.
    users = [each.name for each in list_operations(contract) if each.pointer == place[:3]]
    for name in users or ("",):
        walk.note(Found(rule, where, place, format_place(contract, place), message), name)


def note_components(walk: Walk, where: Side, place: Pointer, change: str) -> None:
    """Note which components came or went that nothing leads to; whatever leads to another has been compared with it."""
    contract, other = (walk.old, walk.new) if where == "old" else (walk.new, walk.old)
    for component in sorted(find_unused(contract)):
        if component[: len(place)] == place and not other.has(component):
            name = component[2]
            message = f"{name}: {name} was {'changed' if change == 'modified' else change}"
            found = Found("unused-component-changed", where, component, format_place(contract, component), message)
            walk.note(found, "")


def is_judged(walk: Walk, seen: Seen) -> bool:
    """Return whether the walk has compared what was seen, in one contract or the other."""
    places: Mapping[Side, Pointer | None] = {"old": seen.old, "new": seen.new}
    for side, place in places.items():
        if place is None:
            continue
        # The nearest thing around it that the walk has been to.
        length = next((each for each in range(len(place), -1, -1) if place[:each] in walk.judged[side]), None)
        if length is not None:
            step = str(place[length]) if length < len(place) else seen.key
            is_itself = length == len(place) > 0 and seen.key == place[-1]
            if is_itself or step is None or step in JUDGED_KEYS[walk.judged[side][place[:length]]]:
                return True
    return False
