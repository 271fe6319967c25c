"""Read the schemas of a contract into views, and find which alternatives of two contracts are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object
from tools.contract.operations import list_components, reach
from tools.spec_diff.wire import keywords
from tools.spec_diff.wire.keywords import Group, Places, Side
from tools.spec_diff.wire.views import View


@attrs.define(eq=False)
class Reader:
    """Reads the schemas of one contract into views, each one once."""

    contract: Contract
    _views: dict[Places, View] = attrs.field(factory=dict)
    _digests: dict[tuple[Pointer, int], str] = attrs.field(factory=dict)

    @property
    def is_30(self) -> bool:
        """Whether it is OpenAPI 3.0, which knows `nullable`, and nothing beside a `$ref`."""
        return str(self.contract.document["openapi"]).startswith("3.0")

    def locate(self, pointer: Pointer) -> Pointer:
        """Return where a schema really is: past a `$ref` that stands alone."""
        start = pointer
        for _ in range(keywords.MAX_LAYERS):
            node = self.contract.at(pointer)
            if not is_object(node) or "$ref" not in node or len(node.keys() & keywords.JUDGED_KEYWORDS) > 1:
                return pointer
            pointer = self.contract.follow(pointer)
        raise self.contract.fail(start, "the schema leads back to itself")

    def node(self, pointer: Pointer) -> Mapping[str, Any]:
        """Return a schema as an object; true accepts anything, and false nothing."""
        node = self.contract.at(pointer)
        if isinstance(node, bool):
            return {} if node else {"enum": []}
        if not is_object(node):
            raise self.contract.fail(pointer, "a schema should be an object")
        return {"$ref": node["$ref"]} if self.is_30 and "$ref" in node else node

    def is_anything(self, pointer: Pointer) -> bool:
        node = self.contract.at(pointer)
        return node is True or (is_object(node) and not node.keys() & keywords.JUDGED_KEYWORDS)

    def read(self, places: Places) -> View:
        if places not in self._views:
            self._views[places] = View(self, places)
        return self._views[places]

    def has_flag(self, places: Places, name: str) -> bool:
        """Return whether a flag such as `readOnly` is set; most schemas need not be put together to tell."""
        nodes = [self.contract.at(place) for place in places]
        if not any(is_object(node) and node.keys() & keywords.WRAPPING for node in nodes):
            return any(is_object(node) and node.get(name) is True for node in nodes)
        return name in self.read(places).facets

    def read_types(self, pointer: Pointer) -> frozenset[str] | None:
        """Return the types of a schema that says nothing but these."""
        node = self.node(self.locate(pointer))
        is_plain = node.keys() & keywords.JUDGED_KEYWORDS - {"nullable"} == {"type"}
        return frozenset(keywords.list_declared(node) or ()) - {"null"} if is_plain else None

    def digest(self, places: Places) -> str:
        """Return a text that schemas share that say the same past `$ref`, in whatever order, and but for words."""
        return " ".join(sorted(self._digest(place, keywords.DIGEST_DEPTH) for place in places))

    def _digest(self, pointer: Pointer, depth: int) -> str:
        pointer = self.locate(pointer)
        if (pointer, depth) not in self._digests:
            node = self.contract.at(pointer)
            said = (self.strip(pointer, node, depth - 1) if depth else "deep") if is_object(node) else node
            text = keywords.freeze(said).encode("utf-8", "surrogatepass")
            self._digests[pointer, depth] = hashlib.sha256(text).hexdigest()
        return self._digests[pointer, depth]

    def strip(self, pointer: Pointer, node: Mapping[str, Any], depth: int = keywords.DIGEST_DEPTH) -> dict[str, Any]:
        """Return what a schema says, its order and words taken away, and schemas below it as digests."""
        result: dict[str, Any] = {}
        for key in node.keys() & keywords.JUDGED_KEYWORDS:
            value, place = node[key], (*pointer, key)
            if key == "$ref":
                result[key] = self._digest(self.contract.follow(pointer), depth)
            elif key in keywords.MAPS and is_object(value):
                result[key] = {name: self._digest((*place, name), depth) for name in value}
            elif key in keywords.SCHEMAS:
                result[key] = self._digest(place, depth)
            elif key in ("oneOf", "anyOf", "allOf", "prefixItems") and is_array(value):
                members = [self._digest(each, depth) for each in self.contract.members(pointer, key)]
                result[key] = members if key == "prefixItems" else sorted(members)
            else:
                result[key] = (
                    sorted(map(keywords.freeze, value)) if key in keywords.UNORDERED and is_array(value) else value
                )
        return result

    def is_null(self, pointer: Pointer) -> bool:
        node = self.node(self.locate(pointer))
        values = keywords.list_values(node) or ()
        return keywords.list_declared(node) == ["null"] or (bool(values) and all(value is None for value in values))

    def accepts_null(self, pointer: Pointer, seen: frozenset[Pointer] = frozenset()) -> bool:
        pointer = self.locate(pointer)
        if pointer in seen:
            return True
        node, seen = self.node(pointer), seen | {pointer}

        def fit(keyword: str) -> list[bool]:
            members = self.contract.members(pointer, keyword) if keyword in keywords.WRAPPING else [(*pointer, keyword)]
            return [self.accepts_null(each, seen) for each in members] if keyword in node else []

        types, values = keywords.list_declared(node), keywords.list_values(node)
        return (
            (types is None or "null" in types or node.get("nullable") is True)
            and (values is None or None in values)
            and not any(fit("not"))
            and ("if" not in node or all(fit("then" if all(fit("if")) else "else")))
            and ("$ref" not in node or self.accepts_null(self.contract.follow(pointer), seen))
            and all(fit("allOf"))
            and ("oneOf" not in node or sum(fit("oneOf")) == 1)
            and ("anyOf" not in node or any(fit("anyOf")))
        )

    def find_overlapping(self, group: Group) -> set[Places]:
        """Return the alternatives that rule out what fits another one as well."""
        if group.keyword == "anyOf" or "discriminator" in self.node(group.place[:-1]):
            return set()
        return {one for one, other in permutations(group.members, 2) if self.read(one).may_overlap(self.read(other))}

    def list_heirs(self, pointer: Pointer) -> list[Pointer]:
        """Return the components that take in a schema by `allOf`, directly or by way of others."""

        def list_own(target: Pointer) -> list[Pointer]:
            return [place for place, members in parents.items() if target in members]

        parents = {
            place: [self.locate(member) for member in self.contract.members(place, "allOf")]
            for place in list_components(self.contract)
            if place[1] == "schemas"
        }
        return list(reach(list_own(pointer), list_own))


Readers = Mapping[Side, Reader]


# What equal alternatives share.
Key = Callable[[Reader, Any], Any]
# What is the same on both sides, in pairs, what is gone and what has come.
Matches = tuple[list[tuple[Any, Any]], list[Any], list[Any]]


def match_members(readers: Readers, old: Group, new: Group) -> Matches:
    keys: tuple[Key, ...] = (
        lambda reader, places: name_component(reader.locate(places[0])),
        lambda reader, places: reader.digest(places),
        lambda reader, places: reader.read(places).types,
    )
    return match(readers, keys, old.members, new.members)


def match(readers: Readers, keys: Iterable[Key], old: Sequence[Any], new: Sequence[Any]) -> Matches:
    """Return the things that share a key, by the first key that they share, and those that share none."""
    matched, gone, come = [], list(old), list(new)
    for key in keys:
        for thing in list(gone):
            own = key(readers["old"], thing)
            partner = next((each for each in come if own is not None and key(readers["new"], each) == own), None)
            if partner is not None:
                matched.append((thing, partner))
                gone.remove(thing)
                come.remove(partner)
    return matched, gone, come


def name_component(place: Pointer) -> Any:
    """Return the name of a schema that is a component; none when it stands inline."""
    return place[2] if place[:2] == ("components", "schemas") and len(place) == 3 else None
