"""Read the schemas of a contract into views."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object
from tools.contract.operations import list_components, reach
from tools.spec_diff.wire import merging, views
from tools.spec_diff.wire.views import Places, View


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
        for _ in range(views.MAX_LAYERS):
            node = self.contract.at(pointer)
            if not is_object(node) or "$ref" not in node or len(node.keys() & views.JUDGED_KEYWORDS) > 1:
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
        return node is True or (is_object(node) and not node.keys() & views.JUDGED_KEYWORDS)

    def read(self, places: Places) -> View:
        if places not in self._views:
            builder = merging.Builder(self, View(places))
            for place in places:
                builder.add(place, is_whole=True)
            builder.finish()
            self._views[places] = builder.view
        return self._views[places]

    def has_flag(self, places: Places, name: str) -> bool:
        """Return whether a flag such as `readOnly` is set; most schemas need not be put together to tell."""
        nodes = [self.contract.at(place) for place in places]
        if not any(is_object(node) and node.keys() & views.WRAPPING for node in nodes):
            return any(is_object(node) and node.get(name) is True for node in nodes)
        return name in self.read(places).facets

    def read_types(self, pointer: Pointer) -> frozenset[str] | None:
        """Return the types of a schema that says nothing but these."""
        node = self.node(self.locate(pointer))
        is_plain = node.keys() & views.JUDGED_KEYWORDS - {"nullable"} == {"type"}
        return frozenset(views.list_declared(node) or ()) - {"null"} if is_plain else None

    def digest(self, places: Places) -> str:
        """Return a text that schemas share that say the same past `$ref`, in whatever order, and but for words."""
        return " ".join(sorted(self._digest(place, views.DIGEST_DEPTH) for place in places))

    def _digest(self, pointer: Pointer, depth: int) -> str:
        pointer = self.locate(pointer)
        if (pointer, depth) not in self._digests:
            node = self.contract.at(pointer)
            said = node
            if is_object(node):
                said = self.strip(pointer, node, depth - 1) if depth else "deep"
            text = views.freeze(said).encode("utf-8", "surrogatepass")
            self._digests[pointer, depth] = hashlib.sha256(text).hexdigest()
        return self._digests[pointer, depth]

    def strip(self, pointer: Pointer, node: Mapping[str, Any], depth: int = views.DIGEST_DEPTH) -> dict[str, Any]:
        """Return what a schema says, its order and words taken away, and schemas below it as digests."""
        result: dict[str, Any] = {}
        for key in node.keys() & views.JUDGED_KEYWORDS:
            value, place = node[key], (*pointer, key)
            if key == "$ref":
                result[key] = self._digest(self.contract.follow(pointer), depth)
            elif key in views.MAPS and is_object(value):
                result[key] = {name: self._digest((*place, name), depth) for name in value}
            elif key in views.SCHEMAS:
                result[key] = self._digest(place, depth)
            elif key in ("oneOf", "anyOf", "allOf", "prefixItems") and is_array(value):
                members = [self._digest(each, depth) for each in self.contract.members(pointer, key)]
                result[key] = members if key == "prefixItems" else sorted(members)
            else:
                result[key] = sorted(map(views.freeze, value)) if key in views.UNORDERED and is_array(value) else value
        return result

    def is_null(self, pointer: Pointer) -> bool:
        node = self.node(self.locate(pointer))
        values = views.list_values(node) or ()
        return views.list_declared(node) == ["null"] or (bool(values) and all(value is None for value in values))

    def accepts_null(self, pointer: Pointer, seen: frozenset[Pointer] = frozenset()) -> bool:
        pointer = self.locate(pointer)
        if pointer in seen:
            return True
        node, seen = self.node(pointer), seen | {pointer}
        fitting = {
            keyword: [self.accepts_null(each, seen) for each in self.contract.members(pointer, keyword)]
            for keyword in ("allOf", "oneOf", "anyOf")
            if keyword in node
        }
        single = {
            keyword: self.accepts_null((*pointer, keyword), seen)
            for keyword in node.keys() & {"not", "if", "then", "else"}
        }
        return (
            views.accepts_own_null(node)
            and not single.get("not", False)
            and ("if" not in single or single.get("then" if single["if"] else "else", True))
            and ("$ref" not in node or self.accepts_null(self.contract.follow(pointer), seen))
            and all(fitting.get("allOf", ()))
            and ("oneOf" not in fitting or sum(fitting["oneOf"]) == 1)
            and ("anyOf" not in fitting or any(fitting["anyOf"]))
        )

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
