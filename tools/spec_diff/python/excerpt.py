"""Cut contracts down to what matters to a comparison of their generated clients.

A large contract takes the generator half a minute, and most of it is the same in both versions. An operation that says
the same and leads to the same is left out; a schema that is only referred to becomes an empty object of its name.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object, parse_pointer
from tools.contract.operations import METHODS, Operation, list_operations
from tools.spec_diff.wire.digests import list_components
from tools.spec_diff.wire.views import freeze

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
    components = {(str(place[1]), str(place[2])): value for place, value in list_components(contract).items()}
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
    return cut(old, kept[0], changed, changed), cut(new, kept[1], changed, changed)


def find_operations(parts: Parts, other: Parts, shown: set[Component]) -> set[Pointer]:
    """Return where the operations are that differ from the other contract's or lead to what differs."""
    counterparts = {(operation.path, operation.method): operation for operation in list_operations(other.contract)}
    kept = set()
    for operation in list_operations(parts.contract):
        counterpart = counterparts.get((operation.path, operation.method))
        own, common = read_operation(parts.contract, operation)
        leads = {target for target, _ in list_references([own, common])}
        if counterpart is None or not shown.isdisjoint(leads):
            kept.add(operation.pointer)
            continue
        other_own, other_common = read_operation(other.contract, counterpart)
        if not is_same(own, other_own) or freeze(common) != freeze(other_common):
            kept.add(operation.pointer)
    return kept


def read_operation(contract: Contract, operation: Operation) -> tuple[Any, dict[str, Any]]:
    """Return what an operation says, and what its path says for all of its operations."""
    item = contract.at(operation.pointer[:-1])
    return item[operation.method], {key: value for key, value in item.items() if key not in METHODS}


def cut(
    contract: Contract, operations: Iterable[Pointer], full: Collection[Component], roots: Iterable[Component] = ()
) -> Contract:
    """Return a contract of some operations alone, from which a client is generated in a fraction of the time.

    Models and functions are called what they are called in the whole one. What nothing leads to is left out.

    Args:
        contract: The whole contract.
        operations: Where the operations are that it is to have.
        full: The components whose contents matter. Of another one, no more than the name of its class is kept.
        roots: The components that it is to have though no operation leads to them.
    """
    places = set(operations)
    paths: dict[str, Any] = {}
    for operation in list_operations(contract):
        if operation.pointer in places:
            own, common = read_operation(contract, operation)
            paths.setdefault(operation.path, common)[operation.method] = own
    held = contract.document.get("components", {})
    names = [("securitySchemes", str(name)) for name in held.get("securitySchemes", ())]
    wanted = [*list_references(paths), *((root, False) for root in [*roots, *names])]
    seen: dict[Component, Any] = {}
    while wanted:
        (kind, name), merged = wanted.pop()
        value = held.get(kind, {}).get(name)
        if value is None:
            continue
        if kind == "schemas" and (kind, name) not in full and not merged and has_class(value) and "enum" not in value:
            seen.setdefault((kind, name), {key: value[key] for key in ("type", "title") if key in value})
        elif seen.get((kind, name)) is not value:
            seen[kind, name] = value
            wanted += list_references(value)
    # In the order of the whole one, which the generated code follows.
    components = {
        kind: {name: seen[kind, name] for name in group if (kind, name) in seen} for kind, group in held.items()
    }
    return attrs.evolve(
        contract,
        document={
            **contract.document,
            "paths": paths,
            "components": {kind: group for kind, group in components.items() if group},
        },
    )
