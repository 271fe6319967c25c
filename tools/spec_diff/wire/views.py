"""What a schema accepts, whatever the way it is written: past `$ref`, in `allOf`, behind a `oneOf` of one and null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from tools.contract.document import Pointer, is_array, is_object, parse_reference
from tools.spec_diff.wire import keywords
from tools.spec_diff.wire.keywords import ANNOTATING, EVALUATING, MAX_DEPTH, Bound, Child, Group, Places
from tools.spec_diff.wire.places import is_words

if TYPE_CHECKING:
    from tools.spec_diff.wire.reading import Reader

COUNTED = {"string": "Length", "array": "Items", "object": "Properties"}


@attrs.define(eq=False)
class View:
    """What schemas that hold at once accept: their own keywords, those of what they refer to, and of their `allOf`."""

    reader: Reader
    origin: Places
    """The schemas that it was read from."""
    nodes: dict[Pointer, Mapping[str, Any]] = attrs.field(factory=dict)
    """Every schema that was merged into this one, by its place."""
    place: Pointer = ()
    types: frozenset[str] | None = None
    """The types beside null; None when every type is accepted."""
    derived: bool = False
    """Whether the types are those of the enumerated values, none being declared."""
    nullable: bool = True
    null_place: Pointer = ()
    """Where it is said whether null is accepted."""
    values: dict[str, None] | None = None
    """The values beside null, as JSON; None when they are not enumerated."""
    required: dict[str, Pointer] = attrs.field(factory=dict)
    """Required names, and where each is demanded."""
    children: dict[Child, Places] = attrs.field(factory=dict)
    closed: bool = False
    """Whether other properties than those listed are ruled out."""
    groups: list[Group] = attrs.field(factory=list)
    limits: dict[str, Bound] = attrs.field(factory=dict)
    facets: dict[str, dict[str, Pointer]] = attrs.field(factory=dict)
    """The values of keywords that cannot be merged, as texts or fingerprints, and where each is written."""
    places: dict[str, Pointer] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for place in self.origin:
            self.add(place, is_whole=True)
        self.finish()

    @property
    def properties(self) -> dict[str, Places]:
        return {name: places for (keyword, name), places in self.children.items() if keyword == "properties"}

    @property
    def members(self) -> set[Pointer]:
        """Where the alternatives are."""
        return {self.reader.locate(each) for group in self.groups for member in group.members for each in member}

    @property
    def is_bare(self) -> bool:
        """Whether the members of `oneOf` or `anyOf` are all that it says."""
        has_more = self.required or self.children or self.closed or self.limits or self.facets.keys() - ANNOTATING
        return not has_more and self.types is None and self.values is None

    def list_types(self) -> str:
        if self.types is None:
            return "any type"
        names = sorted(self.types) + (["null"] if self.nullable else [])
        return " or ".join(names) if names else "nothing"

    def may_be(self, name: str, depth: int = 0) -> bool:
        """Return whether a value may be of a type."""
        if self.types is not None:
            return name in self.types
        members = [self.reader.read(member) for group in self.groups for member in group.members]
        return not members or depth > MAX_DEPTH or any(each.may_be(name, depth + 1) for each in members)

    def may_overlap(self, other: View, depth: int = MAX_DEPTH) -> bool:
        """Return whether one value may fit both, as far as types and bounds tell."""
        types = keywords.join_types(self.types, other.types)
        if (self.nullable and other.nullable) or not depth:
            return True
        if types == frozenset():
            return False
        if self.values is not None and other.values is not None:
            return not {*self.values}.isdisjoint(other.values)
        if types is None or len(types) > 1:
            return True
        name = COUNTED.get(next(iter(types)), "")
        bounds = (f"min{name}", f"max{name}") if name else ("minimum", "maximum")
        pairs = ((self, other), (other, self))
        if any(low.is_above(high, *bounds) for low, high in pairs):
            return False
        return "object" not in types or not any(one.is_told_apart(two, depth - 1) for one, two in pairs)

    def is_above(self, other: View, low: str, high: str) -> bool:
        """Return whether all that fits it is above all that fits the other."""
        if low not in self.limits or high not in other.limits:
            return False
        above, below = self.limits[low], other.limits[high]
        return above.value > below.value or (above.value == below.value and (above.exclusive or below.exclusive))

    def is_told_apart(self, other: View, depth: int) -> bool:
        """Return whether the other rules out a property that it demands."""
        mine, others = self.properties, other.properties
        beyond = other.groups or {keyword for keyword, _ in other.children} - {"properties", "additionalProperties"}
        if other.closed and not beyond and not self.required.keys() <= others.keys():
            return True
        shared = [name for name in self.required if name in others and name in mine]
        views = [(self.reader.read(mine[name]), self.reader.read(others[name])) for name in shared]
        return not all(one.may_overlap(two, depth) for one, two in views)

    def add(self, pointer: Pointer, *, is_whole: bool) -> None:
        pointer = self.reader.locate(pointer)
        if pointer in self.nodes:
            # What holds already holds no more by being said again, also where a schema leads back to itself.
            return
        node = self.nodes[pointer] = self.reader.node(pointer)
        if len(self.nodes) > keywords.MAX_LAYERS:
            raise self.reader.contract.fail(pointer, f"more than {keywords.MAX_LAYERS} schemas are put together here")
        key = next((key for key in ("type", "enum", "const", "nullable") if key in node), None)
        self.null_place = self.null_place or (() if key is None else (*pointer, key))
        for key in node.keys() & keywords.JUDGED_KEYWORDS:
            self.places.setdefault(key, (*pointer, key))
        self.add_values(pointer, node)
        self.add_facets(pointer, node)
        self.add_below(pointer, node)
        if is_object(node.get("discriminator")):
            self.add_discriminator(pointer, node, is_whole=is_whole)
        if "$ref" in node:
            self.add(self.reader.contract.follow(pointer), is_whole=False)
        members = self.reader.contract.members(pointer, "allOf")
        alone = len(members) == 1 and node.keys() & keywords.JUDGED_KEYWORDS == {"allOf"}
        for member in members:
            self.add(member, is_whole=is_whole and alone)
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                self.add_group((*pointer, keyword), self.reader.contract.members(pointer, keyword), is_whole=is_whole)

    def add_group(self, place: Pointer, members: list[Pointer], *, is_whole: bool) -> None:
        """Add the members of `oneOf` or `anyOf`, of which null is no member but a property."""
        keyword = str(place[-1])
        rest = [member for member in members if not self.reader.is_null(member)]
        if not self.null_place or len(rest) < len(members):
            self.null_place = place
        if len(rest) == 1:
            self.add(rest[0], is_whole=is_whole)
            return
        types = [self.reader.read_types(member) for member in rest]
        named = [name for each in types if each is not None for name in each]
        clash = len({*named}) < len(named) or {"integer", "number"} <= {*named}
        if all(types) and not (keyword == "oneOf" and clash):
            self.types = keywords.join_types(self.types, frozenset(named))
            self.places["type"] = place
        else:
            self.groups.append(Group(keyword, place, tuple((member,) for member in rest)))

    def add_values(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        """Add what a schema says of single values."""
        declared, listed = keywords.list_declared(node), keywords.list_values(node)
        if declared is not None:
            self.types = keywords.join_types(self.types, frozenset(declared) - {"null"})
        if listed is not None:
            own = dict.fromkeys(keywords.freeze(value) for value in listed if value is not None)
            self.values = {each: None for each in own if self.values is None or each in self.values}
        for name, sign in keywords.LIMITS.items():
            for bound in keywords.read_bounds(pointer, node, name):
                self.limits[name] = keywords.join_bounds(self.limits.get(name, bound), bound, sign)

    def add_facet(self, place: Pointer, text: str) -> None:
        self.facets.setdefault(str(place[-1]), {}).setdefault(text, place)

    def add_facets(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        told = {keyword: value for keyword, value in node.items() if keyword in keywords.TEXTS}
        told |= {keyword: True for keyword in keywords.FLAG_WORDS if node.get(keyword) is True}
        if "$dynamicRef" in node:
            told["$dynamicRef"] = self.reader.digest((parse_reference(str(node["$dynamicRef"])),))
        if "default" in node and "default" not in self.facets:
            told["default"] = node["default"]
        for keyword, value in node.items():
            if keyword in keywords.OPAQUE:
                # Where all items are spoken of, none is left over.
                if value not in keywords.OPAQUE[keyword] and not (keyword == "unevaluatedItems" and "items" in node):
                    self.add_facet((*pointer, keyword), self.reader.digest(((*pointer, keyword),)))
            elif is_object(value) and keyword not in keywords.JUDGED_KEYWORDS | {"$defs", "definitions"}:
                # Redocly looks into no object below a keyword that it does not know.
                told |= {} if is_words((keyword,)) else {keyword: value}
        if self.reader.is_30 and "$ref" in node:
            # Keywords beside a `$ref` have no effect; report changes of them.
            beside = self.reader.contract.at(pointer)
            told |= {keyword: beside[keyword] for keyword in beside.keys() & keywords.JUDGED_KEYWORDS - {"$ref"}}
        elif not self.reader.is_30 and node.get("nullable") is True:
            told["nullable"] = True
        for keyword, value in told.items():
            self.add_facet((*pointer, keyword), keywords.freeze(value))
        place = (*pointer, "dependentRequired")
        for name, others in self.reader.contract.get(place, dict).items():
            for other in others if is_array(others) else ():
                self.add_facet(place, f"{name} {other}")

    def add_child(self, keyword: str, name: str, place: Pointer) -> None:
        """Add what is below a schema, unless it may be anything; what is listed counts all the same."""
        known = self.children.get((keyword, name), ())
        if place not in known and (keyword in keywords.LISTED or not self.reader.is_anything(place)):
            self.children[keyword, name] = (*known, place)

    def add_below(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        for index, name in enumerate(self.reader.contract.get((*pointer, "required"), list)):
            self.required.setdefault(str(name), (*pointer, "required", index))
        for keyword in keywords.MAPS:
            for name in self.reader.contract.get((*pointer, keyword), dict):
                self.add_child(keyword, name, (*pointer, keyword, name))
        for keyword in node.keys() & {*keywords.SINGLE}:
            if is_object(node[keyword]) or (keyword != "additionalProperties" and node[keyword] is False):
                self.add_child(keyword, "", (*pointer, keyword))
        for place in self.reader.contract.members(pointer, "prefixItems"):
            self.add_child("prefixItems", str(place[-1]), place)
        if "if" in node:
            for keyword in node.keys() & {"then", "else"}:
                self.add_child(keyword, self.reader.digest(((*pointer, "if"),)), (*pointer, keyword))

    def add_discriminator(self, pointer: Pointer, node: Mapping[str, Any], *, is_whole: bool) -> None:
        """Add the schemas that a discriminator leads to, by the value that stands for each."""
        place, discriminator = (*pointer, "discriminator"), node["discriminator"]
        self.add_facet(place, keywords.freeze(discriminator.get("propertyName")))
        members = [*self.reader.contract.members(pointer, "oneOf"), *self.reader.contract.members(pointer, "anyOf")]
        if not (is_whole or members):
            return
        leads: dict[str, Pointer] = {}
        mapping = discriminator.get("mapping")
        for value, target in mapping.items() if is_object(mapping) else ():
            text = str(target)
            leads[str(value)] = parse_reference(text) if text.startswith("#") else ("components", "schemas", text)
        for target in map(self.reader.locate, members) if members else self.reader.list_heirs(pointer):
            if target[:2] == ("components", "schemas") and len(target) == 3 and target not in leads.values():
                leads[str(target[2])] = target
        for value, target in leads.items():
            if self.reader.contract.has(target):
                self.add_child("discriminator", value, target)
            else:
                self.add_facet(place, f"{value} {target}")

    def finish(self) -> None:
        """Settle what only all of the schemas together tell."""
        self.nullable = all(map(self.reader.accepts_null, self.origin))
        self.settle_contains()
        self.settle_rest()
        self.settle_closed()
        self.settle_unevaluated()
        if self.values == {} and self.nullable:
            self.types, self.values = frozenset(), None
        elif self.values is not None and (self.types is None or not self.values):
            self.types, self.derived = frozenset(keywords.read_type(json.loads(each)) for each in self.values), True
        if self.types is not None and "number" in self.types:
            self.types -= {"integer"}
        is_whole = self.types is not None and "integer" in self.types
        for name, bound in list(self.limits.items()):
            if name in ("minimum", "maximum"):
                self.limits[name] = bound.round(keywords.LIMITS[name]) if is_whole else bound
            elif bound.value == 0 and name.startswith("min") and name != "minContains":
                del self.limits[name]
        # Said by a wrapper that says nothing else, it is said by what that wraps.
        grouped = {group.place[:-1] for group in self.groups}
        own = keywords.JUDGED_KEYWORDS - keywords.WRAPPING
        saying = (pointer for pointer, node in self.nodes.items() if pointer in grouped or node.keys() & own)
        first = next(iter(self.nodes))
        self.place, self.null_place = next(saying, first), self.null_place or first

    def settle_contains(self) -> None:
        """Add `contains`, whose bounds mean something only where it is the one."""
        holders = {(*pointer, "contains"): node for pointer, node in self.nodes.items() if "contains" in node}
        if len(holders) == 1:
            self.add_child("contains", "", *holders)
            return
        for place, node in holders.items():
            bounds = [node.get("minContains"), node.get("maxContains")]
            self.add_facet(place, keywords.freeze([self.reader.digest((place,)), *bounds]))
        for name in ("minContains", "maxContains"):
            self.limits.pop(name, None)

    def settle_rest(self) -> None:
        """Let what one schema says of all that it does not list hold for what another lists."""
        listed = [*self.children]
        for pointer, node in self.nodes.items():
            for keyword, rest in keywords.RESTS.items():
                own, place = node.get(keyword, ()), (*pointer, rest)
                own = [str(index) for index in range(len(own))] if is_array(own) else own
                # What is closed is settled as a whole.
                if is_object(node.get(rest)) or (node.get(rest) is False and keyword == "prefixItems"):
                    for name in (name for each, name in listed if each == keyword and name not in own):
                        self.add_child(keyword, name, place)

    def settle_closed(self) -> None:
        """Tell whether other properties are ruled out, and note of each schema that does so which ones it knows."""
        names = {child for child in self.children if child[0] in keywords.MAPS[:2]}
        is_open = any(node.get("additionalProperties", False) is not False for node in self.nodes.values())
        self.closed = not is_open and any(node.get(keywords.OPEN) is False for node in self.nodes.values())
        for pointer, node in self.nodes.items():
            if node.get("additionalProperties") is False:
                self.closed = True
                own = {(key, name) for key in keywords.MAPS[:2] for name in node.get(key) or ()}
                if own != names:
                    self.add_facet((*pointer, "additionalProperties"), keywords.freeze(sorted(own)))

    def settle_unevaluated(self) -> None:
        """Note of each schema that speaks of what is not evaluated what evaluates conditionally, or by itself alone."""
        for pointer, node in self.nodes.items():
            for keyword in node.keys() & {keywords.OPEN, "unevaluatedItems"}:
                said = [self.reader.strip(at, own) for at, own in self.nodes.items() if own.keys() & EVALUATING]
                texts = [keywords.freeze({key: own[key] for key in own.keys() & EVALUATING}) for own in said]
                if pointer != next(iter(self.nodes)):
                    texts.append(self.reader.digest((pointer,)))
                if texts and node[keyword] not in (True, {}):
                    self.add_facet((*pointer, keyword), keywords.freeze(sorted(texts)))
