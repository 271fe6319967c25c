"""Fingerprints of schemas: equal for schemas that say the same past `$ref`, in whatever order, and but for words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, format_pointer, is_array, is_object, parse_reference

NAMED = ("properties", "patternProperties", "dependentSchemas")
SCHEMAS = frozenset(
    {
        *("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"),
        *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
    }
)
MAX_DEPTH = 200


@attrs.define(eq=False)
class Digests:
    """Makes the fingerprints of one contract's schemas, each one once."""

    contract: Contract
    locate: Callable[[Pointer], Pointer]
    keywords: Collection[str]
    """The keywords that count."""
    freeze: Callable[[Any], str]
    _known: dict[Pointer, str] = attrs.field(factory=dict)
    _circles: dict[Pointer, tuple[Pointer, ...]] | None = None
    """Of each component that leads back to itself, all of its circle."""

    def read(self, pointer: Pointer, inside: tuple[Pointer, ...] = ()) -> str:
        """Return the fingerprint of a schema; within a circle of components, another of it is known by its name."""
        pointer = self.locate(pointer)
        if self._circles is None:
            self._circles = find_circles(self.contract)
        circle = self._circles.get(pointer[:3], ())
        if circle and circle == inside:
            return f"again {format_pointer(pointer)}"
        if pointer not in self._known:
            content = [self.strip(self.contract.at(pointer), pointer, circle, 0)]
            content += [self.strip(self.contract.at(each), each, circle, 0) for each in circle]
            self._known[pointer] = hash_text(self.freeze(content if circle else content[0]))
        return self._known[pointer]

    def strip(self, node: Any, pointer: Pointer, circle: tuple[Pointer, ...], depth: int) -> Any:
        """Return what a schema says, its order and words taken away, and schemas below it as fingerprints."""
        if not is_object(node) or depth > MAX_DEPTH:
            return node if not is_object(node) else "deep"
        result: dict[str, Any] = {}
        for key, value in node.items():
            place = (*pointer, key)
            if key not in self.keywords:
                continue
            if key in NAMED and is_object(value):
                result[key] = {name: self.below(child, (*place, name), circle, depth) for name, child in value.items()}
            elif key in SCHEMAS:
                result[key] = self.below(value, place, circle, depth)
            elif key in ("oneOf", "anyOf", "allOf", "prefixItems") and is_array(value):
                members = [self.below(child, (*place, index), circle, depth) for index, child in enumerate(value)]
                result[key] = members if key == "prefixItems" else sorted(map(self.freeze, members))
            elif key in ("required", "enum", "type") and is_array(value):
                result[key] = sorted(map(self.freeze, value))
            elif key == "$ref" and isinstance(value, str):
                result[key] = self.read(self.contract.follow(pointer), circle)
            else:
                result[key] = value
        return result

    def below(self, node: Any, pointer: Pointer, circle: tuple[Pointer, ...], depth: int) -> Any:
        """Return the fingerprint of a schema that stands within another, or what it refers to."""
        if not is_object(node):
            return node
        if isinstance(node.get("$ref"), str) and len(node.keys() & set(self.keywords)) == 1:
            return self.read(pointer, circle)
        return hash_text(self.freeze(self.strip(node, pointer, circle, depth + 1)))


def hash_text(text: str) -> str:
    """Return a short text for a long one."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def list_references(value: Any) -> Iterator[Pointer]:
    """Yield the components that a value refers to."""
    stack = [value]
    while stack:
        value = stack.pop()
        if is_object(value):
            reference = value.get("$ref")
            if isinstance(reference, str):
                yield parse_reference(reference)[:3]
            stack.extend(value.values())
        elif is_array(value):
            stack.extend(value)


def list_components(contract: Contract) -> dict[Pointer, Any]:
    """Return the components of a contract, by their places."""
    groups = contract.document.get("components")
    return {
        ("components", kind, name): value
        for kind, group in (groups.items() if is_object(groups) else ())
        for name, value in (group.items() if is_object(group) else ())
    }


def find_circles(contract: Contract) -> dict[Pointer, tuple[Pointer, ...]]:
    """Return, for each component that leads back to itself, all components of its circle (Tarjan's algorithm)."""
    leads = {place: list(dict.fromkeys(list_references(value))) for place, value in list_components(contract).items()}
    numbers: dict[Pointer, int] = {}
    lowest: dict[Pointer, int] = {}
    open_: dict[Pointer, None] = {}
    circles: dict[Pointer, tuple[Pointer, ...]] = {}
    for root, own in leads.items():
        stack = [(root, iter(own))] if root not in numbers else []
        while stack:
            node, rest = stack[-1]
            if node not in numbers:
                numbers[node] = lowest[node] = len(numbers)
                open_[node] = None
            target = next(rest, None)
            if target is None:
                stack.pop()
                if stack:
                    lowest[stack[-1][0]] = min(lowest[stack[-1][0]], lowest[node])
                if lowest[node] == numbers[node]:
                    circle: list[Pointer] = []
                    while not circle or circle[-1] != node:
                        circle.append(open_.popitem()[0])
                    if len(circle) > 1 or node in leads[node]:
                        circles |= dict.fromkeys(circle, tuple(sorted(circle, key=str)))
            elif target in leads and target not in numbers:
                stack.append((target, iter(leads[target])))
            elif target in open_:
                lowest[node] = min(lowest[node], numbers[target])
    return circles
