"""Put schemas that hold at once together: what is past `$ref`, in `allOf`, and behind a `oneOf` of one and null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from tools.contract.document import Pointer, is_array, is_object, parse_reference
from tools.spec_diff.wire import views
from tools.spec_diff.wire.places import is_words
from tools.spec_diff.wire.views import Group, View

if TYPE_CHECKING:
    from tools.spec_diff.wire.reading import Reader


@attrs.define(eq=False)
class Builder:
    """Puts together the schemas that hold at once where one stands: its own, what it refers to, and its `allOf`."""

    reader: Reader
    view: View

    def add(self, pointer: Pointer, *, is_whole: bool) -> None:
        reader, view = self.reader, self.view
        pointer = reader.locate(pointer)
        if pointer in view.nodes:
            # What holds already holds no more by being said again, also where a schema leads back to itself.
            return
        node = view.nodes[pointer] = reader.node(pointer)
        if len(view.nodes) > views.MAX_LAYERS:
            raise reader.contract.fail(pointer, f"more than {views.MAX_LAYERS} schemas are put together here")
        key = next((key for key in ("type", "enum", "const", "nullable") if key in node), None)
        view.null_place = view.null_place or (() if key is None else (*pointer, key))
        for key in node.keys() & views.JUDGED_KEYWORDS:
            view.places.setdefault(key, (*pointer, key))
        self.add_values(pointer, node)
        self.add_facets(pointer, node)
        self.add_below(pointer, node)
        if is_object(node.get("discriminator")):
            self.add_discriminator(pointer, node, is_whole=is_whole)
        if "$ref" in node:
            self.add(reader.contract.follow(pointer), is_whole=False)
        members = reader.contract.members(pointer, "allOf")
        alone = len(members) == 1 and node.keys() & views.JUDGED_KEYWORDS == {"allOf"}
        for member in members:
            self.add(member, is_whole=is_whole and alone)
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                self.add_group((*pointer, keyword), reader.contract.members(pointer, keyword), is_whole=is_whole)

    def add_group(self, place: Pointer, members: list[Pointer], *, is_whole: bool) -> None:
        """Add the members of `oneOf` or `anyOf`, of which null is no member but a property."""
        view, keyword = self.view, str(place[-1])
        rest = [member for member in members if not self.reader.is_null(member)]
        if not view.null_place or len(rest) < len(members):
            view.null_place = place
        if len(rest) == 1:
            self.add(rest[0], is_whole=is_whole)
            return
        types = [self.reader.read_types(member) for member in rest]
        named = [name for each in types if each is not None for name in each]
        clash = len({*named}) < len(named) or {"integer", "number"} <= {*named}
        if all(types) and not (keyword == "oneOf" and clash):
            view.types = views.join_types(view.types, frozenset(named))
            view.places["type"] = place
        else:
            view.groups.append(Group(keyword, place, tuple((member,) for member in rest)))

    def add_values(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        """Add what a schema says of single values."""
        view, declared, listed = self.view, views.list_declared(node), views.list_values(node)
        if declared is not None:
            view.types = views.join_types(view.types, frozenset(declared) - {"null"})
        if listed is not None:
            own = dict.fromkeys(views.freeze(value) for value in listed if value is not None)
            view.values = {each: None for each in own if view.values is None or each in view.values}
        for name, sign in views.LIMITS.items():
            for bound in views.read_bounds(pointer, node, name) if "contains" in node or "Contains" not in name else ():
                known = view.limits.get(name)
                view.limits[name] = bound if known is None else views.join_bounds(known, bound, sign)

    def add_facet(self, place: Pointer, text: str) -> None:
        self.view.facets.setdefault(str(place[-1]), {}).setdefault(text, place)

    def add_facets(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        told = {keyword: value for keyword, value in node.items() if keyword in views.TEXTS}
        told |= {keyword: True for keyword in views.FLAGS if node.get(keyword) is True}
        if "$dynamicRef" in node:
            told["$dynamicRef"] = self.reader.digest((parse_reference(str(node["$dynamicRef"])),))
        if "default" in node and "default" not in self.view.facets:
            told["default"] = node["default"]
        for keyword, value in node.items():
            if keyword in views.OPAQUE:
                idle = (
                    value is False
                    if keyword == "not"
                    else value in (True, {}) or (keyword == views.OPEN and value is False)
                )
                # Where all items are spoken of, none is left over.
                if not idle and not (keyword == "unevaluatedItems" and "items" in node):
                    self.add_facet((*pointer, keyword), self.reader.digest(((*pointer, keyword),)))
            elif is_object(value) and keyword not in views.JUDGED_KEYWORDS | {"$defs", "definitions"}:
                # Redocly looks into no object below a keyword that it does not know.
                told |= {} if is_words((keyword,)) else {keyword: value}
        if self.reader.is_30 and "$ref" in node:
            # Keywords beside a `$ref` have no effect; report changes of them.
            beside = self.reader.contract.at(pointer)
            told |= {keyword: beside[keyword] for keyword in beside.keys() & views.JUDGED_KEYWORDS - {"$ref"}}
        elif not self.reader.is_30 and node.get("nullable") is True:
            told["nullable"] = True
        for keyword, value in told.items():
            self.add_facet((*pointer, keyword), views.freeze(value))
        place = (*pointer, "dependentRequired")
        for name, others in self.reader.contract.get(place, dict).items():
            for other in others if is_array(others) else ():
                self.add_facet(place, f"{name} {other}")

    def add_child(self, keyword: str, name: str, place: Pointer) -> None:
        """Add what is below a schema, unless it may be anything; what is listed counts all the same."""
        known = self.view.children.get((keyword, name), ())
        if place not in known and (keyword in views.LISTED or not self.reader.is_anything(place)):
            self.view.children[keyword, name] = (*known, place)

    def add_below(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        contract = self.reader.contract
        for index, name in enumerate(contract.get((*pointer, "required"), list)):
            self.view.required.setdefault(str(name), (*pointer, "required", index))
        for keyword in views.MAPS:
            for name in contract.get((*pointer, keyword), dict):
                self.add_child(keyword, name, (*pointer, keyword, name))
        for keyword in node.keys() & {*views.SINGLE}:
            if is_object(node[keyword]) or (keyword != "additionalProperties" and node[keyword] is False):
                self.add_child(keyword, "", (*pointer, keyword))
        for place in self.reader.contract.members(pointer, "prefixItems"):
            self.add_child("prefixItems", str(place[-1]), place)
        if "if" in node:
            for keyword in node.keys() & {"then", "else"}:
                self.add_child(keyword, self.reader.digest(((*pointer, "if"),)), (*pointer, keyword))

    def add_discriminator(self, pointer: Pointer, node: Mapping[str, Any], *, is_whole: bool) -> None:
        """Add the schemas that a discriminator leads to, by the value that stands for each."""
        reader, place, discriminator = self.reader, (*pointer, "discriminator"), node["discriminator"]
        self.add_facet(place, views.freeze(discriminator.get("propertyName")))
        members = [*reader.contract.members(pointer, "oneOf"), *reader.contract.members(pointer, "anyOf")]
        if not (is_whole or members):
            return
        leads: dict[str, Pointer] = {}
        mapping = discriminator.get("mapping")
        for value, target in mapping.items() if is_object(mapping) else ():
            text = str(target)
            leads[str(value)] = parse_reference(text) if text.startswith("#") else ("components", "schemas", text)
        for target in map(reader.locate, members) if members else reader.list_heirs(pointer):
            if target[:2] == ("components", "schemas") and len(target) == 3 and target not in leads.values():
                leads[str(target[2])] = target
        for value, target in leads.items():
            if reader.contract.has(target):
                self.add_child("discriminator", value, target)
            else:
                self.add_facet(place, f"{value} {target}")

    def finish(self) -> None:
        """Settle what only all of the schemas together tell."""
        view = self.view
        view.nullable = all(map(self.reader.accepts_null, view.origin))
        self.settle_contains()
        self.settle_rest()
        self.settle_closed()
        self.settle_unevaluated()
        if view.values == {} and view.nullable:
            view.types, view.values = frozenset(), None
        elif view.values is not None and (view.types is None or not view.values):
            view.types, view.derived = frozenset(views.read_type(json.loads(each)) for each in view.values), True
        if view.types is not None and "number" in view.types:
            view.types -= {"integer"}
        is_whole = view.types is not None and "integer" in view.types
        for name, bound in list(view.limits.items()):
            if name in ("minimum", "maximum"):
                view.limits[name] = bound.round(views.LIMITS[name]) if is_whole else bound
            elif bound.value == 0 and name.startswith("min") and name != "minContains":
                del view.limits[name]
        # Said by a wrapper that says nothing else, it is said by what that wraps.
        grouped = {group.place[:-1] for group in view.groups}
        own = views.JUDGED_KEYWORDS - views.WRAPPING
        saying = (pointer for pointer, node in view.nodes.items() if pointer in grouped or node.keys() & own)
        first = next(iter(view.nodes))
        view.place, view.null_place = next(saying, first), view.null_place or first

    def settle_contains(self) -> None:
        """Add `contains`, whose bounds mean something only where it is the one."""
        holders = {(*pointer, "contains"): node for pointer, node in self.view.nodes.items() if "contains" in node}
        if len(holders) == 1:
            self.add_child("contains", "", *holders)
            return
        for place, node in holders.items():
            bounds = [node.get("minContains"), node.get("maxContains")]
            self.add_facet(place, views.freeze([self.reader.digest((place,)), *bounds]))
        for name in ("minContains", "maxContains"):
            self.view.limits.pop(name, None)

    def settle_rest(self) -> None:
        """Let what one schema says of all that it does not list hold for what another lists."""
        listed = [*self.view.children]
        for pointer, node in self.view.nodes.items():
            for keyword, rest in views.RESTS.items():
                own, place = node.get(keyword, ()), (*pointer, rest)
                own = [str(index) for index in range(len(own))] if is_array(own) else own
                # What is closed is settled as a whole.
                if is_object(node.get(rest)) or (node.get(rest) is False and keyword == "prefixItems"):
                    for name in (name for each, name in listed if each == keyword and name not in own):
                        self.add_child(keyword, name, place)

    def settle_closed(self) -> None:
        """Tell whether other properties are ruled out, and note of each schema that does so which ones it knows."""
        nodes = self.view.nodes
        names = {child for child in self.view.children if child[0] in views.MAPS[:2]}
        is_open = any(node.get("additionalProperties", False) is not False for node in nodes.values())
        self.view.closed = not is_open and any(node.get(views.OPEN) is False for node in nodes.values())
        for pointer, node in nodes.items():
            if node.get("additionalProperties") is False:
                self.view.closed = True
                own = {
                    (key, name) for key in views.MAPS[:2] for name in self.reader.contract.get((*pointer, key), dict)
                }
                if own != names:
                    self.add_facet((*pointer, "additionalProperties"), views.freeze(sorted(own)))

    def settle_unevaluated(self) -> None:
        """Note of each schema that speaks of what is not evaluated what evaluates conditionally, or by itself alone."""
        nodes = self.view.nodes
        for pointer, node in nodes.items():
            for keyword in node.keys() & {views.OPEN, "unevaluatedItems"}:
                said = [self.reader.strip(at, own) for at, own in nodes.items() if own.keys() & views.EVALUATING]
                texts = [views.freeze({key: own[key] for key in own.keys() & views.EVALUATING}) for own in said]
                if pointer != next(iter(nodes)):
                    texts.append(self.reader.digest((pointer,)))
                if texts and node[keyword] not in (True, {}):
                    self.add_facet((*pointer, keyword), views.freeze(sorted(texts)))
