"""Cut two contracts down to what can make their generated clients differ.

A large contract takes the generator half a minute, and most of it is the same in both versions. An operation that says
the same and leads to the same is left out; a schema that is only referred to becomes an empty object of its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from tools.spec_diff.document import Contract, is_array, is_object, parse_pointer
from tools.spec_diff.schemas import freeze
from tools.spec_diff.wire import METHODS

# A component: the kind of it and its name.
Component = tuple[str, str]


@attrs.frozen(eq=False)
class Parts:
    """The components of a contract, and what each refers to."""

    contract: Contract
    components: Mapping[Component, Any]
    references: Mapping[Component, frozenset[tuple[Component, bool]]]
    """What each component refers to by itself, and whether as a part of its own (allOf)."""


def list_references(value: Any) -> Iterator[tuple[Component, bool]]:
    """Yield the components that a value refers to, and whether it takes them in as a part of itself."""
    stack = [(value, False)]
    while stack:
        value, merged = stack.pop()
        if is_object(value):
            reference = value.get("$ref")
            if isinstance(reference, str):
                steps = parse_pointer(reference)
                if steps[:1] == ("components",) and len(steps) > 2:
                    yield (str(steps[1]), str(steps[2])), merged or len(steps) > 3
            # What a field refers to is no part of the schema, though the schema be a part of another.
            stack += [(child, key == "allOf") for key, child in value.items()]
        elif is_array(value):
            stack += [(child, merged) for child in value]


def read_parts(contract: Contract) -> Parts:
    """Return the components of a contract."""
    document = contract.document.get("components")
    components: dict[Component, Any] = {
        (kind, str(name)): value
        for kind, group in (document.items() if is_object(document) else ())
        if is_object(group)
        for name, value in group.items()
    }
    return Parts(contract, components, {key: frozenset(list_references(value)) for key, value in components.items()})


def has_class(value: Any) -> bool:
    """Return whether a schema surely has a class of its own, so that others show no more of it than its name."""
    if not is_object(value) or value.keys() & {"allOf", "oneOf", "anyOf", "$ref", "const"}:
        return False
    return (value.get("type") == "object" and is_object(value.get("properties"))) or (
        "enum" in value and value.get("type") in ("string", "integer")
    )


def find_changed(old: Parts, new: Parts) -> set[Component]:
    """Return the components that may look different in Python, because of what they say or of what they hold."""
    keys = old.components.keys() | new.components.keys()
    changed = {
        key
        for key in keys
        if key not in old.components
        or key not in new.components
        or not is_same(old.components[key], new.components[key])
    }
    holders: dict[Component, set[tuple[Component, bool]]] = {}
    for parts in (old, new):
        for key, references in parts.references.items():
            for target, merged in references:
                holders.setdefault(target, set()).add((key, merged))
    queue = list(changed)
    while queue:
        key = queue.pop()
        shown = is_shown(key, old, new)
        for holder, merged in holders.get(key, ()):
            if holder not in changed and (shown or merged):
                changed.add(holder)
                queue.append(holder)
    return changed


def is_same(old: Any, new: Any) -> bool:
    """Return whether two values are written alike, in the same order: that of a constructor's arguments follows it."""
    return json.dumps(old) == json.dumps(new)


def is_shown(key: Component, old: Parts, new: Parts) -> bool:
    """Return whether who refers to a component may show more of it than the name of its class."""
    values = [parts.components.get(key) for parts in (old, new)]
    return key[0] != "schemas" or not all(map(has_class, values))


def make_excerpts(old: Contract, new: Contract) -> tuple[Contract, Contract]:
    """Return both contracts without what makes no difference to Python callers."""
    before, after = read_parts(old), read_parts(new)
    changed = find_changed(before, after)
    shown = {key for key in changed if is_shown(key, before, after)}
    kept = [find_operations(parts, other, shown) for parts, other in ((before, after), (after, before))]
    return cut(before, changed, kept[0]), cut(after, changed, kept[1])


def find_operations(parts: Parts, other: Parts, shown: set[Component]) -> set[tuple[str, str]]:
    """Return the operations, by path and method, that differ from the other contract's or lead to what differs."""
    paths, others = (each.contract.document.get("paths", {}) for each in (parts, other))
    kept = set()
    for path, item in paths.items():
        if not is_object(item):
            continue
        counterpart = others.get(path)
        counterpart = counterpart if is_object(counterpart) else {}
        common = {key: value for key, value in item.items() if key not in METHODS}
        same = freeze(common) == freeze({key: value for key, value in counterpart.items() if key not in METHODS})
        leads = {target for target, _ in list_references(common)}
        for method in METHODS:
            if method in item and (
                not same
                or method not in counterpart
                or not is_same(item[method], counterpart[method])
                or not shown.isdisjoint(leads | {target for target, _ in list_references(item[method])})
            ):
                kept.add((path, method))
    return kept


def cut(parts: Parts, changed: set[Component], operations: set[tuple[str, str]]) -> Contract:
    """Return a contract with these operations, the changed components, and what they refer to."""
    document = parts.contract.document
    paths: dict[str, Any] = {}
    for path, item in document.get("paths", {}).items():
        own = {key: value for key, value in item.items() if key not in METHODS or (path, key) in operations}
        if own.keys() & set(METHODS):
            paths[path] = own
    wanted = [key for key in parts.components if key in changed or key[0] == "securitySchemes"]
    wanted += [target for target, _ in list_references(paths)]
    components: dict[str, dict[str, Any]] = {}
    seen: set[Component] = set()
    while wanted:
        key = wanted.pop()
        if key in seen or key not in parts.components:
            continue
        seen.add(key)
        value = parts.components[key]
        if key not in changed and key[0] == "schemas" and has_class(value) and "enum" not in value:
            # Its name is all that shows.
            value = {name: value[name] for name in ("type", "title") if name in value}
        else:
            wanted += [target for target, _ in parts.references[key]]
        components.setdefault(key[0], {})[key[1]] = value
    ordered: dict[str, dict[str, Any]] = {}
    for kind, name in parts.components:
        if name in components.get(kind, {}):
            ordered.setdefault(kind, {})[name] = components[kind][name]
    return attrs.evolve(parts.contract, document={**document, "paths": paths, "components": ordered})
